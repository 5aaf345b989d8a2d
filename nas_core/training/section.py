"""One section of a pack: how S sub-networks of equal padded shape lie together, layer by layer.

Values are laid out (S, units, N): rows last, so that a layer is one batched product W (S, H, I) · x (S, I, N) and the
statistics of a unit run along memory. Sub-networks are ordered so that whatever is treated alike lies together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
import torch
from torch import Tensor

from nas_core.spaces.tabular.noise import drop_threshold, unit_keys
from nas_core.training.activations import ACTIVATION_NAMES
from nas_core.training.plan import Sub, padded, padded_units
from nas_core.training.slots import Slots

__all__ = ["Layer", "Reading", "Run", "Section", "input_columns"]

NORMS = ("batch", "none", "layer")


@dataclass(frozen=True)
class Run:
    """Neighbours ``start:stop`` of a layer that are treated alike.

    Attributes:
        normalisation, activation, dropout, residual: What happens to them.
        ended: Whether this is their last layer.
        first: Place of the first one among those that end here, or among those that go on.
    """

    start: int
    stop: int
    normalisation: str
    activation: str
    dropout: bool
    residual: bool
    ended: bool
    first: int


@dataclass
class Reading:
    """What some sub-networks add to the outputs after a layer: ``read`` (S_r, C, H) times their hidden units.

    ``places`` are theirs among those that go on, None when they are all that end here; ``first`` is the place of their
    results among all contributions.
    """

    first: int
    count: int
    places: Tensor | None
    views: dict[str, Tensor] = field(default_factory=dict)


@dataclass
class Layer:
    """One hidden layer of the sub-networks still alive; the tensors are views on the padded vectors.

    ``weight`` (S, H, I), ``bias`` (S, H, 1), ``batch_scale``/``batch_shift`` and ``layer_scale``/``layer_shift``
    (S_n, H) of the normalised ones; each with its gradient ``d_…``. ``spans`` are where the normalised ones lie.
    """

    index: int
    subs: list[Sub]
    runs: list[Run]
    spans: dict[str, tuple[int, int]]
    readings: list[Reading] = field(default_factory=list)
    views: dict[str, Tensor] = field(default_factory=dict)

    @property
    def ended(self) -> int:
        """Number of sub-networks whose last layer this is."""
        return sum(run.stop - run.start for run in self.runs if run.ended)


class Section:
    """Sub-networks of equal padded shape: I inputs, H units, as deep as the deepest."""

    def __init__(self, subs: list[Sub], blank: int, slots: Slots, device: torch.device) -> None:
        self.device = device
        self.subs = sorted(subs, key=_order)
        self.H = padded_units(subs[0].group.width)
        self.inputs = max(padded(len(sub.group.columns)) for sub in subs)
        columns = input_columns([sub.group.columns for sub in self.subs], self.inputs, blank)
        self.columns = torch.from_numpy(columns).to(device)
        self.layers: list[Layer] = []
        for index in range(1, max(sub.group.depth for sub in subs) + 1):
            self.layers.append(self._layer(index, [sub for sub in self.subs if sub.group.depth >= index], slots))

    def _layer(self, index: int, subs: list[Sub], slots: Slots) -> Layer:
        """Lay out one layer and reserve its parameters in the padded vector."""
        layer, H = Layer(index, subs, _runs(subs, index), _spans(subs)), self.H
        kind, inputs = ("input", self.inputs) if index == 1 else ("hidden", H)
        slots.claim(layer, "weight", (len(subs), H, inputs), [s.blocks(kind, index) for s in subs])
        slots.claim(layer, "bias", (len(subs), H, 1), [s.blocks("bias", index) for s in subs])
        going = [s for s in subs if s.group.depth > index]
        dense = [n for n, s in enumerate(going) if s.blocks("read", index)]
        self._reading(layer, [s for s in subs if s.group.depth == index], None, slots)
        self._reading(layer, [going[n] for n in dense], torch.tensor(dense, device=self.device), slots)
        for norm, (start, stop) in layer.spans.items():
            some = subs[start:stop]
            slots.claim(layer, f"{norm}_scale", (len(some), H), [s.blocks("scale", index) for s in some])
            slots.claim(layer, f"{norm}_shift", (len(some), H), [s.blocks("shift", index) for s in some])
            if norm == "batch":
                slots.claim_stats(layer, some, index, H)
            else:
                self._layer_norm_shapes(layer, some)
        return layer

    def _reading(self, layer: Layer, subs: list[Sub], places: Tensor | None, slots: Slots) -> None:
        if not subs:
            return
        blocks = [s.blocks("read", layer.index) for s in subs]
        first = slots.claim_reads([(s.candidate, 1 + s.group.index, layer.index) for s in subs])
        layer.readings.append(reading := Reading(first, len(subs), places))
        slots.claim(reading, "read", (len(subs), blocks[0][0][0].shape[0], self.H), blocks)

    def _layer_norm_shapes(self, layer: Layer, some: list[Sub]) -> None:
        widths = torch.tensor([[float(s.group.width)] for s in some])
        units = (torch.arange(self.H)[None] < widths).float()[:, :, None]
        layer.views.update(units=units.to(self.device), widths=widths.to(self.device))

    def dropped(self) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Return int32 key, int32 threshold and scale of the units with dropout, layer by layer and run by run."""
        found = []
        for layer in self.layers:
            for run in layer.runs:
                for sub in layer.subs[run.start : run.stop] if run.dropout else ():
                    keys, width, p = np.zeros(self.H, dtype=np.int32), sub.group.width, sub.group.dropout
                    keys[:width] = unit_keys(sub.seed, sub.group.index, layer.index, width)
                    limits = np.full(self.H, drop_threshold(p), dtype=np.int32)
                    found.append((keys, limits, np.full(self.H, 1 / (1 - p), dtype=np.float32)))
        return found


def _order(sub: Sub) -> tuple[object, ...]:
    group = sub.group
    # those without normalisation have their dropout at the side of the batch-normalised ones
    return (
        NORMS.index(group.normalisation), (group.dropout > 0) == (group.normalisation != "batch"), group.residual,
        ACTIVATION_NAMES.index(group.activation), -group.depth, sub.candidate, group.index,
    )  # fmt: skip


def _runs(subs: list[Sub], index: int) -> list[Run]:
    """Group the neighbours among ``subs`` that are treated alike in layer ``index``."""

    def treatment(sub: Sub) -> tuple[str, str, bool, bool, bool]:
        group = sub.group
        residual = group.residual and index > 1
        return group.normalisation, group.activation, group.dropout > 0, residual, group.depth == index

    runs, start, first = [], 0, {True: 0, False: 0}
    for key, members in groupby(subs, key=treatment):
        count, ended = len(list(members)), key[-1]
        runs.append(Run(start, start + count, *key, first=first[ended]))
        start += count
        first[ended] += count
    return runs


def _spans(subs: list[Sub]) -> dict[str, tuple[int, int]]:
    """Return where the sub-networks with batch and with layer normalisation start and stop."""
    names = [sub.group.normalisation for sub in subs]
    return {
        norm: (names.index(norm), names.index(norm) + names.count(norm))
        for norm in ("batch", "layer") if norm in names
    }  # fmt: skip


def input_columns(columns: list[np.ndarray], inputs: int, blank: int) -> np.ndarray:
    """Return the (S·I,) bank rows to gather, padded with ``blank``."""
    table = np.full((len(columns), inputs), blank, dtype=np.int64)
    for n, chosen in enumerate(columns):
        table[n, : len(chosen)] = chosen
    return table.ravel()
