"""What moving one feature across a cell does to every candidate of a pack, computed group by group.

In f(x) = b + Σ_g f_g(x_g) a feature only touches its own group. So every (sub-network, feature of its group) becomes a
sub-network of its own, whose input has that one feature replaced, and all of them are computed in a few sections.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from nas_core.training.network import add_by_owner, room_for
from nas_core.training.passes import SectionPass, run_all
from nas_core.training.plan import Sub, group_sections, run_length
from nas_core.training.section import Section
from nas_core.training.slots import Slots

if TYPE_CHECKING:
    from nas_core.training.trained import TrainedPack

__all__ = ["pack_deltas"]

CHUNK = 256  # rows at a time: the replicated sub-networks need memory for every one of them


def pack_deltas(
    pack: TrainedPack, E: np.ndarray, low: np.ndarray, high: np.ndarray, owner: np.ndarray, P: int
) -> np.ndarray:
    """Return the differences (K, n, P, C), candidates in the order of the flat vectors.

    Args:
        pack: The trained candidates.
        E: (n, D) bank of the rows.
        low, high: (n, D) banks with every feature at its lower / upper border; only one feature is used at a time.
        owner: (D,) feature of each column.
        P: Number of features.
    """
    device, network = pack.device, pack.network
    flat = network.effective(pack.flat.to(device))
    moved = _MovedSections(network.subs, pack, flat)
    deltas = torch.zeros(pack.K, P, network.outputs, len(E), device=device)
    weights = _linear_weights(pack, flat)
    step = torch.from_numpy(high - low).to(device).T
    for j in range(P):
        columns = torch.from_numpy(np.flatnonzero(owner == j)).to(device)
        deltas[:, j] = torch.matmul(weights[:, :, columns], step[columns])
    for start in range(0, len(E), CHUNK):
        rows = slice(start, start + CHUNK)
        real = len(E[rows])
        bank = np.zeros((3 * pack.D + 1, run_length(real)), dtype=np.float32)
        np.concatenate([E[rows].T, low[rows].T, high[rows].T], out=bank[:-1, :real])
        moved.add_to(deltas[..., rows], torch.from_numpy(bank).to(device))
    return deltas.permute(0, 3, 1, 2).cpu().numpy()


def _linear_weights(pack: TrainedPack, flat: Tensor) -> Tensor:
    """Return what each candidate computes directly from the bank, as weights (K, C, D)."""
    values = flat.cpu().numpy()
    weights = np.zeros((pack.K, pack.network.outputs, pack.D), np.float32)
    for k, member in enumerate(pack.members):
        start = member.start + member.layout.outputs
        for group in member.layout.groups:
            for block in group.blocks:
                if block.kind == "read" and block.layer == 0:
                    weights[k][:, group.columns] += values[start : start + block.size].reshape(block.shape)
                start += block.size
    return torch.from_numpy(weights).to(pack.device)


class _MovedSections:
    """Sections in which every sub-network stands once for every feature of its group."""

    def __init__(self, subs: list[Sub], pack: TrainedPack, flat: Tensor) -> None:
        self.blank = pack.D
        # in a moved sub-network "candidate" numbers the request (sub-network, feature)
        self.requests = [(sub, t) for sub in subs for t in range(len(sub.group.features))]
        moved = [replace(sub, candidate=r) for r, (sub, _) in enumerate(self.requests)]
        slots = Slots(len(flat), len(pack.stats), pack.device)
        self.sections = [Section(part, self.blank, slots, pack.device) for part in group_sections(moved)]
        values, _, stats = slots.finish()
        source, stats_source = slots.sources()
        values.copy_(torch.cat([flat, flat.new_zeros(1)])[source])
        stats.copy_(torch.cat([pack.stats.to(pack.device), stats.new_zeros(1)])[stats_source])
        self.sides = [[self._columns(section, side).to(pack.device) for side in (1, 2)] for section in self.sections]
        self.owner, self.order = slots.reads()

    def _columns(self, section: Section, side: int) -> Tensor:
        """Return what each sub-network gathers from the bank of (rows, low, high, zeros)."""
        requests = [self.requests[moved.candidate] for moved in section.subs]
        table = section.columns.cpu().numpy().reshape(len(requests), section.inputs)
        first = np.array([sum(sub.group.spans[:t]) for sub, t in requests])[:, None]
        width = np.array([sub.group.spans[t] for sub, t in requests])[:, None]
        place = np.arange(section.inputs)
        own = (place >= first) & (place < first + width)
        columns = np.where(table == self.blank, 3 * self.blank, table + side * self.blank * own)
        return torch.from_numpy(columns.ravel())

    def add_to(self, deltas: Tensor, bank: Tensor) -> None:
        """Add f(high) − f(low) to ``deltas`` (K, P, C, n) from the bank (3D + 1, N): n rows, and zeros up to LANES."""
        if not self.requests:
            return
        N, C, device = bank.shape[1], deltas.shape[2], bank.device
        room = room_for(self.sections, [], N, device, training=False)
        read = room.own(len(self.order), C)
        passes = [SectionPass(section, room, read, read, read, None) for section in self.sections]
        sums = []
        for side in range(2):
            for prepared, columns in zip(passes, self.sides, strict=True):
                torch.index_select(bank, 0, columns[side], out=prepared.x.view(-1, N))
                run_all(prepared.forward)
            total = read.new_zeros(len(self.requests), C, N)
            sums.append(add_by_owner(total, self.owner[self.order], read.index_select(0, self.order)))
        k = torch.tensor([sub.candidate for sub, _ in self.requests], device=bank.device)
        j = torch.tensor([sub.group.features[t] for sub, t in self.requests], device=bank.device)
        deltas[k, j] += (sums[1] - sums[0])[..., : deltas.shape[3]]
