"""How good a candidate is, as Plotly figures: confusion, thresholds, reliability, residuals."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from dashboard.figures.labels import label, plain
from dashboard.texts import text
from dashboard.theme import Palette, plot_layout
from dashboard.views.performance import ConfusionView, ReliabilityView, ResidualsView, ThresholdView

__all__ = ["confusion_figure", "pr_figure", "reliability_figure", "residual_figures", "roc_figure"]

TALL = 300
CLEAR = "rgba(0,0,0,0)"
NUMBERED = 10
"""Classes up to which every cell holds its number."""


def confusion_figure(view: ConfusionView, colours: Palette, *, chosen: tuple[int, int] | None = None) -> go.Figure:
    """Return the matrix: the colour is the share of the line, the number its rows; every cell can be clicked.

    ``chosen`` is the cell (true class, predicted class) whose rows are in view.
    """
    n = len(view.classes)
    figure = go.Figure(go.Heatmap(
        z=view.shares, zmin=0.0, zmax=1.0, xgap=2, ygap=2, hoverinfo="skip", meta="shares",
        colorscale=[[0.0, colours.panel], [1.0, colours.accuracy]],
        colorbar={"thickness": 10, "outlinewidth": 0, "tickformat": ".0%", "tickfont": {"color": colours.muted},
                  "title": {"text": text("performance.share_of_line"), "side": "right", "font": {"size": 12}}},
    ))  # fmt: skip
    lines, columns = (a.ravel() for a in np.meshgrid(range(n), range(n), indexing="ij"))
    dark = view.shares[lines, columns] > 0.55
    words = [
        f"{view.counts[a, p]:,}<br>{100 * view.shares[a, p]:.0f} %" if n <= NUMBERED else ""
        for a, p in zip(lines, columns)
    ]
    figure.add_trace(go.Scatter(
        x=columns, y=lines, mode="markers+text", text=words, meta="cells",
        customdata=np.column_stack([np.take(view.index, lines), np.take(view.index, columns),
                                    view.counts.ravel()]).tolist(),
        textfont={"size": 12, "color": np.where(dark, colours.background, colours.ink).tolist()},
        marker={"symbol": "square", "color": CLEAR, "size": max(10, min(60, 240 // n)), "line": {"width": 0}},
        hovertext=[text("performance.cell", count=int(view.counts[a, p]), actual=plain(view.classes[a]),
                        predicted=plain(view.classes[p]), share=f"{100 * view.shares[a, p]:.0f} %")
                   for a, p in zip(lines, columns)],
        hovertemplate="%{hovertext}<extra></extra>",
        unselected={"marker": {"opacity": 1}},
    ))  # fmt: skip
    if chosen is not None and chosen[0] in view.index and chosen[1] in view.index:
        a, p = view.index.index(chosen[0]), view.index.index(chosen[1])
        figure.add_shape(type="rect", x0=p - 0.48, x1=p + 0.48, y0=a - 0.48, y1=a + 0.48,
                         line={"color": colours.chosen, "width": 2.5})  # fmt: skip
    names = [label(c, 16) for c in view.classes]
    _frame(figure, colours, max(250, min(520, 120 + 34 * n)))
    figure.update_xaxes(title_text=text("performance.predicted"), tickvals=list(range(n)), ticktext=names,
                        showgrid=False, zeroline=False, range=[-0.5, n - 0.5])  # fmt: skip
    figure.update_yaxes(title_text=text("performance.actual"), tickvals=list(range(n)), ticktext=names, showgrid=False,
                        zeroline=False, range=[n - 0.5, -0.5], automargin=True)  # fmt: skip
    figure.update_layout(clickmode="event+select", dragmode=False)
    return figure


def roc_figure(view: ThresholdView, colours: Palette) -> go.Figure:
    """Return the ROC curve, the diagonal of guessing, and where the network's own threshold lies."""
    figure = go.Figure(_diagonal(colours))
    figure.add_trace(go.Scatter(
        x=view.false_positive, y=view.true_positive, mode="lines", line={"color": colours.accuracy, "width": 2.4},
        customdata=view.scores, meta="curve", fill="tozeroy", fillcolor=_faint(colours.accuracy),
        hovertemplate=text("performance.roc_hover") + "<extra></extra>",
    ))  # fmt: skip
    figure.add_trace(_own(view.at[0], view.at[1], colours))
    _frame(figure, colours, TALL)
    return _shares(figure, text("performance.false_positive"), text("performance.true_positive"))


def pr_figure(view: ThresholdView, colours: Palette) -> go.Figure:
    """Return precision over recall, the precision of guessing, and where the network's own threshold lies."""
    figure = go.Figure(go.Scatter(
        x=[0, 1], y=[view.share, view.share], mode="lines", hoverinfo="skip", meta="guess",
        line={"color": colours.muted, "dash": "dot", "width": 1.4},
    ))  # fmt: skip
    figure.add_trace(go.Scatter(
        x=view.recall, y=view.precision, mode="lines", line={"color": colours.accuracy, "width": 2.4},
        customdata=view.scores, meta="curve", hovertemplate=text("performance.pr_hover") + "<extra></extra>",
    ))  # fmt: skip
    figure.add_trace(_own(view.at[1], view.at[2], colours))
    _frame(figure, colours, TALL)
    return _shares(figure, text("performance.recall"), text("performance.precision"))


