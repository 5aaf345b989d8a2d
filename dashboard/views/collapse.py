"""Smaller graphs of the same network: parts of a group drawn as one box when there are too many to read.

Each level contracts the graph further; the view takes the first level that is small enough to read.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

import networkx as nx

from dashboard.texts import text

__all__ = ["levels", "named"]

INPUT_KINDS = frozenset({"input"})
MOST_GROUPS = 14
LAYER_PARTS = frozenset({"norm", "activation", "dropout"})


def named(graph: nx.DiGraph, names: Sequence[str]) -> nx.DiGraph:
    """Return a copy of an engine's graph in which features are called by name and "no group" is None."""
    copy = nx.DiGraph(graph)
    for _, data in copy.nodes(data=True):
        data["features"] = tuple(names[f] if isinstance(f, int) else str(f) for f in data.get("features", ()))
        if data.get("group", -1) in (-1, None):
            data["group"] = None
    return copy


def levels(graph: nx.DiGraph, limit: int) -> Iterator[tuple[nx.DiGraph, str]]:
    """Yield ``graph`` and then ever smaller forms of it, each with one sentence on what was merged.

    Parameters and operations of merged nodes are added up, so the totals stay the same at every level.
    """
    yield graph, ""
    for level, sentence in LEVELS:
        smaller = level(graph, limit)
        if smaller.number_of_nodes() < graph.number_of_nodes():
            graph = smaller
            yield graph, text(sentence)


def _by_group(graph: nx.DiGraph) -> dict[Any, list[Hashable]]:
    groups: dict[Any, list[Hashable]] = {}
    for node, data in graph.nodes(data=True):
        if data.get("group") is not None:
            groups.setdefault(data["group"], []).append(node)
    return groups


def _merge_inputs(graph: nx.DiGraph, limit: int) -> nx.DiGraph:
    """Draw the inputs of a group as one box."""
    target: dict[Hashable, Hashable] = {}
    labels: dict[Hashable, str] = {}
    for group, nodes in _by_group(graph).items():
        inputs = [n for n in nodes if graph.nodes[n].get("kind") in INPUT_KINDS]
        if len(inputs) > 1:
            merged = f"inputs of {group}"
            target.update(dict.fromkeys(inputs, merged))
            labels[merged] = _several(_features(graph, inputs))
    return _contract(graph, target, labels)


def _fuse_layers(graph: nx.DiGraph, limit: int) -> nx.DiGraph:
    """Draw a layer with its normalisation, activation and dropout as one box."""
    target: dict[Hashable, Hashable] = {}
    labels: dict[Hashable, str] = {}
    for node in nx.topological_sort(graph):
        before = list(graph.predecessors(node))
        if graph.nodes[node].get("kind") not in LAYER_PARTS or len(before) != 1:
            continue
        head = target.get(before[0], before[0])
        if graph.nodes[head].get("kind") in INPUT_KINDS:
            continue
        target[node] = head
        known = labels.get(head, str(graph.nodes[head].get("label", head)))
        labels[head] = f"{known} · {graph.nodes[node].get('label', node)}"
    return _contract(graph, target, labels)


def _merge_groups(graph: nx.DiGraph, limit: int) -> nx.DiGraph:
    """Draw each group as one box."""
    target: dict[Hashable, Hashable] = {}
    labels: dict[Hashable, str] = {}
    shapes: dict[Hashable, str] = {}
    for group, nodes in _by_group(graph).items():
        merged = f"group {group}"
        target.update(dict.fromkeys(nodes, merged))
        labels[merged] = _several(_features(graph, nodes))
        shapes[merged] = _inside(graph, nodes)
    smaller = _contract(graph, target, labels)
    nx.set_node_attributes(smaller, shapes, "shape")
    return smaller


