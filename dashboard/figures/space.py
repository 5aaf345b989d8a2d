"""How much candidates of a space cost, as two small histograms."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from dashboard.texts import text
from dashboard.theme import Palette, plot_layout
from dashboard.views.estimate import CostSpread
from dashboard.views.words import count

__all__ = ["cost_figure"]

HEIGHT = 148


def cost_figure(spread: CostSpread, colours: Palette) -> go.Figure:
    """Return the histogram of one quantity on a logarithmic axis, with its 5 %, 50 % and 95 % quantiles as lines."""
    edges = _at(spread.edges)
    middle, width = (edges[:-1] + edges[1:]) / 2, np.diff(edges)
    figure = go.Figure(
        go.Bar(
            x=middle, y=spread.counts, width=width, customdata=np.stack([spread.edges[:-1], spread.edges[1:]], axis=1),
            marker={"color": colours.accent, "opacity": 0.55, "line": {"width": 0}},
            hovertemplate=text("space.cost_hover") + "<extra></extra>",
        )
    )  # fmt: skip
    top = max(1, int(spread.counts.max()))
    lines = ((spread.low, "dot", "5 %"), (spread.middle, "solid", "50 %"), (spread.high, "dot", "95 %"))
    for value, dash, name in lines:
        x = float(_at(np.array(value)))
        figure.add_trace(
            go.Scatter(
                x=[x, x], y=[0, 1.06 * top], mode="lines", line={"color": colours.ink, "width": 1.4, "dash": dash},
                name=name, hovertemplate=f"{name}: {count(round(value))}<extra></extra>",
            )
        )  # fmt: skip
    ticks = _ticks(spread)
    figure.update_layout(plot_layout(colours))
    figure.update_layout(
        height=HEIGHT, showlegend=False, bargap=0, margin={"l": 8, "r": 8, "t": 4, "b": 40},
        xaxis={"title": {"text": spread.label}, "tickvals": _at(ticks), "ticktext": [_short(t) for t in ticks],
               "showgrid": False, "range": [edges[0] - width[0], edges[-1] + width[-1]]},
        yaxis={"visible": False, "range": [0, 1.1 * top]},
    )  # fmt: skip
    return figure


def _at(values: np.ndarray) -> np.ndarray:
    """Return where values stand on the axis: log10(1 + value), since a network may need 0 of something."""
    return np.asarray(np.log10(1 + values))


def _ticks(spread: CostSpread) -> np.ndarray:
    """Return round values on the axis: steps of 1, 2, 5, or powers of ten where there are many."""
    low, high = max(1.0, spread.least), max(2.0, spread.most)
    powers = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    steps = (1, 2, 5) if high < 40 * low else (1,)
    ticks = np.array([step * 10.0**power for power in powers for step in steps])
    ticks = ticks[(ticks >= spread.least) & (ticks <= spread.most)]
    return ticks if len(ticks) else np.unique([float(spread.least), float(spread.most)])


def _short(value: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
