"""What can be pinned or forbidden in a space of sequence networks."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from nas_core.errors import SpaceError
from nas_core.spaces.option_lists import (
    FieldOptions,
    Frame,
    Option,
    OptionList,
    ScalarOptions,
    register_option_lists,
    revised,
)
from nas_core.spaces.sequence.rules import WORDS, output_width

if TYPE_CHECKING:
    from nas_core.spaces.space import SearchSpace

__all__ = ["BothWays", "LayerCount"]

Values = dict[str, Any]
Changes = dict[str, Any]


def _of_layers(field: str) -> Callable[[Values, Frame | None], frozenset[Option]]:
    """Return what reads a number of every layer that has it."""

    def read(values: Values, frame: Frame | None) -> frozenset[Option]:
        return frozenset(layer[field] for layer in values["layers"] if field in layer)

    return read


def _dilations(values: Values, frame: Frame | None) -> frozenset[Option]:
    """Return the dilations of convolutions over more than one step."""
    return frozenset(layer["dilation"] for layer in values["layers"] if layer.get("kernel", 1) > 1)


class LayerCount(OptionList):
    """How many layers there are."""

    name = "layers.count"

    def offered(self, space: SearchSpace) -> dict[Option, str]:
        layers: Any = space.by_name["layers"]
        numbers = range(layers.min_layers, space.compiled.max_layers + 1)
        return {n: f"layers = {n}" for n in numbers} if len(numbers) > 1 else {}

    def held(self, values: Values, frame: Frame | None) -> frozenset[Option]:
        return frozenset([len(values["layers"])])

    def without(self, space: SearchSpace, option: Option) -> Changes:
        layers: Any = space.by_name["layers"]
        low, high = layers.min_layers, space.compiled.max_layers
        if option not in (low, high):
            raise SpaceError(
                f"there are {low} to {high} layers, and a range has no holes",
                allowed=f"{low} or {high}",
                fix="forbid the numbers at one end first, or allow only this one",
            )
        return revised(space, "layers", min_layers=low + (option == low), max_layers=high - (option == high))

    def only(self, space: SearchSpace, option: Option) -> Changes:
        return revised(space, "layers", min_layers=option, max_layers=option)


class BothWays(OptionList):
    """Whether recurrent layers may read a sequence in both directions."""

    name = "layers.bidirectional"

    def offered(self, space: SearchSpace) -> dict[Option, str]:
        layers: Any = space.by_name["layers"]
        return {True: "recurrent layers read both ways"} if layers.bidirectional else {}

    def held(self, values: Values, frame: Frame | None) -> frozenset[Option]:
        return frozenset([True]) if any(layer.get("both") for layer in values["layers"]) else frozenset()

    def without(self, space: SearchSpace, option: Option) -> Changes:
        return revised(space, "layers", bidirectional=False)

    def only(self, space: SearchSpace, option: Option) -> Changes:
        raise SpaceError(
            "a space may allow to read both ways, and cannot ask for it", fix="forbid it, or leave it open"
        )


def _no_convolution(values: Values, frame: Frame | None) -> bool:
    return all(layer["kind"] != "conv" for layer in values["layers"])


def _no_bypass(values: Values, frame: Frame | None) -> bool:
    """Return whether plain connections are only written down: no layer after the first keeps its width."""
    widths = [output_width(layer) for layer in values["layers"]]
    return values["connections"] == "plain" and all(a != b for a, b in pairwise(widths))


def _no_layers(values: Values, frame: Frame | None) -> bool:
    return not values["layers"]


def _one_step(values: Values, frame: Frame | None) -> bool:
    """Return whether there is nothing to pool."""
    return frame is not None and frame.signal is not None and frame.signal.shape[-1] == 1


register_option_lists(
    "sequence",
    (
        FieldOptions(
            "layers", "kinds", _of_layers("kind"), "layers: {}", names=WORDS,
            along=lambda v: {"min_layers": max(1, v.min_layers), "max_layers": max(1, v.max_layers)},
        ),
        LayerCount(),
        FieldOptions("layers", "widths", _of_layers("width"), "maps of a layer = {}"),
        FieldOptions("layers", "kernels", _of_layers("kernel"), "steps of a convolution = {}"),
        FieldOptions("layers", "dilations", _dilations, "dilation = {}"),
        FieldOptions("layers", "heads", _of_layers("heads"), "heads of attention = {}"),
        BothWays(),
        ScalarOptions("pooling", _one_step),
        ScalarOptions("embedding"),
        ScalarOptions("activation", _no_convolution),
        ScalarOptions("connections", _no_bypass),
        ScalarOptions("normalisation", _no_layers),
        ScalarOptions("dropout", _no_layers),
        ScalarOptions("optimiser"),
        ScalarOptions("weight_decay"),
    ),
)  # fmt: skip
