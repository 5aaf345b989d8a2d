"""Repair of a list of layers: what an operator made is brought back to what the space offers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from nas_core.spaces.sequence.canonical import tidy_layers
from nas_core.spaces.sequence.rules import Layer, SequenceRules, option_key

__all__ = ["fitted_layers", "nearest_option"]


def fitted_layers(rules: SequenceRules, layers: list[Layer], rng: np.random.Generator) -> list[Layer]:
    """Return layers of the space's domain, as many as it allows: surplus ones go, missing ones are drawn."""
    tidied = tidy_layers(layers)
    if not rules.options:
        return []
    if len(tidied) > rules.max_layers:
        kept = sorted(rng.permutation(len(tidied))[: rules.max_layers].tolist())
        tidied = [tidied[i] for i in kept]
    fitted = [nearest_option(rules, layer) for layer in tidied]
    while len(fitted) < rules.layers.min_layers:
        fitted.append(dict(rules.options[int(rng.random() * len(rules.options))]))
    return fitted


def nearest_option(rules: SequenceRules, layer: Layer) -> Layer:
    """Return the layer itself when the space offers it, else the most similar one it does (the first of several)."""
    if option_key(layer) in rules.option_keys:
        return dict(layer)
    same = [o for o in rules.options if o["kind"] == layer["kind"]] or list(rules.options)
    nearest: Layer = min(same, key=lambda option: _distance(option, layer))
    return dict(nearest)


def _distance(option: Layer, layer: Layer) -> tuple[float, ...]:
    return (_apart(option, layer, ("width",)), _apart(option, layer, ("kernel", "dilation", "heads", "both")))


def _apart(option: Layer, layer: Layer, names: Iterable[str]) -> float:
    """Return the sum over ``names`` of the ratios between two layers' numbers, 1 each where they agree."""
    total = 0.0
    for name in names:
        own: Any = option.get(name, 0)
        one, two = 1 + int(own), 1 + int(layer.get(name, own))
        total += max(one / two, two / one)
    return total
