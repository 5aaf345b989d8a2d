"""Kinds of importance side by side as a native Plotly dot plot."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from dashboard.figures.labels import label, plain
from dashboard.texts import text
from dashboard.theme import Palette, plot_layout
from dashboard.views.explain_importance import ComparedView, Series

__all__ = ["compared_figure"]

LINE = 40
LETTERS = 34
SYMBOLS = {"attribution": "circle", "permutation": "diamond", "information": "square"}


def compared_figure(view: ComparedView, colours: Palette) -> go.Figure:
    """Return one line per feature with a mark for each kind of importance, a shape and a colour each."""
    figure = go.Figure()
    count = len(view.names)
    tints = {"attribution": colours.accuracy, "permutation": colours.chosen, "information": colours.muted}
    lines = np.arange(count - 1, -1, -1, dtype=float)
    steps = np.linspace(0.24, -0.24, len(view.series)) if len(view.series) > 1 else np.zeros(1)
    for step, series in zip(steps, view.series):
        figure.add_trace(_dots(series, lines + step, view.names, tints[series.key]))
    figure.update_layout(plot_layout(colours))
    figure.update_layout(
        height=110 + LINE * max(1, count), margin={"l": 8, "r": 12, "t": 64, "b": 48}, hovermode="closest",
        legend={"orientation": "h", "x": 0, "xref": "container", "y": 1.0, "yref": "container", "yanchor": "top",
                "font": {"color": colours.ink, "size": 12}},
        shapes=[{"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": line - 0.5, "y1": line - 0.5,
                 "line": {"color": colours.grid, "width": 1}} for line in range(1, count)],
    )  # fmt: skip
    figure.update_yaxes(tickvals=list(range(count)), ticktext=[label(n, LETTERS) for n in reversed(view.names)],
                        range=[-0.6, count - 0.4], showgrid=False, zeroline=False, automargin=True,
                        tickfont={"color": colours.ink})  # fmt: skip
    figure.update_xaxes(title_text=text("whole.compared_axis"), tickformat=".0%", zeroline=True, zerolinewidth=1.4,
                        zerolinecolor=colours.muted)  # fmt: skip
    return figure


def _dots(series: Series, lines: np.ndarray, names: tuple[str, ...], colour: str) -> go.Scatter:
    """Return the marks of one kind with their intervals; a value that is undefined is left out."""
    known = np.isfinite(series.share)
    wide = bool((series.high[known] > series.low[known]).any())
    return go.Scatter(
        x=series.share[known], y=lines[known], mode="markers", name=series.label, meta=series.key,
        marker={"symbol": SYMBOLS[series.key], "size": 9, "color": colour},
        error_x={"type": "data", "symmetric": False, "array": (series.high - series.share)[known],
                 "arrayminus": (series.share - series.low)[known], "color": colour, "thickness": 1.4, "width": 3,
                 "visible": wide},
        customdata=[[plain(names[i]), series.words[i]] for i in np.flatnonzero(known)],
        hovertemplate=f"<b>%{{customdata[0]}}</b><br>{series.label}<br>%{{customdata[1]}}<extra></extra>",
    )  # fmt: skip
