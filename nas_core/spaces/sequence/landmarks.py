"""Landmarks: architectures that mark the corners of a sequence space, the most transparent first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nas_core.spaces.reals import Real
from nas_core.spaces.scalars import Categorical
from nas_core.spaces.sequence.repair import fit
from nas_core.spaces.sequence.rules import Layer, rules_of
from nas_core.spaces.variables import Context

if TYPE_CHECKING:
    from nas_core.spaces.space import SearchSpace

__all__ = ["landmarks"]

Values = dict[str, Any]

_PREFERRED: dict[str, tuple[Any, ...]] = {
    "activation": ("relu", "silu", "tanh"),
    "connections": ("plain",),
    "normalisation": ("none",),
    "embedding": (16, 8, 4),
    "dropout": (0.0,),
    "optimiser": ("adamw", "adam"),
    "learning_rate": (0.01, 0.02),
    "weight_decay": (0.01, 1e-4, 0.0),
}


def landmarks(space: SearchSpace) -> list[tuple[str, Values]]:
    """Return the named landmarks as near as the space comes to them, without those another one already is."""
    steady = {"normalisation": "batch"}
    plans: list[tuple[str, list[Layer], str, Values]] = [
        ("linear model of the mean step", [], "sum", {}),
        ("linear model of all steps", [], "flat", {}),
        ("short convolution and its mean", [_conv(16, 3)], "sum", steady),
        ("short convolution at every step", [_conv(8, 3)], "flat", steady),
        ("convolution at every step", [_conv(16, 7)], "flat", steady),
        ("two convolutions and their mean", [_conv(32, 5), _conv(32, 5)], "mean", steady),
        ("two convolutions at every step", [_conv(16, 5), _conv(16, 3)], "flat", steady),
        ("strongest answer of a convolution", [_conv(32, 5)], "max", steady),
        ("visible attention on the steps", [_conv(16, 3)], "attention", steady),
        ("self-attention and its mean", [{"kind": "attention", "width": 16, "heads": 1}], "mean", {}),
        ("GRU and its last state", [{"kind": "gru", "width": 16, "both": False}], "last", {}),
        ("GRU both ways and its mean", [{"kind": "gru", "width": 16, "both": True}], "mean", {}),
        ("convolution, then GRU", [_conv(16, 5), {"kind": "gru", "width": 32, "both": False}], "last", steady),
        ("three wide convolutions", [_conv(64, 7), _conv(64, 5), _conv(64, 3)], "mean", steady),
    ]
    found: list[tuple[str, Values]] = []
    for name, layers, pooling, settings in plans:
        values = _realised(space, layers, pooling, settings)
        if all(values != other for _, other in found):
            found.append((name, values))
    return found


def _conv(width: int, kernel: int) -> Layer:
    return {"kind": "conv", "width": width, "kernel": kernel, "dilation": 1}


def _realised(space: SearchSpace, layers: list[Layer], pooling: str, settings: Values) -> Values:
    poolings = {
        "mean": ("mean", "sum"),
        "sum": ("sum", "mean"),
        "max": ("max", "attention", "mean", "sum"),
        "attention": ("attention", "mean", "sum"),
        "last": ("last", "mean", "sum"),
    }
    wishes = {**_PREFERRED, **{n: (v, *_PREFERRED[n]) for n, v in settings.items()}}
    wishes["pooling"] = poolings.get(pooling, (pooling,))
    values: Values = {"layers": layers}
    context = Context(space)
    for name, variable in space.by_name.items():
        if name == "layers":
            continue
        fitting = [w for w in wishes[name] if variable.validate_value(w, context) is None]
        values[name] = fitting[0] if fitting else _any_value(variable)
    return fit(rules_of(space), values, context, np.random.default_rng(0))


def _any_value(variable: Any) -> Any:
    """Return a value in the middle of the domain."""
    if isinstance(variable, Categorical):
        return variable.choices[len(variable.choices) // 2 if variable.ordered else 0]
    assert isinstance(variable, Real)
    middle = (variable.low * variable.high) ** 0.5 if variable.log else (variable.low + variable.high) / 2
    return variable.tidy(middle)
