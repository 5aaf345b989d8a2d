"""A row with some values moved, as Plotly figures: attributions before and after, and the curve of one feature."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from dashboard.figures.labels import label, plain
from dashboard.figures.signal_attributions import SIDE
from dashboard.texts import text
from dashboard.theme import Palette, plot_layout
from dashboard.views.what_if import IceView, Moved

__all__ = ["cells_figure", "ice_figure", "moved_figure"]

LINE = 26


def moved_figure(bars: Sequence[Moved], colours: Palette, unit: str) -> go.Figure:
    """Return what each feature adds now as a bar, and what it added before as an open diamond."""
    lowers, _, raises = colours.diverging
    places = list(range(len(bars) - 1, -1, -1))
    figure = go.Figure(go.Bar(
        x=[b.after for b in bars], y=places, orientation="h", width=0.6, meta="after",
        marker={"line": {"width": 0}, "color": [raises if b.after > 0 else lowers for b in bars]},
        hovertext=[text("what_if.bar", name=plain(b.name), before=plain(b.value_before), after=plain(b.value_after),
                        was=f"{b.before:+.3g}", now=f"{b.after:+.3g}") for b in bars],
        hovertemplate="%{hovertext}<extra></extra>",
    ))  # fmt: skip
    figure.add_trace(go.Scatter(
        x=[b.before for b in bars], y=places, mode="markers", hoverinfo="skip", meta="before",
        marker={"symbol": "diamond-open", "size": 9, "color": colours.ink, "line": {"width": 1.6}},
    ))  # fmt: skip
    names = [f"<b>{_named(b)}</b>" if b.changed else _named(b) for b in bars]
    figure.update_layout(plot_layout(colours))
    figure.update_layout(height=70 + LINE * max(1, len(bars)), showlegend=False, hovermode="closest",
                         margin={"l": 8, "r": 12, "t": 6, "b": 44})  # fmt: skip
    figure.update_yaxes(tickvals=places, ticktext=names, showgrid=False, zeroline=False, automargin=True,
                        range=[-0.6, len(bars) - 0.4], tickfont={"color": colours.ink, "size": 12})  # fmt: skip
    figure.update_xaxes(title_text=text("shap.axis", unit=label(unit, 24)), zeroline=True, zerolinewidth=1.4,
                        zerolinecolor=colours.muted)  # fmt: skip
    return figure


def _named(bar: Moved) -> str:
    value = f"{label(bar.value_before, 9)} → {label(bar.value_after, 9)}" if bar.changed else label(bar.value_after, 12)
    return f"{label(bar.name, 24)} = {value}"


def ice_figure(view: IceView, colours: Palette) -> go.Figure:
    """Return the output as the feature moves: a filled point where it is now, an open diamond where it began."""
    figure = go.Figure(go.Scatter(
        x=view.x, y=view.y, mode="lines+markers" if view.levels or len(view.x) < 12 else "lines", meta="curve",
        line={"color": colours.accuracy, "width": 2.2}, marker={"size": 7},
        hovertemplate="%{x:.4g}: %{y:.3g}<extra></extra>" if not view.levels else "%{y:.3g}<extra></extra>",
    ))  # fmt: skip
    for (x, y), symbol, size, colour, meta in (
        (view.start, "diamond-open", 11, colours.ink, "start"), (view.here, "circle", 11, colours.chosen, "here"),
    ):  # fmt: skip
        if np.isfinite(x):
            figure.add_trace(go.Scatter(
                x=[x], y=[y], mode="markers", meta=meta, marker={"symbol": symbol, "size": size, "color": colour,
                                                                 "line": {"width": 2}},
                hovertemplate=text(f"what_if.ice_{meta}") + ": %{y:.3g}<extra></extra>",
            ))  # fmt: skip
    figure.update_layout(plot_layout(colours))
    figure.update_layout(height=230, showlegend=False, margin={"l": 56, "r": 12, "t": 8, "b": 44}, hovermode="closest")
    figure.update_xaxes(title_text=label(view.name, 40), showgrid=False, zeroline=False)
    figure.update_yaxes(title_text=label(view.output, 30), zeroline=True, zerolinecolor=colours.grid)
    if view.levels:
        figure.update_xaxes(tickvals=list(range(len(view.levels))), ticktext=[label(n, 14) for n in view.levels])
    elif np.isfinite(view.here[0]) and not view.low <= view.here[0] <= view.high:
        left, right = sorted((view.low if view.here[0] < view.low else view.high, view.here[0]))
        figure.add_vrect(x0=left, x1=right, fillcolor=colours.chosen, opacity=0.12, line_width=0)
    return figure


def cells_figure(picture: go.Figure, grid: np.ndarray, names: Sequence[str], gone: Sequence[int], colours: Palette,
                 *, wide: bool = False) -> go.Figure:  # fmt: skip
    """Return a picture with its cells (H, W) to be clicked; those that are taken away are crossed out.

    Args:
        picture: The image, or the series with steps from 1.
        grid: (H, W) the cell of every place.
        names: Of the cells.
        gone: Cells that are taken away.
        colours: Of the page.
        wide: A series: its cells are columns of a band below its lines.
    """
    cells = np.unique(grid)
    lines, columns = zip(*[np.nonzero(grid == c) for c in cells])
    x = np.array([c.mean() for c in columns]) + (1 if wide else 0)
    y = np.array([r.mean() for r in lines])
    away = np.isin(cells, list(gone))
    size = 16.0 if wide else max(6.0, SIDE / max(grid.shape) * np.sqrt((grid == cells[0]).sum()) * 0.7)
    trace = go.Scatter(
        x=x, y=y, mode="markers", meta="cells", customdata=cells.tolist(),
        marker={"size": size, "symbol": np.where(away, "x", "square").tolist(),
                "opacity": np.where(away, 0.95, 0.25 if wide else 0.0),
                "color": np.where(away, colours.chosen, colours.accuracy).tolist()},
        hovertext=[text("what_if.give_back" if a else "what_if.take_away", cell=names[c]) for c, a in zip(cells, away)],
        hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip
    if wide:
        picture.add_trace(trace, row=2, col=1)
    else:
        picture.add_trace(trace)
        for c, r, out in zip(columns, lines, away):
            line = {"color": colours.chosen if out else colours.grid, "width": 1.6 if out else 0.6}
            picture.add_shape(type="rect", x0=c.min() - 0.5, x1=c.max() + 0.5, y0=r.min() - 0.5, y1=r.max() + 0.5,
                              line=line, fillcolor=colours.chosen if out else "rgba(0,0,0,0)",
                              opacity=0.5 if out else 0.8)  # fmt: skip
    picture.update_layout(clickmode="event+select", dragmode=False)
    return picture
