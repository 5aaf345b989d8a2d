"""Where a candidate came from and what came of it: ancestors, descendants, and what each step changed."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import networkx as nx

from dashboard.texts import text
from dashboard.views.candidate import described_changes, origin_words
from dashboard.views.layout import lay_out
from dashboard.views.measures import architecture_changes
from dashboard.views.words import number, signed

if TYPE_CHECKING:
    from collections.abc import Hashable

    from nas_core.objectives import Objective
    from nas_core.records import Evaluation
    from nas_core.spaces import SearchSpace
    from nas_core.store.summaries import Summary

__all__ = ["LineageEdge", "LineageNode", "LineageView", "lineage", "lineage_view"]

ANCESTORS, DESCENDANTS = 80, 50
WIDE, TALL = 92.0, 34.0


@dataclass(frozen=True)
class LineageNode:
    """One candidate: its number, what it reaches, where it is drawn (points, y up), and its relation to the chosen one.

    Attributes:
        kind: "self", "ancestor" or "descendant".
        eligible: Whether it may enter the front.
        performance: In words.
        interpretability: In [0, 1]; None where undefined.
    """

    id: str
    number: int
    kind: str
    eligible: bool
    performance: str
    interpretability: float | None
    x: float
    y: float


@dataclass(frozen=True)
class LineageEdge:
    """One step from a parent to a child.

    Attributes:
        parent, child: Identities; ``parent_number`` and ``child_number`` are what a person reads.
        operator: What made the child, in words.
        performance, interpretability: Changes in words, "–" where one of both has none.
        better: Whether the performance became better; None where it cannot be told.
        changes: The edit in words.
        inherited: Whether the child's training began from this parent's weights.
        route: Polyline, points.
    """

    parent: str
    child: str
    parent_number: int
    child_number: int
    operator: str
    performance: str
    interpretability: str
    better: bool | None
    changes: tuple[str, ...]
    inherited: bool
    route: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class LineageView:
    """The family of a candidate.

    Attributes:
        nodes, edges: What is drawn; edges on the way to the chosen candidate first.
        more_ancestors, more_descendants: How many are not drawn.
        metric: Label of the performance metric.
        beginning: How the first ancestors came about, in words; of a warm start the run it came from.
        width, height: Points.
    """

    nodes: tuple[LineageNode, ...]
    edges: tuple[LineageEdge, ...]
    more_ancestors: int
    more_descendants: int
    metric: str
    beginning: tuple[str, ...]
    width: float
    height: float


def lineage(evaluations: Sequence[Evaluation | Summary], candidate: str) -> tuple[list[str], list[str], int, int]:
    """Return all ancestors and the nearest descendants (nearest first), and how many of each were left out.

    O(n) for n evaluations; at most 80 ancestors and 50 descendants are kept, the nearest ones.
    """
    by_id = {e.id: e for e in evaluations}
    children: dict[str, list[str]] = {}
    for e in evaluations:
        for parent in e.parents:
            children.setdefault(parent, []).append(e.id)
    ancestors = _reached(candidate, lambda i: [p for p in by_id[i].parents if p in by_id])
    descendants = _reached(candidate, lambda i: children.get(i, []))
    return (ancestors[:ANCESTORS], descendants[:DESCENDANTS], max(0, len(ancestors) - ANCESTORS),
            max(0, len(descendants) - DESCENDANTS))  # fmt: skip


def _reached(start: str, step) -> list[str]:  # type: ignore[no-untyped-def]
    """Return what is reached from ``start``, breadth first, without it."""
    seen, queue, order = {start}, deque([start]), []
    while queue:
        for other in step(queue.popleft()):
            if other not in seen:
                seen.add(other)
                order.append(other)
                queue.append(other)
    return order


def lineage_view(
    evaluations: Sequence[Evaluation | Summary], candidate: str, interpretability: dict[str, float],
    objective: Objective, space: SearchSpace,
) -> LineageView:  # fmt: skip
    """Return the family of a candidate as it is drawn.

    Args:
        evaluations: All of the run.
        candidate: Identity of the one in view.
        interpretability: Of the candidates by identity, under the preference in force; none where undefined.
        objective: The performance objective.
        space: The run's space, for words.
    """
    ancestors, descendants, older, younger = lineage(evaluations, candidate)
    by_id = {e.id: e for e in evaluations}
    kinds = {**dict.fromkeys(ancestors, "ancestor"), **dict.fromkeys(descendants, "descendant"), candidate: "self"}
    graph: nx.DiGraph = nx.DiGraph()
    graph.add_nodes_from(sorted(kinds, key=lambda i: by_id[i].index))
    graph.add_edges_from((p, i) for i in kinds for p in by_id[i].parents if p in kinds)
    sizes: dict[Hashable, tuple[float, float]] = dict.fromkeys(graph, (WIDE, TALL))
    drawn = lay_out(graph, sizes, "TB")
    nodes = tuple(
        LineageNode(i, by_id[i].index, kinds[i], by_id[i].eligible, _performance(by_id[i]), interpretability.get(i),
                    *drawn.nodes[i])
        for i in graph
    )  # fmt: skip
    on_way = {candidate, *ancestors}
    edges = [_edge(by_id[p], by_id[c], interpretability, objective, space, drawn.edges[p, c]) for p, c in graph.edges]
    edges.sort(key=lambda e: (e.child not in on_way, e.child_number, e.parent_number))
    first = [by_id[i] for i in (candidate, *ancestors) if not any(p in kinds for p in by_id[i].parents)]
    beginning = tuple(text("lineage.began", number=e.index, origin=origin_words(e)) for e in first[:6])
    return LineageView(nodes, tuple(edges), older, younger, objective.label, beginning, drawn.width, drawn.height)


def _performance(e: Evaluation | Summary) -> str:
    return number(e.performance.value if e.performance else None)


def _edge(
    parent: Evaluation | Summary, child: Evaluation | Summary, interpretability: dict[str, float], objective: Objective,
    space: SearchSpace, route: tuple[tuple[float, float], ...],
) -> LineageEdge:  # fmt: skip
    change, better = "–", None
    if parent.performance is not None and child.performance is not None:
        by = child.performance.value - parent.performance.value
        change = signed(by)
        better = None if by == 0 else (by > 0) == objective.maximise
    simple = "–"
    if parent.id in interpretability and child.id in interpretability:
        simple = signed(interpretability[child.id] - interpretability[parent.id])
    before, after = parent.architecture.values, child.architecture.values
    if space.signal is None:
        changes = architecture_changes(before, after, [f.name for f in space.features])
    else:
        changes = described_changes(space.engine.describe(space, before), space.engine.describe(space, after))
    return LineageEdge(parent.id, child.id, parent.index, child.index, origin_words(child), change, simple, better,
                       changes, child.inherited == parent.id, route)  # fmt: skip
