"""What one says to a training pack (stop, watch) and what it says back (progress, outcomes)."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from nas_core.records import Architecture, Halt

__all__ = [
    "EitherStop",
    "PackItem",
    "PackProgress",
    "Parent",
    "StopSignal",
    "TrainOutcome",
    "Watch",
    "with_performance",
]


class StopSignal:
    """Asks a training to stop; safe from any thread."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Ask to stop, now."""
        self._event.set()

    def is_set(self) -> bool:
        """Return whether a stop was asked for."""
        return self._event.is_set()


class EitherStop(StopSignal):
    """A stop signal that is set by itself or with another one."""

    def __init__(self, other: StopSignal) -> None:
        super().__init__()
        self._other = other

    def is_set(self) -> bool:
        """Return whether one of the two was asked to stop."""
        return super().is_set() or self._other.is_set()


class Watch(Protocol):
    """Who looks on while candidates train and may end one of them; asked from any thread."""

    def looks_at(self, epoch: int) -> bool:
        """Return whether the performance after this many epochs is wanted."""

    def performance(self, outputs: np.ndarray) -> float:
        """Return the performance of the outputs (n, C) of one candidate for the validation rows."""

    def halt(self, candidate: str, epoch: int, performance: float | None) -> Halt | None:
        """Return how to end the training of the candidate with this identity after ``epoch`` epochs, None to go on."""


@dataclass(frozen=True)
class Parent:
    """A trained candidate that others may start from: its weights by parameter name."""

    architecture: Architecture
    weights: dict[str, np.ndarray]


@dataclass(frozen=True)
class PackItem:
    """A candidate to train.

    Attributes:
        architecture: What it is.
        seed: Of its initial weights and dropout noise.
        parents: Whose weights it starts from, where they fit (see ``inheritance``); the first that fits at all counts.
        row_weights: (n,) how much each training row counts in the loss of this candidate alone, beside the weights of
            the problem; None when all count the same. How often a row was drawn makes it a bootstrap sample of a table.
    """

    architecture: Architecture
    seed: int
    parents: tuple[Parent, ...] = ()
    row_weights: np.ndarray | None = field(default=None, compare=False)


@dataclass(frozen=True)
class PackProgress:
    """How far a pack is: epochs ended, epochs at most, candidates still training, candidates in all, seconds so far."""

    epoch: int
    max_epochs: int
    active: int
    candidates: int
    seconds: float


@dataclass(frozen=True)
class TrainOutcome:
    """How the training of one candidate ended.

    Attributes:
        status: done, failed, cancelled (all training was stopped) or halted (the watch ended this one).
        reason: Why, unless it is done.
        curves: train_loss and valid_loss, one value per epoch it took part in; performance after the epochs
            performance_epoch, where the watch looked.
        best_epoch: Epoch (from 0) of the weights that are kept; −1 when they are the initial ones.
        seconds: Its share of the seconds of the pack, by epochs.
        start_loss: Mean validation loss of the initial weights of its own seed, whatever it inherited; None when it was
            never computed. The curves begin after the first epoch, so they do not say it.
        kept_loss: The same of the weights that are kept, on the same rows.
        halt: What the watch said.
        inherited: Identity of the parent whose weights it started from; empty when none fitted.
        traceback: Where in the program it failed, where an exception says so.
        starved: It failed because memory ran out, which may be the fault of those that were trained beside it.
    """

    status: str
    reason: str = ""
    curves: dict[str, list[float]] = field(default_factory=dict)
    best_epoch: int = -1
    seconds: float = 0.0
    start_loss: float | None = None
    kept_loss: float | None = None
    halt: Halt | None = None
    inherited: str = ""
    traceback: str = ""
    starved: bool = False


def with_performance(curves: dict[str, list[float]], seen: dict[int, float]) -> dict[str, list[float]]:
    """Return the curves and, where the watch looked, the performance seen and after how many epochs."""
    if not seen:
        return curves
    return {**curves, "performance": list(seen.values()), "performance_epoch": [float(epoch) for epoch in seen]}
