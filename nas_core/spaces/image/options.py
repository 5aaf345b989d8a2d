"""What can be pinned or forbidden in a space of convolutional networks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nas_core.spaces.image.rules import CONVOLUTIONS, WORDS, halved
from nas_core.spaces.option_lists import FieldOptions, Frame, Option, ScalarOptions, register_option_lists

__all__: list[str] = []

Values = dict[str, Any]

_SHRUNK = ("conv3", "sep3")
"""What a 5×5 kernel is written as on at most 2×2 places."""


def _operations(values: Values, frame: Frame | None) -> frozenset[Option]:
    """Return the operations of the blocks, those aside that a larger kernel may have become."""
    size = frame.signal.place if frame is not None and frame.signal is not None else (1 << 16, 1 << 16)
    found: set[Option] = set()
    for stage in values["stages"]:
        found |= {b["operation"] for b in stage["blocks"] if max(size) > 2 or b["operation"] not in _SHRUNK}
        size = halved(size)
    return frozenset(found)


def _widths(values: Values, frame: Frame | None) -> frozenset[Option]:
    parts = [part for stage in values["stages"] for part in (*stage["blocks"], stage["transition"])]
    return frozenset(part["width"] for part in parts if "width" in part)


def _transitions(values: Values, frame: Frame | None) -> frozenset[Option]:
    return frozenset(stage["transition"]["operation"] for stage in values["stages"]) - {"none"}


def _hidden(values: Values) -> int:
    return int(values["hidden_depth"]) if values["head"] == "dense" else 0


def _convolutions(values: Values) -> Iterator[tuple[int, int]]:
    """Yield for every convolution of a block the channels it reads (−1 where the first one does) and its width."""
    channels = -1
    for stage in values["stages"]:
        for block in stage["blocks"]:
            if block["operation"] in CONVOLUTIONS:
                yield channels, block["width"]
                channels = block["width"]
        channels = stage["transition"].get("width", channels)


def _unweighted(values: Values, frame: Frame | None) -> bool:
    """Return whether there is no layer of weights to normalise and activate."""
    return not _hidden(values) and not _widths(values, frame)


def _no_bypass(values: Values, frame: Frame | None) -> bool:
    """Return whether plain connections are only written down: no convolution after the first keeps its width."""
    return values["connections"] == "plain" and all(before != width for before, width in _convolutions(values))


def _linear_head(values: Values, frame: Frame | None) -> bool:
    return bool(values["head"] != "dense")


def _no_hidden(values: Values, frame: Frame | None) -> bool:
    return not _hidden(values)


def _only_pixels(values: Values, frame: Frame | None) -> bool:
    """Return whether a linear model reads the pixels."""
    return not values["stages"] and not _hidden(values)


register_option_lists(
    "image",
    (
        FieldOptions(
            "stages", "operations", _operations, "blocks: {}", names=WORDS,
            along=lambda v: {"min_stages": max(1, v.min_stages), "max_stages": max(1, v.max_stages)},
        ),
        FieldOptions("stages", "widths", _widths, "maps of a convolution = {}"),
        FieldOptions(
            "stages", "transitions", _transitions, "between stages: {}",
            names={"max": "max pooling", "avg": "average pooling", "conv": "convolution"},
        ),
        ScalarOptions("activation", _unweighted),
        ScalarOptions("connections", _no_bypass),
        ScalarOptions("normalisation", _unweighted),
        ScalarOptions("head"),
        ScalarOptions("hidden_depth", _linear_head),
        ScalarOptions("hidden_width", _no_hidden),
        ScalarOptions("dropout", _only_pixels),
        ScalarOptions("optimiser"),
        ScalarOptions("weight_decay"),
    ),
)  # fmt: skip
