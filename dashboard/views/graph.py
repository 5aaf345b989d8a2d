"""The architecture graph as a picture needs it: boxes with positions, routes of edges, outlines of groups.

Nothing here draws. Lengths are points of a drawing whose origin is at the lower left.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx

from dashboard.texts import text
from dashboard.views.collapse import levels, named
from dashboard.views.layout import Layout, Point, lay_out

__all__ = ["GraphCluster", "GraphEdge", "GraphNode", "GraphView", "graph_view"]

BOX_HEIGHT = 34.0
ROW = 47.0
"""A box and the gap to the one below it."""
LETTER = 6.4
PADDING = 18.0
LONGEST = 28
SMALLEST = 0.7
TALLEST = 530.0


@dataclass(frozen=True)
class GraphNode:
    """One box: an operation, or several drawn as one.

    Attributes:
        shape: Output shape as text, empty where it has no single one.
        parameters, operations: Trainable numbers; multiply-adds and activations of one prediction.
        features: Names of the features it reads directly or, when merged, of all it stands for.
        parts: Operations it stands for (1 unless merged).
    """

    id: str
    kind: str
    label: str
    shape: str
    parameters: int
    operations: int
    features: tuple[str, ...]
    parts: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class GraphEdge:
    """A connection and its route; ``skip`` is True for residual and dense connections."""

    source: str
    target: str
    points: tuple[Point, ...]
    skip: bool


@dataclass(frozen=True)
class GraphCluster:
    """The outline of one feature group."""

    label: str
    left: float
    bottom: float
    right: float
    top: float


@dataclass(frozen=True)
class GraphView:
    """A laid-out architecture graph; ``collapsed`` says in one sentence what was merged, empty when nothing was."""

    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]
    clusters: tuple[GraphCluster, ...]
    width: float
    height: float
    parameters: int
    operations: int
    collapsed: str

    @property
    def words(self) -> str:
        """The graph in one sentence, for those who do not see the picture."""
        kinds: dict[str, int] = {}
        for node in self.nodes:
            kinds[node.kind] = kinds.get(node.kind, 0) + 1
        parts = ", ".join(f"{n} {kind}" for kind, n in kinds.items())
        return text("graph.words", parts=parts, parameters=self.parameters, operations=self.operations)


def graph_view(
    graph: nx.DiGraph, names: Sequence[str], *, room: float = 620.0, limit: int = 32, tallest: float = TALLEST
) -> GraphView:
    """Return ``graph`` laid out for a column ``room`` points wide, parts merged until it is readable there.

    Readable: at most ``limit`` boxes, and at least 70 % of full size in that column and within ``tallest`` points.

    Args:
        graph: Nodes carry kind, label, shape, parameters, operations, group (−1: none) and features (indices).
        names: Names of the features.
        room: Width of the column it is drawn in, points.
        limit: Number of boxes above which parts are merged.
        tallest: Height of the drawing above which parts are merged, points.
    """
    told = ""
    rows = int(tallest / SMALLEST / ROW)
    for small, told in levels(named(graph, names), min(limit, rows + 1)):  # noqa: B007 - the last one is used
        if small.number_of_nodes() <= 4 * limit:
            sizes = {node: _size(data) for node, data in small.nodes(data=True)}
            layout = _best_layout(small, sizes, room, tallest)
            fits = layout.width * SMALLEST <= room and layout.height * SMALLEST <= tallest
            if small.number_of_nodes() <= limit and fits:
                break
    return _view(small, layout, sizes, told)


def _best_layout(
    graph: nx.DiGraph, sizes: Mapping[Hashable, tuple[float, float]], room: float, tallest: float
) -> Layout:
    """Lay out in both reading directions; the one that needs less shrinking wins, then the lower one."""
    layouts = [lay_out(graph, sizes, direction) for direction in ("TB", "LR")]
    return min(layouts, key=lambda it: (-min(1.0, room / max(it.width, 1.0), tallest / it.height), it.height))


def _view(graph: nx.DiGraph, layout: Layout, sizes: Mapping[Hashable, tuple[float, float]], told: str) -> GraphView:
    nodes = tuple(_node(node, data, layout, sizes) for node, data in graph.nodes(data=True))
    edges = tuple(
        GraphEdge(str(a), str(b), layout.edges[a, b], bool(data.get("skip"))) for a, b, data in graph.edges(data=True)
    )
    clusters = tuple(GraphCluster(_cluster_label(graph, g), *box) for g, box in layout.clusters.items())
    return GraphView(
        nodes,
        edges,
        clusters,
        layout.width,
        layout.height,
        sum(n.parameters for n in nodes),
        sum(n.operations for n in nodes),
        told,
    )


def _node(
    node: Hashable, data: Mapping[str, Any], layout: Layout, sizes: Mapping[Hashable, tuple[float, float]]
) -> GraphNode:
    return GraphNode(
        id=str(node),
        kind=str(data.get("kind", "operation")),
        label=shorten(str(data.get("label", node))),
        shape=_shape(data.get("shape", "")),
        parameters=int(data.get("parameters", 0)),
        operations=int(data.get("operations", 0)),
        features=tuple(str(f) for f in data.get("features", ())),
        parts=int(data.get("parts", 1)),
        x=layout.nodes[node][0],
        y=layout.nodes[node][1],
        width=sizes[node][0],
        height=sizes[node][1],
    )


def _size(data: Mapping[str, Any]) -> tuple[float, float]:
    letters = max(len(shorten(str(data.get("label", "")))), len(_shape(data.get("shape", ""))))
    return max(54.0, letters * LETTER + PADDING), BOX_HEIGHT


def shorten(text: str, longest: int = LONGEST) -> str:
    """Return ``text`` with its middle replaced by … when it is longer than ``longest`` letters."""
    if len(text) <= longest:
        return text
    tail = longest // 3
    return f"{text[: longest - tail - 1]}…{text[-tail:]}"


def _shape(shape: Any) -> str:
    if isinstance(shape, (tuple, list)):
        return " × ".join(str(s) for s in shape)
    return str(shape)


def _cluster_label(graph: nx.DiGraph, group: Any) -> str:
    count = len({f for _, d in graph.nodes(data=True) if d.get("group") == group for f in d.get("features", ())})
    return text("graph.one_feature") if count == 1 else text("graph.features", count=count)
