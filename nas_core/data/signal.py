"""Images and sequences: how the columns of a data set lie in space or time, and which of them form one feature.

A table has a feature per column. An image has thousands of columns that mean little alone; what is explained there is
a *patch*, and in a sequence a *time step* (or a run of them). So a data set of signals has P features, its patches or
steps, and more columns than features; ``Signal`` knows which column belongs to which feature.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from nas_core.records import Record

__all__ = ["MODALITIES", "Modality", "Signal", "image_signal", "sequence_signal"]

Modality = Literal["tabular", "image", "sequence"]
MODALITIES: tuple[Modality, ...] = ("tabular", "image", "sequence")
MAX_PATCHES = 49
MAX_STEPS = 32


class Signal(Record):
    """The shape of one row.

    Attributes:
        modality: "image" or "sequence".
        shape: An image has (channels, height, width); a sequence (channels, length), a text (1, length).
        cell: Height and width of the patches of an image, or (1, steps) of a sequence; all channels belong to it.
        vocabulary: Number of token ids of a text, 0 for numbers. Id 0 is padding, id 1 an unknown word.
        words: The words by id, (vocabulary,), empty for numbers.
        padded: Whether sequences differ in length; NaN columns (id 0 in texts) fill the shorter ones at their end.
    """

    modality: Literal["image", "sequence"]
    shape: tuple[int, ...]
    cell: tuple[int, int]
    vocabulary: int = Field(default=0, ge=0)
    words: tuple[str, ...] = ()
    padded: bool = False

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.shape) != (3 if self.modality == "image" else 2) or min(self.shape) < 1 or min(self.cell) < 1:
            raise ValueError(f"a {self.modality} of shape {self.shape} with cells {self.cell}")
        return self

    @property
    def channels(self) -> int:
        """Number of channels."""
        return self.shape[0]

    @property
    def place(self) -> tuple[int, int]:
        """Height and width; a sequence has height 1."""
        return (1, self.shape[-1]) if self.modality == "sequence" else (self.shape[1], self.shape[2])

    @property
    def columns(self) -> int:
        """Columns of a row: channels × height × width, in that order (C order)."""
        return math.prod(self.shape)

    @property
    def encoded_shape(self) -> tuple[int, ...]:
        """Shape of a row as networks read it: one more channel says where a padded sequence has values."""
        return (self.channels + int(self.padded and not self.vocabulary), *self.shape[1:])

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of cells; cells at the lower and right edge may be smaller."""
        (h, w), (ph, pw) = self.place, self.cell
        return -(-h // ph), -(-w // pw)

    @property
    def features(self) -> int:
        """Number of cells P: the features that are measured and explained."""
        rows, columns = self.grid
        return rows * columns

    @cached_property
    def owner(self) -> NDArray[np.int64]:
        """(columns,) the cell that each column belongs to, the same in every channel."""
        (h, w), (ph, pw) = self.place, self.cell
        cells = (np.arange(h) // ph)[:, None] * self.grid[1] + (np.arange(w) // pw)[None, :]
        owner = np.broadcast_to(cells, (self.channels, h, w)).reshape(-1).astype(np.int64)
        owner.setflags(write=False)
        return owner

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the P cells for a person, counted from 1."""
        rows, columns = self.grid
        if self.modality == "image":
            return tuple(f"patch {r + 1}.{c + 1}" for r in range(rows) for c in range(columns))
        steps, length, what = self.cell[1], self.shape[-1], "word" if self.vocabulary else "step"
        first = [c * steps + 1 for c in range(columns)]
        last = [min(f + steps - 1, length) for f in first]
        return tuple(f"{what} {a}" if a == b else f"{what}s {a}–{b}" for a, b in zip(first, last))


def image_signal(channels: int, height: int, width: int) -> Signal:
    """Return the signal of images, with square patches as small as 49 of them allow."""
    side = next(s for s in range(1, max(height, width) + 1) if -(-height // s) * -(-width // s) <= MAX_PATCHES)
    return Signal(modality="image", shape=(channels, height, width), cell=(side, side))


def sequence_signal(
    channels: int, length: int, *, vocabulary: int = 0, words: tuple[str, ...] = (), padded: bool = False
) -> Signal:
    """Return the signal of sequences, with runs of steps as short as 32 of them allow."""
    return Signal(
        modality="sequence", shape=(channels, length), cell=(1, -(-length // MAX_STEPS)), vocabulary=vocabulary,
        words=words, padded=padded,
    )  # fmt: skip
