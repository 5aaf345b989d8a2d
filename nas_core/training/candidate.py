"""One candidate among tables while it trains: how it goes on is decided here, whatever trains it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from nas_core.records import Architecture, Halt
from nas_core.spaces.tabular.layout import NetworkLayout
from nas_core.training.optimiser import Tuning
from nas_core.training.plan import run_length
from nas_core.training.progress import Watch

__all__ = ["Candidate", "Schedule", "tuning_of"]


@dataclass
class Candidate:
    """One candidate while it trains; ``epochs`` and losses grow until it leaves."""

    layout: NetworkLayout
    seed: int
    tuning: Tuning
    id: str = ""
    inherited: str = ""  # the parent it starts from, and its values by the names of the layout
    values: dict[str, np.ndarray] = field(default_factory=dict)
    row_weights: np.ndarray | None = None  # (n,) of the training rows, for this candidate alone
    train_loss: list[float] = field(default_factory=list)
    valid_loss: list[float] = field(default_factory=list)
    performance: dict[int, float] = field(default_factory=dict)  # after so many epochs, where the watch looked
    start: float = float("nan")  # validation loss of the initial weights of its own seed
    best: float = float("inf")
    best_epoch: int = -1
    waited: int = 0
    active: bool = True
    reason: str = ""
    halt: Halt | None = None
    seconds: float = 0.0  # of its own, where it is trained by itself

    def judge(self, schedule: Schedule, train: float, valid: float) -> bool:
        """Record an epoch by its mean losses; return whether its weights are the best so far."""
        if not self.active:
            return False
        self.train_loss.append(float(train))
        self.valid_loss.append(float(valid))
        epoch = len(self.valid_loss)
        if not np.isfinite([train, valid]).all():
            self.active = False
            which = "training" if not np.isfinite(train) else "validation"
            became = "undefined (NaN)" if np.isnan([train, valid]).any() else "infinite"
            tuning = self.tuning
            self.reason = (
                f"the {which} loss became {became} in epoch {epoch} "
                f"({tuning.optimiser}, learning rate {tuning.learning_rate:g})"
            )
            return False
        if valid < self.best - schedule.min_delta:
            self.best, self.best_epoch, self.waited = float(valid), epoch - 1, 0
            return True
        self.waited += 1
        self.active = self.waited < schedule.patience
        return False

    def ask(self, watch: Watch, schedule: Schedule, outputs: np.ndarray | None) -> None:
        """Note the performance by the outputs (n, C) after the epoch it ended last, and end where the watch says so."""
        if self.reason:
            return
        epoch, performance = len(self.valid_loss), None
        if outputs is not None:
            performance = self.performance[epoch] = watch.performance(outputs)
        if self.active and epoch < schedule.max_epochs:
            self.halt = watch.halt(self.id, epoch, performance)
            self.active = self.halt is None


@dataclass(frozen=True)
class Schedule:
    """The recipe as the engine needs it."""

    task: str
    outputs: int
    split_seed: int
    batch_size: int
    max_epochs: int
    patience: int
    min_delta: float


def tuning_of(architecture: Architecture, layout: NetworkLayout) -> Tuning:
    """Return how the candidate is updated; biases and normalisation are not decayed."""
    values, decays, start = architecture.values, [], 0
    for block in layout.blocks:
        if block.decays:
            decays.append((start, start + block.size))
        start += block.size
    rate, decay = float(values["learning_rate"]), float(values["weight_decay"])
    return Tuning(values["optimiser"], rate, decay, run_length(layout.size), tuple(decays))
