"""Repair of whole sequence architectures: drawing what begins to matter, renewing what is foreign, shrinking."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nas_core.spaces.sequence.canonical import canonical, forced
from nas_core.spaces.sequence.checks import find_rejection
from nas_core.spaces.sequence.fitting import fitted_layers
from nas_core.spaces.sequence.plan import plan_of
from nas_core.spaces.sequence.rules import SCALARS, Layer, SequenceRules, option_key, reach
from nas_core.spaces.variables import Context

__all__ = ["fit"]

Values = dict[str, Any]

_STEPS = 100
"""Steps of shrinking, more than the largest usual declaration has layers and widths to take away."""

_QUANTITY: dict[str, Callable[[SequenceRules, Values], int]] = {
    "max_layers": lambda rules, values: len(values["layers"]),
    "max_parameters": lambda rules, values: plan_of(rules, values).parameters,
    "max_operations": lambda rules, values: plan_of(rules, values).operations,
    "max_receptive_field": lambda rules, values: sum(_widening(rules, layer) for layer in values["layers"]),
}


def _widening(rules: SequenceRules, layer: Layer) -> int:
    """Return how many more steps are seen behind a layer, were there no border and no other layer that sees all."""
    return 2 * reach(layer) if layer["kind"] == "conv" else rules.length


def fit(
    rules: SequenceRules, values: Values, context: Context, rng: np.random.Generator, before: Values | None = None
) -> Values:
    """Return canonical values inside every constraint that repair can meet.

    Args:
        before: The canonical values these were made from: what meant nothing there and matters here is drawn anew.
    """
    known = context.space.by_name
    fitted = {**values, "layers": fitted_layers(rules, values["layers"], rng)}
    asleep = forced(rules, before) if before is not None else {}
    if "embedding" in known and known["embedding"].validate_value(fitted["embedding"], context):
        fitted["embedding"] = known["embedding"].sample(rng, context)
    now = forced(rules, fitted)
    for name in (n for n in SCALARS if n in known and n != "embedding"):
        woken = name in asleep and name not in now and fitted[name] == asleep[name]
        if name in now:
            fitted[name] = now[name]
        elif woken or known[name].validate_value(fitted[name], context):
            fitted[name] = known[name].sample(rng, context)
    for name in ("optimiser", "learning_rate", "weight_decay"):
        if known[name].validate_value(fitted[name], context):
            fitted[name] = known[name].sample(rng, context)
    fitted = canonical(rules, fitted)
    return _shrunk(rules, fitted, rng) if rules.limited else fitted


def _shrunk(rules: SequenceRules, values: Values, rng: np.random.Generator) -> Values:
    """Return values made smaller step by step until no constraint refuses them or nothing is left to take away.

    Each step is a random one of those that bring down what the constraint counts.
    """
    for _ in range(_STEPS):
        rejection = find_rejection(rules, values)
        if rejection is None:
            break
        count = _QUANTITY[rejection.constraint]
        given = count(rules, values)
        smaller = [s for s in _simpler(rules, values) if count(rules, s) < given]
        if not smaller:
            smaller = [s for s in _replaced(rules, values) if count(rules, s) < given]
        if not smaller:
            break
        values = smaller[int(rng.random() * len(smaller))]
    return values


def _simpler(rules: SequenceRules, values: Values) -> Iterator[Values]:
    """Yield canonical values with one thing smaller: a number of a layer, a layer less, a narrower or simpler rest."""
    layers: list[Layer] = values["layers"]
    for at, layer in enumerate(layers):
        if len(layers) > rules.layers.min_layers:
            yield _changed(rules, values, layers=[*layers[:at], *layers[at + 1 :]])
        for name, known in (
            ("width", rules.layers.widths), ("kernel", rules.layers.kernels), ("dilation", rules.layers.dilations),
            ("heads", rules.layers.heads), ("both", (False,)),
        ):  # fmt: skip
            if below := [k for k in known if name in layer and k < layer[name]]:
                smaller = {**layer, name: below[-1]}
                if smaller.get("kernel") == 1:
                    smaller["dilation"] = 1
                if option_key(smaller) in rules.option_keys:
                    yield _changed(rules, values, layers=[*layers[:at], smaller, *layers[at + 1 :]])
    if rules.vocabulary and (narrow := [e for e in _widths(rules) if e < values["embedding"]]):
        yield _changed(rules, values, embedding=max(narrow))
    fixed = forced(rules, values)
    for name in ("pooling", "connections", "normalisation"):
        if name not in fixed:
            yield from (_changed(rules, values, **{name: c}) for c in rules.choices[name].choices if c != values[name])


def _replaced(rules: SequenceRules, values: Values) -> Iterator[Values]:
    """Yield canonical values with one layer replaced by any other that the space offers."""
    layers = values["layers"]
    for at, layer in enumerate(layers):
        others = (dict(o) for o in rules.options if o != layer)
        yield from (_changed(rules, values, layers=[*layers[:at], o, *layers[at + 1 :]]) for o in others)


def _changed(rules: SequenceRules, values: Values, **changes: Any) -> Values:
    """Return canonical values with some of them changed; a variable that wakes up takes its first choice."""
    changed = {**values, **changes}
    asleep, now = forced(rules, values), forced(rules, changed)
    for name in set(asleep) - set(now):  # never the dropout: that takes a first layer
        changed[name] = rules.choices[name].choices[0]
    return canonical(rules, changed)


def _widths(rules: SequenceRules) -> list[int]:
    return [int(c) for c in rules.choices["embedding"].choices]
