"""A network of tables as rows of numbers: what its groups of features compute, and where each of its values lies.

All groups are equally wide and deep, so the units of a layer are one value, group after group: normalisation,
activation, dropout and the residual connection are one operation for all of them. Letters: G groups with hidden
layers, H units of each, C outputs.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from nas_core.spaces.tabular.layout import Block, GroupLayout, NetworkLayout
from nas_core.spaces.tabular.noise import drop_threshold, unit_keys
from nas_core.training.compiled import fields as f
from nas_core.training.compiled import kinds
from nas_core.training.compiled.activations import ACTIVATIONS
from nas_core.training.compiled.plan import memory
from nas_core.training.compiled.tables import taps_of
from nas_core.training.norms import EPSILON, MOMENTUM

__all__ = ["FREE", "MASKED", "TablePlan", "table_plan"]

MASKED, FREE = 0, 2
"""What is no sign of a weight: it is 0 for ever, or may be anything."""

TAPS = taps_of((1, 1), (1, 1), (1, 1), (0, 0))
TABLES = np.concatenate([TAPS.forward, TAPS.back, TAPS.by_tap])
LINEAR = {
    "TABLE": 0, "BACK": len(TAPS.forward), "BY_TAP": len(TAPS.forward) + len(TAPS.back), "TAPS": 1,
}  # fmt: skip
"""A linear layer is a convolution of one place and one tap."""


@dataclass(frozen=True)
class TablePlan:
    """What kernels need to know of a network of tables.

    Attributes:
        ops, reals: As of :class:`nas_core.training.compiled.plan.Plan`.
        columns: (d,) columns of the bank that are its first rows.
        rows: Rows of all values.
        out, outputs: First row of the outputs, and how many there are.
        places: (T,) where each parameter in the canonical order of the layout lies in the weights.
        signs: (T,) int8 by place: the sign that is prescribed, MASKED or FREE; empty where all are free.
        decayed: How many weights, counted from the first, weight decay shrinks.
        stats: (s,) where each running statistic in the canonical order lies.
        drops: (group, layer) of each run of H rows of noise.
        width, dropout: H and the share of units that are dropped.
        scratch: Numbers of scratch.
    """

    ops: np.ndarray
    reals: np.ndarray
    columns: np.ndarray
    rows: int
    out: int
    outputs: int
    places: np.ndarray
    signs: np.ndarray
    decayed: int
    stats: np.ndarray
    drops: tuple[tuple[int, int], ...]
    width: int
    dropout: float
    scratch: int

    def room(self, N: int) -> f.Memory:
        """Return the arrays that kernels work on, for batches of at most N rows; all zeros."""
        noise = len(self.drops) * self.width
        return memory(self.rows, N, len(self.places), len(self.stats), noise, self.scratch, TABLES)

    def units(self, seed: int) -> np.ndarray:
        """Return the int32 keys of the units with dropout of a network with this seed, in the order of the noise."""
        keys = [unit_keys(seed, group, layer, self.width) for group, layer in self.drops]
        return np.concatenate([np.zeros(0, dtype=np.int32), *keys])

    @property
    def threshold(self) -> int:
        """The key below which a unit is dropped."""
        return drop_threshold(self.dropout)


def table_plan(layout: NetworkLayout) -> TablePlan:
    """Return how the network of a layout is computed by kernels."""
    return _Writer(layout).plan()


@dataclass
class _Writer:
    """Writes one row after the other."""

    layout: NetworkLayout
    ops: list[np.ndarray] = field(default_factory=list)
    reals: list[tuple[float, float]] = field(default_factory=list)
    drops: list[tuple[int, int]] = field(default_factory=list)
    scratch: int = 0

    def __post_init__(self) -> None:
        layout = self.layout
        self.hidden = [g for g in layout.groups if g.depth]
        linear = [g for g in layout.groups if not g.depth]
        self.ordered = [*self.hidden, *linear]
        self.columns = np.concatenate([g.columns for g in self.ordered])
        self.rows = len(self.columns)
        self.starts, start = {}, 0
        for block in layout.blocks:
            self.starts[block.name] = start
            start += block.size
        self.places = np.zeros(layout.size, dtype=np.int64)
        self.signs = np.full(layout.size, FREE, dtype=np.int8)
        self.decayed = sum(block.size for block in layout.blocks if block.decays)
        self._next = {True: 0, False: self.decayed}  # where the next weights lie that are decayed, and that are not
        self.stats = np.zeros(layout.stats_size, dtype=np.int64)
        self._stats = 0
        self.G, self.H = len(self.hidden), self.hidden[0].width if self.hidden else 0

    def plan(self) -> TablePlan:
        """Return the rows of the whole network."""
        finals = self._layers()
        out = self._readings(finals)
        constrained = bool((self.signs != FREE).any())
        dropout = self.hidden[0].dropout if self.hidden else 0.0
        return TablePlan(
            np.stack(self.ops), np.array(self.reals, dtype=np.float32), self.columns, self.rows, out,
            self.layout.outputs, self.places, self.signs if constrained else self.signs[:0], self.decayed, self.stats,
            tuple(self.drops), self.H, dropout, self.scratch,
        )  # fmt: skip

    def _layers(self) -> list[int]:
        """Write all hidden layers; return the first row of the units of each, that of the data first."""
        finals, size = [0], self.G * self.H
        for layer in range(1, self.hidden[0].depth + 1 if self.hidden else 1):
            given = self.hidden[0]
            z = self._linear(layer, finals[-1])
            a = self._activated(layer, *self._normalised(layer, z))
            if given.dropout:
                noise = len(self.drops) * self.H
                self.drops += [(g.index, layer) for g in self.hidden]
                a = self._add(kinds.DROP, a, size, {"PLACE": noise})
            if given.residual and layer > 1:
                a = self._add(kinds.SUM, a, size, {"OTHER": finals[-1]})
            finals.append(a)
        return finals

    def _linear(self, layer: int, x: int) -> int:
        """Write the linear part of a layer, group by group; return the first row of all its units."""
        z = self._take(self.G * self.H)
        for n, group in enumerate(self.hidden):
            blocks = _blocks(group, layer)
            kind = "input" if layer == 1 else "hidden"
            more = {"WEIGHT": self._weights([blocks[kind]]), "NEEDS": int(layer > 1), "OUT": z + n * self.H}
            if "bias" in blocks:
                more["BIAS"] = self._weights([blocks["bias"]])
            count = len(group.columns) if layer == 1 else self.H
            self._add(kinds.CONVOLVE, x, self.H, more | LINEAR, read=count)
            x += count
        return z

    def _normalised(self, layer: int, z: int) -> tuple[list[int], bool]:
        """Write the normalisation; return where each part of the units begins, and whether each group is a part."""
        kind, size = self.hidden[0].normalisation if self.hidden else "none", self.G * self.H
        blocks = [_blocks(group, layer) for group in self.hidden]
        if kind == "batch":
            scale, shift = (self._weights([b[name] for b in blocks]) for name in ("scale", "shift"))
            more = {"WEIGHT": scale, "BIAS": shift, "PLACE": self._statistics(layer), "OTHER": self.scratch}
            self.scratch += 2 * size
            return [self._add(kinds.NORM, z, size, more, (MOMENTUM, EPSILON))], False
        if kind == "none":
            return [z], False
        found = []
        for n, own in enumerate(blocks):
            more = {"WEIGHT": self._weights([own["scale"]]), "BIAS": self._weights([own["shift"]])}
            found.append(self._add(kinds.CHANNEL_NORM, z + n * self.H, self.H, more, (0.0, EPSILON)))
            self._take(2)  # it keeps mean and deviation behind its units
        return found, True

    def _activated(self, layer: int, parts: list[int], apart: bool) -> int:
        """Write the activation; return the first row of all units, which lie side by side from here on."""
        name = self.hidden[0].activation
        if name == "identity" and not apart:
            return parts[0]
        size = self.H if apart else self.G * self.H
        kind = kinds.COPY if name == "identity" else kinds.ACTIVATE
        option = 0 if name == "identity" else ACTIVATIONS.index(name)
        out = self._take(self.G * self.H)
        for n, part in enumerate(parts):
            self._add(kind, part, size, {"OPTION": option, "OUT": out + n * size})
        return out

    def _readings(self, finals: list[int]) -> int:
        """Write what is read of the columns and of the layers, and its sum; return the first row of the outputs."""
        read: dict[int, list[Block]] = {}
        for group in self.ordered:
            for block in group.blocks:
                if block.kind == "read":
                    read.setdefault(block.layer, []).append(block)
        C, sums = self.layout.outputs, list[int]()
        bias = self._weights([self.layout.blocks[0]])
        for layer, blocks in sorted(read.items()):
            count = sum(block.shape[1] for block in blocks)
            row = finals[layer] if layer else len(self.columns) - count
            more = {"WEIGHT": self._weights(blocks, side_by_side=True), "NEEDS": int(layer > 0)}
            sums.append(self._add(kinds.CONVOLVE, row, C, more | LINEAR | ({} if sums else {"BIAS": bias}), read=count))
        out = sums[0]
        for other in sums[1:]:
            out = self._add(kinds.SUM, out, C, {"OTHER": other})
        return out

    def _take(self, rows: int) -> int:
        """Reserve rows for a value; return the first one."""
        self.rows += rows
        return self.rows - rows

    def _add(
        self, kind: int, x: int, size: int, more: dict[str, int], real: tuple[float, float] = (0.0, 0.0), *,
        read: int | None = None,
    ) -> int:  # fmt: skip
        """Add a row that reads ``read`` rows from ``x`` on and has ``size``; return the first row of its value."""
        row = np.zeros(f.FIELDS, dtype=np.int64)
        row[[f.KIND, f.X, f.C_IN, f.C_OUT, f.P_IN, f.P_OUT]] = kind, x, size if read is None else read, size, 1, 1
        row[[f.WEIGHT, f.BIAS, f.PRESENT]] = -1
        row[f.NEEDS] = 1
        for name, value in more.items():
            row[getattr(f, name)] = value
        if "OUT" not in more:
            row[f.OUT] = self._take(size)
        self.ops.append(row)
        self.reals.append(real)
        return int(row[f.OUT])

    def _weights(self, blocks: list[Block], *, side_by_side: bool = False) -> int:
        """Give the parameters of these blocks their places, one block after the other; return the first one.

        Side by side, blocks (C, size) become one matrix (C, all sizes).
        """
        decays, total = blocks[0].decays, sum(block.size for block in blocks)
        first = at = self._next[decays]
        self._next[decays] += total
        for block in blocks:
            places = at + np.arange(block.size)
            if side_by_side:
                rows, size = block.shape
                places = at + (np.arange(rows)[:, None] * (total // rows) + np.arange(size)).ravel()
            start = self.starts[block.name]
            self.places[start : start + block.size] = places
            if block.sign is not None:
                sign = block.sign.ravel()
                self.signs[places] = np.where(sign == 0, FREE, sign)
            if block.mask is not None:
                self.signs[places[~block.mask.ravel()]] = MASKED
            at += block.shape[1] if side_by_side else block.size
        return first

    def _statistics(self, layer: int) -> int:
        """Give the running means of a layer their places, then the variances; return the first one."""
        first, start, size = self._stats, 0, self.G * self.H
        self._stats += 2 * size
        for n, group in enumerate(self.hidden):  # linear groups have none
            own = start + (layer - 1) * 2 * self.H
            for part in range(2):
                begin = first + part * size + n * self.H
                self.stats[own + part * self.H : own + (part + 1) * self.H] = np.arange(begin, begin + self.H)
            start += group.stats_size
        return first


def _blocks(group: GroupLayout, layer: int) -> dict[str, Block]:
    """Return the parameters of a hidden layer of a group by kind."""
    return {block.kind: block for block in group.blocks if block.layer == layer and block.kind != "read"}
