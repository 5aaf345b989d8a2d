"""One signal network while it trains: its optimiser, its learning rate, its noise, its best weights.

A network is trained by itself, in whatever thread, so it ends up with the same weights alone and beside others.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from nas_core.errors import error_line, traceback_of
from nas_core.records import Halt
from nas_core.spaces.layers import seed_dropout
from nas_core.training.batches import batch_slices, epoch_order
from nas_core.training.inheritance import inherit_entries
from nas_core.training.losses import losses
from nas_core.training.optimiser import MOMENTUM
from nas_core.training.progress import PackItem, StopSignal, TrainOutcome, Watch, with_performance
from nas_core.training.rates import rate_factor
from nas_core.training.shortage import is_shortage
from nas_core.training.signal_rows import SignalRows

if TYPE_CHECKING:
    from nas_core.data.recipe import Recipe

__all__ = ["Lesson", "NetworkTraining", "torch_optimiser"]

CLEARLY = 2.0  # standard errors by which a validation loss must be larger to count as worse
START_ROWS = 2000  # validation rows, evenly spaced, on which the kept weights are compared with the initial ones
FUSED = ("cpu", "cuda")


@dataclass(frozen=True)
class Lesson:
    """What all networks of a pack learn from, how long, and who looks on."""

    train: SignalRows
    valid: SignalRows
    task: str
    split_seed: int
    recipe: Recipe
    watch: Watch | None = None


def torch_optimiser(network: nn.Module, values: dict[str, Any]) -> torch.optim.Optimizer:
    """Return the optimiser that the values ask for; biases and normalisation are not decayed.

    The defaults of ``torch.optim``, SGD with momentum 0.9; weight decay is decoupled in AdamW, an L2 penalty elsewhere.
    """
    parameters = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": float(values["weight_decay"])},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    rate, name = float(values["learning_rate"]), values["optimiser"]
    fused = all(p.device.type in FUSED for p in parameters)
    if name == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=MOMENTUM, fused=fused)
    if name == "adagrad":
        return torch.optim.Adagrad(groups, lr=rate, fused=fused and parameters[0].device.type == "cpu")
    return {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[name](groups, lr=rate, fused=fused)


class NetworkTraining:
    """Trains one network, epoch by epoch.

    Which weights are kept: those of the latest epoch whose validation loss is not clearly larger than the lowest one,
    by a paired comparison row by row (two standard errors of the mean difference). With many validation rows these are
    the weights of the lowest loss. With few, the epoch that happens to fit them best is left for the end of the
    schedule, where the learning rate has fallen to 0 (the one-standard-error rule of Breiman et al. 1984, over epochs).

    Args:
        network: The network, initialised, on the device; trained in place.
        item: Its architecture and seed.
        lesson: The rows and the recipe.
    """

    def __init__(self, network: nn.Module, item: PackItem, lesson: Lesson) -> None:
        self.network, self.item, self.lesson = network, item, lesson
        self.optimiser = torch_optimiser(network, item.architecture.values)
        self.rate = float(item.architecture.values["learning_rate"])
        self.curves: dict[str, list[float]] = {"train_loss": [], "valid_loss": []}
        self.kept = _copied(network)
        self.kept_epoch, self.waited = -1, 0
        self.lowest: Tensor | None = None  # (n,) validation losses of the epoch with the lowest mean
        valid = len(lesson.valid)
        spread = torch.linspace(0, valid - 1, min(valid, START_ROWS), dtype=torch.float64)
        self.compared = spread.round().long()
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

    def run_epoch(self, stop: StopSignal) -> None:
        """Train for one epoch, validate, and decide whether it goes on."""
        began = time.perf_counter()
        try:
            if self.epochs == 0:
                self._begin()
            train = self._epoch(stop)
            if train is None:
                self.end("cancelled", f"stopped after {self.epochs} epochs")
                return
            watch = self.lesson.watch
            looked = watch is not None and watch.looks_at(self.epochs + 1)
            rows, outputs = self._validate(keep=looked)
            self._judge(train, rows)
            if watch is not None:
                self._ask(watch, outputs)
        finally:
            self.seconds += time.perf_counter() - began

    def _begin(self) -> None:
        """Note the loss of the initial weights, then take over what a parent leaves."""
        self.start_loss = self.kept_loss = self._start_loss()
        self.inherited = inherit_entries(self.network, self.item.parents)
        if self.inherited:
            self.kept, self.kept_loss = _copied(self.network), self._start_loss()
        seed_dropout(self.network, self.item.seed, self.lesson.train.x.device)

    def _ask(self, watch: Watch, outputs: np.ndarray | None) -> None:
        """Note the performance of the epoch, and end where the watch says so."""
        if self.status == "failed":
            return
        performance = None
        if outputs is not None:
            performance = self.performance[self.epochs] = watch.performance(outputs)
        if not self.ended:
            self.halt = watch.halt(self.item.architecture.id, self.epochs, performance)
            if self.halt is not None:
                self.end("halted", self.halt.reason)

    def end(self, status: str, reason: str = "") -> None:
        """Stop training for good: go back to the weights that are kept, forget what training alone needed."""
        self.status, self.reason = status, reason
        self.network.load_state_dict(self.kept)
        self.network.eval()
        self.network.zero_grad(set_to_none=True)
        self.kept, self.lowest = {}, None
        self.optimiser.state.clear()

    def fail(self, error: Exception) -> None:
        """Stop training for good because of an error."""
        self.traceback, self.starved = traceback_of(error), is_shortage(error)
        self.end("failed", error_line(error))

    def _epoch(self, stop: StopSignal) -> float | None:
        """Return the mean training loss of an epoch, None when a stop was asked for within it."""
        lesson, train = self.lesson, self.lesson.train
        order = epoch_order(lesson.split_seed, self.epochs, len(train)).to(train.x.device)
        slices = batch_slices(len(train), lesson.recipe.batch_size)
        steps = len(slices) * lesson.recipe.max_epochs
        total = torch.zeros((), device=train.x.device)
        self.network.train()
        for number, rows in enumerate(slices):
            if stop.is_set():
                return None
            factor = rate_factor(lesson.recipe.schedule, self.epochs * len(slices) + number, steps)
            for group in self.optimiser.param_groups:
                group["lr"] = self.rate * factor
            total = total + self._step(*train.batch(order[rows]))
        return float(total / len(train))

    def _step(self, x: Tensor, y: Tensor, weights: Tensor | None) -> Tensor:
        """Make one gradient step; return the summed loss of its rows."""
        self.optimiser.zero_grad(set_to_none=True)
        each = self._losses(self.network(x), y, weights)
        each.mean().backward()
        self.optimiser.step()
        return each.detach().sum()

    def _losses(self, outputs: Tensor, y: Tensor, weights: Tensor | None) -> Tensor:
        """Return the loss (n,) of each row with outputs (n, C)."""
        return losses(outputs.T[None], y, self.lesson.task, weights)[0]

    def _validate(self, *, keep: bool = False) -> tuple[Tensor, np.ndarray | None]:
        """Return the validation loss (n,) of every row, in double precision, and, when kept, the outputs (n, C)."""
        valid, found, kept = self.lesson.valid, [], []
        self.network.eval()
        with torch.inference_mode():
            for x, rows in valid.chunks(2 * self.lesson.recipe.batch_size):
                weights = None if valid.weights is None else valid.weights[rows]
                outputs = self.network(x)
                found.append(self._losses(outputs, valid.y[rows], weights))
                if keep:
                    kept.append(outputs.cpu().numpy())
        return torch.cat(found).cpu().double(), np.concatenate(kept) if keep else None

    def _start_loss(self) -> float:
        """Return the mean validation loss of the initial weights on the rows of ``compared``."""
        valid, size = self.lesson.valid, 2 * self.lesson.recipe.batch_size
        self.network.eval()
        with torch.inference_mode():
            parts = [valid.batch(chosen.to(valid.x.device)) for chosen in self.compared.split(size)]
            found = [self._losses(self.network(x), y, weights) for x, y, weights in parts]
        return float(torch.cat(found).cpu().double().mean())

    def _judge(self, train: float, rows: Tensor) -> None:
        """Record an epoch, keep its weights if they deserve it, and end where nothing is to be gained."""
        valid, recipe = float(rows.mean()), self.lesson.recipe
        self.curves["train_loss"].append(train)
        self.curves["valid_loss"].append(valid)
        if not np.isfinite([train, valid]).all():
            self.end("failed", self._divergence(train, valid))
            return
        lower = self.lowest is None or valid < float(self.lowest.mean()) - recipe.min_delta
        if lower:
            self.lowest, self.waited = rows, 0
        else:
            self.waited += 1
        if lower or not _clearly_larger(rows, self.lowest):
            self.kept, self.kept_epoch = _copied(self.network), self.epochs - 1
            self.kept_loss = float(rows[self.compared].mean())
        if self.waited >= recipe.patience or self.epochs >= recipe.max_epochs:
            self.end("done")

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


def _copied(network: nn.Module) -> dict[str, Tensor]:
    """Return a copy of the weights and statistics."""
    return {name: values.detach().clone() for name, values in network.state_dict().items()}
