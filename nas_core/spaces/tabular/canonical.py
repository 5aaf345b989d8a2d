"""The one form of a tabular architecture: isomorphic networks get equal values, hence one identity."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from nas_core.spaces.tabular.rules import LINEAR_FORM, PLAIN_ENCODING, Rules

__all__ = ["Block", "as_blocks", "as_groups", "canonical"]

Block = tuple[tuple[int, ...], bool]
"""A group inside the operators: its features and whether it is linear."""


def as_blocks(groups: Iterable[dict[str, Any]]) -> list[Block]:
    """Return stored groups as blocks."""
    return [(tuple(g["features"]), g["linear"]) for g in groups]


def as_groups(blocks: Iterable[Block]) -> list[dict[str, Any]]:
    """Return blocks as they are stored: linear ones split to single features, everything sorted."""
    single: list[Block] = []
    for features, linear in blocks:
        if len(features) == 1:
            single.append((features, linear))
        elif linear:
            single.extend(((j,), True) for j in features)
        elif features:
            single.append((tuple(sorted(features)), False))
    return [{"features": list(features), "linear": linear} for features, linear in sorted(single)]


def canonical(rules: Rules, values: dict[str, Any]) -> dict[str, Any]:
    """Return canonical values.

    Depth 0 and "every group linear" imply each other and fix the hidden variables; residual and sparse connections
    need two hidden layers, else they are full; marks that cannot be certified are dropped; the encoding of a network
    that reads no numeric feature is irrelevant.
    """
    plain = {n: v for n, v in values.items() if n not in ("groups", "marks")}
    for name, variable in rules.reals.items():
        plain[name] = variable.tidy(plain[name])
    groups = as_groups(_flattened(as_blocks(values["groups"]), plain["depth"]))
    if all(g["linear"] for g in groups):
        plain.update(LINEAR_FORM)
    elif plain["depth"] < 2 and plain["connections"] in ("residual", "sparse"):
        plain["connections"] = "full"
    if not any(rules.numeric[j] for g in groups for j in g["features"]):
        plain["encoding"] = PLAIN_ENCODING
    return {"groups": groups, "marks": _certified_marks(rules, groups, values["marks"], plain), **plain}


def _flattened(blocks: Sequence[Block], depth: int) -> list[Block]:
    return [(features, linear or depth == 0) for features, linear in blocks]


def _certified_marks(
    rules: Rules, groups: list[dict[str, Any]], marks: dict[str, int], plain: dict[str, Any]
) -> dict[str, int]:
    """Return the marks the network can honour, in the order of the features."""
    if not marks or rules.outputs != 1:
        return {}
    markable = rules.markable[plain["encoding"]]
    everywhere = rules.keeps_marks(plain["activation"], plain["normalisation"])
    kept = []
    for group in groups:
        if everywhere or group["linear"]:
            kept += [j for j in group["features"] if markable[j] and marks.get(str(j))]
    return {str(j): marks[str(j)] for j in sorted(kept)}
