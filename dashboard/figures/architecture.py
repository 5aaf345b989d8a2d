"""The architecture graph as a native Plotly figure: a trace per operation kind, one per sort of edge, one for hover.

Every box says in words and by its outline what its colour says, so colour is never the only cue. With an overlay the
fill says how much, and the outline keeps the colour of the kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import Any

import plotly.graph_objects as go

from dashboard.figures.labels import plain
from dashboard.figures.outlines import box_outline
from dashboard.texts import spoken, text
from dashboard.theme import Palette, plot_layout
from dashboard.views.graph import CLUSTER_LETTERS, SHEET, GraphCluster, GraphEdge, GraphNode, GraphView
from dashboard.views.lettering import LETTER_HEIGHT
from dashboard.views.overlay import Overlay
from nas_core.spaces.graph_kinds import kind_style

__all__ = ["architecture_figure", "drawn_width", "kind_colour", "scale_colour"]

MARGIN = 12.0
SMALLEST, SCROLLED = 0.64, 0.85
"""Least scale, with letters of 7 pixels, and that of a graph which needs less: it is larger than its room, scrolled."""
BAR = 58
"""Height kept for the colour bar of an overlay, pixels."""
STRONGEST = 0.55
"""Share of the overlay's colour at the high end: labels on it keep a contrast of 4.5 : 1 in both appearances."""
SHADES = 12
HOVER_LETTERS = 60  # of a line on hover
HIDDEN = {"visible": False, "fixedrange": True}


def architecture_figure(
    view: GraphView, colours: Palette, *, room: float = 620.0, height: float | None = None,
    overlay: Overlay | None = None, largest: float = 1.0,
) -> go.Figure:  # fmt: skip
    """Return the picture of ``view`` for a column about ``room`` pixels wide, ``height`` pixels high if given.

    A graph larger than that is shrunk, letters included, so that text stays inside its box. Where it would have to be
    shrunk below :data:`SMALLEST` and no height is given, the figure has a width of its own, larger than the room.
    One that is smaller is enlarged up to ``largest`` times where a height is given.
    """
    scale = drawn_width(view, room) / (view.width + 2 * MARGIN)
    if height is not None:
        scale = min(largest, room / (view.width + 2 * MARGIN), height / (view.height + 2 * MARGIN))
    figure = go.Figure()
    if view.clusters:
        figure.add_trace(_cluster_trace(view.clusters, colours))
    for skip in (False, True):
        edges = [edge for edge in view.edges if edge.skip is skip]
        if edges:
            figure.add_trace(_edge_trace(edges, skip, colours))
    if overlay is not None:
        figure.add_traces(_shade_traces(view.nodes, overlay, colours))
    for kind in dict.fromkeys(node.kind for node in view.nodes):
        figure.add_trace(_box_trace(kind, [n for n in view.nodes if n.kind == kind], colours, overlay))
    figure.add_trace(_label_trace(view.nodes, colours, scale, colours.muted if overlay is None else colours.ink))
    figure.add_trace(_hover_trace(view.nodes, overlay))
    if overlay is not None:
        figure.add_trace(_bar_trace(overlay, colours))
    figure.update_layout(annotations=_cluster_labels(view.clusters, colours, scale))
    _frame(figure, view, colours, (room, height), scale)
    if overlay is not None:
        figure.update_layout(height=figure.layout.height + BAR, margin={"b": BAR})
    return figure


def kind_colour(kind: str, colours: Palette) -> str:
    """Return the colour of an operation kind, the same on every page; unknown kinds are grey."""
    return colours.categories[kind_style(kind).slot % len(colours.categories)]


def scale_colour(overlay: Overlay, position: float, colours: Palette) -> str:
    """Return the fill for a position on the scale of an overlay, in [0, 1]."""
    strong = colours.interpretability if overlay.hue == "interpretability" else colours.accuracy
    return _over(strong, colours.background, STRONGEST * position)


