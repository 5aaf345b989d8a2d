"""Which boxes of two architecture graphs are the same, changed, or there in one of them only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any, Literal

from nas_core.comparison.list_edits import align

if TYPE_CHECKING:
    import networkx

__all__ = ["Mark", "graph_marks"]

Mark = Literal["same", "changed", "only"]
Marks = dict[Hashable, Mark]
ALIGNED = 60_000
"""Pairs of boxes up to which their order is looked at; larger graphs are compared by what they hold."""


def graph_marks(first: networkx.DiGraph, second: networkx.DiGraph) -> tuple[Marks, Marks]:
    """Return for every node of two engine graphs how it stands to the other graph.

    Nodes are aligned in the order of the network (of a table group by group): a node is the same where its operation,
    label, shape, features and sources are, changed where it is aligned with one of the same kind, else it is in one
    graph only. As many are "same", and as many "changed", on both sides.
    """
    one, two = (_signed(graph) for graph in (first, second))
    pairs = _aligned(one, two) if len(one) * len(two) <= ALIGNED else _matched(one, two)
    marks: tuple[Marks, Marks] = ({node: "only" for node, _ in one}, {node: "only" for node, _ in two})
    for (a, of_a), (b, of_b) in pairs:
        mark: Mark = "same" if of_a == of_b else "changed"
        marks[0][a] = marks[1][b] = mark
    return marks


Signed = list[tuple[Hashable, tuple[Any, ...]]]


def _signed(graph: networkx.DiGraph) -> Signed:
    """Return the nodes in the order of the network, each with what is compared: its kind first."""
    tabular = graph.graph.get("family") == "tabular"
    found = []
    for node, data in graph.nodes(data=True):
        reads = tuple(sorted(data["features"])) if tabular and data["kind"] != "output" else ()
        skips = sum(bool(d.get("skip")) for _, _, d in graph.in_edges(node, data=True))
        found.append((node, (data["kind"], data["label"], tuple(data["shape"]), reads, skips)))
    return found


def _aligned(one: Signed, two: Signed) -> list[tuple[Any, Any]]:
    def cost(a: Any, b: Any) -> tuple[int, int, int] | None:
        if a[1] == b[1]:
            return 0, 0, 0
        if a[1][0] != b[1][0]:
            return None
        close = a[1][1] == b[1][1] or (a[1][3] and a[1][3] == b[1][3])
        return 1, 0 if close else 1, 0

    return [(a, b) for a, b in align(one, two, cost) if a is not None and b is not None]


def _matched(one: Signed, two: Signed) -> list[tuple[Any, Any]]:
    """Return pairs of nodes: first those that are the same, then those of the same kind, in their order."""
    pairs: list[tuple[Any, Any]] = []
    left, right = list(one), list(two)
    for key in (lambda item: item[1], lambda item: item[1][0]):
        waiting: dict[Any, list[Any]] = defaultdict(list)
        for item in right:
            waiting[key(item)].append(item)
        rest = []
        for item in left:
            if waiting[key(item)]:
                pairs.append((item, waiting[key(item)].pop(0)))
            else:
                rest.append(item)
        left, right = rest, [item for items in waiting.values() for item in items]
    return pairs
