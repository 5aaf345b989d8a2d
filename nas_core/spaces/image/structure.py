"""Exact structural facts of a convolutional network: what it sees, which cells act together, what it costs.

Cells act together where a non-linear unit sees both: an activation, a maximum of several numbers, a gate. Every layer
here sees what the layers before it see, so the windows of the last non-linear layer hold those of all before; averages
and linear maps after it add what was found and bring nothing together. Squeeze-excitation and hidden dense layers with
an activation see all cells. A batch norm is affine in a prediction.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nas_core.spaces.family import StructuralFacts
from nas_core.spaces.image.plan import Plan, plan_of
from nas_core.spaces.image.rules import CONVOLUTIONS, KERNEL, ImageRules, Size
from nas_core.spaces.receptive import Axis, Windows, all_pairs, axis_of, cells_together, field_of, pairs_together, slide

__all__ = ["WEIGHTED", "acting_together", "image_facts", "layer_count", "receptive_field"]

Values = dict[str, Any]

WEIGHTED = frozenset({*CONVOLUTIONS, "se", "attention", "down.conv", "hidden", "readout"})
"""Operations that ``max_layers`` counts."""

_ACTIVATED = frozenset({*CONVOLUTIONS, "down.conv"})
_BENT = frozenset({"max", "down.max", "attention"})
"""Operations that are not linear, whatever the activation."""


def image_facts(rules: ImageRules, values: Values) -> StructuralFacts:
    """Return the structural facts of canonical values."""
    plan = plan_of(rules, values)
    field, windows, whole = _seen(rules, plan, values["activation"] != "identity")
    return StructuralFacts(
        used_features=rules.features,
        pairs=all_pairs(rules.P) if whole else pairs_together(windows, rules.cell),
        certified={},
        operations=plan.operations,
        parameters=plan.parameters,
        max_operations=rules.most_operations,
        receptive_field=field,
    )


def acting_together(rules: ImageRules, values: Values) -> np.ndarray:
    """Return (P, P) whether two cells can act together in the network of canonical ``values``; no cell with itself."""
    _, windows, whole = _seen(rules, plan_of(rules, values), values["activation"] != "identity")
    if whole or not windows:
        return np.full((rules.P, rules.P), whole) & ~np.eye(rules.P, dtype=bool)
    return cells_together(windows, rules.cell) & ~np.eye(rules.P, dtype=bool)


def receptive_field(rules: ImageRules, plan: Plan) -> Size:
    """Return height and width, in pixels, that one place of the last maps can see at most."""
    return _seen(rules, plan, active=True)[0]


def layer_count(plan: Plan) -> int:
    """Return the number of layers with weights."""
    return sum(layer.operation in WEIGHTED for layer in plan.layers)


def _seen(rules: ImageRules, plan: Plan, active: bool) -> tuple[Size, list[Windows], bool]:
    """Return the receptive field, the last non-linear windows, and whether something non-linear sees all cells."""
    rows, columns = axis_of(rules.size[0]), axis_of(rules.size[1])
    windows: list[Windows] = []
    squeezed = whole = False
    for layer in plan.layers:
        operation = layer.operation
        if operation in ("add", "concat", "mean", "readout"):
            continue
        if operation == "hidden":
            whole = whole or active
            continue
        if operation == "se":
            squeezed = True
            continue
        rows, columns = _after(rows, operation), _after(columns, operation)
        if operation in _BENT or (active and operation in _ACTIVATED):
            halved = operation == "down.max"
            lone = halved and layer.size[0] % 2 == 1, halved and layer.size[1] % 2 == 1
            met = Windows(rows, columns, *lone)
            # where the last window is a maximum of one number, what lies below it decides
            windows = [*windows, met] if all(lone) else [met]
    field = rules.size if squeezed else (field_of(rows), field_of(columns))
    return field, windows, whole or squeezed


def _after(axis: Axis, operation: str) -> Axis:
    """Return the axis after a layer."""
    if operation == "down.conv":
        return slide(axis, 3, stride=2, padding=1)
    if operation in ("down.max", "down.avg"):
        return slide(axis, 2, stride=2, ceil=True)
    kernel = KERNEL[operation]
    return slide(axis, kernel, padding=kernel // 2)