def _frame(
    figure: go.Figure, view: GraphView, colours: Palette, room: tuple[float, float | None], scale: float
) -> None:
    """Centre the drawing in a frame of ``room`` (width, height) pixels, or as high as the drawing is.

    As high as it is, its height decides how large it is drawn: in a wider frame it stays as it is, letters included.
    """
    width, height = view.width + 2 * MARGIN, view.height + 2 * MARGIN
    across = up = 0.0
    if room[1] is not None:
        across, up = max(0.0, room[0] / scale - width) / 2, max(0.0, room[1] / scale - height) / 2
    figure.update_layout(plot_layout(colours))
    figure.update_layout(
        xaxis={**HIDDEN, "range": [-MARGIN - across, view.width + MARGIN + across], "constrain": "domain"},
        yaxis={**HIDDEN, "range": [-MARGIN - up, view.height + MARGIN + up], "scaleanchor": "x", "constrain": "domain"},
        height=height * scale if room[1] is None else room[1],
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        showlegend=False,
        hovermode="closest",
        hoverlabel={"align": "left"},
        dragmode=False,
    )
    if room[1] is None and width * scale > room[0] + 1:
        figure.update_layout(width=width * scale)


def drawn_width(view: GraphView, room: float) -> float:
    """Return how wide the drawing is in a column ``room`` pixels wide; more than that where it has to be scrolled."""
    width = view.width + 2 * MARGIN
    scale = min(1.0, room / width)
    return width * (scale if scale >= SMALLEST else SCROLLED)


def _cluster_trace(outlines: Iterable[GraphCluster], colours: Palette) -> go.Scatter:
    x: list[float | None] = []
    y: list[float | None] = []
    for o in outlines:
        x += [o.left, o.right, o.right, o.left, o.left, None]
        y += [o.bottom, o.bottom, o.top, o.top, o.bottom, None]
    return go.Scatter(
        x=x, y=y, mode="lines", fill="toself", fillcolor=_tint(colours.muted, 0.07), hoverinfo="skip",
        line={"color": colours.grid, "width": 1}, name="groups", meta="clusters",
    )  # fmt: skip


def _cluster_labels(outlines: Iterable[GraphCluster], colours: Palette, scale: float) -> list[dict[str, Any]]:
    """Return the labels of groups as annotations: their ground hides an edge that passes behind."""
    return [
        {"x": o.left + 4, "y": o.top - 2, "xanchor": "left", "yanchor": "top", "text": plain(o.label),
         "showarrow": False, "borderpad": 0, "bgcolor": _over(colours.muted, colours.background, 0.07),
         "font": {"size": CLUSTER_LETTERS * scale, "color": colours.muted}}
        for o in outlines if o.label
    ]  # fmt: skip


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
        marker={"symbol": "arrow", "angleref": "previous", "size": size, "color": colour, "line": {"width": 0},
                "opacity": 1},
        unselected={"marker": {"opacity": 1}},
    )  # fmt: skip


def _box_trace(kind: str, nodes: Sequence[GraphNode], colours: Palette, overlay: Overlay | None) -> go.Scatter:
    colour = kind_colour(kind, colours)
    plain = [n for n in nodes if overlay is None or overlay.position(n.id) is None]
    fill = _over(colour, colours.background, 0.16) if plain and overlay is None else "rgba(0,0,0,0)"
    x, y = _outlines(nodes)
    return go.Scatter(
        x=x, y=y, mode="lines", fill="toself", fillcolor=fill, hoverinfo="skip",
        line={"color": colour, "width": 1.6}, name=kind, meta="boxes",
    )  # fmt: skip


def _shade_traces(nodes: Sequence[GraphNode], overlay: Overlay, colours: Palette) -> list[go.Scatter]:
    """Return the fills of an overlay: one trace per shade; boxes without a number have the colour of the ground."""
    shades: dict[int | None, list[GraphNode]] = {}
    for node in nodes:
        position = overlay.position(node.id)
        shades.setdefault(None if position is None else round(position * SHADES), []).append(node)
    traces = []
    for shade, members in shades.items():
        x, y = _outlines(members)
        fill = colours.background if shade is None else scale_colour(overlay, shade / SHADES, colours)
        traces.append(go.Scatter(x=x, y=y, mode="lines", fill="toself", fillcolor=fill, hoverinfo="skip",
                                 line={"width": 0, "color": fill}, meta="shades"))  # fmt: skip
    return traces


def _outlines(nodes: Iterable[GraphNode]) -> tuple[list[float | None], list[float | None]]:
    x: list[float | None] = []
    y: list[float | None] = []
    for node in nodes:
        outline = kind_style(node.kind).outline if not node.closed else "stack"
        xs, ys = box_outline(outline, node.x, node.y, node.width, node.height)
        x += [*xs, None]
        y += [*ys, None]
    return x, y


