"""Exact structural facts of a sequence network: what it reads, mixes and costs."""

from __future__ import annotations

from typing import Any

from nas_core.spaces.family import StructuralFacts
from nas_core.spaces.sequence.plan import head_parts, layer_parts, plan_of
from nas_core.spaces.sequence.rules import Layer, SequenceRules, output_width
from nas_core.spaces.sequence.windows import all_pairs, cells_seen, offsets_of, pairs_in_windows, span_of

__all__ = ["max_operations", "receptive_field", "sequence_facts", "used_cells"]

Values = dict[str, Any]


def sequence_facts(rules: SequenceRules, values: Values) -> StructuralFacts:
    """Return the structural facts of canonical values."""
    plan = plan_of(rules, values)
    return StructuralFacts(
        used_features=used_cells(rules, values),
        pairs=_pairs(rules, values),
        certified={},
        operations=plan.operations,
        parameters=plan.parameters,
        max_operations=rules.most_operations,
        receptive_field=(1, receptive_field(rules, values["layers"])),
    )


def receptive_field(rules: SequenceRules, layers: list[Layer]) -> int:
    """Return how many steps one step of the last maps sees."""
    return span_of(offsets_of(layers), rules.length)


def used_cells(rules: SequenceRules, values: Values) -> tuple[int, ...]:
    """Return the cells the network reads: all, or those in the window of the last step where nothing else is read.

    Where sequences differ in length the last step can be any.
    """
    if values["pooling"] == "last" and not rules.padded:
        return cells_seen(offsets_of(values["layers"]), rules.length - 1, rules.length, rules.cell)
    return tuple(range(rules.P))


def _pairs(rules: SequenceRules, values: Values) -> int:
    """Return how many pairs of cells can act together.

    A recurrent layer, attention and a maximum over the steps mix all of them. So does every pooling but ``sum`` and
    ``flat`` where sequences differ in length: whether a cell is there changes what the others weigh. Else two cells act
    together when they share the window of some step behind a function that is not linear; leaving out padding is one.
    """
    layers, pooling = values["layers"], values["pooling"]
    offsets, everything = offsets_of(layers), all_pairs(rules.P)
    if offsets is None or pooling in ("attention", "max") or (rules.padded and pooling not in ("sum", "flat")):
        return everything
    linear = values["activation"] == "identity" and values["normalisation"] != "layer" and not rules.padded
    if linear or not layers:
        return 0
    if pooling == "last":
        return all_pairs(len(used_cells(rules, values)))
    return pairs_in_windows(offsets, rules.length, rules.cell)


def max_operations(rules: SequenceRules) -> int:
    """Return the most operations an architecture of the space needs (a bound where another limit comes first).

    Costs add up over the layers, so the dearest list of layers is found width by width.
    """
    head = [str(p) for p in rules.choices["pooling"].choices] if rules.length > 1 else ["mean"]
    starts = [int(w) for w in rules.choices["embedding"].choices] if rules.vocabulary else [rules.channels]
    best = 0
    for values in _dearest_settings(rules):
        most = dict.fromkeys(starts, 0)
        for depth in range(rules.max_layers + 1):
            if depth >= rules.layers.min_layers or depth == rules.max_layers:
                best = max(
                    best, *(cost + _head_cost(rules, width, pool) for width, cost in most.items() for pool in head)
                )
            most = _one_more(rules, most, values)
            if not most:
                break
    return best if rules.limits.max_operations is None else min(best, rules.limits.max_operations)


def _dearest_settings(rules: SequenceRules) -> list[Values]:
    active = any(a != "identity" for a in rules.choices["activation"].choices)
    residual = rules.offers("connections", "residual")
    return [
        {
            "normalisation": norm, "activation": "relu" if active else "identity", "dropout": 0.0,
            "connections": "residual" if residual else "plain",
        }
        for norm in rules.choices["normalisation"].choices
    ]  # fmt: skip


def _one_more(rules: SequenceRules, most: dict[int, int], values: Values) -> dict[int, int]:
    """Return width → most operations after one more layer."""
    longer: dict[int, int] = {}
    for inputs, cost in most.items():
        for option in rules.options:
            width = output_width(option)
            total = cost + sum(p.operations for p in layer_parts(rules, option, 0, inputs, values))
            longer[width] = max(longer.get(width, 0), total)
    return longer


def _head_cost(rules: SequenceRules, width: int, pooling: str) -> int:
    return sum(p.operations for p in head_parts(rules, width, pooling))
