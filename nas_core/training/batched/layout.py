"""Where the channels of a network's values lie once they are padded, and which operations may be computed together.

Both depend on the network alone, never on its company: a product then gives the same bits whatever is computed beside
it. The numbers of channels that count are those of grouped convolutions and batched products, which want equal sizes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from nas_core.training.batched.program import INPUT, Operation, Program

__all__ = ["STRUCTURED", "Layout", "Plan", "plan_of", "reads_rows"]

STRUCTURED = ("convolution", "linear", "flatten", "channel mean", "channel largest", "place gate")
"""Kinds that want the same number of channels from each network; the others work channel by channel."""

CHANNELS = (8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
UNITS = (16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096)


@dataclass(frozen=True)
class Layout:
    """Channels of a value: padded to ``size``, of which ``places`` (in torch's order) are those of the network."""

    size: int
    places: np.ndarray

    @classmethod
    def plain(cls, channels: int, size: int) -> Layout:
        """Return the layout of channels in their order, padding behind them."""
        return cls(size, np.arange(channels))


@dataclass(frozen=True)
class Plan:
    """A network as it is computed.

    Attributes:
        program: Its operations.
        layouts: Where the channels of the value of each operation lie.
        reads: How many channels each operation is given of its first value, padding included.
        keys: What operations must agree in to be computed together; None for joins, which compute nothing.
    """

    program: Program
    layouts: tuple[Layout, ...]
    reads: tuple[int, ...]
    keys: tuple[Hashable, ...]

    def layout(self, number: int) -> Layout:
        """Return the layout of a value."""
        channels = self.program.given[2]
        return Layout.plain(channels, channels) if number == INPUT else self.layouts[number]


def plan_of(program: Program) -> Plan | None:
    """Return how a network is computed beside others, None where that is not possible.

    Dense connections (Huang et al. 2017) are not: in joins of any width the gradients of some networks differ in the
    last bit from those they have alone. The two maps that a spatial attention joins are.
    """
    given = program.given[2]
    layouts: list[Layout] = []
    reads: list[int] = []
    keys: list[Hashable] = []
    for operation in program.operations:
        sources = [Layout.plain(given, given) if i == INPUT else layouts[i] for i in operation.inputs]
        if not _agree(operation, sources):
            return None
        place = program.shape(operation.inputs[0])[:2]
        read, made = _sizes(operation, sources, place)
        layouts.append(made)
        reads.append(read)
        keys.append(_key(operation, place, read, made, sources))
    return Plan(program, tuple(layouts), tuple(reads), tuple(keys))


def _agree(operation: Operation, sources: list[Layout]) -> bool:
    """Return whether the values of an operation lie as it wants them."""
    first, last = sources[0], sources[-1]
    if operation.kind in ("sum", "gate"):
        return first.size == last.size and np.array_equal(first.places, last.places)
    if operation.kind in ("channel mean", "channel largest"):
        return np.array_equal(first.places, np.arange(len(first.places)))
    if operation.kind == "join":
        return all(source.size == 1 for source in sources) and INPUT not in operation.inputs
    return operation.kind != "depthwise" or operation.inputs[0] != INPUT


def _sizes(operation: Operation, sources: list[Layout], place: tuple[int, int]) -> tuple[int, Layout]:
    """Return how many channels are read and where those of the value lie."""
    source, channels = sources[0], operation.shape[2]
    if operation.kind == "convolution":
        return _padded(source.size, CHANNELS), Layout.plain(channels, _padded(channels, CHANNELS))
    if operation.kind == "linear":
        return _padded(source.size, UNITS), Layout.plain(channels, _padded(channels, UNITS))
    if operation.kind in ("channel mean", "channel largest"):
        return source.size, Layout.plain(1, 1)
    if operation.kind == "join":
        starts = np.cumsum([0, *(s.size for s in sources)])
        places = np.concatenate([s.places + start for s, start in zip(sources, starts)])
        return 0, Layout(int(starts[-1]), places)
    if operation.kind == "flatten":
        spots = np.arange(place[0] * place[1]) * source.size
        return source.size, Layout(source.size * len(spots), (source.places[:, None] + spots).ravel())
    return source.size, source


def _key(
    operation: Operation, place: tuple[int, int], read: int, made: Layout, sources: list[Layout]
) -> Hashable:  # fmt: skip
    if operation.kind == "join":
        return None
    key: tuple[Hashable, ...] = (operation.kind, operation.traits, place)
    if reads_rows(operation):
        return ("first convolution", *key[1:])
    if operation.kind in STRUCTURED:
        key = (*key, read, made.size, sources[-1].size if operation.kind == "place gate" else 0)
    return key


def reads_rows(operation: Operation) -> bool:
    """Return whether it is a convolution of the rows themselves, which all networks share: one with many outputs.

    A kernel of one place is left out: there the weights' gradient of some shapes depends on how many outputs there are.
    """
    return operation.kind == "convolution" and operation.inputs == (INPUT,) and operation.traits[0] != (1, 1)


def _padded(size: int, steps: tuple[int, ...]) -> int:
    """Return the smallest of the steps that is large enough; beyond them a multiple of the last."""
    if size > steps[-1]:
        return -(-size // steps[-1]) * steps[-1]
    return steps[bisect_left(steps, size)]
