"""What every writer of source text shares: text of a person made harmless, numbers written exactly, pieces copied.

Text that a person or a file typed (names of features, categories, classes, the data set) enters source text only as the
``repr`` of a string: one line, quotes and backslashes escaped, control and bidirectional characters too. So it is a
literal or a comment wherever it stands, and never code.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Written", "copied", "literal", "noted", "numbers"]

WIDTH = 110
SHOWN = 60


@dataclass
class Written:
    """A network as source text.

    Attributes:
        pieces: Classes and functions of :mod:`nas_core.exports.pieces` that it needs, in the order they are copied.
        classes: Its own classes; the last one is ``Network``.
        reading: Lines of ``Model.__init__`` that make what turns raw rows into what the network reads.
        forward: Lines of ``Model.forward`` that make ``columns`` of ``rows``.
        weights: State dict of ``Model`` without what the source text itself holds.
        constants: Further module constants, name and literal.
        rows: The function of :mod:`nas_core.exports.pieces.rows` that makes the tensor, with its further arguments.
        input: What the tensor is called outside, its shape and its type, in words.
    """

    pieces: list[Any] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    reading: list[str] = field(default_factory=list)
    forward: list[str] = field(default_factory=list)
    weights: dict[str, Tensor] = field(default_factory=dict)
    constants: list[tuple[str, str]] = field(default_factory=list)
    rows: str = ""
    input: str = ""

    def need(self, *pieces: Any) -> None:
        """Copy these pieces, each once."""
        self.pieces += [piece for piece in pieces if piece not in self.pieces]


def literal(value: object) -> str:
    """Return ``value`` as a Python literal on one line: text, numbers, None, and lists, tuples and mappings of them."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, float) and value != value:
        return 'float("nan")'
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return f'float("{value}")'
    return repr(value)


def noted(*names: str) -> str:
    """Return names of a person as the text of a comment: one line, shortened, nothing that ends it."""
    return ", ".join(repr(n if len(n) <= SHOWN else n[: SHOWN - 1] + "…") for n in names)


def numbers(values: Iterable[float]) -> str:
    """Return a list of numbers that reads back exactly."""
    return "[" + ", ".join(literal(float(v)) for v in values) + "]"


def copied(pieces: Sequence[Any]) -> str:
    """Return the source text of pieces."""
    return "\n\n\n".join(textwrap.dedent(inspect.getsource(piece)).rstrip() for piece in pieces)
