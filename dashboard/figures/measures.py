"""Interpretability measures as bars, family under family."""

from __future__ import annotations

import plotly.graph_objects as go

from dashboard.texts import text
from dashboard.theme import Palette, plot_layout
from dashboard.views.measures import MeasureBar, MeasuresView

__all__ = ["measures_figure"]

LINE = 34


def measures_figure(view: MeasuresView, colours: Palette) -> go.Figure:
    """Return one bar in [0, 1] per measure with its interval and number; an undefined measure says so.

    Where there is more than one family, each has a line with its name above its bars.
    """
    bars = list(reversed(view.bars))
    figure = go.Figure()
    figure.add_trace(go.Bar(
        x=[1.0] * len(bars), y=[b.label for b in bars], orientation="h", hoverinfo="skip", width=0.5, meta="track",
        marker={"color": colours.grid},
    ))  # fmt: skip
    values = [0.0 if b.value is None else b.value for b in bars]
    figure.add_trace(go.Bar(
        x=values, y=[b.label for b in bars], orientation="h", width=0.5, meta="value",
        marker={"color": colours.interpretability},
        error_x={
            "type": "data", "symmetric": False, "color": colours.ink, "thickness": 1.2, "width": 3,
            "array": [_arm(v, b.high) for b, v in zip(bars, values)],
            "arrayminus": [_arm(b.low, v) for b, v in zip(bars, values)],
        },
        hovertext=[b.words or b.reason for b in bars], hovertemplate="%{hovertext}<extra></extra>",
    ))  # fmt: skip
    figure.add_trace(go.Scatter(
        x=[1.03] * len(bars), y=[b.label for b in bars], mode="text", textposition="middle right", hoverinfo="skip",
        text=[_number(b) for b in bars], meta="numbers",
        textfont={"color": [colours.muted if b.value is None else colours.ink for b in bars]},
    ))  # fmt: skip
    lines = _lines(view)
    figure.update_layout(plot_layout(colours))
    figure.update_layout(height=56 + LINE * max(1, len(lines)), barmode="overlay", showlegend=False,
                         margin={"l": 8, "r": 8, "t": 4, "b": 44})  # fmt: skip
    figure.update_xaxes(range=[0, 1.22], tickvals=[0, 0.5, 1], title_text=text("measure.axis"), showgrid=False)
    figure.update_yaxes(automargin=True, showgrid=False, tickfont={"color": colours.ink}, categoryorder="array",
                        categoryarray=lines, range=[-0.5, max(1, len(lines)) - 0.5])  # fmt: skip
    return figure


def _lines(view: MeasuresView) -> list[str]:
    """Return the labels of the lines from the bottom up: those of the bars, each family under its name."""
    families = view.families
    lines: list[str] = []
    for family in reversed(families):
        lines += [b.label for b in reversed(family.bars)]
        if len(families) > 1:
            lines.append(f"<b>{family.label}</b>")
    return lines


def _number(bar: MeasureBar) -> str:
    return text("measure.undefined") if bar.value is None else f"{bar.value:.2f}"


def _arm(low: float | None, high: float | None) -> float | None:
    """Return the length of one side of an interval; None, which draws nothing, where there is none."""
    return high - low if low is not None and high is not None and high > low else None
