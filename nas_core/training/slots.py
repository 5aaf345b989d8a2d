"""Where the parameters of each candidate lie in the padded vectors that the sections compute with.

A candidate's own values are one run of the *flat* vector, in canonical order. ``slots`` maps every flat value to its
place in the *padded* vector; padding is 0 and has no flat value, so it stays 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from nas_core.spaces.tabular.layout import Block
from nas_core.training.plan import Sub

__all__ = ["Holder", "Slots"]


class Holder(Protocol):
    """Something whose parameters are views on the padded vectors."""

    views: dict[str, Tensor]


@dataclass
class Slots:
    """Collects claims on the padded vectors, then makes the vectors and their views (:meth:`finish`)."""

    size: int
    stats_size: int
    device: torch.device
    padded: int = 0
    padded_stats: int = 0
    _claims: list[tuple[Holder, str, int, tuple[int, ...]]] = field(default_factory=list)
    _stats_claims: list[tuple[Holder, int, tuple[int, ...]]] = field(default_factory=list)
    _reads: list[tuple[int, int, int]] = field(default_factory=list)
    _masked: list[np.ndarray] = field(default_factory=list)
    _places: list[tuple[int, np.ndarray]] = field(default_factory=list)
    _stats_places: list[tuple[int, np.ndarray]] = field(default_factory=list)

    def claim(self, holder: Holder, name: str, shape: tuple[int, ...], entries: list[list[tuple[Block, int]]]) -> None:
        """Reserve ``holder.views[name]`` of ``shape``; along its first axis lie the blocks of each of ``entries``."""
        if not shape[0]:
            return
        stride = math.prod(shape[1:])
        for n, blocks in enumerate(entries):
            for block, start in blocks:
                places = self.padded + n * stride + _grid(block.shape, shape[-1] if len(block.shape) > 1 else 1)
                self._places.append((start, places))
                if block.mask is not None:
                    self._masked.append(start + np.flatnonzero(~block.mask.ravel()))
        self._claims.append((holder, name, self.padded, shape))
        self.padded += math.prod(shape)

    def claim_runs(
        self, holder: Holder, name: str, shape: tuple[int, ...], entries: list[tuple[tuple[int, ...], tuple[int, ...]]]
    ) -> None:
        """Reserve a view (S, C, I) whose entry n holds, side by side, (C, size) blocks that start at given places."""
        for n, (starts, sizes) in enumerate(entries):
            first = self.padded + n * math.prod(shape[1:])
            for start, size in zip(starts, sizes, strict=True):
                self._places.append((start, first + _grid((shape[1], size), shape[2])))
                first += size
        self._claims.append((holder, name, self.padded, shape))
        self.padded += math.prod(shape)

    def claim_stats(self, holder: Holder, subs: list[Sub], layer: int, H: int) -> None:
        """Reserve the running means and variances (2, S, H) of one normalised layer."""
        if not subs:
            return
        for n, sub in enumerate(subs):
            width = sub.group.width
            start = sub.stats_start + (layer - 1) * 2 * width
            for part in range(2):
                first = self.padded_stats + part * len(subs) * H + n * H
                self._stats_places.append((start + part * width, np.arange(first, first + width)))
        self._stats_claims.append((holder, self.padded_stats, (2, len(subs), H)))
        self.padded_stats += 2 * len(subs) * H

    def claim_reads(self, keys: list[tuple[int, int, int]]) -> int:
        """Announce what is added to the outputs: (candidate, group + 1 or 0 for the linear part, layer).

        Returns the place of the first of them among all contributions.
        """
        self._reads.extend(keys)
        return len(self._reads) - len(keys)

    def finish(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return values, gradient and statistics, all padded and zero; the holders now have views on them."""
        values = torch.zeros(self.padded + 1, device=self.device)
        gradient = torch.zeros_like(values)
        stats = torch.zeros(self.padded_stats, device=self.device)
        for holder, name, start, shape in self._claims:
            stop = start + math.prod(shape)
            holder.views[name] = values[start:stop].view(shape)
            holder.views["d_" + name] = gradient[start:stop].view(shape)
        for holder, start, shape in self._stats_claims:
            holder.views["stats"] = stats[start : start + math.prod(shape)].view(shape)
        return values, gradient, stats

    def maps(self) -> tuple[Tensor, Tensor]:
        """Return where each flat value and statistic lies; masked and unused ones share a spare place that stays 0."""
        slots = np.full(self.size, self.padded, dtype=np.int64)
        stats = np.zeros(self.stats_size, dtype=np.int64)
        for target, places in ((slots, self._places), (stats, self._stats_places)):
            for start, place in places:
                target[start : start + len(place)] = place
        if self._masked:
            slots[np.concatenate(self._masked)] = self.padded
        return torch.from_numpy(slots).to(self.device), torch.from_numpy(stats).to(self.device)

    def sources(self) -> tuple[Tensor, Tensor]:
        """Return the flat value in each place (or ``size``: none), for plans in which a value has several places."""
        found = []
        for count, size, places in (
            (self.padded + 1, self.size, self._places), (self.padded_stats, self.stats_size, self._stats_places)
        ):  # fmt: skip
            source = np.full(count, size, dtype=np.int64)
            for start, place in places:
                source[place] = np.arange(start, start + len(place))
            found.append(torch.from_numpy(source).to(self.device))
        return found[0], found[1]

    def reads(self) -> tuple[Tensor, Tensor]:
        """Return the candidate of each contribution, and the order in which they are summed.

        The order is that of each candidate's own groups: a sum must not depend on what else is in the pack.
        """
        order = sorted(range(len(self._reads)), key=self._reads.__getitem__)
        owners = [key[0] for key in self._reads]
        where = self.device
        return torch.tensor(owners, dtype=torch.long, device=where), torch.tensor(order, dtype=torch.long, device=where)


@lru_cache(maxsize=4096)
def _grid(shape: tuple[int, ...], stride: int) -> np.ndarray:
    """Places of a (rows, columns) block inside rows of length ``stride``."""
    if len(shape) == 1:
        return np.arange(shape[0])
    return (np.arange(shape[0])[:, None] * stride + np.arange(shape[1])).ravel()
