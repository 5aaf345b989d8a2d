"""A network as rows of numbers and tables, and where its parameters lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
from torch import nn

from nas_core.training.batched.program import INPUT, Operation, Program
from nas_core.training.compiled import fields as f
from nas_core.training.compiled import kinds
from nas_core.training.compiled.activations import ACTIVATIONS
from nas_core.training.compiled.tables import Taps, taps_of

__all__ = ["Drop", "Plan", "Writer", "memory", "plan_of"]

LINE = 64
"""Bytes of a line of the cache."""

POOLS = {nn.MaxPool2d: kinds.MAX_POOL, nn.AvgPool2d: kinds.AVERAGE_POOL}


@dataclass(frozen=True)
class Drop:
    """Noise of a dropout layer: rows of it, of a value of so many channels and places, by the name of its module."""

    place: str
    row: int
    channels: int
    places: int


@dataclass(frozen=True)
class Plan:
    """What kernels need to know of a network.

    Attributes:
        ops: (K, FIELDS) int64, see :mod:`.fields`.
        reals: (K, 2) float32, numbers that are not whole.
        tables: int32, see :mod:`.tables`.
        rows: Rows of all values; the first are the data's.
        out: First row of the outputs.
        outputs: How many there are.
        parameters: Start and shape of each parameter by name, those with weight decay first.
        decayed: How many numbers are decayed.
        statistics: Start and length of each running statistic by name.
        drops: The dropout layers.
        noise: Rows of noise.
        scratch: Numbers of scratch.
    """

    ops: np.ndarray
    reals: np.ndarray
    tables: np.ndarray
    rows: int
    out: int
    outputs: int
    parameters: Mapping[str, tuple[int, tuple[int, ...]]]
    decayed: int
    statistics: Mapping[str, tuple[int, int]]
    drops: tuple[Drop, ...]
    noise: int
    scratch: int

    def room(self, N: int) -> f.Memory:
        """Return the arrays that kernels work on, for batches of at most N rows; all zeros."""
        weights = sum(prod(shape) for _, shape in self.parameters.values())
        statistics = sum(length for _, length in self.statistics.values())
        return memory(self.rows, N, weights, statistics, self.noise, self.scratch, self.tables)


def memory(
    rows: int, N: int, weights: int, statistics: int, noise: int, scratch: int, tables: np.ndarray
) -> f.Memory:  # fmt: skip
    """Return the arrays that kernels work on: rows of N values and of N numbers of noise, the rest as numbers."""
    sizes = rows * N, rows * N, weights, weights, statistics, noise * N, scratch
    values, slopes, parameters, gradient, kept, drawn, passing = (_zeros(size) for size in sizes)
    return f.Memory(values, slopes, parameters, gradient, kept, drawn, passing, tables)


def _zeros(size: int) -> np.ndarray:
    """Return zeros that begin with a line of the cache, which numpy does not see to."""
    raw = np.zeros(max(1, size) * 4 + LINE, dtype=np.uint8)
    start = -raw.ctypes.data % LINE
    return raw[start : start + max(1, size) * 4].view(np.float32)


def plan_of(program: Program, network: nn.Module) -> Plan | None:
    """Return how a network is computed by kernels, None where they lack one of its operations."""
    return Writer(program, network).plan()


@dataclass
class Writer:
    """Writes one row after the other."""

    program: Program
    network: nn.Module
    ops: list[np.ndarray] = field(default_factory=list)
    reals: list[tuple[float, float]] = field(default_factory=list)
    tables: list[np.ndarray] = field(default_factory=list)
    drops: list[Drop] = field(default_factory=list)
    length: int = 0
    noise: int = 0
    scratch: int = 0

    def __post_init__(self) -> None:
        self.modules = dict(self.network.named_modules())
        self.parameters, self.decayed = _parameters(self.network)
        self.statistics = _statistics(self.network)
        self.starts = {INPUT: 0}
        self.needed = {INPUT: False}
        self.rows = prod(self.program.given)
        self._known: dict[int, int] = {}

    def plan(self) -> Plan | None:
        """Return how the network is computed by kernels, None where they lack one of its operations."""
        operations = self.program.operations
        if not all(self.write(number, operation) for number, operation in enumerate(operations)):
            return None
        last, outputs = len(operations) - 1, prod(operations[-1].shape)
        return Plan(
            np.stack(self.ops), np.array(self.reals, dtype=np.float32),
            np.concatenate(self.tables) if self.tables else np.zeros(1, dtype=np.int32), self.rows, self.starts[last],
            outputs, self.parameters, self.decayed, self.statistics, tuple(self.drops), self.noise, self.scratch,
        )  # fmt: skip

    def write(self, number: int, operation: Operation) -> bool:
        """Write an operation; return whether it is known."""
        writing = getattr(self, "_" + operation.kind.replace(" ", "_"), None)
        if writing is None:
            return False
        has = any(name.rpartition(".")[0] == operation.place for name in self.parameters)
        self.needed[number] = has or any(self.needed[i] for i in operation.inputs)
        writing(number, operation)
        return True

    def _add(
        self, kind: int, number: int, operation: Operation, more: Mapping[str, int] | None = None,
        real: tuple[float, float] = (0.0, 0.0),
    ) -> None:  # fmt: skip
        """Add a row with ``more`` fields by name; the value gets room of its own unless it has some."""
        if number not in self.starts:
            self.starts[number] = self.rows
            self.rows += prod(operation.shape)
        row = np.zeros(f.FIELDS, dtype=np.int64)
        first = operation.inputs[0]
        height, width, channels = self.program.shape(first)
        row[[f.KIND, f.X, f.OUT]] = kind, self.starts[first], self.starts[number]
        row[[f.C_IN, f.P_IN, f.C_OUT]] = channels, height * width, operation.shape[2]
        row[f.P_OUT] = operation.shape[0] * operation.shape[1]
        row[[f.WEIGHT, f.BIAS, f.PRESENT]] = -1
        row[f.NEEDS] = any(self.needed[i] for i in operation.inputs)
        if len(operation.inputs) > 1:
            row[f.OTHER] = self.starts[operation.inputs[1]]
        for name, value in (more or {}).items():
            row[getattr(f, name)] = value
        self.ops.append(row)
        self.reals.append(real)

    def _room(self, table: np.ndarray) -> int:
        """Return where a table lies."""
        if id(table) not in self._known:
            self._known[id(table)] = self.length
            self.tables.append(table)
            self.length += len(table)
        return self._known[id(table)]

    def _taps(self, taps: Taps, kernel: tuple[int, int]) -> dict[str, int]:
        tables = {"TABLE": taps.forward, "BACK": taps.back, "BY_TAP": taps.by_tap}
        return {name: self._room(table) for name, table in tables.items()} | {"TAPS": prod(kernel)}

    def _at(self, name: str) -> int:
        return self.parameters[name][0] if name in self.parameters else -1

    def _weights(self, operation: Operation) -> dict[str, int]:
        return {"WEIGHT": self._at(operation.place + ".weight"), "BIAS": self._at(operation.place + ".bias")}

    def _convolution(self, number: int, operation: Operation, kind: int = kinds.CONVOLVE) -> None:
        kernel, stride, padding = operation.traits
        taps = _tabled(self.program.shape(operation.inputs[0])[:2], kernel, stride, padding, operation.shape[:2])
        self._add(kind, number, operation, self._taps(taps, kernel) | self._weights(operation))

    def _depthwise(self, number: int, operation: Operation) -> None:
        self._convolution(number, operation, kinds.DEPTHWISE)

    def _linear(self, number: int, operation: Operation) -> None:
        taps = _tabled((1, 1), (1, 1), (1, 1), (0, 0), (1, 1))
        self._add(kinds.CONVOLVE, number, operation, self._taps(taps, (1, 1)) | self._weights(operation))

    def _norm(self, number: int, operation: Operation) -> None:
        place = self.statistics[operation.place + ".running_mean"][0]
        more = self._weights(operation) | {"PLACE": place, "OTHER": self.scratch}
        self._add(kinds.NORM, number, operation, more, operation.traits)
        self.scratch += 2 * operation.shape[2]

    def _each_channel(self, number: int, operation: Operation) -> None:
        module: Any = self.modules[operation.place]
        pool = POOLS.get(type(module))
        if pool is None:
            option = ACTIVATIONS.index(type(module).__name__.lower())
            self._add(kinds.ACTIVATE, number, operation, {"OPTION": option})
            return
        size = self.program.shape(operation.inputs[0])[:2]
        kernel, stride, padding = (_pair(getattr(module, name)) for name in ("kernel_size", "stride", "padding"))
        taps = _tabled(size, kernel, stride, padding, operation.shape[:2])
        self._add(pool, number, operation, self._taps(taps, kernel))

    def _mean(self, number: int, operation: Operation) -> None:
        self._add(kinds.MEAN, number, operation)

    def _flatten(self, number: int, operation: Operation) -> None:
        self.starts[number] = self.starts[operation.inputs[0]]

    def _dropout(self, number: int, operation: Operation) -> None:
        height, width, channels = operation.shape
        self.drops.append(Drop(operation.place, self.noise, channels, height * width))
        self._add(kinds.DROP, number, operation, {"PLACE": self.noise})
        self.noise += prod(operation.shape)

    def _join(self, number: int, operation: Operation) -> None:
        self.starts[number], self.rows = self.rows, self.rows + prod(operation.shape)
        row = self.starts[number]
        for given in operation.inputs:
            shape = self.program.shape(given)
            self._add(kinds.COPY, number, Operation("copy", (given,), shape), {"OUT": row})
            row += prod(shape)

    def _sum(self, number: int, operation: Operation) -> None:
        self._add(kinds.SUM, number, operation)

    def _gate(self, number: int, operation: Operation) -> None:
        self._add(kinds.GATE, number, operation)

    def _place_gate(self, number: int, operation: Operation) -> None:
        self._add(kinds.PLACE_GATE, number, operation)

    def _channel_mean(self, number: int, operation: Operation) -> None:
        self._add(kinds.CHANNEL_MEAN, number, operation)

    def _channel_largest(self, number: int, operation: Operation) -> None:
        self._add(kinds.CHANNEL_LARGEST, number, operation)


def _parameters(network: nn.Module) -> tuple[dict[str, tuple[int, tuple[int, ...]]], int]:
    """Return start and shape of each parameter, those with weight decay first, and how many numbers those are."""
    named = sorted(network.named_parameters(), key=lambda pair: pair[1].ndim <= 1)
    found: dict[str, tuple[int, tuple[int, ...]]] = {}
    start = decayed = 0
    for name, parameter in named:
        found[name] = start, tuple(parameter.shape)
        start += parameter.numel()
        decayed += parameter.numel() if parameter.ndim > 1 else 0
    return found, decayed


def _statistics(network: nn.Module) -> dict[str, tuple[int, int]]:
    """Return start and length of each running statistic; a layer's variance follows its mean."""
    found, start = {}, 0
    for name, buffer in network.named_buffers():
        if name.rpartition(".")[2] in ("running_mean", "running_var"):
            found[name] = start, buffer.numel()
            start += buffer.numel()
    return found


def _pair(value: Any) -> tuple[int, int]:
    return (int(value), int(value)) if isinstance(value, int) else (int(value[0]), int(value[1]))


@lru_cache(maxsize=256)
def _tabled(
    size: tuple[int, int], kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int],
    places: tuple[int, int],
) -> Taps:  # fmt: skip
    return taps_of(size, kernel, stride, padding, places=places)