def _inside(graph: nx.DiGraph, nodes: list[Hashable]) -> str:
    """Return what a group computes in one line: the widths of its layers and its activation."""
    within = [graph.nodes[n] for n in nx.topological_sort(graph.subgraph(nodes))]
    layers = [d for d in within if d.get("kind") == "linear"]
    if not layers:
        return text("graph.linear")
    widths = [str(d["shape"][-1]) for d in [*layers, *(d for d in within if d.get("kind") == "readout")]]
    activations = dict.fromkeys(str(d["label"]) for d in within if d.get("kind") == "activation")
    return " · ".join([" → ".join(widths), *activations])


def _merge_small_groups(graph: nx.DiGraph, limit: int) -> nx.DiGraph:
    """Keep the groups with the most parameters and draw the rest as one box."""
    groups = _by_group(graph)
    weight = {g: sum(int(graph.nodes[n].get("parameters", 0)) for n in nodes) for g, nodes in groups.items()}
    others = graph.number_of_nodes() - sum(len(nodes) for nodes in groups.values())
    keep = max(1, min(limit - others - 1, MOST_GROUPS))
    rest = sorted(groups, key=lambda g: (-weight[g], str(g)))[keep:]
    nodes = [n for g in rest for n in groups[g]]
    if len(rest) < 2:
        return graph
    words = text("graph.more_groups", count=len(rest))
    return _contract(graph, dict.fromkeys(nodes, "other groups"), {"other groups": words})


LEVELS: tuple[tuple[Callable[[nx.DiGraph, int], nx.DiGraph], str], ...] = (
    (_merge_inputs, "graph.merged_inputs"),
    (_fuse_layers, "graph.merged_layers"),
    (_merge_groups, "graph.merged_groups"),
    (_merge_small_groups, "graph.merged_small_groups"),
)


def _features(graph: nx.DiGraph, nodes: list[Hashable]) -> list[str]:
    names: dict[str, None] = {}
    for node in nodes:
        names.update(dict.fromkeys(str(f) for f in graph.nodes[node].get("features", ())))
    return list(names)


def _several(names: list[str]) -> str:
    """Return the names while they are few, else the first and how many more."""
    if len(names) <= 2:
        return " × ".join(names)
    return text("graph.several", first=names[0], count=len(names) - 1)


def _contract(graph: nx.DiGraph, target: dict[Hashable, Hashable], labels: dict[Hashable, str]) -> nx.DiGraph:
    """Return ``graph`` with every node of ``target`` drawn into the node it maps to; loops disappear."""
    smaller = nx.DiGraph(**graph.graph)
    members: dict[Hashable, list[Hashable]] = {}
    for node in graph:
        members.setdefault(target.get(node, node), []).append(node)
    for node, parts in members.items():
        smaller.add_node(node, **_joined(graph, node, parts, labels.get(node)))
    for source, end, data in graph.edges(data=True):
        a, b = target.get(source, source), target.get(end, end)
        if a != b and not (smaller.has_edge(a, b) and not smaller.edges[a, b].get("skip")):
            smaller.add_edge(a, b, **data)
    return smaller


def _joined(graph: nx.DiGraph, node: Hashable, parts: list[Hashable], label: str | None) -> dict[str, Any]:
    first = dict(graph.nodes[node] if node in graph else graph.nodes[parts[0]])
    kinds = {graph.nodes[p].get("kind") for p in parts}
    if node not in graph:
        first["kind"] = "input" if kinds <= INPUT_KINDS else "group"
        first["shape"] = ""
    groups = {graph.nodes[p].get("group") for p in parts}
    first["group"] = groups.pop() if len(groups) == 1 else None
    first["features"] = tuple(_features(graph, parts))
    first["parameters"] = sum(int(graph.nodes[p].get("parameters", 0)) for p in parts)
    first["operations"] = sum(int(graph.nodes[p].get("operations", 0)) for p in parts)
    first["parts"] = sum(int(graph.nodes[p].get("parts", 1)) for p in parts)
    if label is not None:
        first["label"] = label
    return first
