"""What a sequence space allows, worked out once, and what its layers are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import Field

from nas_core.spaces.family import Constraints
from nas_core.spaces.reals import Real
from nas_core.spaces.scalars import Categorical

if TYPE_CHECKING:
    from nas_core.spaces.sequence.layer_list import SequenceLayers
    from nas_core.spaces.space import SearchSpace

__all__ = [
    "ACTIVATIONS",
    "KINDS",
    "POOLINGS",
    "POSITIONS",
    "RECURRENT",
    "SCALARS",
    "WORDS",
    "Layer",
    "SequenceConstraints",
    "SequenceRules",
    "option_key",
    "output_width",
    "reach",
    "rules_of",
    "work_out",
]

Layer = dict[str, Any]
"""A layer as it is stored: its kind, its width, and what else its kind has."""

KINDS = ("conv", "gru", "lstm", "attention")
RECURRENT = ("gru", "lstm")
POOLINGS = ("mean", "sum", "last", "max", "attention", "flat")
"""How the maps become one vector. ``flat`` keeps every step; ``sum`` divides by the length of the longest sequence, so
that no step changes what another one weighs; the other four respect how long a sequence is."""

ACTIVATIONS = ("relu", "sigmoid", "tanh", "gelu", "silu", "softplus", "identity")

POSITIONS = 8
"""Sinusoidal coordinates of a step that the queries and keys of an attention layer read."""

SCALARS = ("pooling", "embedding", "activation", "connections", "normalisation", "dropout")

WORDS = {"conv": "convolution", "gru": "GRU", "lstm": "LSTM", "attention": "attention"}


class SequenceConstraints(Constraints):
    """Limits of sequence networks; None means no limit.

    Attributes:
        max_layers: Convolutions, recurrent and attention layers.
        max_receptive_field: Steps that one step of the last maps sees; recurrent and attention layers see them all.
    """

    max_layers: int | None = Field(default=None, ge=0)
    max_parameters: int | None = Field(default=None, ge=1)
    max_operations: int | None = Field(default=None, ge=1)
    max_receptive_field: int | None = Field(default=None, ge=1)


@dataclass(frozen=True)
class SequenceRules:
    """A sequence space by part. ``padded`` is True where sequences differ in length, words always do."""

    channels: int
    length: int
    cell: int
    P: int
    vocabulary: int
    padded: bool
    outputs: int
    layers: SequenceLayers
    max_layers: int
    choices: dict[str, Categorical]
    reals: dict[str, Real]
    limits: SequenceConstraints
    limited: bool
    most_operations: int = 0

    @cached_property
    def options(self) -> tuple[Layer, ...]:
        """Every layer the space offers on sequences of this length, in a fixed order."""
        return tuple(self.layers.layers_of_length(self.length))

    @cached_property
    def option_keys(self) -> frozenset[tuple[Any, ...]]:
        """The same to be looked up."""
        return frozenset(option_key(o) for o in self.options)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of layers that are left on sequences of this length."""
        return tuple(dict.fromkeys(o["kind"] for o in self.options))

    def inputs(self, embedding: int) -> int:
        """Return the number of channels that the first layer reads."""
        return embedding if self.vocabulary else self.channels

    def offers(self, name: str, choice: Any) -> bool:
        """Return whether a categorical variable has this choice."""
        return choice in self.choices[name].choices


def option_key(layer: Layer) -> tuple[Any, ...]:
    """Return a layer as something that can be looked up."""
    return tuple(sorted(layer.items()))


def output_width(layer: Layer) -> int:
    """Return the number of maps of a layer: a recurrent one that reads both ways has its width twice."""
    return int(layer["width"]) * (2 if layer.get("both") else 1)


def reach(layer: Layer) -> int:
    """Return how many steps a convolution sees to either side."""
    return int(layer["kernel"] // 2 * layer["dilation"])


def rules_of(space: SearchSpace) -> SequenceRules:
    """Return the rules of a sequence space; they are worked out once per space."""
    rules: SequenceRules = space.compiled
    return rules


def work_out(space: SearchSpace) -> SequenceRules:
    """Return the rules of a checked declaration."""
    known = space.by_name
    limits: SequenceConstraints = space.constraints  # type: ignore[assignment]
    layers: SequenceLayers = known["layers"]  # type: ignore[assignment]
    signal = space.signal
    assert signal is not None  # check_space refuses a sequence space without one
    most = layers.max_layers if limits.max_layers is None else min(layers.max_layers, limits.max_layers)
    return SequenceRules(
        channels=signal.channels,
        length=signal.shape[-1],
        cell=signal.cell[1],
        P=len(space.features),
        vocabulary=signal.vocabulary,
        padded=signal.padded or signal.vocabulary > 0,
        outputs=space.outputs,
        layers=layers,
        max_layers=most,
        choices={n: v for n, v in known.items() if isinstance(v, Categorical)},
        reals={n: v for n, v in known.items() if isinstance(v, Real)},
        limits=limits,
        limited=any(value is not None for value in limits.model_dump().values()),
    )
