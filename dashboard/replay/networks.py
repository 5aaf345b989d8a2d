"""Architecture graphs as outlines and routes that a page can draw as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dashboard.figures.outlines import box_outline
from dashboard.views.graph import CLUSTER_LETTERS, GraphNode, graph_view
from nas_core.spaces.graph_kinds import kind_style

if TYPE_CHECKING:
    from nas_core.records import Architecture
    from nas_core.spaces import SearchSpace

__all__ = ["network_drawing"]

ROOM, TALLEST, LIMIT = 460.0, 400.0, 22
"""Width and height of the place a graph is drawn in, and how many boxes it may have there."""


def network_drawing(space: SearchSpace, architecture: Architecture) -> dict[str, Any]:
    """Return a network as plain data: lengths are points, y grows downwards.

    ``boxes`` hold [path, colour slot, x, y of the label, first line, second line, title]; ``edges`` [path, 1 for a skip
    connection]; ``groups`` [x, y, width, height, label].
    """
    from nas_core.spaces import graph

    names = [feature.name for feature in space.features]
    view = graph_view(graph(space, architecture), names, room=ROOM, limit=LIMIT, tallest=TALLEST)
    height = view.height
    return {
        "w": round(view.width, 1),
        "h": round(height, 1),
        "boxes": [_box(node, height) for node in view.nodes],
        "edges": [[_path([(x, height - y) for x, y in e.points]), int(e.skip)] for e in view.edges],
        "groups": [
            [
                round(c.left, 1),
                round(height - c.top, 1),
                round(c.right - c.left, 1),
                round(c.top - c.bottom, 1),
                c.label,
            ]
            for c in view.clusters
        ],
        "letters": CLUSTER_LETTERS,
        "words": view.words,
        "note": view.collapsed,
    }


def _box(node: GraphNode, height: float) -> list[Any]:
    style = kind_style(node.kind)
    xs, ys = box_outline("stack" if node.closed else style.outline, node.x, node.y, node.width, node.height)
    behind = 2.0 if node.closed else 0.0
    path = _path([(x, height - y) for x, y in zip(xs, ys)])
    told = [node.title, *([node.shape] if node.shape else []), f"{node.parameters:,}"]
    return [path, style.slot, round(node.x - behind, 1), round(height - node.y + behind, 1), node.label, node.second,
            " · ".join(told)]  # fmt: skip


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}".replace(".0 ", " ").removesuffix(".0") for x, y in points)
