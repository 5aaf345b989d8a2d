"""Receptive fields, exactly: which places of the input one place of a map sees, and which cells can act together.

All maps here come from windows that slide over a whole axis: every input place is seen, and the window of the first
place reaches the first input place, that of the last place the last one. Then the interval that place i sees is
[low + i·jump, low + i·jump + length), cut at the border of the input, however many layers lie between (the closed form
of Araujo, Norris & Sim 2019, 10.23915/distill.00021).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

__all__ = ["Axis", "Windows", "all_pairs", "axis_of", "cells_together", "field_of", "joined", "pairs_together", "slide"]


class Axis(NamedTuple):
    """How the places of a map see one axis of the input.

    Attributes:
        size: Places of the input.
        places: Places of the map.
        jump: Input places between the windows of two neighbours.
        low: First input place that place 0 sees, negative where the window hangs over the border.
        length: Input places one place sees away from the border.
    """

    size: int
    places: int
    jump: int
    low: int
    length: int


class Windows(NamedTuple):
    """The windows of all units of a non-linear layer: every row interval with every column interval.

    Attributes:
        rows, columns: The axes.
        lone_row, lone_column: Whether the last unit along the axis has a single input along it, as the last window of a
            pooling layer of stride 2 over an odd number of places. A maximum of one number is no interaction.
    """

    rows: Axis
    columns: Axis
    lone_row: bool = False
    lone_column: bool = False


def axis_of(size: int) -> Axis:
    """Return the axis of the input itself: every place sees itself."""
    return Axis(size, size, 1, 0, 1)


def slide(axis: Axis, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1, ceil: bool = False) -> Axis:
    """Return the axis after a convolution or pooling whose windows together see every place.

    That is one with stride 1 and ``padding`` ≥ (kernel − 1) · dilation / 2, or whose stride is at most its kernel and
    whose last window reaches the border, which ``ceil`` (PyTorch's ``ceil_mode``) grants.
    """
    span = (kernel - 1) * dilation
    room = axis.places + 2 * padding - span - 1
    places = (-(-room // stride) if ceil else room // stride) + 1
    if ceil and (places - 1) * stride >= axis.places + padding:
        places -= 1  # the window would see padding only
    return Axis(
        axis.size, places, axis.jump * stride, axis.low - padding * axis.jump, axis.length + span * axis.jump
    )  # fmt: skip


def joined(one: Axis, two: Axis) -> Axis:
    """Return the axis of a sum of two maps of the same geometry: what either of them sees."""
    low = min(one.low, two.low)
    high = max(one.low + one.length, two.low + two.length)
    return one._replace(low=low, length=high - low)


@lru_cache(maxsize=4096)
def field_of(axis: Axis) -> int:
    """Return how many input places the place that sees most of them sees."""
    return max(high - low for low, high in _intervals(axis))


def all_pairs(count: int) -> int:
    """Return the number of pairs of ``count`` cells."""
    return count * (count - 1) // 2


def pairs_together(layers: Sequence[Windows], cell: tuple[int, int]) -> int:
    """Return how many pairs of cells share a window of one of ``layers``.

    Args:
        layers: The non-linear layers; one whose windows lie inside those of another may be left out.
        cell: Height and width of a cell, in input places.
    """
    layers = list(dict.fromkeys(layers))
    if not layers:
        return 0
    if len(layers) == 1 and not (layers[0].lone_row and layers[0].lone_column):
        rows, columns = layers[0].rows, layers[0].columns
        ordered = _ordered_pairs(rows, cell[0]) * _ordered_pairs(columns, cell[1])
        return (ordered - _cells(rows, cell[0]) * _cells(columns, cell[1])) // 2
    return int(np.triu(cells_together(layers, cell), 1).sum())


def cells_together(layers: Sequence[Windows], cell: tuple[int, int]) -> np.ndarray:
    """Return (P, P) whether two cells, numbered row by row, share a window of one of ``layers`` (at least one layer).

    Costs O(P²) for each layer.
    """
    layers = list(dict.fromkeys(layers))
    return _union(tuple(layers), cell)


def _intervals(axis: Axis) -> list[tuple[int, int]]:
    """Return the first input place and the one after the last that each place sees."""
    starts = [axis.low + i * axis.jump for i in range(axis.places)]
    return [(max(0, start), min(axis.size, start + axis.length)) for start in starts]


def _cells(axis: Axis, cell: int) -> int:
    return -(-axis.size // cell)


@lru_cache(maxsize=4096)
def _ordered_pairs(axis: Axis, cell: int) -> int:
    """Return the number of ordered pairs of cells along one axis, equal ones included, that share an interval.

    Intervals: a cell shares one with every cell up to the furthest that any interval over it reaches.
    """
    reach = list(range(_cells(axis, cell)))
    for low, high in _intervals(axis):
        last = (high - 1) // cell
        for at in range(low // cell, last + 1):
            reach[at] = max(reach[at], last)
    return len(reach) + 2 * sum(last - at for at, last in enumerate(reach))


@lru_cache(maxsize=256)
def _union(layers: tuple[Windows, ...], cell: tuple[int, int]) -> np.ndarray:
    P = _cells(layers[0].rows, cell[0]) * _cells(layers[0].columns, cell[1])
    total = np.zeros((P, P), dtype=bool)
    for layer in layers:
        rows, columns = _shared(layer.rows, cell[0], False), _shared(layer.columns, cell[1], False)
        found = np.kron(rows, columns)
        if layer.lone_row and layer.lone_column:  # every unit but the one in the corner
            found = np.kron(_shared(layer.rows, cell[0], True), columns)
            found |= np.kron(rows, _shared(layer.columns, cell[1], True))
        total |= found
    total.setflags(write=False)
    return total


def _shared(axis: Axis, cell: int, but_last: bool) -> np.ndarray:
    """Return (G, G) whether two cells along the axis share an interval, that of the last place left out if wanted."""
    shared = np.zeros((_cells(axis, cell), _cells(axis, cell)), dtype=bool)
    for low, high in _intervals(axis)[: axis.places - int(but_last)]:
        reached = slice(low // cell, (high - 1) // cell + 1)
        shared[reached, reached] = True
    return shared
