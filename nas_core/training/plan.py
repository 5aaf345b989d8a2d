"""Lay out the sub-networks of a pack in sections of equal padded shape.

Padding is always at the end. Inputs are padded to at least :data:`LEAST`: then a product gives the same bits whatever
the padding. Units are padded to :func:`padded_units`, which depends on the sub-network alone, so that sub-networks of
different width never share a section. Element-wise work comes in multiples of :data:`LANES`, because exp or tanh of a
left-over value may differ in the last bit. So candidates are independent exactly, whatever is stacked beside them.
Letters: S sub-networks of a section, I padded inputs, H padded hidden units.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np

from nas_core.spaces.tabular.layout import Block, GroupLayout, NetworkLayout

__all__ = [
    "LANES",
    "LEAST",
    "Linear",
    "Member",
    "Sub",
    "group_linear",
    "group_sections",
    "padded_units",
    "run_length",
    "subs_of",
]

T = TypeVar("T")

LEAST = 16
LANES = 32  # element-wise kernels treat what is left over after this many values with other instructions
ROWS = 64  # rows of a batch assumed when work is weighed against overhead
SECONDS_PER_MAC, SECONDS_PER_VALUE, SECONDS_PER_LAYER = 3 / 25e9, 12e-9, 1e-3


@dataclass(frozen=True)
class Member:
    """One candidate of a pack: its layout, its seed and where its values start in the flat vectors."""

    layout: NetworkLayout
    seed: int
    start: int
    stats_start: int

    @property
    def run(self) -> int:
        """Length of its run of the flat vector, a multiple of :data:`LANES`."""
        return run_length(self.layout.size)


def run_length(size: int) -> int:
    """Return ``size`` rounded up to a multiple of :data:`LANES`."""
    return -(-size // LANES) * LANES


@dataclass(frozen=True)
class Sub:
    """A sub-network with hidden layers; ``placed`` are its blocks and their starts in the flat parameter vector.

    They are kept by kind and layer, as a plan asks for them many times.
    """

    candidate: int
    seed: int
    group: GroupLayout
    placed: Mapping[tuple[str, int], list[tuple[Block, int]]]
    stats_start: int

    def blocks(self, kind: str, layer: int) -> list[tuple[Block, int]]:
        """Return the blocks of a kind and layer with their starts."""
        return self.placed.get((kind, layer), [])


@dataclass(frozen=True)
class Linear:
    """All that one candidate computes directly from its inputs: linear groups and reads of the input."""

    candidate: int
    columns: np.ndarray
    starts: tuple[int, ...]
    sizes: tuple[int, ...]


def subs_of(members: Sequence[Member]) -> tuple[list[Sub], list[Linear]]:
    """List the sub-networks with hidden layers and, per candidate, what is linear."""
    subs, linears = [], []
    for k, member in enumerate(members):
        start, stats = member.start + member.layout.outputs, member.stats_start
        columns, starts, sizes = [], [], []
        for group in member.layout.groups:
            placed: dict[tuple[str, int], list[tuple[Block, int]]] = {}
            for block in group.blocks:
                placed.setdefault((block.kind, block.layer), []).append((block, start))
                if block.kind == "read" and block.layer == 0:
                    columns.append(group.columns)
                    starts.append(start)
                    sizes.append(block.shape[1])
                start += block.size
            if group.depth:
                subs.append(Sub(k, member.seed, group, placed, stats))
                stats += group.stats_size
        if columns:
            linears.append(Linear(k, np.concatenate(columns), tuple(starts), tuple(sizes)))
    return subs, linears


@lru_cache(maxsize=4096)
def padded(size: int) -> int:
    """Return the padded size: a power of two of at least :data:`LEAST`."""
    return max(LEAST, 1 << (size - 1).bit_length())


def padded_units(width: int) -> int:
    """Return the padded number of hidden units: a power of two of at least 8."""
    return max(8, 1 << (width - 1).bit_length())


def group_sections(subs: Sequence[Sub]) -> list[list[Sub]]:
    """Split sub-networks into sections of equal padded units; inputs are merged while overhead outweighs work."""
    cells: dict[int, dict[int, list[Sub]]] = {}
    for sub in subs:
        cell = cells.setdefault(padded_units(sub.group.width), {})
        cell.setdefault(padded(len(sub.group.columns)), []).append(sub)
    return [section for cell in cells.values() for section in _merge(list(cell.values()), _section_seconds)]


def group_linear(linears: Sequence[Linear]) -> list[list[Linear]]:
    """Split the linear parts by padded number of columns in the same way."""
    cells: dict[int, list[Linear]] = {}
    for part in linears:
        cells.setdefault(padded(len(part.columns)), []).append(part)
    return _merge(list(cells.values()), _linear_seconds)


def _merge(cells: list[list[T]], seconds: Callable[[Sequence[T]], float]) -> list[list[T]]:
    costs = [seconds(cell) for cell in cells]
    while len(cells) > 1:
        gain, i, j = max(
            (costs[i] + costs[j] - seconds(cells[i] + cells[j]), i, j)
            for i in range(len(cells)) for j in range(i)
        )  # fmt: skip
        if gain <= 0:
            break
        merged = cells[j] + cells[i]
        cells = [c for n, c in enumerate(cells) if n not in (i, j)] + [merged]
        costs = [c for n, c in enumerate(costs) if n not in (i, j)] + [seconds(merged)]
    return cells


def _section_seconds(subs: Sequence[Sub]) -> float:
    H = padded_units(subs[0].group.width)
    inputs = max(padded(len(sub.group.columns)) for sub in subs)
    layers = sum(sub.group.depth for sub in subs)
    macs = len(subs) * H * inputs + (layers - len(subs)) * H * H
    values = layers * H + len(subs) * inputs
    overhead = SECONDS_PER_LAYER * max(sub.group.depth for sub in subs)
    return overhead + ROWS * (macs * SECONDS_PER_MAC + values * SECONDS_PER_VALUE)


def _linear_seconds(linears: Sequence[Linear]) -> float:
    inputs = max(padded(len(part.columns)) for part in linears)
    return 60e-6 + ROWS * len(linears) * inputs * 1.5e-9
