"""What a sequence declaration, and a sequence architecture, may not be."""

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
from nas_core.spaces.reals import Real
from nas_core.spaces.scalars import Categorical
from nas_core.spaces.sequence.canonical import forced
from nas_core.spaces.sequence.layer_list import SequenceLayers
from nas_core.spaces.sequence.plan import plan_of
from nas_core.spaces.sequence.rules import ACTIVATIONS, POOLINGS, SequenceConstraints, SequenceRules, rules_of
from nas_core.spaces.sequence.structure import receptive_field

if TYPE_CHECKING:
    from nas_core.spaces.space import SearchSpace

__all__ = ["check_declaration", "find_problems", "find_rejection"]

Values = dict[str, Any]

_EXPECTED = {
    "layers": Declared(SequenceLayers),
    "pooling": Declared(Categorical, POOLINGS),
    "embedding": Declared(Categorical, low=1, high=1024),
    "activation": Declared(Categorical, ACTIVATIONS),
    "connections": Declared(Categorical, ("plain", "residual")),
    "normalisation": Declared(Categorical, ("none", "batch", "layer")),
    "dropout": Declared(Real, low=0.0, high=0.95),
    "optimiser": Declared(Categorical, OPTIMISERS),
    "learning_rate": Declared(Real, low=1e-8, high=10.0),
    "weight_decay": Declared(Real, low=0.0, high=10.0),
}


def check_declaration(space: SearchSpace) -> None:
    """Raise SpaceError when a declaration contradicts itself or the family."""
    signal = space.signal
    words = signal is not None and signal.vocabulary > 0
    expected = {name: d for name, d in _EXPECTED.items() if name != "embedding" or words}
    check_declared(space, expected, SequenceConstraints)
    _check_pooling(space, words or (signal is not None and signal.padded))
    _check_room(space)


def _check_pooling(space: SearchSpace, padded: bool) -> None:
    if not padded and "sum" in rules_of(space).choices["pooling"].choices:
        raise SpaceError(
            "The pooling 'sum' is the mean where all sequences have one length",
            allowed=", ".join(p for p in POOLINGS if p != "sum"), fix="remove it",
        )  # fmt: skip


def _check_room(space: SearchSpace) -> None:
    rules = rules_of(space)
    if rules.layers.min_layers > rules.max_layers:
        raise SpaceError(
            f"At least {rules.layers.min_layers} layers are asked, max_layers is {rules.max_layers}",
            fix="raise max_layers or lower min_layers",
        )
    if rules.layers.min_layers and not rules.options:
        raise SpaceError(
            f"No layer is left: every convolution offered reaches beyond sequences of {rules.length} steps",
            fix="offer a smaller kernel or another kind of layer",
        )


def find_problems(space: SearchSpace, values: Values) -> list[str]:
    """Return what is wrong with the form or the domain of ``values``; a variable that means nothing may hold what the
    canonical form gives it."""
    if wrong := form_faults(space, values):
        return wrong
    return domain_faults(space, values, ("layers", "embedding"), lambda: forced(rules_of(space), values))


def find_rejection(rules: SequenceRules, values: Values) -> Rejection | None:
    """Return the first constraint that canonical values break, or None; costs O(layers)."""
    if not rules.limited:
        return None
    limits, plan = rules.limits, plan_of(rules, values)
    return over_limit(
        (
            ("max_layers", len(values["layers"]), limits.max_layers, "layers"),
            ("max_parameters", plan.parameters, limits.max_parameters, "parameters"),
            ("max_operations", plan.operations, limits.max_operations, "operations"),
            ("max_receptive_field", receptive_field(rules, values["layers"]), limits.max_receptive_field, "steps seen"),
        )
    )
