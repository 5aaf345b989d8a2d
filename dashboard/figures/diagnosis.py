"""The inside of a network as Plotly figures: gradients per layer, idle units, histograms."""

from __future__ import annotations

import math

import plotly.graph_objects as go

from dashboard.texts import text
from dashboard.theme import Palette, plot_layout
from dashboard.views.diagnosis import LEAST, BarsView, DotsView, HistogramView

__all__ = ["bars_figure", "dots_figure", "histogram_figure"]

LINE, FRAME = 26, 84
TICKS = 7


def dots_figure(view: DotsView, colours: Palette) -> go.Figure:
    """Return two dots per layer on a logarithmic axis: filled after training, open at initialisation.

    A layer where the signal vanishes, explodes or does not arrive has a cross; one at 0 stands at the left end.
    """
    figure, lines = go.Figure(), list(range(len(view.labels) - 1, -1, -1))
    known = [v for s in view.series for v in s.values if v is not None and v > LEAST]
    low, high = min(known, default=0.1), max(known, default=1.0)
    end = low / 10 if any(v is not None and v <= LEAST for s in view.series for v in s.values) else low
    ends: dict[int, list[float]] = {}
    for series in reversed(view.series):  # trained ones on top
        at = [i for i, value in enumerate(series.values) if value is not None]
        shown = [max(float(series.values[i] or 0.0), end) for i in at]
        for i, x in zip(at, shown):
            ends.setdefault(i, []).append(x)
        trained = series.name == "trained"
        colour = colours.accuracy if trained else colours.muted
        plain, wrong = ("circle", "x") if trained else ("circle-open", "x-open")
        figure.add_trace(go.Scatter(
            x=shown, y=[lines[i] for i in at], mode="markers", name=text(f"diagnosis.{series.name}"), meta=series.name,
            marker={
                "size": 10, "symbol": [wrong if series.flags[i] else plain for i in at],
                "color": [colours.chosen if series.flags[i] else colour for i in at], "line": {"width": 1.6},
            },
            hovertext=[series.hover[i] for i in at], hovertemplate="%{hovertext}<extra></extra>", zorder=2,
        ))  # fmt: skip
    xs = [x for pair in ends.values() if len(pair) == 2 for x in (*pair, None)]
    ys = [y for i, pair in ends.items() if len(pair) == 2 for y in (lines[i], lines[i], None)]
    figure.add_trace(go.Scatter(
        x=xs, y=ys, mode="lines", line={"color": colours.grid, "width": 3}, hoverinfo="skip", showlegend=False,
        meta="between",
    ))  # fmt: skip
    _frame(figure, colours, [*view.labels], text(f"diagnosis.{view.quantity}_axis"))
    first, last = _decades(end, high)
    step = max(1, round((last - first) / TICKS))
    figure.update_xaxes(
        type="log", range=[first - 0.12, last + 0.12], tickvals=[10.0**k for k in range(first, last + 1, step)],
        ticktext=[_power(k) for k in range(first, last + 1, step)],
    )  # fmt: skip
    figure.update_layout(showlegend=len(view.series) > 1, margin_t=34,
                         legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"})  # fmt: skip
    return figure


def bars_figure(view: BarsView, colours: Palette) -> go.Figure:
    """Return one bar per activation function: the share of dead units, then that of saturated ones (hatched)."""
    figure, lines = go.Figure(), list(range(len(view.bars) - 1, -1, -1))
    figure.add_trace(go.Bar(
        x=[1.0] * len(lines), y=lines, orientation="h", width=0.55, hoverinfo="skip", showlegend=False, meta="track",
        marker={"color": colours.grid, "line": {"width": 0}}, base=0,
    ))  # fmt: skip
    parts = (
        ("dead", [b.dead for b in view.bars], [0.0] * len(lines), colours.chosen, ""),
        ("saturated", [b.saturated for b in view.bars], [b.dead for b in view.bars], colours.interpretability, "/"),
    )
    for name, shares, base, colour, hatch in parts:
        if any(shares):
            figure.add_trace(go.Bar(
                x=shares, y=lines, base=base, orientation="h", width=0.55, name=text(f"diagnosis.{name}"), meta=name,
                marker={"color": colour, "line": {"width": 0},
                        "pattern": {"shape": hatch, "fgcolor": colours.background, "bgcolor": colour, "size": 6,
                                    "solidity": 0.25}},
                hovertext=[b.words for b in view.bars], hovertemplate="%{hovertext}<extra></extra>",
            ))  # fmt: skip
    _frame(figure, colours, [b.label for b in view.bars], text("diagnosis.share_axis"))
    figure.update_xaxes(range=[0, 1.02], tickformat=".0%", tickvals=[0, 0.25, 0.5, 0.75, 1])
    figure.update_layout(barmode="overlay", margin_t=34,
                         legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"})  # fmt: skip
    return figure


def histogram_figure(view: HistogramView, colours: Palette) -> go.Figure:
    """Return the histogram."""
    widths = [b - a for a, b in zip(view.edges, view.edges[1:])]
    centres = [(a + b) / 2 for a, b in zip(view.edges, view.edges[1:])]
    colour = colours.accuracy if view.quantity == "weights" else colours.interpretability
    figure = go.Figure(go.Bar(
        x=centres, y=view.counts, width=widths, marker={"color": colour, "line": {"width": 0}}, meta=view.quantity,
        hovertemplate="%{x:.3g}: %{y:,}<extra></extra>",
    ))  # fmt: skip
    figure.update_layout(plot_layout(colours))
    figure.update_layout(height=210, bargap=0, margin={"l": 48, "r": 8, "t": 8, "b": 42}, showlegend=False)
    figure.update_xaxes(title_text=text(f"diagnosis.{view.quantity}"), showgrid=False)
    figure.update_yaxes(title_text=text("diagnosis.count"), nticks=4, rangemode="tozero")
    if max(view.counts) < 4:
        figure.update_yaxes(dtick=1)  # no half numbers
    return figure


def _frame(figure: go.Figure, colours: Palette, labels: list[str], title: str) -> None:
    """Lay out one line per label, the first on top."""
    figure.update_layout(plot_layout(colours))
    figure.update_layout(height=FRAME + LINE * max(1, len(labels)), margin={"l": 8, "r": 16, "t": 8, "b": 46})
    figure.update_xaxes(title_text=title, zeroline=False)
    figure.update_yaxes(
        tickvals=list(range(len(labels) - 1, -1, -1)), ticktext=labels, automargin=True, showgrid=False,
        range=[-0.6, len(labels) - 0.4], tickfont={"color": colours.ink}, zeroline=False,
    )  # fmt: skip


def _decades(low: float, high: float) -> tuple[int, int]:
    """Return the powers of ten that hold the numbers; two decades at least, so that little differences look little."""
    first, last = (math.log10(max(value, LEAST)) for value in (low, high))
    a, b = math.floor(first + 0.02), math.ceil(last - 0.02)
    while b - a < 2:
        a, b = (a - 1, b) if first - a < b - last else (a, b + 1)
    return a, b


def _power(exponent: int) -> str:
    """Return a power of ten as it is read: 0.01, 100, or 10⁻⁶."""
    if -3 <= exponent <= 3:
        return f"{10.0**exponent:,.{max(0, -exponent)}f}"
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
