"""All candidates of a pack as one network: from flat parameters to logits (K, C, N) and back to a flat gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from nas_core.spaces.tabular.layout import NetworkLayout
from nas_core.spaces.tabular.noise import keep_ones
from nas_core.training.bank import Bank
from nas_core.training.passes import SectionPass, run_all
from nas_core.training.plan import Linear, Member, group_linear, group_sections, padded, subs_of
from nas_core.training.rows import Room
from nas_core.training.section import Section, input_columns
from nas_core.training.slots import Slots

__all__ = ["CHUNK", "PackNetwork", "initial_stats", "pack_members"]

PASSES = 4  # numbers of rows that are kept prepared: a batch, a chunk of validation, and the last one of each
CHUNK = 2048  # rows of one forward pass; a constant, so that a result does not depend on the size of the pack


def pack_members(layouts: Sequence[NetworkLayout], seeds: Sequence[int]) -> list[Member]:
    """Give every candidate its run of the flat vectors."""
    members, start, stats = [], 0, 0
    for layout, seed in zip(layouts, seeds, strict=True):
        members.append(Member(layout, seed, start, stats))
        start += members[-1].run
        stats += layout.stats_size
    return members


def initial_stats(layouts: Sequence[NetworkLayout]) -> Tensor:
    """Return the flat running statistics before training: means 0 and variances 1."""
    runs = [np.zeros(0, dtype=np.float32)]
    for layout in layouts:
        for group in layout.groups:
            if group.stats_size:
                runs.append(np.tile(np.repeat(np.array([0, 1], dtype=np.float32), group.width), group.depth))
    return torch.from_numpy(np.concatenate(runs))


@dataclass
class LinearSection:
    """What S candidates compute directly from their inputs, ``read`` (S, C, I) times the gathered columns (S, I, N)."""

    parts: list[Linear]
    inputs: int
    columns: Tensor
    first: int
    views: dict[str, Tensor] = field(default_factory=dict)


class PackNetwork:
    """K candidates computed together.

    Args:
        members: The candidates.
        blank: Row of the transposed bank that is all 0, for padding.
        device: Where to compute.
    """

    def __init__(self, members: Sequence[Member], blank: int, device: torch.device) -> None:
        self.members, self.outputs, self.device = list(members), members[0].layout.outputs, device
        self.size = sum(m.run for m in members)
        slots = Slots(self.size, sum(m.layout.stats_size for m in members), device)
        self.subs, linears = subs_of(members)
        self.sections = [Section(part, blank, slots, device) for part in group_sections(self.subs)]
        self.linear = [self._linear(part, blank, slots) for part in group_linear(linears)]
        self.views: dict[str, Tensor] = {}
        offset = [[(m.layout.blocks[0], m.start)] for m in members]
        slots.claim(self, "bias", (len(self.members), self.outputs, 1), offset)
        self.values, self.gradient, self.stats = slots.finish()
        self.slots, self.stats_slots = slots.maps()
        self.owner, self.order = slots.reads()
        self.ordered_owner = self.owner[self.order]
        signs = _signs(self.members, self.size)
        self.constrained = bool(signs.any())
        self.signs, self.free = signs.to(device), (signs == 0).float().to(device)
        self.factor = torch.ones_like(self.signs)  # from a value to the one the network uses
        self._passes: dict[tuple[int, int | None], PackPass] = {}
        self._last: PackPass | None = None

    def _linear(self, parts: list[Linear], blank: int, slots: Slots) -> LinearSection:
        parts = sorted(parts, key=lambda p: p.candidate)
        inputs = max(padded(len(part.columns)) for part in parts)
        columns = torch.from_numpy(input_columns([part.columns for part in parts], inputs, blank)).to(self.device)
        section = LinearSection(parts, inputs, columns, slots.claim_reads([(part.candidate, 0, 0) for part in parts]))
        slots.claim_runs(section, "read", (len(parts), self.outputs, inputs), [(p.starts, p.sizes) for p in parts])
        return section

    def effective(self, flat: Tensor) -> Tensor:
        """Return the parameters (T,) as the network uses them: sign·|value| where a sign is prescribed."""
        if not self.constrained:
            return flat
        torch.sign(flat, out=self.factor).mul_(self.signs).add_(self.free)
        return flat * self.factor

    def load(self, flat: Tensor) -> None:
        """Use the flat parameters (T,)."""
        self.values.scatter_(0, self.slots, self.effective(flat))  # the spare place is given zeros only

    def load_stats(self, flat: Tensor) -> None:
        """Use the flat running statistics."""
        self.stats.index_copy_(0, self.stats_slots, flat)

    def flat_stats(self) -> Tensor:
        """Return the flat running statistics."""
        return self.stats.index_select(0, self.stats_slots)

    def flat_gradient(self) -> Tensor:
        """Return the gradient (T,) of the flat parameters last loaded, after :meth:`backward`."""
        gradient = self.gradient.index_select(0, self.slots)
        return gradient.mul_(self.factor) if self.constrained else gradient

    def forward(self, bank: Tensor, noise: Tensor | None = None, rows: int | None = None) -> Tensor:
        """Return the logits (K, C, N) of the rows of the transposed bank (D + 1, N), N a multiple of LANES.

        In training ``rows`` is the number of real rows and ``noise`` (N,) are the int32 row keys of dropout. The next
        forward pass overwrites the logits.
        """
        key = (bank.shape[1], rows)
        if key not in self._passes:
            if len(self._passes) == PASSES:
                self._passes.pop(next(iter(self._passes)))
            self._passes[key] = PackPass(self, *key)
        self._last = self._passes[key]
        return self._last.forward(bank, noise)

    def backward(self, d_logits: Tensor) -> None:
        """Fill the gradient from that of the logits (K, C, N) of the last training forward pass."""
        if self._last is not None:
            self._last.backward(d_logits)

    def predict(self, bank: Bank) -> Tensor:
        """Return the logits (K, C, n) of all rows of ``bank``."""
        pieces = [self.forward(chunk).clone() for chunk in bank.chunks(CHUNK)]
        self._passes.clear()
        self._last = None
        return torch.cat(pieces, 2)[:, :, : len(bank)]


class PackPass:
    """Forward and backward pass of a network for N rows, of which ``real`` are real in training (None outside)."""

    def __init__(self, network: PackNetwork, N: int, real: int | None) -> None:
        # not the network itself, which holds its passes: buffers in a circle wait until Python looks for circles
        self.training, self.views, self.owner = real is not None, network.views, network.owner
        self.order, self.ordered_owner = network.order, network.ordered_owner
        room = room_for(network.sections, network.linear, N, network.device, training=self.training)
        shape = (len(network.order), network.outputs)
        self.read, self.ordered = room.own(*shape), room.own(*shape)
        self.d_read = room.own(*shape) if self.training else self.read
        self.logits = room.own(len(network.members), network.outputs)
        units = [unit for section in network.sections for unit in section.dropped()] if self.training else []
        self.units = [
            torch.from_numpy(np.concatenate(part)[:, None]).to(network.device) for part in zip(*units, strict=True)
        ]
        self.keep = torch.empty(len(self.units[0]) if units else 0, N, device=network.device)
        self.mixed = [torch.empty_like(self.keep, dtype=torch.int32) for _ in range(2)]
        self.sections: list[SectionPass] = []
        self.linear: list[tuple[LinearSection, Tensor, Tensor, Tensor]] = []
        start = 0
        for section in network.sections:
            self.sections.append(SectionPass(section, room, self.read, self.d_read, self.keep[start:], real))
            start += self.sections[-1].kept
        self.columns = [section.columns for section in network.sections]
        for linear in network.linear:
            S = len(linear.parts)
            x, rows = room.lasting("inputs", S, linear.inputs), slice(linear.first, linear.first + S)
            self.linear.append((linear, x, self.read[rows], self.d_read[rows]))

    def forward(self, bank: Tensor, noise: Tensor | None) -> Tensor:
        """Return the logits (K, C, N)."""
        if noise is not None and self.units:
            keys, limits, scales = self.units
            self.keep.copy_(keep_ones(keys, noise, limits, *self.mixed)).mul_(scales)
        for section, columns in zip(self.sections, self.columns, strict=True):
            torch.index_select(bank, 0, columns, out=section.x.view(-1, bank.shape[1]))
            run_all(section.forward)
        for linear, x, read, _ in self.linear:
            torch.index_select(bank, 0, linear.columns, out=x.view(-1, bank.shape[1]))
            torch.bmm(linear.views["read"], x, out=read)
        self.logits.copy_(self.views["bias"])
        torch.index_select(self.read, 0, self.order, out=self.ordered)
        return add_by_owner(self.logits, self.ordered_owner, self.ordered)

    def backward(self, d_logits: Tensor) -> None:
        """Fill the gradient of the network from that of the logits (K, C, N)."""
        torch.index_select(d_logits, 0, self.owner, out=self.d_read)
        # the last ones first: what they wrote on the way forward is still in the processor's cache
        for linear, x, _, d_read in reversed(self.linear):
            torch.bmm(d_read, x.mT, out=linear.views["d_read"])
        for section in reversed(self.sections):
            run_all(section.backward)
        torch.sum(d_logits, 2, keepdim=True, out=self.views["d_bias"])


def room_for(
    sections: Sequence[Section], linear: Sequence[LinearSection], N: int, device: torch.device, *, training: bool
) -> Room:
    """Return the buffers for N rows of these sections."""
    inputs = [len(s.subs) * s.inputs for s in sections] + [len(s.parts) * s.inputs for s in linear]
    units = max((len(s.subs) * s.H for s in sections), default=0)
    return Room(N, units, max(inputs, default=0), device, training=training)


def add_by_owner(total: Tensor, owner: Tensor, values: Tensor) -> Tensor:
    """Add each of ``values`` (R, C, N) to the entry of ``total`` (K, C, N) it belongs to, always in the same order."""
    if total.is_cuda:  # index_add_ uses atomic additions there, in any order
        return total.index_put_((owner,), values, accumulate=True)
    return total.index_add_(0, owner, values)


def _signs(members: Sequence[Member], size: int) -> Tensor:
    """Return the sign prescribed to each value of the flat vector (T,), 0 where there is none."""
    signs = np.zeros(size, dtype=np.float32)
    for member in members:
        start = member.start
        for block in member.layout.blocks:
            if block.sign is not None:
                signs[start : start + block.size] = block.sign.ravel()
            start += block.size
    return torch.from_numpy(signs)
