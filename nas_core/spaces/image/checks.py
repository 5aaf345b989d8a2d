"""What an image declaration, and an image architecture, may not be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nas_core.errors import SpaceError
from nas_core.spaces.declared import (
    OPTIMISERS,
    Declared,
    check_declared,
    domain_faults,
    form_faults,
    over_limit,
)
from nas_core.spaces.family import Rejection
from nas_core.spaces.image.blocks import ImageBlocks
from nas_core.spaces.image.canonical import forced
from nas_core.spaces.image.plan import plan_of
from nas_core.spaces.image.rules import ACTIVATIONS, ImageConstraints, ImageRules, halved, rules_of
from nas_core.spaces.image.structure import layer_count, receptive_field
from nas_core.spaces.reals import Real
from nas_core.spaces.scalars import Categorical, Integer
from nas_core.spaces.variables import Variable

if TYPE_CHECKING:
    from nas_core.spaces.space import SearchSpace

__all__ = ["check_declaration", "find_problems", "find_rejection"]

Values = dict[str, Any]

_EXPECTED = {
    "stages": Declared(ImageBlocks),
    "activation": Declared(Categorical, ACTIVATIONS),
    "connections": Declared(Categorical, ("plain", "residual", "dense")),
    "normalisation": Declared(Categorical, ("none", "batch")),
    "head": Declared(Categorical, ("gap_linear", "dense")),
    "hidden_depth": Declared(Integer, low=0, high=8),
    "hidden_width": Declared(Categorical, low=1, high=4096),
    "dropout": Declared(Real, low=0.0, high=0.95),
    "optimiser": Declared(Categorical, OPTIMISERS),
    "learning_rate": Declared(Real, low=1e-8, high=10.0),
    "weight_decay": Declared(Real, low=0.0, high=10.0),
}


def check_declaration(space: SearchSpace) -> None:
    """Raise SpaceError when a declaration contradicts itself or the family."""
    check_declared(space, _EXPECTED, ImageConstraints)
    _check_head(space.by_name)
    _check_room(space.by_name["stages"], space.signal.place)  # type: ignore[arg-type, union-attr]


def _check_head(known: dict[str, Variable]) -> None:
    head, depth = known["head"], known["hidden_depth"]
    assert isinstance(head, Categorical)
    assert isinstance(depth, Integer)
    if "gap_linear" not in head.choices and depth.low == 0:
        raise SpaceError(
            "The head is dense and may have no hidden layer: on maps of a single place that is the head gap_linear",
            allowed="gap_linear among the heads, or hidden_depth from 1", fix="add the choice, or raise the limit",
        )  # fmt: skip


def _check_room(blocks: ImageBlocks, size: tuple[int, int]) -> None:
    given, room = size, 0
    while size != (1, 1):
        size, room = halved(size), room + 1
    if blocks.min_stages > room:
        raise SpaceError(
            f"At least {blocks.min_stages} stages are asked, {given[0]}×{given[1]} pixels have room for fewer",
            allowed=f"at most {room}",
            fix="lower min_stages",
        )


def find_problems(space: SearchSpace, values: Values) -> list[str]:
    """Return what is wrong with the form or the domain of ``values``; a variable that means nothing may hold what the
    canonical form gives it."""
    if wrong := form_faults(space, values):
        return wrong
    return domain_faults(space, values, ("stages",), lambda: forced(rules_of(space), values))


def find_rejection(rules: ImageRules, values: Values) -> Rejection | None:
    """Return the first constraint that canonical values break, or None; costs O(layers)."""
    if not rules.limited:
        return None
    limits, plan = rules.limits, plan_of(rules, values)
    over = over_limit(
        (
            ("max_layers", layer_count(plan) if limits.max_layers else 0, limits.max_layers, "layers with weights"),
            ("max_parameters", plan.parameters, limits.max_parameters, "parameters"),
            ("max_operations", plan.operations, limits.max_operations, "operations"),
        )
    )
    if over is not None:
        return over
    if limits.max_receptive_field is not None:
        seen = max(receptive_field(rules, plan))
        if seen > limits.max_receptive_field:
            most = limits.max_receptive_field
            return Rejection("max_receptive_field", f"a place sees {seen} pixels in a row, at most {most} allowed")
    return None
