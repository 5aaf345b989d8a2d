"""The architecture graph as a picture needs it: boxes with positions, routes of edges, outlines of groups.

Nothing here draws. Lengths are points of a drawing whose origin is at the lower left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import networkx as nx

from dashboard.texts import text
from dashboard.views.collapse import Fold, fold_graph, folds, group_label, groups_of, named
from dashboard.views.layout import Direction, Layout, Point, clustered, estimated_extent, lay_out
from dashboard.views.lettering import fitted, text_width

__all__ = [
    "CLUSTER_LETTERS",
    "SHEET",
    "GraphCluster",
    "GraphEdge",
    "GraphGroup",
    "GraphNode",
    "GraphView",
    "graph_view",
]

NOTHING_FOLDED = Fold()
BOX_HEIGHT = 34.0
LOW_BOX = 24.0  # of a box with one line
PADDING = 16.0
SHEET = 4.0
"""How far the second sheet of a closed group looks out behind the first, points."""
NARROWEST, WIDEST = 54.0, 270.0
SMALLEST = 0.7
TALLEST = 530.0
CLUSTER_LETTERS = 10.0
"""Height of the letters of a group's label, points."""


@dataclass(frozen=True)
class GraphNode:
    """One box: an operation, or several drawn as one.

    Attributes:
        label, second: The two lines inside: what it is, and what else is in it or else its output's shape.
        shape: Its output's shape, empty where it has no single one.
        parameters, operations: Trainable numbers; multiply-adds and activations of one prediction.
        features: Names of the features it reads directly or, when merged, of all it stands for.
        members: The engine's names of the nodes it stands for.
        contents: Kinds of operation it stands for, with their number, where it stands for several.
        modules: Submodules of the network whose outputs it stands for.
        group: The open group it belongs to, None outside groups and for closed ones.
        closed: The groups it stands for, where it is a closed one or several.
        title: The label in full.
        details: What else happens in it, in the family's words.
    """

    id: str
    kind: str
    label: str
    second: str
    shape: str
    parameters: int
    operations: int
    features: tuple[str, ...]
    members: tuple[str, ...]
    contents: tuple[tuple[str, int], ...]
    modules: tuple[str, ...]
    group: int | None
    closed: tuple[int, ...]
    title: str
    details: str
    x: float
    y: float
    width: float
    height: float

    @property
    def parts(self) -> int:
        """Number of operations it stands for."""
        return len(self.members)


@dataclass(frozen=True)
class GraphEdge:
    """A connection and its route; ``skip`` is True for residual and dense connections."""

    source: str
    target: str
    points: tuple[Point, ...]
    skip: bool


@dataclass(frozen=True)
class GraphCluster:
    """The outline of one open group, with its label in the upper left corner ("" for none)."""

    label: str
    left: float
    bottom: float
    right: float
    top: float
    group: int = -1


@dataclass(frozen=True)
class GraphGroup:
    """A group that can be opened and closed: its index, what it is called, and whether it is drawn as one box."""

    index: int
    label: str
    closed: bool


@dataclass(frozen=True)
class GraphView:
    """A laid-out architecture graph.

    Attributes:
        collapsed: What was merged, in one sentence; empty when nothing was.
        groups: The groups with more than one operation, in the order of the network.
        fold, direction: What is drawn as one box, and the reading direction: hand them back for the next view.
        whole: Operations of the network, each counted by itself.
    """

    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]
    clusters: tuple[GraphCluster, ...]
    width: float
    height: float
    parameters: int
    operations: int
    collapsed: str
    groups: tuple[GraphGroup, ...] = ()
    fold: Fold = NOTHING_FOLDED
    direction: Direction = "TB"
    whole: int = 0

    @property
    def words(self) -> str:
        """The graph in one sentence, for those who do not see the picture."""
        kinds: dict[str, int] = {}
        for node in self.nodes:
            kinds[node.kind] = kinds.get(node.kind, 0) + 1
        parts = ", ".join(f"{n} {kind}" for kind, n in kinds.items())
        return text("graph.words", parts=parts, parameters=self.parameters, operations=self.operations)

    def toggled(self, node_id: str) -> Fold | None:
        """Return the fold after a click on a box: a closed group opens (of several the first), an open one closes.

        None: the box belongs to no group, so nothing changes.
        """
        node = next((n for n in self.nodes if n.id == node_id), None)
        if node is None:
            return None
        if len(node.closed) > 1 and self.fold.most is not None and node.id == "rest":
            return replace(self.fold, most=None)
        if node.closed:
            return self.fold.toggled(node.closed[0])
        able = {g.index for g in self.groups}
        return self.fold.toggled(node.group) if node.group in able and node.group is not None else None


