"""Landmarks: architectures that mark the corners of the image space, for a search to start from its whole extent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nas_core.spaces.image.repair import fit
from nas_core.spaces.image.rules import CONVOLUTIONS, ImageRules, halved, rules_of
from nas_core.spaces.image.stages import transition_of
from nas_core.spaces.reals import Real
from nas_core.spaces.scalars import Categorical
from nas_core.spaces.variables import Context

if TYPE_CHECKING:
    from nas_core.spaces.space import SearchSpace

__all__ = ["landmarks"]

Values = dict[str, Any]
Stage = tuple[tuple[str, ...], int, str | None]
"""Operations, width of its convolutions, transition."""

_USUAL: dict[str, Any] = {
    "activation": "relu",
    "connections": "plain",
    "normalisation": "batch",
    "head": "gap_linear",
    "hidden_depth": 0,
    "hidden_width": 64,
    "dropout": 0.0,
    "optimiser": "adam",
    "learning_rate": 0.005,
    "weight_decay": 1e-4,
}


def landmarks(space: SearchSpace) -> list[tuple[str, Values]]:
    """Return the named landmarks, the most transparent first, each as near as the space has it."""
    deep = _depth(rules_of(space))
    plans: list[tuple[str, list[Stage], dict[str, Any]]] = [
        ("linear model of the pixels", [], {"head": "dense"}),
        ("one layer of 3×3 patches", [(("conv3",), 16, None)], {}),
        ("patches voting, small", [(("conv3", "conv1", "conv1"), 16, None)], {}),
        ("patches voting", [(("conv3", "conv1", "conv3", "conv1"), 32, None)], {"connections": "residual"}),
        ("patches voting, coarse", [(("conv3", "conv1"), 16, "max"), (("conv3", "conv1"), 32, None)], {}),
        ("one hidden layer", [], {"head": "dense", "hidden_depth": 1, "normalisation": "none"}),
        ("LeNet", [(("conv5",), 6, "avg"), (("conv5",), 16, "avg")],
         {"head": "dense", "hidden_depth": 2, "hidden_width": 84, "activation": "tanh", "normalisation": "none"}),
        ("small convolutional network", _pyramid(deep, ("conv3",), 8), {}),
        ("few convolutions and a dense head", _pyramid(deep, ("conv3",), 8),
         {"head": "dense", "hidden_depth": 1, "hidden_width": 32, "dropout": 0.1}),
        ("convolutions and a dense head", _pyramid(deep, ("conv3",), 16),
         {"head": "dense", "hidden_depth": 1, "dropout": 0.25}),
        ("small residual network", _pyramid(deep, ("conv3", "conv3"), 8), {"connections": "residual"}),
        ("residual network", _pyramid(deep, ("conv3", "conv3"), 16), {"connections": "residual"}),
        ("densely connected network", _pyramid(deep, ("conv3", "conv3", "conv3"), 8), {"connections": "dense"}),
        ("separable network", _pyramid(deep, ("conv3", "sep3", "sep3"), 16), {"connections": "residual"}),
        ("network with gates", _pyramid(deep, ("conv3", "conv3", "se"), 16), {"connections": "residual"}),
    ]  # fmt: skip
    return [(name, _realise(space, stages, scalars)) for name, stages, scalars in plans]


def _depth(rules: ImageRules) -> int:
    """Return how many stages leave the last one at least 3×3 places, from 1 to 3."""
    count, size = 1, halved(rules.size)
    while count < 3 and min(size) >= 3:
        count, size = count + 1, halved(size)
    return count


def _pyramid(depth: int, operations: tuple[str, ...], width: int) -> list[Stage]:
    """Return stages of the same operations whose width doubles while height and width halve."""
    return [(operations, width * 2**s, "max" if s < depth - 1 else None) for s in range(depth)]


def _realise(space: SearchSpace, stages: list[Stage], scalars: dict[str, Any]) -> Values:
    """Return values with these stages and sensible settings for the rest, repaired towards the constraints."""
    rng = np.random.default_rng(0)  # only repairs draw from it: a landmark is a function of the space
    rules = rules_of(space)
    values: Values = {"stages": [_stage(*stage) for stage in stages]}
    wanted = {**_USUAL, **scalars}
    for variable in space.variables:
        if variable.name != "stages":
            values[variable.name] = _nearest(variable, wanted[variable.name])
    return fit(rules, values, Context(space), rng)


def _stage(operations: tuple[str, ...], width: int, transition: str | None) -> dict[str, Any]:

    blocks = [{"operation": o, "width": width} if o in CONVOLUTIONS else {"operation": o} for o in operations]
    return {"blocks": blocks, "transition": transition_of(transition, width)}


def _nearest(variable: Any, wanted: Any) -> Any:
    """Return the value of the domain that is nearest to the wanted one; the first choice where none is."""
    if isinstance(variable, Categorical):
        if wanted in variable.choices:
            return wanted
        if isinstance(wanted, int):
            return min(variable.choices, key=lambda c: (abs(int(c) - wanted), c))
        return variable.choices[0]
    if isinstance(variable, Real):
        inside = variable.low <= wanted <= variable.high or (wanted == 0 and variable.zero)
        return variable.tidy(wanted if inside else min(max(wanted, variable.low), variable.high))
    return min(max(wanted, variable.low), variable.high)
