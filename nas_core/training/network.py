"""All candidates of a pack as one network: from flat parameters to logits (K, C, N) and back to a flat gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from nas_core.spaces.tabular.layout import NetworkLayout
from nas_core.training.bank import Bank
from nas_core.training.plan import Linear, Member, group_linear, group_sections, padded, subs_of
from nas_core.training.section import Section, input_columns
from nas_core.training.slots import Slots

__all__ = ["CHUNK", "PackNetwork", "initial_stats", "pack_members"]

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
    views: dict[str, Tensor] = field(default_factory=dict)

    def gather(self, bank: Tensor) -> Tensor:
        """Return the inputs (S, I, N) from the transposed bank (D + 1, N)."""
        return bank.index_select(0, self.columns).view(len(self.parts), self.inputs, -1)


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
        subs, linears = subs_of(members)
        self.sections = [Section(part, blank, slots, device) for part in group_sections(subs)]
        self.linear = [self._linear(part, blank, slots) for part in group_linear(linears)]
        self.views: dict[str, Tensor] = {}
        offset = [[(m.layout.blocks[0], m.start)] for m in members]
        slots.claim(self, "bias", (len(self.members), self.outputs, 1), offset)
        self.values, self.gradient, self.stats = slots.finish()
        self.slots, self.stats_slots = slots.maps()
        self.order, self.owner = slots.reads()
        signs = _signs(self.members, self.size)
        self.signs, self.free = signs.to(device), (signs == 0).to(device)
        self.constrained = bool(signs.any())

    def _linear(self, parts: list[Linear], blank: int, slots: Slots) -> LinearSection:
        parts = sorted(parts, key=lambda p: p.candidate)
        inputs = max(padded(len(part.columns)) for part in parts)
        columns = input_columns([part.columns for part in parts], inputs, blank)
        section = LinearSection(parts, inputs, torch.from_numpy(columns).to(self.device))
        slots.claim_runs(section, "read", (len(parts), self.outputs, inputs), [(p.starts, p.sizes) for p in parts])
        slots.claim_reads(section, [(part.candidate, 0, 0) for part in parts])
        return section

    def effective(self, flat: Tensor) -> Tensor:
        """Return the parameters (T,) as the network uses them: sign·|value| where a sign is prescribed."""
        return torch.where(self.free, flat, flat.abs().mul_(self.signs)) if self.constrained else flat

    def load(self, flat: Tensor) -> None:
        """Use the flat parameters (T,)."""
        self.values.index_copy_(0, self.slots, self.effective(flat))

    def load_stats(self, flat: Tensor) -> None:
        """Use the flat running statistics."""
        self.stats.index_copy_(0, self.stats_slots, flat)

    def flat_stats(self) -> Tensor:
        """Return the flat running statistics."""
        return self.stats.index_select(0, self.stats_slots)

    def flat_gradient(self, flat: Tensor) -> Tensor:
        """Return the gradient (T,) of the flat parameters after :meth:`backward`."""
        gradient = self.gradient.index_select(0, self.slots)
        if self.constrained:
            return torch.where(self.free, gradient, flat.sign().mul_(self.signs).mul_(gradient))
        return gradient

    def forward(self, bank: Tensor, noise: Tensor | None = None, rows: int | None = None) -> Tensor:
        """Return the logits (K, C, N) of the rows of the transposed bank (D + 1, N), N a multiple of LANES.

        In training ``rows`` is the number of real rows and ``noise`` (N,) are the int32 row keys of dropout.
        """
        reads: list[Tensor] = []
        for section in self.sections:
            section.forward(section.gather(bank), reads, noise, rows)
        for linear in self.linear:
            x = linear.gather(bank)
            linear.views["x"] = x
            reads.append(torch.bmm(linear.views["read"], x))
        logits = self.views["bias"].repeat(1, 1, bank.shape[1])
        return add_by_owner(logits, self.owner, torch.cat(reads).index_select(0, self.order))

    def backward(self, d_logits: Tensor) -> None:
        """Fill the gradient from that of the logits (K, C, N) of the last training forward pass."""
        for section in self.sections:
            section.backward(d_logits)
        for linear in self.linear:
            d_out = d_logits.index_select(0, linear.views["owner"])
            torch.bmm(d_out, linear.views["x"].mT, out=linear.views["d_read"])
        torch.sum(d_logits, 2, keepdim=True, out=self.views["d_bias"])

    def predict(self, bank: Bank) -> Tensor:
        """Return the logits (K, C, n) of all rows of ``bank``."""
        pieces = [self.forward(chunk) for chunk in bank.chunks(CHUNK)]
        return torch.cat(pieces, 2)[:, :, : len(bank)]


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