def reliability_figure(view: ReliabilityView, colours: Palette) -> go.Figure:
    """Return the share that came over the probability given, with Wilson intervals; the size is the number of rows."""
    figure = go.Figure(_diagonal(colours))
    figure.add_trace(go.Scatter(
        x=view.mean, y=view.share, mode="lines+markers", meta="curve", customdata=view.count,
        line={"color": colours.accuracy, "width": 1.6},
        marker={"size": 5 + 11 * np.sqrt(view.count / view.count.max()), "color": colours.accuracy},
        error_y={"type": "data", "symmetric": False, "array": view.high - view.share,
                 "arrayminus": view.share - view.low, "color": colours.muted, "thickness": 1.2, "width": 3},
        hovertemplate=text("performance.reliability_hover") + "<extra></extra>",
    ))  # fmt: skip
    _frame(figure, colours, TALL)
    return _shares(figure, text("performance.given"), text("performance.came"))


def residual_figures(view: ResidualsView, colours: Palette, *, chosen: int | None = None) -> tuple[go.Figure, ...]:
    """Return predicted vs actual, residuals vs prediction, and residuals vs normal quantiles; rows can be clicked."""
    ends = [float(min(view.actual.min(), view.predicted.min())), float(max(view.actual.max(), view.predicted.max()))]
    name = label(view.target, 24)
    first = _points(view, view.predicted, view.actual, colours, chosen)
    first.add_trace(go.Scatter(x=ends, y=ends, mode="lines", hoverinfo="skip", meta="diagonal",
                               line={"color": colours.muted, "dash": "dot", "width": 1.4}))  # fmt: skip
    _axes(first, text("performance.predicted_target", target=name), text("performance.actual_target", target=name))
    second = _points(view, view.predicted, view.residual, colours, chosen)
    second.add_hline(y=0, line={"color": colours.muted, "dash": "dot", "width": 1.4})
    _axes(second, text("performance.predicted_target", target=name), text("performance.residual_axis"))
    third = _points(view, view.normal, view.residual, colours, chosen)
    line = [float(view.normal.min()), float(view.normal.max())]
    third.add_trace(go.Scatter(
        x=line, y=[view.middle + view.spread * v for v in line], mode="lines", hoverinfo="skip", meta="normal",
        line={"color": colours.muted, "dash": "dot", "width": 1.4},
    ))  # fmt: skip
    _axes(third, text("performance.normal_axis"), text("performance.residual_axis"))
    return first, second, third


def _points(view: ResidualsView, x: np.ndarray, y: np.ndarray, colours: Palette, chosen: int | None) -> go.Figure:
    figure = go.Figure(go.Scatter(
        x=x, y=y, mode="markers", meta="rows", marker={"size": 6, "color": colours.accuracy, "opacity": 0.6},
        customdata=np.column_stack([view.rows, view.actual, view.predicted]).tolist(),
        hovertemplate=text("performance.residual_hover") + "<extra></extra>",
        selected={"marker": {"opacity": 0.6}}, unselected={"marker": {"opacity": 0.6}},
    ))  # fmt: skip
    if chosen is not None and chosen in view.rows:
        at = int(np.flatnonzero(view.rows == chosen)[0])
        figure.add_trace(go.Scatter(
            x=[x[at]], y=[y[at]], mode="markers", hoverinfo="skip", meta="chosen",
            marker={"size": 13, "symbol": "circle-open", "color": colours.chosen, "line": {"width": 2.4}},
        ))  # fmt: skip
    _frame(figure, colours, TALL)
    figure.update_layout(clickmode="event+select", dragmode=False)
    return figure


def _axes(figure: go.Figure, x: str, y: str) -> None:
    figure.update_xaxes(title_text=x, zeroline=False)
    figure.update_yaxes(title_text=y, zeroline=False)


def _frame(figure: go.Figure, colours: Palette, height: int) -> None:
    figure.update_layout(plot_layout(colours))
    figure.update_layout(height=height, showlegend=False, margin={"l": 56, "r": 12, "t": 12, "b": 48},
                         hovermode="closest")  # fmt: skip


def _shares(figure: go.Figure, x: str, y: str) -> go.Figure:
    _axes(figure, x, y)
    figure.update_xaxes(range=[-0.02, 1.02])
    figure.update_yaxes(range=[-0.02, 1.04])
    return figure


def _diagonal(colours: Palette) -> go.Scatter:
    return go.Scatter(x=[0, 1], y=[0, 1], mode="lines", hoverinfo="skip", meta="diagonal",
                      line={"color": colours.muted, "dash": "dot", "width": 1.4})  # fmt: skip


def _own(x: float, y: float, colours: Palette) -> go.Scatter:
    marker: dict[str, Any] = {"size": 11, "symbol": "diamond", "color": colours.chosen}
    return go.Scatter(x=[x], y=[y], mode="markers", meta="own", marker=marker,
                      hovertemplate=text("performance.own_hover") + "<extra></extra>")  # fmt: skip


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},.12)"
