"""What one says to a training pack (stop) and what it says back (progress, outcomes)."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from nas_core.records import Architecture

__all__ = ["PackItem", "PackProgress", "StopSignal", "TrainOutcome"]


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


@dataclass(frozen=True)
class PackItem:
    """A candidate to train: what it is, and the seed of its initial weights and dropout noise."""

    architecture: Architecture
    seed: int


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
        status: done, failed or cancelled.
        reason: Why, unless it is done.
        curves: train_loss and valid_loss, one value per epoch it took part in.
        best_epoch: Epoch (from 0) of the weights that are kept; −1 when they are the initial ones.
        seconds: Its share of the seconds of the pack, by epochs.
        start_loss: Mean validation loss of the initial weights; None when it was never computed. The curves begin after
            the first epoch, so they do not say it.
        kept_loss: The same of the weights that are kept, on the same rows.
    """

    status: str
    reason: str = ""
    curves: dict[str, list[float]] = field(default_factory=dict)
    best_epoch: int = -1
    seconds: float = 0.0
    start_loss: float | None = None
    kept_loss: float | None = None
