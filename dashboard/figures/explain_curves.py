"""The effect of one feature, and the interaction of two, as Plotly figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from dashboard.figures.labels import label, lines, plain
from dashboard.figures.refit_bands import add_refit_band, refit_bars
from dashboard.texts import text
from dashboard.theme import Palette, plot_layout
from dashboard.views.explain_curves import CurveView, SurfaceView
from dashboard.views.refit_bands import RefitBand
from dashboard.views.words import signed

__all__ = ["curve_figure", "surface_figure"]

FAINT = 0.35


def curve_figure(view: CurveView, colours: Palette, *, chosen: int | None = None) -> go.Figure:
    """Return a curve with its band over the density of the training rows, or bars with intervals for a category.

    Lines of single rows are faint, the one of the row ``chosen`` is in the colour of what is chosen.
    """
    figure = go.Figure()
    if view.levels:
        _bars(figure, view, colours)
    else:
        _line(figure, view, colours)
    _lines(figure, view, colours, chosen)
    figure.update_layout(plot_layout(colours))
    figure.update_layout(height=360, showlegend=False, margin={"l": 56, "r": 12, "t": 12, "b": 48}, bargap=0.45,
                         hovermode="closest")  # fmt: skip
    figure.update_xaxes(title_text=label(view.name, 60), showgrid=False, zeroline=False)
    if view.levels:
        figure.update_xaxes(tickvals=list(range(len(view.levels))), ticktext=[label(n, 18) for n in view.levels])
    figure.update_yaxes(title_text=text("whole.axis", unit=label(view.unit, 24)), zeroline=True,
                        zerolinecolor=colours.muted)  # fmt: skip
    if view.missing is not None:
        _missing(figure, view.missing, view.refits, colours)
    return figure


def surface_figure(view: SurfaceView, colours: Palette) -> go.Figure:
    """Return the interaction as a heat map: orange raises the output, blue lowers it, blank cells hold no rows."""
    low, middle, high = colours.diverging
    limit = view.limit or 1.0
    rows, columns = view.cells.shape
    figure = go.Figure(go.Heatmap(
        z=view.cells, x=np.arange(columns) + 0.5, y=np.arange(rows) + 0.5, zmin=-limit, zmax=limit, zmid=0.0,
        colorscale=[[0.0, low], [0.5, middle], [1.0, high]], xgap=1.5, ygap=1.5, hoverongaps=True,
        text=[[lines(words) for words in line] for line in view.hover], hovertemplate="%{text}<extra></extra>",
        colorbar={"thickness": 10, "outlinewidth": 0, "title": {"text": label(view.unit, 24), "side": "right",
                                                                "font": {"size": 12}}},
    ))  # fmt: skip
    figure.update_layout(plot_layout(colours))
    figure.update_layout(height=400, margin={"l": 8, "r": 8, "t": 12, "b": 48})
    for axis, name, ticks, count in (
        (figure.update_xaxes, view.names[0], view.ticks[0], columns),
        (figure.update_yaxes, view.names[1], view.ticks[1], rows),
    ):
        axis(title_text=label(name, 48), tickvals=[at for at, _ in ticks],
             ticktext=[label(w, 14) for _, w in ticks],
             range=[0, count], showgrid=False, zeroline=False, automargin=True)  # fmt: skip
    return figure


def _line(figure: go.Figure, view: CurveView, colours: Palette) -> None:
    """Draw the density, the band and the curve of a number."""
    again = () if view.refits is None else (view.refits.low, view.refits.high)
    parts = (view.y, view.low, view.high, view.lines.ravel(), np.zeros(1), *again)
    every = np.concatenate([p[np.isfinite(p)] for p in parts])
    floor, span = float(every.min()), float(np.ptp(every)) or 1.0
    if len(view.edges) > 1:
        edges = np.asarray(view.edges, float)
        figure.add_trace(go.Bar(
            x=(edges[:-1] + edges[1:]) / 2, width=np.diff(edges), base=floor - 0.24 * span, meta="density",
            y=0.18 * span * view.counts / max(1, view.counts.max()), customdata=view.counts,
            marker={"color": colours.grid, "line": {"width": 0}}, hovertemplate="%{customdata} rows<extra></extra>",
        ))  # fmt: skip
    if view.refits is not None:
        add_refit_band(figure, view.refits, colours)
    if (view.high > view.low).any():
        figure.add_trace(go.Scatter(
            x=np.concatenate((view.x, view.x[::-1])), y=np.concatenate((view.high, view.low[::-1])), mode="lines",
            fill="toself", fillcolor=_faint(colours.accuracy), line={"width": 0}, hoverinfo="skip", meta="band",
        ))  # fmt: skip
    figure.add_trace(go.Scatter(
        x=view.x, y=view.y, mode="lines+markers" if len(view.x) < 12 else "lines", meta="curve",
        line={"color": colours.accuracy, "width": 2.6}, marker={"size": 7, "color": colours.accuracy},
        hovertemplate="%{x:.4g}: %{y:+.3g}<extra></extra>",
    ))  # fmt: skip


def _bars(figure: go.Figure, view: CurveView, colours: Palette) -> None:
    """Draw a bar with its interval for each level of a category."""
    shares = 100 * view.counts / max(1, view.counts.sum())
    figure.add_trace(go.Bar(
        x=view.x, y=view.y, meta="curve", marker={"color": colours.accuracy, "line": {"width": 0}},
        customdata=np.column_stack([np.array([plain(n) for n in view.levels], dtype=object), np.round(shares)]),
        error_y=_whiskers(view, colours),
        hovertemplate="%{customdata[0]}: %{y:+.3g} (%{customdata[1]} %)<extra></extra>",
    ))  # fmt: skip


def _whiskers(view: CurveView, colours: Palette) -> dict[str, Any]:
    """Return the intervals of the levels: over refits where there are some, which hold more than those over rows."""
    if view.refits is not None:
        return refit_bars(view.refits, view.y, colours)
    return {"type": "data", "symmetric": False, "array": view.high - view.y, "arrayminus": view.y - view.low,
            "color": colours.ink, "thickness": 1.2, "width": 3,
            "visible": bool((view.high > view.low).any())}  # fmt: skip


def _lines(figure: go.Figure, view: CurveView, colours: Palette, chosen: int | None) -> None:
    """Draw the lines of single rows behind the mean, and each row where it is."""
    if not len(view.lines):
        return
    gap = np.full((len(view.lines), 1), np.nan)  # all lines in one trace, with gaps between them
    figure.add_trace(go.Scatter(
        x=np.tile(np.append(view.x, np.nan), len(view.lines)), y=np.hstack([view.lines, gap]).ravel(), mode="lines",
        line={"color": colours.dominated, "width": 0.8}, opacity=FAINT + 0.2, hoverinfo="skip", meta="lines",
    ))  # fmt: skip
    figure.add_trace(go.Scatter(
        x=view.own[:, 0], y=view.own[:, 1], mode="markers", meta="rows", customdata=view.rows,
        marker={"size": 4, "color": colours.muted},
        hovertemplate=f"{text('shap.row')} %{{customdata}}<br>%{{y:+.3g}}<extra></extra>",
    ))  # fmt: skip
    figure.data = (*[t for t in figure.data if t.meta != "curve"], *[t for t in figure.data if t.meta == "curve"])
    if chosen is not None and chosen in view.rows:
        at = int(np.flatnonzero(view.rows == chosen)[0])
        words = text("whole.row_line", row=chosen)
        figure.add_trace(go.Scatter(
            x=view.x, y=view.lines[at], mode="lines", meta="chosen", line={"color": colours.chosen, "width": 2.2,
                                                                          "dash": "dash"},
            hovertemplate=f"{words}<br>%{{x:.4g}}: %{{y:+.3g}}<extra></extra>",
        ))  # fmt: skip


def _missing(figure: go.Figure, value: float, refits: RefitBand | None, colours: Palette) -> None:
    """Draw what a missing value does as a dotted line with its words at the right end."""
    words = text("whole.missing", value=signed(value, 2))
    if refits is not None and refits.missing is not None:
        low, high = (signed(end, 2) for end in refits.missing)
        words = text("refits.missing", value=signed(value, 2), low=low, high=high)
    figure.add_hline(y=value, line={"color": colours.interpretability, "width": 1.4, "dash": "dot"})
    figure.add_annotation(x=1, xref="paper", y=value, xanchor="right", yanchor="bottom", showarrow=False,
                          text=words,
                          font={"size": 11, "color": colours.ink})  # fmt: skip


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{FAINT - 0.1:.2f})"
