"""Positions, spline routes and cluster boxes of an architecture graph, computed by Graphviz ``dot``.

Graphviz runs inside this process and its library keeps global state, so one layout runs at a time.
Lengths are points as Graphviz gives them; y grows upwards.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import networkx as nx

from nas_core.spaces.graph_drawing import GRAPHVIZ

__all__ = ["GAP", "LABEL_HEIGHT", "RANK_GAP", "Direction", "Layout", "estimated_extent", "lay_out"]

Point = tuple[float, float]
Box = tuple[float, float, float, float]
Direction = Literal["TB", "LR"]

STEPS = 8
GAP, RANK_GAP = 13.0, 23.0
"""Least distance between two boxes beside one another, and between two rows of boxes."""
LABEL_HEIGHT = 13.0
"""Room kept free for the label of a cluster."""
INSET = 3.0
MANY_EDGES = 400
MAIN_PATH = 6  # how much more an ordinary edge pulls its ends into line than a skip connection does


@dataclass(frozen=True)
class Layout:
    """Where everything is: node centres, edge polylines, cluster boxes (left, bottom, right, top), and the extent."""

    nodes: Mapping[Hashable, Point]
    edges: Mapping[tuple[Hashable, Hashable], tuple[Point, ...]]
    clusters: Mapping[Any, Box]
    width: float
    height: float


def lay_out(
    graph: nx.DiGraph,
    sizes: Mapping[Hashable, tuple[float, float]],
    direction: Direction,
    labels: Mapping[Any, float] | None = None,
) -> Layout:
    """Return the ``dot`` layout of ``graph``; nodes that share an attribute ``group`` form a cluster.

    Args:
        graph: Directed graph, at least one node; cycles are allowed.
        sizes: Width and height of each node, points.
        direction: "TB" (top to bottom) or "LR" (left to right).
        labels: Width of the label of each group, points; room above the cluster is kept for it. None: for no group.
    """
    import pygraphviz

    names = {node: f"n{i}" for i, node in enumerate(graph)}
    with GRAPHVIZ:
        drawn = pygraphviz.AGraph(directed=True, strict=True)
        drawn.graph_attr.update(
            rankdir=direction, nodesep=f"{GAP / 72:.3f}", ranksep=f"{RANK_GAP / 72:.3f}", splines="true", margin="0",
            mclimit="0.3" if graph.number_of_edges() > MANY_EDGES else "1",
        )  # fmt: skip
        drawn.node_attr.update(shape="box", fixedsize="true", label="")
        for node, name in names.items():
            width, height = sizes[node]
            drawn.add_node(name, width=f"{width / 72:.4f}", height=f"{height / 72:.4f}")
        for source, end, data in graph.edges(data=True):
            drawn.add_edge(names[source], names[end], weight="1" if data.get("skip") else str(MAIN_PATH))
        groups = clustered(graph)
        for i, (group, members) in enumerate(groups.items()):
            width = (labels or {}).get(group, 0.0)
            drawn.add_subgraph([names[n] for n in members], name=f"cluster_{i}", margin="11", labeljust="l",
                               label=_reserved(width) if width else "")  # fmt: skip
        drawn.layout(prog="dot")
        return _read(drawn, graph, names, list(groups))


def clustered(graph: nx.DiGraph) -> dict[Any, list[Hashable]]:
    """Return the nodes of every group that has more than one."""
    groups: dict[Any, list[Hashable]] = {}
    for node, data in graph.nodes(data=True):
        if data.get("group") is not None:
            groups.setdefault(data["group"], []).append(node)
    return {group: members for group, members in groups.items() if len(members) > 1}


def estimated_extent(
    graph: nx.DiGraph, sizes: Mapping[Hashable, tuple[float, float]], direction: Direction
) -> tuple[float, float]:
    """Return about the width and height a layout will have, from the longest paths alone (0.1 ms)."""
    if not nx.is_directed_acyclic_graph(graph):
        graph = nx.DiGraph((a, b) for a, b in graph.edges if str(a) < str(b))
    rows = list(nx.topological_generations(graph))
    across, along = (0, 1) if direction == "TB" else (1, 0)
    extent = [0.0, 0.0]
    extent[across] = max((sum(sizes[n][across] + GAP for n in row) for row in rows), default=0.0)
    extent[along] = sum(max(sizes[n][along] for n in row) + RANK_GAP for row in rows)
    return extent[0], extent[1]


def _reserved(width: float) -> str:
    """Return a label that takes room and shows nothing; pygraphviz passes ``<…>`` on as an HTML-like label."""
    return (
        f'<<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="0" CELLSPACING="0" FIXEDSIZE="TRUE" WIDTH="{width:.0f}" '
        f'HEIGHT="{LABEL_HEIGHT:.0f}"><TR><TD></TD></TR></TABLE>>'
    )


def _read(drawn: Any, graph: nx.DiGraph, names: Mapping[Hashable, str], groups: list[Any]) -> Layout:
    box = _numbers(drawn.graph_attr["bb"])
    clusters = {}
    for part in drawn.subgraphs():
        left, bottom, right, top = _numbers(part.graph_attr["bb"])
        at = groups[int(part.name.removeprefix("cluster_"))]
        clusters[at] = (left + INSET, bottom + INSET, right - INSET, top - INSET)
    nodes = {}
    for node, name in names.items():
        x, y = _numbers(drawn.get_node(name).attr["pos"])
        nodes[node] = (x, y)
    edges = {(a, b): _route(drawn.get_edge(names[a], names[b]).attr["pos"]) for a, b in graph.edges}
    return Layout(nodes, edges, clusters, box[2] - box[0], box[3] - box[1])


def _numbers(text: str) -> list[float]:
    return [float(part) for part in text.replace("!", "").split(",")]


def _route(text: str) -> tuple[Point, ...]:
    """Return the polyline of a spline ``e,x,y x,y x,y …``: cubic Bézier pieces, then the arrow's tip."""
    tip: list[Point] = []
    control: list[Point] = []
    for part in text.split():
        if part.startswith("e,"):
            x, y = _numbers(part[2:])
            tip = [(x, y)]
        elif not part.startswith("s,"):
            x, y = _numbers(part)
            control.append((x, y))
    points = [control[0]]
    for i in range(0, len(control) - 1, 3):
        points.extend(_bezier(control[i : i + 4]))
    return tuple(points + tip)


def _bezier(control: list[Point]) -> list[Point]:
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = control
    points = []
    for step in range(1, STEPS + 1):
        t = step / STEPS
        s = 1 - t
        a, b, c, d = s**3, 3 * s * s * t, 3 * s * t * t, t**3
        points.append((a * ax + b * bx + c * cx + d * dx, a * ay + b * by + c * cy + d * dy))
    return points
