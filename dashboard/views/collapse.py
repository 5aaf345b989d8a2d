"""Smaller graphs of the same network: parts drawn as one box, one part at a time or as many as needed to read it.

A :class:`Fold` says what is drawn as one box. :func:`folds` proposes ever coarser ones for the view to choose from; a
person changes the one in force group by group. Parameters and operations of what is drawn as one box are added up, so
the totals are the same in every fold.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import networkx as nx

from dashboard.texts import text

__all__ = ["Fold", "fold_graph", "folds", "group_label", "groups_of", "named"]

INPUT_KINDS = frozenset({"input"})
LAYER_PARTS = frozenset({"norm", "activation", "dropout"})
MOST_GROUPS = 14
REST = "rest"


@dataclass(frozen=True)
class Fold:
    """What of a graph is drawn as one box.

    Attributes:
        closed: Groups that are drawn as one box each; equal ones in a row as one box together.
        detail: 0: every operation has its own box; 1: the inputs of a group are one box; 2: also a layer with its
            normalisation, activation and dropout.
        most: So many of the closed groups, those with the most parameters, have their own box; the others are one box
            together. None: all have their own.
    """

    closed: frozenset[int] = frozenset()
    detail: int = 0
    most: int | None = None

    def toggled(self, group: int) -> Fold:
        """Return the fold in which ``group`` is open where it was closed, and closed where it was open."""
        return replace(self, closed=self.closed ^ {group})


def named(graph: nx.DiGraph, names: Sequence[str]) -> nx.DiGraph:
    """Return a copy of an engine's graph in which features are called by name and "no group" is None."""
    copy = nx.DiGraph(graph)
    for node, data in copy.nodes(data=True):
        data["features"] = tuple(names[f] if isinstance(f, int) else str(f) for f in data.get("features", ()))
        data["members"] = (node,)
        data["modules"] = (data["module"],) if data.get("module") else ()
        data["closed"] = ()
        if data.get("group", -1) in (-1, None):
            data["group"] = None
    return copy


def groups_of(graph: nx.DiGraph) -> dict[int, list[Hashable]]:
    """Return the nodes of every group of a :func:`named` graph, in the order of the graph."""
    groups: dict[int, list[Hashable]] = {}
    for node, data in graph.nodes(data=True):
        if data.get("group") is not None:
            groups.setdefault(data["group"], []).append(node)
    return groups


def group_label(graph: nx.DiGraph, group: int, nodes: Iterable[Hashable]) -> str:
    """Return what a person calls a group: the family's label, else its inputs as the graph labels them."""
    given = graph.graph.get("groups", {}).get(group)
    if given:
        return str(given)
    inputs = [graph.nodes[n] for n in nodes if graph.nodes[n].get("kind") in INPUT_KINDS]
    labels = [label for data in inputs for kind, label in _parts(data) if kind in INPUT_KINDS]
    return _several(labels or _features(graph, nodes))


def folds(graph: nx.DiGraph, limit: int) -> Iterator[Fold]:
    """Yield ever coarser folds of a :func:`named` graph, from all of it to what fits ``limit`` boxes at any rate.

    Of cells that repeat, the first one stays open as long as possible: one seen in full explains the others. Stages
    and cells close one by one, the largest first; groups of features, which are side by side, all at once.
    """
    for detail in (0, 1, 2):
        yield Fold(detail=detail)
    groups = groups_of(graph)
    if not groups:
        return
    first: dict[Any, int] = {}
    for group, nodes in groups.items():
        first.setdefault(_signature(graph, nodes, shapes=False), group)
    closed = frozenset(groups) - set(first.values())
    if closed:
        yield Fold(closed, 2)
    if graph.graph.get("groups"):
        for group in sorted(set(groups) - closed, key=lambda g: -len(groups[g])):
            closed |= {group}
            yield Fold(closed, 2)
    everything = Fold(frozenset(groups), 2)
    yield everything
    others = graph.number_of_nodes() - sum(len(nodes) for nodes in groups.values())
    yield replace(everything, most=max(1, min(limit - others - 1, MOST_GROUPS)))


def fold_graph(graph: nx.DiGraph, fold: Fold) -> tuple[nx.DiGraph, str]:
    """Return a :func:`named` graph as ``fold`` has it drawn, and one sentence on what was merged ("" for nothing)."""
    steps: list[tuple[bool, Callable[[nx.DiGraph, Fold], nx.DiGraph], str]] = [
        (fold.detail >= 1, _merge_inputs, "graph.merged_inputs"),
        (fold.detail >= 2, _fuse_layers, "graph.merged_layers"),
        (bool(fold.closed), _close_groups, "graph.merged_groups"),
        (bool(fold.closed), _merge_repeats, "graph.merged_repeats"),
        (fold.most is not None, _merge_small_groups, "graph.merged_small_groups"),
    ]
    told = ""
    for wanted, step, sentence in steps:
        if wanted:
            smaller = step(graph, fold)
            if smaller.number_of_nodes() < graph.number_of_nodes():
                graph, told = smaller, text(sentence)
    return graph, told


