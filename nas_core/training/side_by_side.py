"""The LightningModule that trains networks side by side in one ``Trainer.fit``."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

import pytorch_lightning as pl
import torch
from torch import Tensor

from nas_core.training.learner import Learner
from nas_core.training.progress import StopSignal

__all__ = ["Lessons", "SideBySide", "Training", "workers_on"]

Told = Callable[[int], None]

WAITS = 0.05
"""Seconds between two looks at those who still train."""


class Training(Protocol):
    """One network, or some as a pack, that one thread trains epoch by epoch."""

    @property
    def optimisers(self) -> Sequence[torch.optim.Optimizer]:
        """What Lightning is told of."""

    @property
    def ended(self) -> bool:
        """Whether there is nothing left to train."""

    def run_epoch(self, stop: StopSignal) -> None:
        """Train for one epoch, or some short ones, validate, and decide whether it goes on."""

    def fail(self, error: Exception) -> None:
        """Stop for good because of an error."""


class Lessons(Training, Protocol):
    """A training of networks of images or sequences."""

    @property
    def learners(self) -> Sequence[Learner]:
        """The networks."""


def workers_on(device: torch.device) -> int:
    """Return how many networks are trained at the same time: one for each processor core, one on an accelerator.

    The environment variable OMP_NUM_THREADS lowers it, as it lowers the threads of torch itself.
    """
    if device.type != "cpu":
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]
    return max(1, min(cores, int(wanted))) if wanted.isdigit() else cores


class SideBySide(pl.LightningModule):
    """Trains networks and packs of them, some at a time, each on one core; Lightning's batch is an epoch of one.

    Optimisation is manual: each network has its own optimiser, learning rate, noise and early stop, and nobody waits
    for anybody. Lightning's own thread trains as well, W − 1 others help it.

    Why threads: these networks are small, and a convolution of 64 images shared by two cores gains little. Measured on
    two cores with three convolutions, side by side is 1.85 times (28 × 28, batches of 128), 1.6 times (8 × 8, 64) and
    1.4 times (8 × 8, 16) as fast as one after the other; two threads inside each operation 0.9 to 1.4 times. And a
    network's numbers do not depend on how many cores there are.

    Args:
        trainings: The networks and packs, in the order in which they are begun; those that ended before are left out.
        stop: Ends the training within a gradient step.
        told: Called after every epoch with the number of the training, from the thread that trained it.
        workers: How many are trained at the same time.
        waiting: Called from time to time by Lightning's own thread while it waits for the others to end.
    """

    def __init__(
        self, trainings: Sequence[Training], stop: StopSignal, told: Told, workers: int,
        waiting: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self._while_waiting = waiting
        self.automatic_optimization = False
        # in a plain list: submodules would be moved and switched by Lightning while their own threads work with them
        self.trainings, self.stop, self.told = list(trainings), stop, told
        self._waiting = list(range(len(self.trainings)))[::-1]
        self._lock = threading.Lock()
        self._current: int | None = None
        self._helpers = [
            threading.Thread(target=self._help, name=f"training {n}", daemon=True)
            for n in range(min(workers, len(self.trainings)) - 1)
        ]

    def train_dataloader(self) -> range:
        """Return one batch: an epoch of one network."""
        return range(1)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Return the optimisers of all networks."""
        return [optimiser for t in self.trainings for optimiser in t.optimisers]

    def on_train_start(self) -> None:
        """Let the helpers begin."""
        for helper in self._helpers:
            helper.start()

    def training_step(self, batch: int, batch_idx: int) -> Tensor | None:
        """Train one network for one epoch; when nothing is left to begin, wait for the helpers and end the fit."""
        self._current = self._advance(self._current)
        if self._current is None:
            self._wait()
            self.trainer.should_stop = True
        return None

    def _wait(self) -> None:
        """Wait until all helpers have ended, and say meanwhile that it does."""
        while any(helper.is_alive() for helper in self._helpers):
            for helper in self._helpers:
                if helper.ident is not None:
                    helper.join(WAITS / len(self._helpers))
            if self._while_waiting is not None:
                self._while_waiting()

    def join(self) -> None:
        """Wait until all helpers have ended."""
        for helper in self._helpers:
            if helper.ident is not None:
                helper.join()

    def _help(self) -> None:
        torch.set_num_threads(1)  # of this thread alone
        current = self._advance(None)
        while current is not None:
            current = self._advance(current)

    def _advance(self, current: int | None) -> int | None:
        """Train ``current``, or else the next network in the queue, for one epoch; return it, or None at the end."""
        if current is None or self.trainings[current].ended:
            with self._lock:
                current = self._waiting.pop() if self._waiting else None
        if current is None:
            return None
        training = self.trainings[current]
        try:
            training.run_epoch(self.stop)
        except Exception as error:  # noqa: BLE001 - a network that cannot be trained is no fault of the others
            training.fail(error)
        self.told(current)
        return current
