"""Graphs of made-up networks of any size, in the form that every family gives its own."""

from __future__ import annotations

import networkx as nx
import numpy as np

__all__ = ["cells", "parallel_groups", "tower"]

KINDS = ("conv", "norm", "activation", "pool", "dropout", "add")


def _add(graph: nx.DiGraph, name: str, kind: str, label: str, group: int, *before: str) -> str:
    graph.add_node(
        name, kind=kind, label=label, shape=(16, 8, 8), parameters=3 + len(graph), operations=100 + len(graph),
        group=group, features=(0,), module=name.replace("-", "."),
    )  # fmt: skip
    graph.add_edges_from(((b, name) for b in before), skip=False)
    return name


def tower(nodes: int, skips: float, seed: int = 0, stages: int = 4) -> nx.DiGraph:
    """Return a deep network of exactly ``nodes`` nodes: a main path in stages, and skip connections inside each.

    Args:
        skips: How many skip connections start at a node, on average.
    """
    rng = np.random.default_rng(seed)
    graph = nx.DiGraph(groups={s: f"stage {s + 1}" for s in range(stages)})
    last = _add(graph, "input", "input", "image", -1)
    inside = nodes - 2
    for i in range(inside):
        kind = KINDS[int(rng.integers(len(KINDS)))]
        last = _add(graph, f"op-{i}", kind, f"{kind} 3×3", stages * i // max(inside, 1), last)
    _add(graph, "output", "output", "classes", -1, last)
    for i in range(inside):
        for _ in range(rng.poisson(skips)):
            j = i + int(rng.integers(2, 9))
            if j < inside and graph.nodes[f"op-{i}"]["group"] == graph.nodes[f"op-{j}"]["group"]:
                graph.add_edge(f"op-{i}", f"op-{j}", skip=True)
    return graph


def cells(count: int, per_stage: int = 3) -> nx.DiGraph:
    """Return equal cells in a row: four places each, joined by two convolutions, a pooling and a skip connection."""
    graph = nx.DiGraph(groups={c: f"cell {c + 1}" for c in range(count)})
    last = _add(graph, "input", "input", "image", -1)
    for c in range(count):
        last = _add(graph, f"cell{c}-in", "add", "node 1", c, last)
        one = _add(graph, f"cell{c}-a", "conv", f"conv {3 + c // per_stage}×3", c, last)
        two = _add(graph, f"cell{c}-b", "pool", "average 3×3", c, last)
        both = _add(graph, f"cell{c}-sum", "add", "node 2", c, one, two)
        end = _add(graph, f"cell{c}-c", "conv", "conv 1×1", c, both)
        for name in [n for n in graph if n.startswith(f"cell{c}-")]:
            graph.nodes[name]["parameters"] = 10 * (1 + c // per_stage)
        graph.add_edge(last, end, skip=True)
        last = end
    _add(graph, "output", "output", "classes", -1, last)
    return graph


def parallel_groups(sizes: list[int], depth: int = 2) -> nx.DiGraph:
    """Return feature groups side by side, each its own small network, that meet in the output."""
    graph = nx.DiGraph()
    _add(graph, "output", "output", "Sum", -1)
    feature = 0
    for g, size in enumerate(sizes):
        before = []
        for _ in range(size):
            name = _add(graph, f"feature{feature}", "input", f"feature {feature}", g)
            graph.nodes[name]["features"] = (feature,)
            before.append(name)
            feature += 1
        for layer in range(depth):
            dense = _add(graph, f"g{g}-{layer}-linear", "linear", f"Dense {layer}", g, *before)
            before = [_add(graph, f"g{g}-{layer}-act", "activation", "relu", g, dense)]
        graph.add_edge(_add(graph, f"g{g}-read", "readout", "Readout", g, *before), "output", skip=False)
    return graph