def _merge_inputs(graph: nx.DiGraph, fold: Fold) -> nx.DiGraph:
    """Draw the inputs of a group as one box."""
    target: dict[Hashable, Hashable] = {}
    made: dict[Hashable, dict[str, Any]] = {}
    for group, nodes in groups_of(graph).items():
        inputs = [n for n in nodes if graph.nodes[n].get("kind") in INPUT_KINDS]
        if len(inputs) > 1:
            merged = f"inputs:{group}"
            target.update(dict.fromkeys(inputs, merged))
            labels = [str(graph.nodes[n].get("label", n)) for n in inputs]
            made[merged] = {"kind": "input", "label": _several(labels), "shape": ""}
    return _contract(graph, target, made)


def _fuse_layers(graph: nx.DiGraph, fold: Fold) -> nx.DiGraph:
    """Draw a layer with its normalisation, activation and dropout as one box; ``note`` names them."""
    target: dict[Hashable, Hashable] = {}
    made: dict[Hashable, dict[str, Any]] = {}
    for node in nx.topological_sort(graph):
        before = list(graph.predecessors(node))
        if graph.nodes[node].get("kind") not in LAYER_PARTS or len(before) != 1 or graph.out_degree(before[0]) != 1:
            continue
        head = target.get(before[0], before[0])
        known, part = graph.nodes[head], graph.nodes[node]
        if known.get("kind") in INPUT_KINDS or known.get("group") != part.get("group"):
            continue
        target[node] = head
        made.setdefault(head, {"note": ""})
        notes = [str(made[head]["note"]), str(part.get("label", node))]
        made[head] = {"note": " · ".join(n for n in notes if n), "shape": part.get("shape") or known.get("shape", "")}
    return _contract(graph, target, made)


def _close_groups(graph: nx.DiGraph, fold: Fold) -> nx.DiGraph:
    """Draw each closed group as one box."""
    target: dict[Hashable, Hashable] = {}
    made: dict[Hashable, dict[str, Any]] = {}
    for group, nodes in groups_of(graph).items():
        if group in fold.closed and len(nodes) > 1:
            merged = f"group:{group}"
            target.update(dict.fromkeys(nodes, merged))
            made[merged] = {
                "kind": "group", "label": _closed_label(graph, group, nodes), "shape": _inside(graph, nodes),
                "closed": (group,), "group": None, "note": "", "signature": _signature(graph, nodes, shapes=True),
            }  # fmt: skip
    return _contract(graph, target, made)


def _closed_label(graph: nx.DiGraph, group: int, nodes: Sequence[Hashable]) -> str:
    """Return the label of a closed group: features say what it is, a stage or a cell also how much is inside."""
    label = group_label(graph, group, nodes)
    if group not in graph.graph.get("groups", {}):
        return label
    return text("graph.holds", name=label, count=sum(len(graph.nodes[n]["members"]) for n in nodes))


def _merge_repeats(graph: nx.DiGraph, fold: Fold) -> nx.DiGraph:
    """Draw equal closed groups that follow one another, with nothing in between or around, as one box."""
    target: dict[Hashable, Hashable] = {}
    made: dict[Hashable, dict[str, Any]] = {}
    for node, data in graph.nodes(data=True):
        if len(data["closed"]) != 1 or node in target:
            continue
        run = [node]
        while (after := _next_alike(graph, run[-1])) is not None:
            run.append(after)
        if len(run) > 1:
            merged = f"{node}:{len(run)}"
            target.update(dict.fromkeys(run, merged))
            known = graph.graph.get("groups", {})
            labels = [str(known.get(g, graph.nodes[n]["label"])) for n in run for g in graph.nodes[n]["closed"]]
            made[merged] = {
                "kind": "group", "label": text("graph.times", name=_shared(labels), count=len(run)),
                "shape": graph.nodes[run[-1]]["shape"], "group": None,
                "closed": tuple(g for n in run for g in graph.nodes[n]["closed"]),
            }  # fmt: skip
    return _contract(graph, target, made)


def _next_alike(graph: nx.DiGraph, node: Hashable) -> Hashable | None:
    """Return the box that follows ``node`` when it is the only one, follows nothing else, and is the same inside."""
    after = list(graph.successors(node))
    if len(after) != 1 or graph.in_degree(after[0]) != 1:
        return None
    one, other = graph.nodes[node], graph.nodes[after[0]]
    alike = len(other["closed"]) == 1 and one.get("signature") == other.get("signature")
    return after[0] if alike else None


