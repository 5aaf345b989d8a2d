"""A surrogate tree as a native Plotly figure that is read from left to right, one node to a line."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from dashboard.figures.labels import label, lines, plain
from dashboard.theme import Palette, plot_layout
from dashboard.views.explain_surrogate import TreeMark, TreeView

__all__ = ["tree_figure"]

LINE = 27
COLUMNS = 15.0  # columns that a page's width is cut into: the tree takes at most five, the rest is for labels
LETTERS = 62
SMALLEST, LARGEST = 9.0, 20.0


def tree_figure(view: TreeView, colours: Palette) -> go.Figure:
    """Return the tree: squares say, circles ask; size is the share of rows, colour the class or the value.

    Every label stands to the right of its mark on a line of its own.
    """
    marks = view.marks
    figure = go.Figure([_links(view, colours)] if len(marks) > 1 else [])
    for leaf in (False, True):
        if own := [m for m in marks if m.leaf is leaf]:
            figure.add_trace(_nodes(own, view, colours, leaf))
    branches = [_branch(marks[m.parent], m, colours) for m in marks if m.parent >= 0]
    deepest, count = max(m.column for m in marks), len(marks)
    figure.update_layout(plot_layout(colours))
    # all labels at once: one by one each is checked against all before it
    figure.update_layout(height=32 + LINE * count, margin={"l": 4, "r": 4, "t": 8, "b": 8}, showlegend=False,
                         hovermode="closest", dragmode=False,
                         annotations=[*branches, *(_label(m, colours) for m in marks)])  # fmt: skip
    figure.update_xaxes(visible=False, range=[-0.4, max(COLUMNS, deepest + 9.0)], fixedrange=True)
    figure.update_yaxes(visible=False, range=[count - 0.4, -0.6], fixedrange=True)
    return figure


def _links(view: TreeView, colours: Palette) -> go.Scatter:
    """Return the links from all nodes to those below: along the parent's column, then to the mark."""
    x: list[float | None] = []
    y: list[float | None] = []
    for mark in view.marks:
        if mark.parent >= 0:
            parent = view.marks[mark.parent]
            x += [parent.column, parent.column, mark.column, None]
            y += [parent.line, mark.line, mark.line, None]
    return go.Scatter(x=x, y=y, mode="lines", line={"color": colours.dominated, "width": 1.4}, hoverinfo="skip",
                      meta="links")  # fmt: skip


def _branch(parent: TreeMark, mark: TreeMark, colours: Palette) -> dict[str, Any]:
    """Return yes or no, on the link."""
    return {"x": (parent.column + mark.column) / 2 - 0.06, "y": mark.line, "text": mark.branch, "showarrow": False,
            "yanchor": "middle", "bgcolor": colours.background, "borderpad": 1,
            "font": {"size": 10, "color": colours.muted}}  # fmt: skip


def _nodes(marks: list[TreeMark], view: TreeView, colours: Palette, leaf: bool) -> go.Scatter:
    """Return the nodes that say something, or those that ask."""
    return go.Scatter(
        x=[m.column for m in marks], y=[m.line for m in marks], mode="markers", meta="leaves" if leaf else "asks",
        marker={
            "symbol": "square" if leaf else "circle", "size": [SMALLEST + (LARGEST - SMALLEST) * m.size for m in marks],
            "color": [_colour(m, view, colours) for m in marks], "line": {"width": 1.2, "color": colours.ink},
            "opacity": 1.0,
        },
        customdata=[lines(m.hover) for m in marks], hovertemplate="%{customdata}<extra></extra>",
    )  # fmt: skip


def _label(mark: TreeMark, colours: Palette) -> dict[str, Any]:
    """Return what a node asks or says, to its right."""
    told = label(mark.label, LETTERS - len(mark.detail) - mark.column)
    words = f"<b>{told}</b>" if mark.leaf else told
    if mark.detail:
        words += f"  <span style='color:{colours.muted}'>{plain(mark.detail)}</span>"
    return {"x": mark.column, "y": mark.line, "text": words, "showarrow": False, "xanchor": "left",
            "yanchor": "middle", "xshift": 14, "align": "left", "font": {"size": 12, "color": colours.ink}}  # fmt: skip


def _colour(mark: TreeMark, view: TreeView, colours: Palette) -> str:
    """Return the colour of the class, or of the value on the way from the lowest to the highest."""
    if view.classes:
        return colours.categories[mark.kind % len(colours.categories)]
    low, middle, high = colours.diverging
    return sample_colorscale([[0.0, low], [0.5, middle], [1.0, high]], [min(1.0, max(0.0, mark.level))])[0]
