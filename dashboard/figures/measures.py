"""Interpretability measures as bars."""

from __future__ import annotations

import plotly.graph_objects as go

from dashboard.texts import text
from dashboard.theme import Palette, plot_layout
from dashboard.views.measures import MeasuresView

__all__ = ["measures_figure"]

LINE = 34


def measures_figure(view: MeasuresView, colours: Palette) -> go.Figure:
    """Return one bar in [0, 1] per measure with its interval and number; an undefined measure says so."""
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
        text=[text("measure.undefined") if b.value is None else f"{b.value:.2f}" for b in bars], meta="numbers",
        textfont={"color": [colours.muted if b.value is None else colours.ink for b in bars]},
    ))  # fmt: skip
    figure.update_layout(plot_layout(colours))
    figure.update_layout(height=56 + LINE * max(1, len(bars)), barmode="overlay", showlegend=False,
                         margin={"l": 8, "r": 8, "t": 4, "b": 44})  # fmt: skip
    figure.update_xaxes(range=[0, 1.22], tickvals=[0, 0.5, 1], title_text=text("measure.axis"), showgrid=False)
    figure.update_yaxes(automargin=True, showgrid=False, tickfont={"color": colours.ink})
    return figure


def _arm(low: float | None, high: float | None) -> float | None:
    """Return the length of one side of an interval; None, which draws nothing, where there is none."""
    return high - low if low is not None and high is not None and high > low else None
