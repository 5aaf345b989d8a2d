"""Repair of whole image architectures: drawing what begins to matter, renewing what is foreign, shrinking."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nas_core.spaces.image.canonical import NO_TRANSITION, canonical, forced
from nas_core.spaces.image.checks import find_rejection
from nas_core.spaces.image.plan import Layer, plan_of
from nas_core.spaces.image.rules import CONVOLUTIONS, KERNEL, ImageRules
from nas_core.spaces.image.stages import fitted_stages, with_stage
from nas_core.spaces.image.structure import WEIGHTED
from nas_core.spaces.variables import Context

__all__ = ["fit"]

Values = dict[str, Any]
Stages = list[dict[str, Any]]

_STEPS = 120
"""Steps of shrinking, more than the largest usual declaration has blocks and widths to take away."""

_ROUNDS = 4
"""Rounds of renewing and shrinking: a smaller network may give a meaning to what had none before."""

_SCALARS = ("head", "hidden_depth", "hidden_width", "connections", "activation", "normalisation", "dropout")

_SMALLER_KERNEL = {"conv5": "conv3", "conv3": "conv1", "sep5": "sep3", "sep3": "conv1"}


def fit(
    rules: ImageRules, values: Values, context: Context, rng: np.random.Generator, before: Values | None = None
) -> Values:
    """Return canonical values inside every constraint that repair can meet.

    Args:
        before: The canonical values these were made from: what meant nothing there and matters here is drawn anew.
    """
    fitted = {**values, "stages": fitted_stages(rules, values["stages"], rng)}
    asleep = forced(rules, before) if before is not None else {}
    for _ in range(_ROUNDS):
        _renew(rules, fitted, context, rng, asleep)
        fitted = canonical(rules, fitted)
        if not rules.limited or find_rejection(rules, fitted) is None:
            break
        fitted, asleep = _shrunk(rules, fitted, rng), {}
    return fitted


def _renew(rules: ImageRules, values: Values, context: Context, rng: np.random.Generator, asleep: Values) -> None:
    """Draw what begins to matter and what is outside the domain, and fix what means nothing, in place."""
    known = context.space.by_name
    for name in _SCALARS:
        now = forced(rules, values)  # in this order: whether a width matters depends on the depth just drawn
        if name in now:
            values[name] = now[name]
        elif (name in asleep and values[name] == asleep[name]) or known[name].validate_value(values[name], context):
            values[name] = known[name].sample(rng, context)
    for name in ("optimiser", "learning_rate", "weight_decay"):
        if known[name].validate_value(values[name], context):
            values[name] = known[name].sample(rng, context)


def _shrunk(rules: ImageRules, values: Values, rng: np.random.Generator) -> Values:
    """Return values made smaller step by step until no constraint refuses them or nothing is left to take away."""
    for _ in range(_STEPS):
        rejection = find_rejection(rules, values)
        if rejection is None:
            break
        smaller = _SHRINK[rejection.constraint](rules, values, rng)
        if smaller is None:
            break
        smaller["stages"] = fitted_stages(rules, smaller["stages"], rng)
        smaller = canonical(rules, smaller)
        if smaller == values:
            break
        values = smaller
    return values


def _cheaper(cost: str, limit: str) -> Callable[[ImageRules, Values, np.random.Generator], Values | None]:
    def shrink(rules: ImageRules, values: Values, rng: np.random.Generator) -> Values | None:
        """Narrow the whole network while it is twice too large, then take something from its most expensive layer."""
        plan, most = plan_of(rules, values), getattr(rules.limits, limit)
        if getattr(plan, cost) > 2 * most and (narrow := _all_narrower(rules, values)) is not None:
            return narrow
        for layer in sorted(plan.layers, key=lambda x: -getattr(x, cost)):
            smaller = _lighter(rules, values, layer)
            if smaller is not None:
                return smaller
        return _simpler(rules, values)

    return shrink


def _all_narrower(rules: ImageRules, values: Values) -> Values | None:
    """Return values with every width one step down, or None when all are at the bottom."""
    stages = [
        {"blocks": [_narrow(rules, b) or b for b in t["blocks"]], "transition": _narrow(rules, t["transition"])}
        for t in values["stages"]
    ]
    for fresh, old in zip(stages, values["stages"], strict=True):
        fresh["transition"] = fresh["transition"] or old["transition"]
    hidden = _less_hidden(rules, values)
    if stages == values["stages"] and hidden is None:
        return None
    return {**(hidden or values), "stages": stages}


def _lighter(rules: ImageRules, values: Values, layer: Layer) -> Values | None:
    """Return values in which this layer costs less, or None where that is not possible by itself."""
    if layer.stage < 0:
        return _less_hidden(rules, values)
    stages, s = values["stages"], layer.stage
    part = layer.name.split(".")[1]
    if part == "transition":
        narrow = _narrow(rules, stages[s]["transition"])
        return {**values, "stages": with_stage(stages, s, transition=narrow)} if narrow else None
    if not part.startswith("block"):
        return None
    b, blocks = int(part[5:]) - 1, stages[s]["blocks"]
    other = _narrow(rules, blocks[b]) or _small_kernel(rules, blocks[b])
    return _with_block(rules, values, s, b, other)


def _simpler(rules: ImageRules, values: Values) -> Values | None:
    """Return values with plain connections, then without the dense head, else None."""
    for name, plain in (("connections", "plain"), ("head", "gap_linear"), ("normalisation", "none")):
        if values[name] != plain and rules.offers(name, plain):
            return {**values, name: plain}
    return None


def _less_hidden(rules: ImageRules, values: Values) -> Values | None:
    """Return values with narrower or fewer hidden layers, then with the linear head, or None."""
    if values["head"] != "dense":
        return None
    narrower = [int(w) for w in rules.choices["hidden_width"].choices if int(w) < values["hidden_width"]]
    if values["hidden_depth"] and narrower:
        return {**values, "hidden_width": max(narrower)}
    if values["hidden_depth"] > rules.hidden_depth.low:
        return {**values, "hidden_depth": values["hidden_depth"] - 1}
    return {**values, "head": "gap_linear"} if rules.offers("head", "gap_linear") and values["stages"] else None


def _fewer_layers(rules: ImageRules, values: Values, rng: np.random.Generator) -> Values | None:
    """Return values with one layer of weights less."""
    if values["hidden_depth"] > max(0, rules.hidden_depth.low) and rng.random() < 0.5:
        return {**values, "hidden_depth": values["hidden_depth"] - 1}
    layers = [x for x in plan_of(rules, values).layers if x.operation in WEIGHTED and x.stage >= 0]
    return _without(rules, values, layers[int(rng.random() * len(layers))]) if layers else _less_hidden(rules, values)


def _nearer(rules: ImageRules, values: Values, rng: np.random.Generator) -> Values | None:
    """Return values whose maps see less: a smaller kernel somewhere, a layer or a transition less."""
    layers = [x for x in plan_of(rules, values).layers if x.stage >= 0 and KERNEL.get(x.operation, 2) > 1]
    layers += [x for x in plan_of(rules, values).layers if x.operation == "se"] * 4
    layers = [x for x in layers if x.operation not in ("add", "concat")]
    if not layers:
        return None
    layer = layers[int(rng.random() * len(layers))]
    if layer.operation not in CONVOLUTIONS:
        return _without(rules, values, layer)
    s, b = layer.stage, int(layer.name.split(".block")[1]) - 1
    return _with_block(rules, values, s, b, _small_kernel(rules, values["stages"][s]["blocks"][b]))


def _without(rules: ImageRules, values: Values, layer: Layer) -> Values | None:
    """Return values without a block or a transition, or None."""
    stages, part = values["stages"], layer.name.split(".")[1]
    if part == "transition":
        return {**values, "stages": with_stage(stages, layer.stage, transition=dict(NO_TRANSITION))}
    return _with_block(rules, values, layer.stage, int(part[5:]) - 1, None)


def _with_block(rules: ImageRules, values: Values, s: int, b: int, block: dict[str, Any] | None) -> Values | None:
    """Return values with a block replaced, or left out together with a stage that would be too short; None if it may
    not."""
    stages, blocks = values["stages"], values["stages"][s]["blocks"]
    changed = [*blocks[:b], *([block] if block else []), *blocks[b + 1 :]]
    if len(changed) >= rules.blocks.min_blocks:
        return {**values, "stages": with_stage(stages, s, blocks=changed)}
    return {**values, "stages": stages[:s] + stages[s + 1 :]} if len(stages) > rules.blocks.min_stages else None


def _narrow(rules: ImageRules, block: dict[str, Any]) -> dict[str, Any] | None:
    """Return the block with the next smaller width, or None."""
    below = [w for w in rules.blocks.widths if w < block.get("width", 0)]
    return {**block, "width": below[-1]} if below else None


def _small_kernel(rules: ImageRules, block: dict[str, Any]) -> dict[str, Any] | None:
    """Return the block with the next smaller kernel that the space offers, or None."""
    operation = _SMALLER_KERNEL.get(block["operation"])
    while operation is not None and operation not in rules.blocks.operations:
        operation = _SMALLER_KERNEL.get(operation)
    return {**block, "operation": operation} if operation else None


_SHRINK: dict[str, Callable[[ImageRules, Values, np.random.Generator], Values | None]] = {
    "max_layers": _fewer_layers,
    "max_parameters": _cheaper("parameters", "max_parameters"),
    "max_operations": _cheaper("operations", "max_operations"),
    "max_receptive_field": _nearer,
}