def _merge_small_groups(graph: nx.DiGraph, fold: Fold) -> nx.DiGraph:
    """Keep the closed groups with the most parameters and draw the others as one box."""
    closed = [n for n, data in graph.nodes(data=True) if data["closed"]]
    weight = {n: int(graph.nodes[n].get("parameters", 0)) for n in closed}
    rest = sorted(closed, key=lambda n: (-weight[n], str(n)))[fold.most :]
    kept = [n for n in closed if n in set(rest)]
    if len(kept) < 2 or not nx.is_directed_acyclic_graph(_contract(graph, dict.fromkeys(kept, REST), {REST: {}})):
        return graph
    words = text("graph.more_groups", count=len(kept))
    groups = tuple(g for n in kept for g in graph.nodes[n]["closed"])
    made = {"kind": "group", "label": words, "shape": "", "group": None, "closed": groups}
    return _contract(graph, dict.fromkeys(kept, REST), {REST: made})


def _signature(graph: nx.DiGraph, nodes: Sequence[Hashable], *, shapes: bool) -> Any:
    """Return a value that is equal for groups with the same operations and connections, added in the same order."""
    at = {node: i for i, node in enumerate(nodes)}
    inside = []
    for node in nodes:
        data = graph.nodes[node]
        seen = (data.get("kind"), data.get("label"))
        inside.append((*seen, str(data.get("shape")), data.get("parameters")) if shapes else seen)
    edges = sorted((at[a], at[b], bool(d.get("skip"))) for a, b, d in graph.subgraph(nodes).edges(data=True))
    return tuple(inside), tuple(edges)


def _shared(labels: Sequence[str]) -> str:
    """Return what labels that count ("cell 2", "cell 3") have in common ("cell")."""
    words = [label.split() for label in labels]
    same = [w for w, *others in zip(*words) if all(o == w for o in others)]
    return " ".join(same).strip(" ·,:") or labels[0]


def _inside(graph: nx.DiGraph, nodes: Sequence[Hashable]) -> Any:
    """Return what a group computes in one line: widths and activation of dense layers, else its output's shape."""
    within = [graph.nodes[n] for n in nx.topological_sort(graph.subgraph(nodes))]
    if any(d.get("kind") == "readout" for d in within) and any(d.get("kind") == "input" for d in within):
        layers = [d for d in within if d.get("kind") == "linear"]
        if not layers:
            return text("graph.linear")
        widths = [str(d["shape"][-1]) for d in [*layers, *(d for d in within if d.get("kind") == "readout")]]
        return " · ".join([" → ".join(widths), *_activations(within)])
    return within[-1].get("shape", "")


def _activations(within: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the activations' names, also of those that are drawn with their layer."""
    found: dict[str, None] = {}
    for data in within:
        found.update({label: None for kind, label in _parts(data) if kind == "activation"})
    return list(found)


def _features(graph: nx.DiGraph, nodes: Iterable[Hashable]) -> list[str]:
    names: dict[str, None] = {}
    for node in nodes:
        names.update(dict.fromkeys(str(f) for f in graph.nodes[node].get("features", ())))
    return list(names)


def _several(names: Sequence[str]) -> str:
    """Return the names while they are few, else the first and how many more."""
    if len(names) <= 2:
        return " × ".join(names)
    return text("graph.several", first=names[0], count=len(names) - 1)


def _contract(
    graph: nx.DiGraph, target: Mapping[Hashable, Hashable], made: Mapping[Hashable, Mapping[str, Any]]
) -> nx.DiGraph:
    """Return ``graph`` with every node of ``target`` drawn into the node it maps to, with the attributes in ``made``.

    The order of the nodes stays that of the graph, so the same part keeps its place in every fold; loops disappear.
    """
    smaller = nx.DiGraph(**graph.graph)
    members: dict[Hashable, list[Hashable]] = {}
    for node in graph:
        members.setdefault(target.get(node, node), []).append(node)
    for node, parts in members.items():
        smaller.add_node(node, **{**_joined(graph, node, parts), **made.get(node, {})})
    for source, end, data in graph.edges(data=True):
        a, b = target.get(source, source), target.get(end, end)
        if a != b and not (smaller.has_edge(a, b) and not smaller.edges[a, b].get("skip")):
            smaller.add_edge(a, b, **data)
    return smaller


def _joined(graph: nx.DiGraph, node: Hashable, parts: Sequence[Hashable]) -> dict[str, Any]:
    """Return the attributes of several nodes drawn as one: sums of what can be added, all of what can be listed."""
    if len(parts) == 1:
        return dict(graph.nodes[parts[0]])
    within = [graph.nodes[p] for p in parts]
    first = dict(graph.nodes[node] if node in graph else within[0])
    groups = {d.get("group") for d in within}
    return {
        **first,
        "group": groups.pop() if len(groups) == 1 else None,
        "features": tuple(_features(graph, parts)),
        "parameters": sum(int(d.get("parameters", 0)) for d in within),
        "operations": sum(int(d.get("operations", 0)) for d in within),
        "members": tuple(m for d in within for m in d["members"]),
        "modules": tuple(m for d in within for m in d["modules"]),
        "parts_within": tuple(
            p for d in within for p in d.get("parts_within", ((d.get("kind"), str(d.get("label"))),))
        ),
    }


def _parts(data: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return kind and label of every operation that a node stands for."""
    return tuple(data.get("parts_within", ())) or ((str(data.get("kind", "operation")), str(data.get("label", ""))),)