def _label_trace(nodes: Iterable[GraphNode], colours: Palette, scale: float, second: str) -> go.Scatter:
    """Return the two lines of every box, the second one in the colour ``second``."""
    nodes = list(nodes)
    lines = [_two_lines(n, second) for n in nodes]
    return go.Scatter(
        x=[n.x - _behind(n) for n in nodes], y=[n.y - _behind(n) for n in nodes], mode="text", text=lines,
        hoverinfo="skip", meta="labels", textfont={"size": LETTER_HEIGHT * scale, "color": colours.ink},
        unselected={"textfont": {"color": colours.ink}},
    )  # fmt: skip


def _two_lines(node: GraphNode, second: str) -> str:
    label = plain(node.label)
    return f"{label}<br><span style='color:{second}'>{plain(node.second)}</span>" if node.second else label


def _behind(node: GraphNode) -> float:
    """Return how far the front sheet of a closed group lies off the centre of its box."""
    return SHEET / 2 if node.closed else 0.0


def _hover_trace(nodes: Iterable[GraphNode], overlay: Overlay | None) -> go.Scatter:
    nodes = list(nodes)
    return go.Scatter(
        x=[n.x for n in nodes], y=[n.y for n in nodes], mode="markers", meta="hover",
        marker={"size": [min(n.width, 60.0) for n in nodes], "symbol": "square", "opacity": 0},
        selected={"marker": {"opacity": 0}}, unselected={"marker": {"opacity": 0}},
        customdata=[n.id for n in nodes], hovertext=[_hover(n, overlay) for n in nodes],
        hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip


def _bar_trace(overlay: Overlay, colours: Palette) -> go.Scatter:
    """Return an invisible point that carries the colour bar."""
    ticks = overlay.ticks
    steps = [[i / SHADES, scale_colour(overlay, i / SHADES, colours)] for i in range(SHADES + 1)]
    bar = {
        "orientation": "h", "y": 0.0, "yanchor": "top", "x": 0.5, "xanchor": "center", "len": 0.7, "thickness": 10,
        "ypad": 4, "title": {"text": overlay.label, "side": "top", "font": {"size": 12, "color": colours.ink}},
        "tickmode": "array", "tickvals": [at for at, _ in ticks], "ticktext": [words for _, words in ticks],
        "tickfont": {"size": 11, "color": colours.muted}, "outlinewidth": 1, "outlinecolor": colours.grid,
    }  # fmt: skip
    return go.Scatter(
        x=[None], y=[None], mode="markers", hoverinfo="skip", meta="bar",
        marker={"color": [0.0], "cmin": 0.0, "cmax": 1.0, "colorscale": steps, "showscale": True, "colorbar": bar,
                "size": 0.1},
    )  # fmt: skip


def _hover(node: GraphNode, overlay: Overlay | None) -> str:
    lines = [f"<b>{_wrapped(node.title)}</b>"]
    if node.shape:
        lines.append(text("graph.hover_shape", shape=plain(node.shape)))
    if node.details:
        lines.append(_wrapped(node.details))
    lines.append(text("graph.hover_parameters", count=f"{node.parameters:,}"))
    lines.append(text("graph.hover_operations", count=f"{node.operations:,}"))
    if node.features:
        lines.append(_wrapped(text("graph.hover_reads", names=_features(node.features))))
    if node.parts > 1:
        lines.append(_wrapped(f"{text('graph.hover_parts', count=node.parts)}: {_contents(node)}"))
    if overlay is not None and (words := overlay.words.get(node.id)):
        lines.append(f"<b>{overlay.label}: {plain(words)}</b>")
    if node.closed:
        lines.append(f"<i>{text('graph.hover_open')}</i>")
    return "<br>".join(lines)


def _contents(node: GraphNode) -> str:
    return ", ".join(f"{n} {spoken(kind_style(kind).words)}" for kind, n in node.contents)


def _features(names: Sequence[str]) -> str:
    if len(names) > 8:
        return text("graph.hover_many", first=", ".join(names[:4]), count=len(names))
    return ", ".join(names)


def _wrapped(words: str) -> str:
    return "<br>".join(plain(line) for line in wrap(words, HOVER_LETTERS)) or plain(words)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _tint(colour: str, alpha: float) -> str:
    red, green, blue = _channels(colour)
    return f"rgba({red},{green},{blue},{alpha})"


def _over(colour: str, ground: str, share: float) -> str:
    """Return ``share`` of ``colour`` on ``ground``, opaque, so that edges do not shine through a box."""
    mixed: list[Any] = [round(share * c + (1 - share) * g) for c, g in zip(_channels(colour), _channels(ground))]
    return f"rgb({mixed[0]},{mixed[1]},{mixed[2]})"