def graph_view(
    graph: nx.DiGraph,
    names: Sequence[str],
    *,
    room: float = 620.0,
    limit: int = 32,
    tallest: float = TALLEST,
    fold: Fold | None = None,
    direction: Direction | None = None,
) -> GraphView:
    """Return ``graph`` laid out for a column ``room`` points wide, parts merged until it is readable there.

    Readable: at most ``limit`` boxes, and at least 70 % of full size in that column and within ``tallest`` points. With
    a ``fold`` it is drawn as that says, however large it gets.

    Args:
        graph: Nodes carry kind, label, shape, parameters, operations, group (−1: none) and features (indices).
        names: Names of the features.
        room: Width of the column it is drawn in, points.
        limit: Number of boxes above which parts are merged.
        tallest: Height of the drawing above which parts are merged, points.
        fold: What is drawn as one box; chosen when not given.
        direction: Reading direction; chosen for the room when not given.
    """
    whole = named(graph, names)
    if fold is not None:
        return _laid_out(whole, fold, room, tallest, direction)
    last: Fold | None = None
    seen = -1
    for proposed in folds(whole, limit):
        boxes = fold_graph(whole, proposed)[0].number_of_nodes()
        if boxes == seen:
            continue
        last, seen = proposed, boxes
        if boxes <= limit:
            view = _laid_out(whole, proposed, room, tallest, direction)
            if view.width * SMALLEST <= room and view.height * SMALLEST <= tallest:
                return view
    return _laid_out(whole, last or Fold(), room, tallest, direction)


def _laid_out(whole: nx.DiGraph, fold: Fold, room: float, tallest: float, direction: Direction | None) -> GraphView:
    graph, told = fold_graph(whole, fold)
    sizes = {node: _size(data) for node, data in graph.nodes(data=True)}
    direction = direction or _direction(graph, sizes, room, tallest)
    labels = {g: _cluster_label(graph, g, nodes) for g, nodes in clustered(graph).items()}
    widths = {g: text_width(label, CLUSTER_LETTERS) + 12 for g, label in labels.items() if label}
    layout = lay_out(graph, sizes, direction, widths)
    return _view(whole, graph, layout, sizes, labels, told, fold, direction)


def _direction(
    graph: nx.DiGraph, sizes: Mapping[Hashable, tuple[float, float]], room: float, tallest: float
) -> Direction:
    """Return the reading direction that needs less shrinking; top-down where neither does or both do alike."""

    def shrunk(direction: Direction) -> float:
        width, height = estimated_extent(graph, sizes, direction)
        return min(1.0, room / max(width, 1.0), tallest / max(height, 1.0))

    return "LR" if shrunk("LR") > shrunk("TB") + 0.02 else "TB"


def _view(
    whole: nx.DiGraph, graph: nx.DiGraph, layout: Layout, sizes: Mapping[Hashable, tuple[float, float]],
    labels: Mapping[int, str], told: str, fold: Fold, direction: Direction,
) -> GraphView:  # fmt: skip
    nodes = tuple(_node(node, data, layout, sizes) for node, data in graph.nodes(data=True))
    groups = tuple(
        GraphGroup(g, group_label(whole, g, members), g in fold.closed)
        for g, members in groups_of(whole).items()
        if len(members) > 1
    )
    return GraphView(
        nodes=nodes,
        edges=tuple(
            GraphEdge(str(a), str(b), layout.edges[a, b], bool(d.get("skip"))) for a, b, d in graph.edges(data=True)
        ),
        clusters=tuple(GraphCluster(labels.get(g, ""), *box, group=g) for g, box in layout.clusters.items()),
        width=layout.width,
        height=layout.height,
        parameters=sum(n.parameters for n in nodes),
        operations=sum(n.operations for n in nodes),
        collapsed=told,
        groups=groups,
        fold=fold,
        direction=direction,
        whole=whole.number_of_nodes(),
    )


def _node(
    node: Hashable, data: Mapping[str, Any], layout: Layout, sizes: Mapping[Hashable, tuple[float, float]]
) -> GraphNode:
    label, second = _lines(data, node)
    return GraphNode(
        id=str(node),
        kind=str(data.get("kind", "operation")),
        label=label,
        second=second,
        shape=" ".join(_shape(data.get("shape", "")).split()),
        parameters=int(data.get("parameters", 0)),
        operations=int(data.get("operations", 0)),
        features=tuple(str(f) for f in data.get("features", ())),
        members=tuple(str(m) for m in data["members"]),
        contents=tuple(Counter(kind for kind, _ in data.get("parts_within", ())).items()),
        modules=tuple(data["modules"]),
        group=data.get("group"),
        closed=tuple(data["closed"]),
        title=" ".join(str(data.get("label", node)).split()),
        details=str(data.get("details", "")),
        x=layout.nodes[node][0],
        y=layout.nodes[node][1],
        width=sizes[node][0],
        height=sizes[node][1],
    )


def _lines(data: Mapping[str, Any], node: Hashable = "") -> tuple[str, str]:
    """Return the two lines of a box, short enough for the widest box."""
    room = WIDEST - PADDING
    second = data.get("note") or _shape(data.get("shape", ""))
    return fitted(str(data.get("label", node)), room), fitted(str(second), room)


def _size(data: Mapping[str, Any]) -> tuple[float, float]:
    label, second = _lines(data)
    width = max(NARROWEST, max(text_width(label), text_width(second)) + PADDING)
    behind = SHEET if data["closed"] else 0.0
    return width + behind, (BOX_HEIGHT if second else LOW_BOX) + behind


def _shape(shape: Any) -> str:
    if isinstance(shape, (tuple, list)):
        return " × ".join(str(s) for s in shape)
    return str(shape)


def _cluster_label(graph: nx.DiGraph, group: int, nodes: Sequence[Hashable]) -> str:
    """Return the label of an open group: the family's, else how many features act together in it; "" for one."""
    given = graph.graph.get("groups", {}).get(group)
    if given:
        return fitted(str(given), WIDEST, CLUSTER_LETTERS)
    count = len({f for n in nodes for f in graph.nodes[n].get("features", ())})
    return text("graph.features", count=count) if count > 1 else ""
