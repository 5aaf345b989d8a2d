"""The training of a pack, epoch by epoch and step by step, without Lightning.

Every candidate has its own early stop: it takes part until its validation loss has not improved for ``patience``
epochs, or until the watch ends it, keeps its best weights, and leaves; when enough have left, the others go on in a
smaller pack.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from nas_core.spaces.tabular.module import initial_values
from nas_core.spaces.tabular.noise import row_keys
from nas_core.training.bank import Bank
from nas_core.training.batches import batch_slices, epoch_order
from nas_core.training.candidate import Candidate, Schedule
from nas_core.training.inheritance import fill
from nas_core.training.losses import loss_gradient, losses
from nas_core.training.network import CHUNK, PackNetwork, initial_stats, pack_members
from nas_core.training.optimiser import ElementOptimiser
from nas_core.training.plan import run_length
from nas_core.training.progress import Watch

__all__ = ["PackEngine"]

SHRINK = 0.8  # the pack is laid out again when at most this share of its candidates is still training


class PackEngine:
    """Trains candidates together; they must be ordered so that equal optimisers are neighbours.

    Args:
        candidates: Who trains.
        schedule: The recipe.
        train, valid: The encoded rows, with the targets (n,) and, where rows do not count the same, their weights (n,).
        watch: Who looks on and may end single candidates.
    """

    def __init__(
        self, candidates: Sequence[Candidate], schedule: Schedule,
        train: tuple[Bank, Tensor, Tensor | None], valid: tuple[Bank, Tensor, Tensor | None],
        watch: Watch | None = None,
    ) -> None:  # fmt: skip
        self.candidates, self.schedule, self.train, self.valid = list(candidates), schedule, train, valid
        self.watch = watch
        self.device = train[0].E.device
        members = pack_members([c.layout for c in candidates], [c.seed for c in candidates])
        self.starts = [(m.start, m.stats_start) for m in members]
        self.best = torch.zeros(sum(m.run for m in members))
        for member in members:
            own = self.best[member.start : member.start + member.layout.size]
            own.copy_(initial_values(member.layout, member.seed))
        self.best = self.best.to(self.device)
        self.best_stats = initial_stats([c.layout for c in candidates]).to(self.device)
        self.row_weights = _row_weights(self.candidates, train)
        self.current = list(range(len(self.candidates)))  # those in the pack as laid out now
        self._lay_out()
        self.flat = self.best.clone()
        self.network.load(self.flat)
        self.network.load_stats(self.best_stats)
        self.epoch = -1
        for candidate, loss in zip(self.candidates, self._validate()[0].tolist(), strict=True):
            candidate.start = loss
        if any(c.inherited for c in self.candidates):
            self._inherit()

    def _inherit(self) -> None:
        """Start from the values that candidates inherit."""
        flat, stats = self.best.cpu(), self.best_stats.cpu()
        for candidate, (start, stats_start) in zip(self.candidates, self.starts, strict=True):
            layout = candidate.layout
            own = flat[start : start + layout.size], stats[stats_start : stats_start + layout.stats_size]
            fill(layout, candidate.values, *own)
        self.best, self.best_stats = flat.to(self.device), stats.to(self.device)
        self.flat = self.best.clone()
        self.network.load(self.flat)
        self.network.load_stats(self.best_stats)

    def _lay_out(self) -> None:
        chosen = [self.candidates[k] for k in self.current]
        members = pack_members([c.layout for c in chosen], [c.seed for c in chosen])
        self.network = PackNetwork(members, self.train[0].blank, self.device)
        self.places = torch.tensor(self.current, device=self.device)
        self.optimiser = ElementOptimiser([c.tuning for c in chosen], self.device)

    @property
    def active(self) -> int:
        """Number of candidates still training."""
        return sum(c.active for c in self.candidates)

    def batches(self, epoch: int) -> list[tuple[int, slice]]:
        """Start ``epoch`` and return its numbered batches."""
        self.epoch = epoch
        rows = len(self.train[0])
        self.order = epoch_order(self.schedule.split_seed, epoch, rows).to(self.device)
        self.loss_sum = torch.zeros(len(self.current), device=self.device)
        batches = list(enumerate(batch_slices(rows, self.schedule.batch_size)))
        # all at once: a copy to an accelerator waits until it has done everything before
        keys = [row_keys(epoch, number, run_length(part.stop - part.start)) for number, part in batches]
        noise = torch.from_numpy(np.concatenate(keys)).to(self.device)
        self.noise = noise.split([len(part) for part in keys])
        return batches

    def step(self, number: int, rows: slice) -> None:
        """Train on one batch."""
        chosen = self.order[rows]
        bank, y = self.train[0].rows(chosen), self.train[1].index_select(0, chosen)
        real, N = len(chosen), bank.shape[1]
        y = functional.pad(y, (0, N - real))
        weights = self.row_weights
        if weights is not None:
            own = weights if weights.dim() == 1 else weights[self.places]
            weights = functional.pad(own.index_select(-1, chosen), (0, N - real))
        logits = self.network.forward(bank, self.noise[number], real)
        self.loss_sum += losses(logits, y, self.schedule.task, weights)[:, :real].sum(1)
        self.network.backward(loss_gradient(logits, y, self.schedule.task, real, weights))
        self.optimiser.step(self.flat, self.network.flat_gradient())
        self.network.load(self.flat)

    def end_epoch(self) -> None:
        """Validate, keep what improved, let go who is finished."""
        looked = self.watch is not None and self.watch.looks_at(self.epoch + 1)
        found, outputs = self._validate(keep=looked)
        valid = found.numpy()
        train = self.loss_sum.cpu().double().numpy() / len(self.train[0])
        improved = [self.candidates[k].judge(self.schedule, train[n], valid[n]) for n, k in enumerate(self.current)]
        self._keep([n for n, better in enumerate(improved) if better])
        if self.watch is not None:
            self._ask(self.watch, outputs)
        alive = [k for k in self.current if self.candidates[k].active]
        if alive and len(alive) <= SHRINK * len(self.current) and self.epoch + 1 < self.schedule.max_epochs:
            self._shrink(alive)

    def _ask(self, watch: Watch, outputs: Tensor | None) -> None:
        """Note the performance of those who took part in the epoch, and end those whom the watch ends."""
        for n, k in enumerate(self.current):
            candidate = self.candidates[k]
            if len(candidate.valid_loss) == self.epoch + 1:
                candidate.ask(watch, self.schedule, None if outputs is None else outputs[n].T.numpy())

    def _validate(self, *, keep: bool = False) -> tuple[Tensor, Tensor | None]:
        """Return the mean validation loss (K,) of those in the pack and, when kept, their outputs (K, C, n)."""
        total, start, kept = torch.zeros(len(self.current), dtype=torch.float64), 0, []
        for bank in self.valid[0].chunks(CHUNK):
            y, weights = self.valid[1][start : start + CHUNK], self.valid[2]
            logits = self.network.forward(bank)
            spare = (0, bank.shape[1] - len(y))
            if weights is not None:
                weights = functional.pad(weights[start : start + CHUNK], spare)
            if keep:
                kept.append(logits[:, :, : len(y)].cpu().clone())
            found = losses(logits, functional.pad(y, spare), self.schedule.task, weights)
            total += found[:, : len(y)].cpu().double().sum(1)
            start += CHUNK
        return total / len(self.valid[0]), torch.cat(kept, 2) if keep else None

    def _keep(self, improved: list[int]) -> None:
        """Copy the weights and statistics of the candidates (by place in the pack) that improved."""
        stats = self.network.flat_stats()
        for n in improved:
            member, (start, stats_start) = self.network.members[n], self.starts[self.current[n]]
            size, count = member.layout.size, member.layout.stats_size
            self.best[start : start + size].copy_(self.flat[member.start : member.start + size])
            if count:
                kept = stats[member.stats_start : member.stats_start + count]
                self.best_stats[stats_start : stats_start + count].copy_(kept)

    def _shrink(self, alive: list[int]) -> None:
        """Lay the pack out again for those who are still training."""
        old, keep = self.network.members, [n for n, k in enumerate(self.current) if k in set(alive)]
        places = _runs([(old[n].start, old[n].run) for n in keep], self.device)
        stats_places = _runs([(old[n].stats_start, old[n].layout.stats_size) for n in keep], self.device)
        flat, stats, optimiser = self.flat[places], self.network.flat_stats()[stats_places], self.optimiser
        self.current = alive
        self._lay_out()
        self.optimiser.take(optimiser, places)
        self.flat = flat
        self.network.load(flat)
        self.network.load_stats(stats)


def _row_weights(candidates: Sequence[Candidate], train: tuple[Bank, Tensor, Tensor | None]) -> Tensor | None:
    """Return how much the training rows count: (n,) for all alike, (K, n) where a candidate has weights of its own."""
    if all(c.row_weights is None for c in candidates):
        return train[2]
    shared = torch.ones(len(train[0])) if train[2] is None else train[2].cpu()
    own = [1.0 if c.row_weights is None else torch.from_numpy(c.row_weights.astype(np.float32)) for c in candidates]
    return torch.stack([shared * weights for weights in own]).to(train[0].E.device)


def _runs(runs: list[tuple[int, int]], device: torch.device) -> Tensor:
    """Return all places in the runs (start, size), one after the other."""
    return torch.cat([torch.arange(start, start + size) for start, size in runs]).to(device)
