"""Exact structural facts of a feature-group network: what it reads, mixes, promises and costs.

The counts are those of the module the family builds. For a group of d encoded columns, H hidden units, L layers and C
outputs: a linear group has C·d weights; a non-linear one H·d + H, then H·H + H for each further hidden layer (half of
the H·H weights when sparse), 2·H per normalised layer (a batch norm replaces the H biases), C·H for the readout; dense
connections read every hidden layer (C·H each) and the input (C·d). The network has C output biases. Operations are
multiply-adds plus function evaluations: weights once each, H per activation layer (identity is free), H per batch norm,
3·H per layer norm, H per residual sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from nas_core.spaces.family import StructuralFacts
from nas_core.spaces.tabular.rules import Rules

__all__ = [
    "GroupCost",
    "certified_features",
    "group_cost",
    "is_linear",
    "max_operations",
    "network_cost",
    "tabular_facts",
]

_NORM_OPERATIONS = {"none": 0, "batch": 1, "layer": 3}


@dataclass(frozen=True)
class GroupCost:
    """Parameters and operations of one group, by part; ``layers[l]`` holds the parts of hidden layer l by node kind."""

    parameters: int
    operations: int
    layers: tuple[dict[str, tuple[int, int]], ...]
    readout: tuple[int, int]


def is_linear(values: dict[str, Any], group: dict[str, Any]) -> bool:
    """Return whether a group is a linear function of its columns: by kind, or by identity activation."""
    return group["linear"] or (values["activation"] == "identity" and values["normalisation"] != "layer")


def network_cost(rules: Rules, values: dict[str, Any]) -> tuple[int, int]:
    """Return (parameters, operations) of the network."""
    columns = rules.columns[values["encoding"]]
    widths = [(sum(columns[j] for j in g["features"]), g["linear"]) for g in values["groups"]]
    linear = rules.outputs * sum(d for d, flat in widths if flat)
    hidden = [d for d, flat in widths if not flat]
    if not hidden:
        return linear + rules.outputs, linear
    shape = _shape(rules, values)
    fixed = group_cost(0, *shape)
    per_column = group_cost(1, *shape)
    total = sum(hidden)
    parameters = len(hidden) * fixed.parameters + total * (per_column.parameters - fixed.parameters)
    operations = len(hidden) * fixed.operations + total * (per_column.operations - fixed.operations)
    return linear + parameters + rules.outputs, linear + operations


@lru_cache(maxsize=4096)
def group_cost(d: int, C: int, H: int, L: int, activation: str, connections: str, normalisation: str) -> GroupCost:
    """Return the cost of a non-linear group of ``d`` encoded columns; affine in ``d``."""
    layers = []
    for layer in range(L):
        weights = H * d if layer == 0 else H * (max(1, H // 2) if connections == "sparse" else H)
        biases = 0 if normalisation == "batch" else H
        parts = {"linear": (weights + biases, weights)}
        if normalisation != "none":
            parts["norm"] = (2 * H, H * _NORM_OPERATIONS[normalisation])
        parts["activation"] = (0, 0 if activation == "identity" else H)
        if connections == "residual" and layer > 0:
            parts["add"] = (0, H)
        layers.append(parts)
    readout = C * (H * L + d if connections == "dense" else H)
    parameters = sum(p for parts in layers for p, _ in parts.values()) + readout
    operations = sum(o for parts in layers for _, o in parts.values()) + readout
    return GroupCost(parameters, operations, tuple(layers), (readout, readout))


def certified_features(rules: Rules, values: dict[str, Any]) -> dict[int, int]:
    """Return the features whose effect is monotone by construction, with the direction (0 = learned).

    Beside the marked ones: a numeric feature whose only column never decreases, in a group that is linear.
    """
    certified = {int(name): sign for name, sign in values["marks"].items()}
    columns, monotone = rules.columns[values["encoding"]], rules.monotone_columns[values["encoding"]]
    for group in values["groups"]:
        if is_linear(values, group):
            for j in group["features"]:
                if rules.numeric[j] and columns[j] == monotone[j] == 1:
                    certified.setdefault(j, 0)
    return dict(sorted(certified.items()))


def tabular_facts(rules: Rules, values: dict[str, Any]) -> StructuralFacts:
    """Return the structural facts of canonical values."""
    sizes = [len(g["features"]) for g in values["groups"] if not is_linear(values, g)]
    parameters, operations = network_cost(rules, values)
    return StructuralFacts(
        used_features=tuple(sorted(j for g in values["groups"] for j in g["features"])),
        pairs=sum(k * (k - 1) // 2 for k in sizes),
        certified=certified_features(rules, values),
        operations=operations,
        parameters=parameters,
        max_operations=rules.most_operations,
    )


def max_operations(rules: Rules) -> int:
    """Return the most operations an architecture of the space can need (a bound where parameters are limited)."""
    encodings = [str(c) for c in rules.choices["encoding"].choices]
    most = max(_most_linear(rules, _widest(rules, e)) for e in encodings)
    for encoding in encodings if rules.hidden_depths else ():
        widths = _widest(rules, encoding)
        groups = min(len(widths), rules.max_groups)
        for shape in _shapes(rules):
            fixed, column = group_cost(0, *shape).operations, group_cost(1, *shape).operations
            most = max(most, groups * fixed + sum(widths) * (column - fixed))
    return most if rules.max_operations is None else min(most, rules.max_operations)


def _most_linear(rules: Rules, widths: Sequence[int]) -> int:
    return rules.outputs * sum(widths[: rules.max_groups]) if rules.linear else 0


def _widest(rules: Rules, encoding: str) -> list[int]:
    """Return the encoded widths of the widest selection of features, widest first, the required ones included."""
    columns = rules.columns[encoding]
    required = [columns[j] for j in rules.required]
    others = sorted((columns[j] for j in rules.allowed if j not in rules.required), reverse=True)
    return sorted(required + others[: max(0, rules.max_features - len(required))], reverse=True)


def _shapes(rules: Rules) -> list[tuple[int, int, int, str, str, str]]:
    """Return the shapes that can be the most expensive one: the deepest and widest, per kind of layer."""
    width = max(int(c) for c in rules.choices["width"].choices)
    depth = rules.hidden_depths[-1]
    pick = rules.choices
    return [
        (rules.outputs, width, depth, str(a), str(c) if depth > 1 or c == "dense" else "full", str(n))
        for a in pick["activation"].choices
        for c in pick["connections"].choices
        for n in pick["normalisation"].choices
    ]


def _shape(rules: Rules, values: dict[str, Any]) -> tuple[int, int, int, str, str, str]:
    return (
        rules.outputs,
        values["width"],
        values["depth"],
        values["activation"],
        values["connections"],
        values["normalisation"],
    )
