"""The architecture graph as a native Plotly figure: one trace per operation kind, one for edges, one for hover.

The label inside a box says what its colour says, so colour is never the only cue.
"""

from __future__ import annotations

from collections.abc import Iterable

import plotly.graph_objects as go

from dashboard.texts import text
from dashboard.theme import Palette, plot_layout
from dashboard.views.graph import GraphCluster, GraphEdge, GraphNode, GraphView

__all__ = ["architecture_figure", "kind_colour"]

MARGIN = 12.0
HIDDEN = {"visible": False, "fixedrange": True}
SLOTS = {
    "input": 4,
    "linear": 0,
    "norm": 6,
    "activation": 2,
    "dropout": 7,
    "add": 1,
    "readout": 3,
    "output": 5,
    "group": 0,
}


def architecture_figure(
    view: GraphView, colours: Palette, *, room: float = 620.0, height: float | None = None
) -> go.Figure:
    """Return the picture of ``view`` for a column about ``room`` pixels wide, ``height`` pixels high if given.

    A graph larger than that is shrunk, letters included, so that text stays inside its box.
    """
    scale = min(1.0, room / (view.width + 2 * MARGIN))
    if height is not None:
        scale = min(scale, height / (view.height + 2 * MARGIN))
    figure = go.Figure()
    for outline in view.clusters:
        figure.add_trace(_cluster_trace(outline, colours))
    for skip in (False, True):
        edges = [edge for edge in view.edges if edge.skip is skip]
        if edges:
            figure.add_trace(_edge_trace(edges, skip, colours))
    for kind in dict.fromkeys(node.kind for node in view.nodes):
        figure.add_trace(_box_trace(kind, [n for n in view.nodes if n.kind == kind], colours))
    figure.add_trace(_label_trace(view.nodes, colours, scale))
    figure.add_trace(_hover_trace(view.nodes))
    _frame(figure, view, colours, (room, height or max(90.0, (view.height + 2 * MARGIN) * scale)), scale)
    return figure


def kind_colour(kind: str, colours: Palette) -> str:
    """Return the colour of an operation kind, the same on every page; unknown kinds are grey."""
    return colours.categories[SLOTS.get(kind, len(colours.categories) - 1)]


def _frame(figure: go.Figure, view: GraphView, colours: Palette, room: tuple[float, float], scale: float) -> None:
    """Centre the drawing in a frame of ``room`` (width, height) pixels."""
    across = max(0.0, room[0] / scale - view.width - 2 * MARGIN) / 2
    up = max(0.0, room[1] / scale - view.height - 2 * MARGIN) / 2
    figure.update_layout(plot_layout(colours))
    figure.update_layout(
        xaxis={**HIDDEN, "range": [-MARGIN - across, view.width + MARGIN + across]},
        yaxis={**HIDDEN, "range": [-MARGIN - up, view.height + MARGIN + up]},
        height=room[1],
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        showlegend=False,
        hovermode="closest",
    )


def _cluster_trace(outline: GraphCluster, colours: Palette) -> go.Scatter:
    x, y = _rectangle(outline.left, outline.bottom, outline.right, outline.top)
    return go.Scatter(
        x=x, y=y, mode="lines", fill="toself", fillcolor=_tint(colours.muted, 0.07), hoverinfo="skip",
        line={"color": colours.grid, "width": 1}, name=outline.label, meta="cluster",
    )  # fmt: skip


def _edge_trace(edges: Iterable[GraphEdge], skip: bool, colours: Palette) -> go.Scatter:
    """Return all edges of one sort as one line with gaps; only the last point of each carries an arrowhead."""
    x: list[float | None] = []
    y: list[float | None] = []
    size: list[float] = []
    for edge in edges:
        x += [p[0] for p in edge.points] + [None]
        y += [p[1] for p in edge.points] + [None]
        size += [0.0] * (len(edge.points) - 1) + [7.0, 0.0]
    colour = colours.chosen if skip else colours.muted
    return go.Scatter(
        x=x, y=y, mode="lines+markers", hoverinfo="skip", name="skip" if skip else "edges", meta="edges",
        line={"color": colour, "width": 1.8 if skip else 1.1, "dash": "dot" if skip else "solid"},
        marker={"symbol": "arrow", "angleref": "previous", "size": size, "color": colour, "line": {"width": 0}},
    )  # fmt: skip


def _box_trace(kind: str, nodes: Iterable[GraphNode], colours: Palette) -> go.Scatter:
    x: list[float | None] = []
    y: list[float | None] = []
    for node in nodes:
        half, up = node.width / 2, node.height / 2
        xs, ys = _rectangle(node.x - half, node.y - up, node.x + half, node.y + up)
        x += [*xs, None]
        y += [*ys, None]
    colour = kind_colour(kind, colours)
    return go.Scatter(
        x=x, y=y, mode="lines", fill="toself", fillcolor=_over(colour, colours.background, 0.16), hoverinfo="skip",
        line={"color": colour, "width": 1.6}, name=kind, meta="boxes",
    )  # fmt: skip


def _label_trace(nodes: Iterable[GraphNode], colours: Palette, scale: float) -> go.Scatter:
    nodes = list(nodes)
    lines = [f"{n.label}<br><span style='color:{colours.muted}'>{n.shape}</span>" if n.shape else n.label
             for n in nodes]  # fmt: skip
    return go.Scatter(
        x=[n.x for n in nodes], y=[n.y for n in nodes], mode="text", text=lines, hoverinfo="skip", meta="labels",
        textfont={"size": max(7.0, 11.0 * scale), "color": colours.ink},
    )  # fmt: skip


def _hover_trace(nodes: Iterable[GraphNode]) -> go.Scatter:
    nodes = list(nodes)
    return go.Scatter(
        x=[n.x for n in nodes], y=[n.y for n in nodes], mode="markers", meta="hover",
        marker={"size": [min(n.width, 60.0) for n in nodes], "symbol": "square", "opacity": 0},
        customdata=[n.id for n in nodes], hovertext=[_hover(n) for n in nodes],
        hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip


def _hover(node: GraphNode) -> str:
    lines = [f"<b>{node.label}</b>"]
    if node.shape:
        lines.append(text("graph.hover_shape", shape=node.shape))
    lines.append(text("graph.hover_parameters", count=f"{node.parameters:,}"))
    lines.append(text("graph.hover_operations", count=f"{node.operations:,}"))
    if node.features:
        more = "" if len(node.features) <= 8 else " …"
        lines.append(text("graph.hover_reads", names=", ".join(node.features[:8]) + more))
    if node.parts > 1:
        lines.append(text("graph.hover_parts", count=node.parts))
    return "<br>".join(lines)


def _rectangle(left: float, bottom: float, right: float, top: float) -> tuple[list[float], list[float]]:
    return [left, right, right, left, left], [bottom, bottom, top, top, bottom]


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _tint(colour: str, alpha: float) -> str:
    red, green, blue = _channels(colour)
    return f"rgba({red},{green},{blue},{alpha})"


def _over(colour: str, ground: str, share: float) -> str:
    """Return ``share`` of ``colour`` on ``ground``, opaque, so that edges do not shine through a box."""
    mixed = [round(share * c + (1 - share) * g) for c, g in zip(_channels(colour), _channels(ground))]
    return f"rgb({mixed[0]},{mixed[1]},{mixed[2]})"
