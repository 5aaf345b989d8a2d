"""Positions, spline routes and cluster boxes of an architecture graph, computed by Graphviz ``dot``.

Graphviz runs inside this process and its library keeps global state, so one layout runs at a time.
Lengths are points as Graphviz gives them; y grows upwards.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import networkx as nx

__all__ = ["Layout", "lay_out"]

Point = tuple[float, float]
Box = tuple[float, float, float, float]

LOCK = threading.Lock()
STEPS = 8


@dataclass(frozen=True)
class Layout:
    """Where everything is: node centres, edge polylines, cluster boxes (left, bottom, right, top), and the extent."""

    nodes: Mapping[Hashable, Point]
    edges: Mapping[tuple[Hashable, Hashable], tuple[Point, ...]]
    clusters: Mapping[Any, Box]
    width: float
    height: float


def lay_out(graph: nx.DiGraph, sizes: Mapping[Hashable, tuple[float, float]], direction: str) -> Layout:
    """Return the ``dot`` layout of ``graph``; nodes that share an attribute ``group`` form a cluster.

    Args:
        graph: Directed graph without cycles; at least one node.
        sizes: Width and height of each node, points.
        direction: "TB" (top to bottom) or "LR" (left to right).
    """
    import pygraphviz

    names = {node: f"n{i}" for i, node in enumerate(graph)}
    with LOCK:
        drawn = pygraphviz.AGraph(directed=True, strict=True)
        drawn.graph_attr.update(rankdir=direction, nodesep="0.18", ranksep="0.32", splines="true", margin="0")
        drawn.node_attr.update(shape="box", fixedsize="true", label="")
        for node, name in names.items():
            width, height = sizes[node]
            drawn.add_node(name, width=f"{width / 72:.4f}", height=f"{height / 72:.4f}")
        for source, end in graph.edges:
            drawn.add_edge(names[source], names[end])
        groups = _groups(graph)
        for i, members in enumerate(groups.values()):
            if len(members) > 1:
                drawn.add_subgraph([names[n] for n in members], name=f"cluster_{i}", margin="11")
        drawn.layout(prog="dot")
        return _read(drawn, graph, names, list(groups))


def _groups(graph: nx.DiGraph) -> dict[Any, list[Hashable]]:
    groups: dict[Any, list[Hashable]] = {}
    for node, data in graph.nodes(data=True):
        if data.get("group") is not None:
            groups.setdefault(data["group"], []).append(node)
    return groups


def _read(drawn: Any, graph: nx.DiGraph, names: Mapping[Hashable, str], groups: list[Any]) -> Layout:
    box = _numbers(drawn.graph_attr["bb"])
    clusters = {}
    for part in drawn.subgraphs():
        left, bottom, right, top = _numbers(part.graph_attr["bb"])
        clusters[groups[int(part.name.removeprefix("cluster_"))]] = (left + 3, bottom + 3, right - 3, top - 3)
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
