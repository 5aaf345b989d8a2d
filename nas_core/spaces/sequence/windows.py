"""Which steps one step of a map sees, and which cells of a sequence can act together.

Convolutions keep the length, so step t of a map sees the steps t + o for a set of offsets o; dilation leaves gaps in
it. The offsets of a layer contain those of every layer below (the middle tap is 0), so the last layer decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from nas_core.spaces.sequence.rules import Layer

__all__ = ["all_pairs", "cells_seen", "offsets_of", "pairs_in_windows", "span_of"]


def offsets_of(layers: Iterable[Layer]) -> tuple[int, ...] | None:
    """Return the offsets, ascending, that the last of these layers sees; None when it sees every step."""
    kernels = []
    for layer in layers:
        if layer["kind"] != "conv":
            return None
        kernels.append((layer["kernel"], layer["dilation"]))
    return _offsets(tuple(kernels))


@lru_cache(maxsize=4096)
def _offsets(kernels: tuple[tuple[int, int], ...]) -> tuple[int, ...]:
    offsets = {0}
    for kernel, dilation in kernels:
        taps = range(-(kernel // 2) * dilation, kernel // 2 * dilation + 1, dilation)
        offsets = {o + tap for o in offsets for tap in taps}
    return tuple(sorted(offsets))


def span_of(offsets: tuple[int, ...] | None, length: int) -> int:
    """Return over how many steps the offsets reach, gaps included, at most ``length``."""
    return length if offsets is None else min(length, offsets[-1] - offsets[0] + 1)


def all_pairs(count: int) -> int:
    """Return the number of pairs of ``count`` cells."""
    return count * (count - 1) // 2


def cells_seen(offsets: tuple[int, ...] | None, place: int, length: int, cell: int) -> tuple[int, ...]:
    """Return the cells (runs of ``cell`` steps) that the map's step ``place`` sees, ascending."""
    steps = range(length) if offsets is None else (place + o for o in offsets)
    return tuple(sorted({step // cell for step in steps if 0 <= step < length}))


@lru_cache(maxsize=1024)
def pairs_in_windows(offsets: tuple[int, ...], length: int, cell: int) -> int:
    """Return how many pairs of cells share the window of some step, of ``length`` windows."""
    count = -(-length // cell)
    windows = np.zeros((length, count), dtype=np.float32)
    for place in range(length):
        windows[place, list(cells_seen(offsets, place, length, cell))] = 1.0
    return int(np.triu(windows.T @ windows > 0, 1).sum())
