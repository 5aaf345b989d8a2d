"""How a person wants a file to be read, where the file alone does not say it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from nas_core.data.signal import Modality
from nas_core.records import Record

__all__ = ["COLOURS", "MAX_SIDE", "Colour", "ReadingOptions"]

Colour = Literal["auto", "grey", "colour"]
COLOURS: tuple[Colour, ...] = ("auto", "grey", "colour")
MAX_SIDE = 1024


class ReadingOptions(Record):
    """Wishes about reading; each is empty when the file or a guess decides.

    Attributes:
        modality: What the rows are: a table, images or sequences.
        size: Height and width in pixels that images are resized to.
        colour: ``grey`` or ``colour`` for all images; ``auto`` is grey where every image is grey.
        length: Steps of a series, or words of a text, that are kept at most.
        text: Name of the column that holds a text.
        id: Name of the column that says which series a row of a long table belongs to.
        time: Name of the column that orders the rows of a series.
        values: Names of the columns that hold the values of a series; all other numbers when empty.
        test: Path of a file with the test rows; None looks for one beside the file, "" takes none.
    """

    modality: Modality | None = None
    size: tuple[int, int] | None = None
    colour: Colour = "auto"
    length: int | None = Field(default=None, ge=1, le=1_000_000)
    text: str | None = None
    id: str | None = None
    time: str | None = None
    values: tuple[str, ...] = ()
    test: str | None = None

    @field_validator("size")
    @classmethod
    def _possible(cls, size: tuple[int, int] | None) -> tuple[int, int] | None:
        if size is not None and not all(1 <= side <= MAX_SIDE for side in size):
            raise ValueError(f"height and width from 1 to {MAX_SIDE} pixels")
        return size
