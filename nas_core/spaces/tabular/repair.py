"""Repair of whole architectures: waking hidden layers, honouring demanded marks, shrinking into a budget."""

from __future__ import annotations

from typing import Any

import numpy as np

from nas_core.spaces.tabular.canonical import Block, as_blocks, as_groups, canonical
from nas_core.spaces.tabular.limits import drop_features, fit_blocks
from nas_core.spaces.tabular.rules import HIDDEN, NON_DECREASING, Rules
from nas_core.spaces.tabular.structure import network_cost
from nas_core.spaces.variables import Context

__all__ = ["fit", "honour_marks", "wake"]

Values = dict[str, Any]


def fit(rules: Rules, values: Values, context: Context, rng: np.random.Generator) -> Values:
    """Return canonical values inside every constraint that can be met by repair; ``values`` may be changed."""
    values["groups"] = as_groups(fit_blocks(rules, as_blocks(values["groups"]), rng))
    _renew_foreign(rules, values, context, rng)
    wake(rules, values, context, rng)
    if rules.demanded:
        _demand_marks(rules, values, rng)
    fitted = canonical(rules, values)
    return fitted if _affordable(rules, fitted) else _shrunk(rules, fitted, rng)


def wake(rules: Rules, values: Values, context: Context, rng: np.random.Generator) -> None:
    """Give values that have a non-linear group but no hidden layer a depth and fresh hidden variables."""
    if all(g["linear"] for g in values["groups"]) or values["depth"] in rules.hidden_depths:
        return
    depths = rules.hidden_depths
    if values["depth"] > 0:
        values["depth"] = min(max(values["depth"], depths[0]), depths[-1])
        return
    values["depth"] = depths[int(rng.random() * len(depths))]
    for name in HIDDEN:
        values[name] = context.space.by_name[name].sample(rng, context)


def honour_marks(rules: Rules, values: Values, rng: np.random.Generator, wanted: set[int]) -> bool:
    """Change encoding, activation and normalisation so that ``wanted`` features can be marked; return success."""
    encodings = [str(e) for e in rules.choices["encoding"].choices]
    able = [e for e in encodings if all(rules.markable[e][j] for j in wanted)]
    if not able:
        return False
    if values["encoding"] not in able:
        values["encoding"] = able[int(rng.random() * len(able))]
    mixed = {j for g in values["groups"] if not g["linear"] for j in g["features"]}
    if not wanted & mixed:
        return True
    activations = [a for a in rules.choices["activation"].choices if a in NON_DECREASING]
    norms = [n for n in rules.choices["normalisation"].choices if n != "layer"]
    if not activations or not norms:
        return False
    if values["activation"] not in activations:
        values["activation"] = activations[int(rng.random() * len(activations))]
    if values["normalisation"] not in norms:
        values["normalisation"] = norms[int(rng.random() * len(norms))]
    return True


def _renew_foreign(rules: Rules, values: Values, context: Context, rng: np.random.Generator) -> None:
    """Sample anew what another version of the space left outside the domain of this one."""
    flat = all(g["linear"] for g in values["groups"])
    if any(sign not in rules.signs for sign in values["marks"].values()):
        values["marks"] = {j: sign for j, sign in values["marks"].items() if sign in rules.signs}
    for name, variable in context.space.by_name.items():
        if name in ("groups", "marks", "depth") or (flat and name in HIDDEN):
            continue
        merged = name == "connections" and values[name] == "full" and values["depth"] == 1
        if not merged and variable.validate_value(values[name], context) is not None:
            values[name] = variable.sample(rng, context)


def _demand_marks(rules: Rules, values: Values, rng: np.random.Generator) -> None:
    """Mark the used features that must be monotone; where that cannot be, make them linear, else drop them."""
    used = {j for g in values["groups"] for j in g["features"]}
    wanted = {j for j in rules.demanded if j in used}
    if not wanted:
        return
    values["marks"] = {**values["marks"], **{str(j): rules.demanded[j] for j in wanted}}
    if honour_marks(rules, values, rng, wanted):
        return
    blocks = as_blocks(values["groups"])
    if rules.linear:
        apart: list[Block] = [((j,), True) for j in sorted(wanted)]
        values["groups"] = as_groups(_less(blocks, wanted) + apart)
        if honour_marks(rules, values, rng, wanted):
            return
    gone = wanted - set(rules.required)
    values["groups"] = as_groups(_less(blocks, gone)) or values["groups"]


def _less(blocks: list[Block], gone: set[int]) -> list[Block]:
    return [(tuple(j for j in features if j not in gone), linear) for features, linear in blocks]


def _affordable(rules: Rules, values: Values) -> bool:
    if rules.max_parameters is None and rules.max_operations is None:
        return True
    parameters, operations = network_cost(rules, values)
    return (rules.max_parameters is None or parameters <= rules.max_parameters) and (
        rules.max_operations is None or operations <= rules.max_operations
    )


def _shrunk(rules: Rules, values: Values, rng: np.random.Generator) -> Values:
    """Return values made cheaper step by step until they fit the budget or nothing is left to take away."""
    while not _affordable(rules, values):
        smaller = _narrower(rules, values) or _fewer_features(rules, values, rng) or _flatter(rules, values)
        if smaller is None:
            return values
        smaller = canonical(rules, smaller)
        if smaller == values:
            return values
        values = smaller
    return values


def _narrower(rules: Rules, values: Values) -> Values | None:
    """Return values with the next smaller width, depth or encoding, or None."""
    if not all(g["linear"] for g in values["groups"]):
        if below := [int(w) for w in rules.choices["width"].choices if int(w) < values["width"]]:
            return {**values, "width": max(below)}
        if shallower := [d for d in rules.hidden_depths if d < values["depth"]]:
            return {**values, "depth": max(shallower)}
    used = [j for g in values["groups"] for j in g["features"]]
    wanted = [j for j in used if j in rules.demanded]
    able = [e for e in map(str, rules.choices["encoding"].choices) if all(rules.markable[e][j] for j in wanted)]
    size = {e: sum(rules.columns[e][j] for j in used) for e in [values["encoding"], *able]}
    narrowest = min(size, key=lambda e: (size[e], e))
    return {**values, "encoding": narrowest} if size[narrowest] < size[values["encoding"]] else None


def _fewer_features(rules: Rules, values: Values, rng: np.random.Generator) -> Values | None:
    """Return values with a tenth of the features gone, or None when only required ones are left."""
    blocks = as_blocks(values["groups"])
    count = sum(len(f) for f, _ in blocks)
    left = drop_features(rules, blocks, max(1, count // 10), rng) if count > 1 else blocks
    if sum(len(f) for f, _ in left) == count:
        return None
    if rules.depths and rules.depths[0] > 0 and all(linear for _, linear in left):
        left[0] = (left[0][0], False)
    return {**values, "groups": as_groups(left)}


def _flatter(rules: Rules, values: Values) -> Values | None:
    """Return values without norm, skip connections and activation cost, then all linear, or None."""
    if all(g["linear"] for g in values["groups"]):
        return None
    for name, plain in (("normalisation", "none"), ("connections", "full"), ("activation", "identity")):
        if values[name] != plain and plain in rules.choices[name].choices:
            return {**values, name: plain}
    if rules.linear and 0 in rules.depths:
        return {**values, "groups": [{**g, "linear": True} for g in values["groups"]]}
    return None
