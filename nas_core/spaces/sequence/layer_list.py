"""The list of layers: the variable that decides what a sequence network sees, and how."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from nas_core.spaces.sequence import moves
from nas_core.spaces.sequence.canonical import tidy_layers
from nas_core.spaces.sequence.fitting import fitted_layers
from nas_core.spaces.sequence.rules import KINDS, RECURRENT, Layer, option_key, reach, rules_of
from nas_core.spaces.variables import Chooser, Context, Edit, Variable, register_variable

__all__ = ["SequenceLayers"]

Layers = list[Layer]

_FIELDS: dict[str, set[str]] = {
    "conv": {"kind", "width", "kernel", "dilation"},
    "gru": {"kind", "width", "both"},
    "lstm": {"kind", "width", "both"},
    "attention": {"kind", "width", "heads"},
}


class SequenceLayers(Variable):
    """A list of convolutions, recurrent layers and self-attention, from the input to the pooling.

    A value is a list such as ``[{"kind": "conv", "width": 16, "kernel": 5, "dilation": 1}, {"kind": "gru", "width": 8,
    "both": true}, {"kind": "attention", "width": 16, "heads": 2}]``. ``both`` reads a sequence in both directions and
    gives twice the width.

    Source: dilated convolutions (Bai, Kolter & Koltun 2018, arXiv 1803.01271; differs: they look to both sides), GRU
    (Cho et al. 2014, arXiv 1406.1078), LSTM (Hochreiter & Schmidhuber 1997), attention (Vaswani et al. 2017, arXiv
    1706.03762; differs: positions are read by queries and keys only, so values stay what they are).

    Attributes:
        kinds: What a layer may be.
        widths: Maps a layer may have (in each direction), ascending.
        kernels: Steps a convolution sees at once, odd, ascending.
        dilations: Steps from one of these to the next, ascending.
        heads: Heads that attention may have, ascending; a number that does not divide the width is left out.
        bidirectional: Whether recurrent layers may read both ways.
        min_layers, max_layers: How many layers; without one a linear model reads the steps.
    """

    kind: Literal["sequence_layers"] = "sequence_layers"
    kinds: tuple[Literal["conv", "gru", "lstm", "attention"], ...] = KINDS  # type: ignore[assignment]
    widths: tuple[int, ...] = Field(default=(4, 8, 16, 32), min_length=1)
    kernels: tuple[int, ...] = Field(default=(3, 5, 7, 9), min_length=1)
    dilations: tuple[int, ...] = Field(default=(1,), min_length=1)
    heads: tuple[int, ...] = Field(default=(1, 2), min_length=1)
    bidirectional: bool = True
    min_layers: int = Field(default=0, ge=0, le=8)
    max_layers: int = Field(default=3, ge=0, le=8)

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if len(set(self.kinds)) < len(self.kinds):
            raise ValueError(f"{self.name} names a kind of layer twice: {list(self.kinds)}")
        if not self.kinds and self.max_layers:
            raise ValueError(f"{self.name} offers no kind of layer; allowed: at least one, or max_layers 0")
        for field, most in (("widths", 1024), ("kernels", 99), ("dilations", 512), ("heads", 64)):
            given = getattr(self, field)
            if list(given) != sorted(set(given)) or given[0] < 1 or given[-1] > most:
                raise ValueError(
                    f"the {field} of {self.name} are {list(given)}; allowed: ascending numbers from 1 to {most}"
                )
        if even := [k for k in self.kernels if k % 2 == 0]:
            raise ValueError(f"{self.name} offers a kernel of {even[0]} steps; allowed: odd numbers")
        if self.min_layers > self.max_layers:
            raise ValueError(f"{self.name} has min_layers {self.min_layers} above max_layers {self.max_layers}")
        return self

    def layers_of_length(self, length: int) -> Iterator[Layer]:
        """Yield every layer that makes sense on ``length`` steps, in a fixed order.

        A convolution whose outer taps never meet a step is left out.
        """
        for kind in self.kinds:
            for width in self.widths:
                if kind == "conv":
                    for kernel in self.kernels:
                        for dilation in self.dilations if kernel > 1 else (1,):
                            layer = {"kind": kind, "width": width, "kernel": kernel, "dilation": dilation}
                            if reach(layer) < length:
                                yield layer
                elif kind in RECURRENT:
                    yield from ({"kind": kind, "width": width, "both": b} for b in self._ways())
                else:
                    yield from ({"kind": kind, "width": width, "heads": h} for h in self.heads if width % h == 0)

    def sample(self, rng: np.random.Generator, context: Context) -> Layers:
        """Return a random number of layers, each of a random kind, often all of one."""
        rules = rules_of(context.space)
        return fitted_layers(rules, moves.draw_layers(rules, rng), rng)

    def mutate(self, value: Any, rng: np.random.Generator, context: Context) -> Layers:
        """Return layers one operator away."""
        return self.operate(value, rng, context)[0]

    def operate(self, value: Any, rng: np.random.Generator, context: Context) -> tuple[Layers, str]:
        """Return layers one operator away, and its name; unchanged when no operator applies."""
        rules = rules_of(context.space)
        names = list(moves.MOVES)
        for at in rng.permutation(len(names)):
            moved = moves.MOVES[names[at]](rules, value, rng)
            if moved is not None:
                changed = fitted_layers(rules, moved, rng)
                if changed != value:
                    return changed, names[at]
        return value, "unchanged"

    def crossover(self, a: Any, b: Any, rng: np.random.Generator, context: Context) -> Layers:
        """Return the first layers of one parent and the last of the other."""
        first, second = (a, b) if rng.random() < 0.5 else (b, a)
        head = first[: int(rng.random() * (len(first) + 1))]
        return fitted_layers(rules_of(context.space), head + second[int(rng.random() * (len(second) + 1)) :], rng)

    def neighbours(self, value: Any, context: Context) -> Iterator[Layers]:
        """Yield layers one step away: one changed a little, left out, doubled or added, or two swapped."""
        rules = rules_of(context.space)
        return (e.value for e in moves.steps(rules, value, False) if self._fault(e.value, context) is None)

    def edits(self, value: Any, context: Context) -> Iterator[Edit]:
        """Yield, layer by layer: removed, every other width, kernel and kind, moved, others added after it."""
        yield from moves.steps(rules_of(context.space), value, True)

    def count(self, context: Context) -> int:
        """Return how many lists of layers there are (exact big integer)."""
        rules = rules_of(context.space)
        return sum(len(rules.options) ** depth for depth in range(self.min_layers, rules.max_layers + 1))

    def encode(self, value: Any, context: Context) -> np.ndarray:
        """Return, for each place a layer may have, its kind, width, span, heads and direction."""
        slot = len(KINDS) + 5
        vector = np.zeros(self.max_layers * slot)
        for at, layer in enumerate(value[: self.max_layers]):
            vector[at * slot + KINDS.index(layer["kind"])] = 1.0
            for i, (name, known) in enumerate(self._scales()):
                if layer.get(name) in known:
                    vector[at * slot + len(KINDS) + i] = (known.index(layer[name]) + 1) / len(known)
            vector[at * slot + slot - 1] = float(layer.get("both", False))
        return vector

    def encode_names(self, context: Context) -> list[str]:
        """Return the name of each entry."""
        what = (*KINDS, "width", "kernel", "dilation", "heads", "both ways")
        return [f"layer {n + 1}: {w}" for n in range(self.max_layers) for w in what]

    def validate_value(self, value: Any, context: Context) -> str | None:
        """Return why ``value`` is no list of layers of the domain on sequences of this length, or None."""
        if not isinstance(value, list):
            return f"{self.name} is {value!r}; allowed: a list of layers"
        for number, layer in enumerate(value, 1):
            if reason := _form_fault(layer):
                return f"layer {number} {reason}"
        return self._fault(value, context)

    def decide(self, chooser: Chooser, context: Context, like: Any = None) -> Layers:
        """Return layers: how many, and of each its kind and the numbers that kind has."""
        rules = rules_of(context.space)
        depths = range(self.min_layers, (rules.max_layers if rules.kinds else 0) + 1)
        known = None if like is None or len(like) not in depths else len(like) - self.min_layers
        decided: Layers = []
        for at in range(depths[chooser.pick("layers", depths, known)] if depths else 0):
            told = like[at] if like is not None and at < len(like) else {}
            name = f"layer {at + 1}"
            kind = rules.kinds[chooser.pick(name, rules.kinds, _position(rules.kinds, told.get("kind")))]
            layer: Layer = {"kind": kind}
            for field, values in self._numbers(kind):
                layer[field] = values[chooser.pick(f"{name} {field}", values, _position(values, told.get(field)))]
            if layer.get("kernel") == 1:
                layer["dilation"] = 1
            decided.append(layer)
        return fitted_layers(rules, decided, np.random.default_rng(0))

    def _numbers(self, kind: str) -> list[tuple[str, Sequence[Any]]]:
        """Return what there is to decide of a layer of some kind."""
        found: list[tuple[str, Sequence[Any]]] = [("width", self.widths)]
        if kind == "conv":
            found += [("kernel", self.kernels), ("dilation", self.dilations)]
        elif kind in RECURRENT:
            found.append(("both", tuple(self._ways())))
        else:
            found.append(("heads", self.heads))
        return found

    def tidy(self, value: Any) -> Layers:
        """Return the layers with nothing but what their kind has."""
        return tidy_layers(value)

    def _scales(self) -> tuple[tuple[str, tuple[Any, ...]], ...]:
        return ("width", self.widths), ("kernel", self.kernels), ("dilation", self.dilations), ("heads", self.heads)

    def _ways(self) -> tuple[bool, ...]:
        return (False, True) if self.bidirectional else (False,)

    def _fault(self, value: Layers, context: Context) -> str | None:
        """Return why well-formed layers are outside the domain, or None; ``max_layers`` of the constraints apart."""
        rules = rules_of(context.space)
        if not self.min_layers <= len(value) <= self.max_layers:
            return f"{self.name} has {len(value)} layers; allowed: {self.min_layers} to {self.max_layers}"
        for number, layer in enumerate(tidy_layers(value), 1):
            if option_key(layer) not in rules.option_keys:
                return f"layer {number} {self._foreign(layer, rules.length)}"
        return None

    def _foreign(self, layer: Layer, length: int) -> str:
        if layer["kind"] not in self.kinds:
            return f"is {layer['kind']!r}; allowed: {', '.join(self.kinds)}"
        for name, known in (*self._scales(), ("both", self._ways())):
            if name in layer and layer[name] not in known:
                return f"has {name} {layer[name]!r}; allowed: {', '.join(map(str, known))}"
        if layer["kind"] == "attention":
            return f"has {layer['heads']} heads for a width of {layer['width']}; allowed: heads that divide the width"
        return f"sees {reach(layer)} steps to either side of sequences of {length} steps; allowed: fewer than those"


def _form_fault(layer: Any) -> str | None:
    if not isinstance(layer, dict) or layer.get("kind") not in KINDS:
        return f"is {layer!r}; allowed: an object whose kind is one of {', '.join(KINDS)}"
    fields = _FIELDS[layer["kind"]]
    if set(layer) != fields:
        return f"has the fields {', '.join(map(str, layer))}; allowed: exactly {', '.join(sorted(fields))}"
    for name in fields - {"kind"}:
        wanted = bool if name == "both" else int
        if type(layer[name]) is not wanted:
            return f"has {name} {layer[name]!r}; allowed: {'true or false' if wanted is bool else 'a whole number'}"
    return None


def _position(options: Sequence[Any], value: Any) -> int | None:
    """Return where ``value`` is among the options, None where it is not."""
    return options.index(value) if value in options else None


register_variable("sequence_layers", SequenceLayers)
