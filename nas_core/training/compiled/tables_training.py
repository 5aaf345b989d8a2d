"""Networks of tables trained on a processor by compiled kernels: each by itself, as many at a time as there are cores.

A gradient step of a small network takes a few microseconds: a hundred steps are made in one call.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np
import torch

from nas_core.spaces.tabular.module import initial_values
from nas_core.spaces.tabular.noise import row_keys
from nas_core.training.batches import batch_slices, epoch_order
from nas_core.training.candidate import Candidate, Schedule
from nas_core.training.compiled.fields import Memory
from nas_core.training.compiled.lanes import LANES
from nas_core.training.compiled.step import calls_of
from nas_core.training.compiled.table_plan import table_plan
from nas_core.training.compiled.table_steps import look, train
from nas_core.training.inheritance import fill
from nas_core.training.module import OnEpoch, fit_quietly
from nas_core.training.network import initial_stats
from nas_core.training.optimiser import OPTIMISERS
from nas_core.training.progress import EitherStop, PackProgress, StopSignal, Watch
from nas_core.training.shares import layout_seconds
from nas_core.training.side_by_side import SideBySide

if TYPE_CHECKING:
    from nas_core.data.problem import Part

__all__ = ["Rows", "TableLesson", "TableTraining", "train_tables"]

STEPS = 100
"""Gradient steps of a call; a stop is heard between two calls."""
TURN = 0.02
"""Seconds after which it is told how far a training is: an epoch alone takes less time than telling it."""
KEPT_BYTES = 64e6
"""Of the orders of rows that are kept for other candidates."""


@dataclass(frozen=True)
class Rows:
    """Encoded rows as kernels read them: E (n, D), y (n,) class numbers or targets, counts (n,), all float32."""

    E: np.ndarray
    y: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, part: Part) -> Rows:
        """Return the rows of a part of the data."""
        counts = np.ones(len(part)) if part.weights is None else part.weights
        # copies: for numba an array that may not be written to is of another type, and compiled for anew
        return cls(np.ascontiguousarray(part.E, dtype=np.float32), *(np.array(v, np.float32) for v in (part.y, counts)))


class TableLesson:
    """What all candidates learn from, and in which order.

    Args:
        schedule: The recipe.
        rows, valid: To learn from and to validate with.
        watch: Who looks on and may end single candidates; asked from any thread.
    """

    def __init__(self, schedule: Schedule, rows: Rows, valid: Rows, watch: Watch | None) -> None:
        self.schedule, self.rows, self.valid, self.watch = schedule, rows, valid, watch
        n = len(rows.y)
        slices = batch_slices(n, schedule.batch_size)
        self.edges = np.array([*(part.start for part in slices), n], dtype=np.int64)
        self.N = -(-int(np.diff(self.edges).max()) // LANES) * LANES
        self.all_valid = np.arange(len(valid.y), dtype=np.int64)
        kept = max(1, int(KEPT_BYTES / (12 * n)))
        self.order: Callable[[int], np.ndarray] = lru_cache(kept)(self._order)
        self.keys: Callable[[int], np.ndarray] = lru_cache(kept)(self._keys)

    @property
    def task(self) -> int:
        """Its number in :data:`nas_core.training.compiled.losses.TASKS`."""
        return 0 if self.schedule.task == "regression" else 1 if self.schedule.outputs == 1 else 2

    def _order(self, epoch: int) -> np.ndarray:
        return epoch_order(self.schedule.split_seed, epoch, len(self.rows.y)).numpy()

    def _keys(self, epoch: int) -> np.ndarray:
        """Return the int32 keys (n,) of the rows in the order of an epoch, by which dropout decides."""
        return np.concatenate([row_keys(epoch, number, size) for number, size in enumerate(np.diff(self.edges))])


class TableTraining:
    """Trains one candidate, some epochs at a time.

    Args:
        candidate: Who trains.
        lesson: The rows and the recipe.

    Attributes:
        best, best_stats: (T,) and (s,) float32: the parameters and running statistics that are kept, in the canonical
            order of the layout.
        error: What ended it, where something did that is no fault of the candidate.
    """

    def __init__(self, candidate: Candidate, lesson: TableLesson) -> None:
        self.candidate, self._lesson = candidate, lesson
        self.error: Exception | None = None
        self.best = initial_values(candidate.layout, candidate.seed).numpy()
        self.best_stats = initial_stats([candidate.layout]).numpy()
        self.cancelled = False
        self._memory: Memory | None = None

    @property
    def optimisers(self) -> Sequence[torch.optim.Optimizer]:
        """An optimiser of nothing: Lightning wants one, kernels have their own."""
        return (torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.0),)

    @property
    def ended(self) -> bool:
        """Whether there is nothing left to train."""
        return not self.candidate.active or self.cancelled or self.error is not None

    @property
    def epochs(self) -> int:
        """Number of epochs behind it."""
        return len(self.candidate.valid_loss)

    def run_epoch(self, stop: StopSignal) -> None:
        """Train for one epoch, and for more until it is time to tell."""
        began = time.perf_counter()
        if stop.is_set():
            self.cancelled = True
            return
        try:
            if self._memory is None:
                self._begin()
            while not self.ended and time.perf_counter() < began + TURN:
                self._epoch(stop)
        finally:
            self.candidate.seconds += time.perf_counter() - began
            if self.ended:
                self._memory = None

    def fail(self, error: Exception) -> None:
        """Stop for good because of an error."""
        self.error = error
        self._memory = None

    def _begin(self) -> None:
        """Make room, note the loss of the initial weights, then take over what a parent leaves."""
        candidate, lesson = self.candidate, self._lesson
        self._plan = plan = table_plan(candidate.layout)
        self._memory = m = plan.room(lesson.N)
        self._calls = calls_of(plan.ops)
        own = np.ones(1, dtype=np.float32) if candidate.row_weights is None else candidate.row_weights
        self._counts = lesson.rows.counts * own.astype(np.float32)
        self._X, self._valid = (np.ascontiguousarray(part.E[:, plan.columns]) for part in (lesson.rows, lesson.valid))
        self._signs = np.empty_like(plan.signs)
        self._values = m.weights if not len(plan.signs) else np.zeros_like(m.weights)
        self._first, self._second = np.zeros_like(m.weights), np.zeros_like(m.weights)
        self._units, self._room = plan.units(candidate.seed), np.zeros((3, lesson.N), dtype=np.float32)
        self._load()
        candidate.start = self._look(keep=False)[0]
        if candidate.inherited:
            fill(candidate.layout, candidate.values, torch.from_numpy(self.best), torch.from_numpy(self.best_stats))
            self._load()

    def _load(self) -> None:
        """Begin from what is kept."""
        assert self._memory is not None
        plan, m = self._plan, self._memory
        self._values[plan.places] = self.best
        m.statistics[plan.stats] = self.best_stats
        if len(plan.signs):
            m.weights[:] = np.where(plan.signs == 2, self._values, plan.signs * np.abs(self._values))

    def _epoch(self, stop: StopSignal) -> None:
        """Train for one epoch, validate, and decide whether it goes on."""
        candidate, lesson, plan, m = self.candidate, self._lesson, self._plan, self._memory
        assert m is not None
        epoch, tuning, edges = self.epochs, candidate.tuning, lesson.edges
        order = lesson.order(epoch)
        keys = lesson.keys(epoch) if len(self._units) else np.zeros(0, dtype=np.int32)
        steps, total = epoch * (len(edges) - 1), 0.0
        for begin in range(0, len(edges) - 1, STEPS):
            if stop.is_set():
                self.cancelled = True
                return
            total += train(
                plan.ops, plan.reals, self._calls, m, lesson.N, plan.out, plan.outputs, lesson.task,
                self._X, lesson.rows.y, self._counts, order, edges[begin : begin + STEPS + 1],
                keys, self._units, plan.threshold, np.float32(1 / (1 - plan.dropout)),
                self._values, plan.signs, OPTIMISERS.index(tuning.optimiser), self._first, self._second, plan.decayed,
                tuning.learning_rate, tuning.weight_decay, steps + begin, self._room,
            )  # fmt: skip
        watch = lesson.watch
        valid, outputs = self._look(keep=watch is not None and watch.looks_at(epoch + 1))
        if candidate.judge(lesson.schedule, total / len(order), valid):
            self.best[:] = self._values[plan.places]
            self.best_stats[:] = m.statistics[plan.stats]
        if watch is not None:
            candidate.ask(watch, lesson.schedule, outputs)
        if self.epochs >= lesson.schedule.max_epochs:
            candidate.active = False

    def _look(self, *, keep: bool) -> tuple[float, np.ndarray | None]:
        """Return the mean validation loss and, when kept, the outputs (n, C)."""
        lesson, plan, m = self._lesson, self._plan, self._memory
        assert m is not None
        n = len(lesson.all_valid)
        said = np.empty((n if keep else 0, plan.outputs), dtype=np.float32)
        total = look(
            plan.ops, plan.reals, self._calls, m, lesson.N, plan.out, plan.outputs, lesson.task, self._valid,
            lesson.valid.y, lesson.valid.counts, lesson.all_valid, said, self._room,
        )  # fmt: skip
        return total / n, said if keep else None


def train_tables(
    candidates: Sequence[Candidate], lesson: TableLesson, stop: StopSignal, on_epoch: OnEpoch | None, workers: int
) -> list[TableTraining]:
    """Train the candidates, ``workers`` at a time.

    Cheap and dear ones alternate, from both ends to the middle: so how far they are tells how long it takes, and at the
    end no processor core waits long for the last one.

    ``on_epoch`` is told in the calling thread.

    Raises:
        Exception: What ended a training that is no fault of the candidate, memory that ran out for example.
    """
    trainings = [TableTraining(candidate, lesson) for candidate in candidates]
    began, caller, until = time.perf_counter(), threading.get_ident(), EitherStop(stop)

    def tell() -> None:
        if on_epoch is not None:
            on_epoch(_progress(trainings, lesson.schedule.max_epochs, time.perf_counter() - began))

    def told(_number: int) -> None:
        if threading.get_ident() == caller:
            tell()

    ordered = sorted(trainings, key=lambda t: layout_seconds(t.candidate.layout))
    middle = (len(ordered) + 1) // 2
    pairs = zip_longest(ordered[:middle], ordered[middle:][::-1])
    module = SideBySide([t for pair in pairs for t in pair if t is not None], until, told, workers, tell)
    try:
        fit_quietly(module, torch.device("cpu"), -1)
        tell()
    finally:
        until.set()
        module.join()
    for training in trainings:
        if training.error is not None:
            raise training.error
    return trainings


def _progress(trainings: Sequence[TableTraining], most: int, seconds: float) -> PackProgress:
    """Return how far they are: the mean of their epochs, those that ended by themselves counting in full."""
    done = sum(t.epochs if t.cancelled or not t.ended else most for t in trainings)
    active = sum(not t.ended for t in trainings)
    return PackProgress(done // len(trainings), most, active, len(trainings), seconds)
