"""Networks of tables trained on a processor by compiled kernels: each by itself, as many at a time as there are cores.

A gradient step of a small network takes a few microseconds: a hundred steps are made in one call.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from itertools import zip_longest

import torch

from nas_core.spaces.tabular.module import initial_values
from nas_core.training.candidate import Candidate
from nas_core.training.compiled.table_lesson import TableLesson
from nas_core.training.compiled.table_network import TableNetwork
from nas_core.training.inheritance import fill
from nas_core.training.module import OnEpoch, fit_quietly
from nas_core.training.network import initial_stats
from nas_core.training.progress import EitherStop, PackProgress, StopSignal
from nas_core.training.shares import layout_seconds
from nas_core.training.side_by_side import SideBySide

__all__ = ["TableTraining", "train_tables"]

STEPS = 100
"""Gradient steps of a call; a stop is heard between two calls."""
TURN = 0.05
"""Seconds after which it is told how far a training is: an epoch alone takes less time than telling it."""


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
        self._network: TableNetwork | None = None

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
            self.cancelled, self._network = True, None
            return
        try:
            network = self._network = self._network or self._begin()
            self._epoch(network, stop)
            while not self.ended and time.perf_counter() < began + TURN:
                self._epoch(network, stop)
        finally:
            self.candidate.seconds += time.perf_counter() - began
            if self.ended:
                self._network = None

    def fail(self, error: Exception) -> None:
        """Stop for good because of an error."""
        self.error, self._network = error, None

    def _begin(self) -> TableNetwork:
        """Note the loss of the initial weights, then take over what a parent leaves."""
        candidate, network = self.candidate, TableNetwork(self.candidate, self._lesson)
        network.load(self.best, self.best_stats)
        candidate.start = network.validate()[0]
        if candidate.inherited:
            fill(candidate.layout, candidate.values, torch.from_numpy(self.best), torch.from_numpy(self.best_stats))
            network.load(self.best, self.best_stats)
        return network

    def _epoch(self, network: TableNetwork, stop: StopSignal) -> None:
        """Train for one epoch, validate, and decide whether it goes on."""
        candidate, lesson, epoch, total = self.candidate, self._lesson, self.epochs, 0.0
        batches = len(lesson.edges) - 1
        for begin in range(0, batches, STEPS):
            if stop.is_set():
                self.cancelled = True
                return
            total += network.learn(epoch, begin, min(begin + STEPS, batches))
        watch = lesson.watch
        valid, outputs = network.validate(keep=watch is not None and watch.looks_at(epoch + 1))
        if candidate.judge(lesson.schedule, total / len(lesson.rows.y), valid):
            network.save(self.best, self.best_stats)
        if watch is not None:
            candidate.ask(watch, lesson.schedule, outputs)
        if self.epochs >= lesson.schedule.max_epochs:
            candidate.active = False


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

    last = [began]

    def tell(*, always: bool = True) -> None:
        now = time.perf_counter()
        if on_epoch is not None and not until.is_set() and (always or now > last[0] + TURN):
            last[0] = now
            on_epoch(_progress(trainings, lesson.schedule.max_epochs, now - began))

    def told(_number: int) -> None:
        if threading.get_ident() == caller:
            tell(always=False)

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
