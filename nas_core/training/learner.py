"""One signal network while it learns: its losses epoch by epoch, which weights are kept, and when it ends.

How it is trained, alone or in a pack, is the business of others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from nas_core.errors import error_line, traceback_of
from nas_core.records import Halt
from nas_core.training.progress import PackItem, TrainOutcome, Watch, with_performance
from nas_core.training.shortage import is_shortage
from nas_core.training.signal_rows import SignalRows

if TYPE_CHECKING:
    from nas_core.data.recipe import Recipe
    from nas_core.spaces.layers import SignalNetwork

__all__ = ["Learner", "Lesson"]

CLEARLY = 2.0  # standard errors by which a validation loss must be larger to count as worse
START_ROWS = 2000  # validation rows, evenly spaced, on which the kept weights are compared with the initial ones


@dataclass(frozen=True)
class Lesson:
    """What all networks of a pack learn from, how long, and who looks on."""

    train: SignalRows
    valid: SignalRows
    task: str
    split_seed: int
    recipe: Recipe
    watch: Watch | None = None

    @property
    def compared(self) -> Tensor:
        """The validation rows, at most 2,000, evenly spaced, whose loss is compared with that of initial weights."""
        valid = len(self.valid)
        return torch.linspace(0, valid - 1, min(valid, START_ROWS), dtype=torch.float64).round().long()


class Learner:
    """What is known of one network while it is trained.

    Which weights are kept: those of the latest epoch whose validation loss is not clearly larger than the lowest one,
    by a paired comparison row by row (two standard errors of the mean difference). With many validation rows these are
    the weights of the lowest loss. With few, the epoch that happens to fit them best is left for the end of the
    schedule, where the learning rate has fallen to 0 (the one-standard-error rule of Breiman et al. 1984, over epochs).

    Args:
        network: The network, which has the weights that are kept once it has ended.
        item: Its architecture and seed.
        lesson: The rows and the recipe.
    """

    def __init__(self, network: SignalNetwork, item: PackItem, lesson: Lesson) -> None:
        self.network, self.item, self.lesson = network, item, lesson
        self.rate = float(item.architecture.values["learning_rate"])
        self.curves: dict[str, list[float]] = {"train_loss": [], "valid_loss": []}
        self.kept_epoch, self.waited = -1, 0
        self.lowest: Tensor | None = None  # (n,) validation losses of the epoch with the lowest mean
        self.compared = lesson.compared
        self.start_loss: float | None = None
        self.kept_loss: float | None = None
        self.status, self.reason, self.traceback, self.starved, self.seconds = "", "", "", False, 0.0
        self.performance: dict[int, float] = {}  # after so many epochs, where the watch looked
        self.halt: Halt | None = None
        self.inherited = ""

    @property
    def epochs(self) -> int:
        """Number of epochs behind it."""
        return len(self.curves["valid_loss"])

    @property
    def ended(self) -> bool:
        """Whether it will not be trained any more."""
        return bool(self.status)

    @property
    def outcome(self) -> TrainOutcome:
        """How it ended."""
        curves = with_performance(self.curves, self.performance)
        return TrainOutcome(
            self.status, self.reason, curves, self.kept_epoch, self.seconds, self.start_loss, self.kept_loss, self.halt,
            self.inherited, self.traceback, self.starved,
        )  # fmt: skip

    def end(self, status: str, reason: str = "") -> None:
        """Stop for good."""
        self.status, self.reason, self.lowest = status, reason, None

    def fail(self, error: Exception) -> None:
        """Stop for good because of an error."""
        self.traceback, self.starved = traceback_of(error), is_shortage(error)
        self.end("failed", error_line(error))

    def judge(self, train: float, rows: Tensor) -> bool:
        """Record an epoch: its training loss and the validation loss (n,) of every row, in double precision.

        Ends where nothing is to be gained. Returns whether its weights deserve to be kept.
        """
        valid, recipe = float(rows.mean()), self.lesson.recipe
        self.curves["train_loss"].append(train)
        self.curves["valid_loss"].append(valid)
        if not np.isfinite([train, valid]).all():
            self.end("failed", self._divergence(train, valid))
            return False
        lower = self.lowest is None or valid < float(self.lowest.mean()) - recipe.min_delta
        if lower:
            self.lowest, self.waited = rows, 0
        else:
            self.waited += 1
        keep = lower or not _clearly_larger(rows, self.lowest)
        if keep:
            self.kept_epoch, self.kept_loss = self.epochs - 1, float(rows[self.compared].mean())
        if self.waited >= recipe.patience or self.epochs >= recipe.max_epochs:
            self.end("done")
        return keep

    def ask(self, watch: Watch, outputs: np.ndarray | None) -> None:
        """Note the performance of the epoch by the outputs (n, C), and end where the watch says so."""
        if self.status == "failed":
            return
        performance = None
        if outputs is not None:
            performance = self.performance[self.epochs] = watch.performance(outputs)
        if not self.ended:
            self.halt = watch.halt(self.item.architecture.id, self.epochs, performance)
            if self.halt is not None:
                self.end("halted", self.halt.reason)

    def _divergence(self, train: float, valid: float) -> str:
        which = "training" if not np.isfinite(train) else "validation"
        became = "undefined (NaN)" if np.isnan([train, valid]).any() else "infinite"
        optimiser = self.item.architecture.values["optimiser"]
        return f"the {which} loss became {became} in epoch {self.epochs} ({optimiser}, learning rate {self.rate:g})"


def _clearly_larger(rows: Tensor, lowest: Tensor | None) -> bool:
    """Return whether the losses of ``rows`` (n,) are larger than the lowest ones by more than chance."""
    if lowest is None:
        return False
    difference = rows - lowest
    spread = float(difference.std()) if len(difference) > 1 else 0.0
    return float(difference.mean()) > CLEARLY * spread / len(difference) ** 0.5
