"""One signal network trained by itself: its optimiser, its learning rate, its noise, its best weights.

It is trained in whatever thread, so it ends up with the same weights alone and beside others.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nas_core.spaces.layers import SignalNetwork, seed_dropout
from nas_core.training.batches import batch_slices, epoch_order
from nas_core.training.inheritance import inherit_entries
from nas_core.training.learner import Learner, Lesson
from nas_core.training.losses import losses
from nas_core.training.optimiser import MOMENTUM
from nas_core.training.progress import PackItem, StopSignal
from nas_core.training.rates import rate_factor

__all__ = ["NetworkTraining", "torch_optimiser"]

FUSED = ("cpu", "cuda")


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


class NetworkTraining(Learner):
    """Trains one network, epoch by epoch.

    Args:
        network: The network, initialised, on the device; trained in place.
        item: Its architecture and seed.
        lesson: The rows and the recipe.
    """

    def __init__(self, network: SignalNetwork, item: PackItem, lesson: Lesson) -> None:
        super().__init__(network, item, lesson)
        self.optimiser = torch_optimiser(network, item.architecture.values)
        self.kept = _copied(network)

    @property
    def learners(self) -> Sequence[Learner]:
        """Itself."""
        return (self,)

    @property
    def optimisers(self) -> Sequence[torch.optim.Optimizer]:
        """Its optimiser."""
        return (self.optimiser,)

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
            if self.judge(train, rows):
                self.kept = _copied(self.network)
            if watch is not None:
                self.ask(watch, outputs)
        finally:
            self.seconds += time.perf_counter() - began
            if self.ended:
                self._let_go()

    def fail(self, error: Exception) -> None:
        super().fail(error)
        self._let_go()

    def _begin(self) -> None:
        """Note the loss of the initial weights, then take over what a parent leaves."""
        self.start_loss = self.kept_loss = self._start_loss()
        self.inherited = inherit_entries(self.network, self.item.parents)
        if self.inherited:
            self.kept, self.kept_loss = _copied(self.network), self._start_loss()
        seed_dropout(self.network, self.item.seed, self.lesson.train.x.device)

    def _let_go(self) -> None:
        """Go back to the weights that are kept, forget what training alone needed."""
        if self.kept:
            self.network.load_state_dict(self.kept)
        self.network.eval()
        self.network.zero_grad(set_to_none=True)
        self.kept = {}
        self.optimiser.state.clear()

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


def _copied(network: nn.Module) -> dict[str, Tensor]:
    """Return a copy of the weights and statistics."""
    return {name: values.detach().clone() for name, values in network.state_dict().items()}
