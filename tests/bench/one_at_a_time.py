"""What a user would do without packs: each candidate its own fit, same network, same data, same schedule.

Three ways: a plain PyTorch loop, a Lightning fit, and a study as the tutorial of Optuna and Lightning writes it
(https://github.com/optuna/optuna-examples/blob/main/pytorch/pytorch_lightning_simple.py): ``trial.suggest_*`` for every
value, a ``Trainer`` with its default logger for every trial, ``trainer.callback_metrics`` as the result.
"""

from __future__ import annotations

import copy
import json
import logging
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, EarlyStopping
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from nas_core.data import Problem
from nas_core.records import Architecture
from nas_core.spaces import SearchSpace
from nas_core.spaces.tabular.module import build
from nas_core.training.batches import batch_slices
from nas_core.training.networks import build_network
from nas_core.training.progress import PackItem
from nas_core.training.rates import rate_factor

__all__ = ["Lesson", "lightning_fits", "optuna_fits", "outputs_of", "plain_fits"]

Said = Callable[[], None]


@dataclass(frozen=True)
class Lesson:
    """The data of a problem as tensors, rows first and images with their channels first, and the space."""

    problem: Problem
    space: SearchSpace
    train: TensorDataset
    valid: TensorDataset

    @classmethod
    def of(cls, problem: Problem, space: SearchSpace) -> Lesson:
        """Return the lesson of a problem."""
        kind = torch.float32 if problem.task == "regression" else None
        shape = (-1,) if space.signal is None else space.signal.encoded_shape
        parts = [
            TensorDataset(torch.tensor(part.E).view(len(part), *shape), torch.tensor(part.y, dtype=kind))
            for part in (problem.train, problem.valid)
        ]
        return cls(problem, space, *parts)

    def network(self, item: PackItem) -> nn.Module:
        """Return the network of a candidate, with the initial weights that its pack gives it."""
        if self.space.signal is None:
            return build(item.architecture, self.problem.encoder, self.problem.C, seed=item.seed)
        return build_network(self.space, item)

    def loss(self, logits: Tensor, y: Tensor) -> Tensor:
        """Return the mean loss of a batch: BCE, cross-entropy or squared error."""
        if self.problem.task == "regression":
            return functional.mse_loss(logits[:, 0], y)
        if self.problem.C == 1:
            return functional.binary_cross_entropy_with_logits(logits[:, 0], y.float())
        return functional.cross_entropy(logits, y)

    def factor(self, step: int) -> float:
        """Return what the learning rate is multiplied with at a gradient step."""
        recipe = self.problem.spec.recipe
        steps = len(batch_slices(len(self.train), recipe.batch_size)) * recipe.max_epochs
        return rate_factor(recipe.schedule, step, steps)


def optimiser_of(values: dict[str, Any], network: nn.Module) -> torch.optim.Optimizer:
    """Return the candidate's optimiser; biases and normalisation are not decayed."""
    weights = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": weights, "weight_decay": values["weight_decay"]}, {"params": others, "weight_decay": 0.0}]
    rate = values["learning_rate"]
    match values["optimiser"]:
        case "sgd":
            return torch.optim.SGD(groups, lr=rate, momentum=0.9)
        case "adam":
            return torch.optim.Adam(groups, lr=rate)
        case "adamw":
            return torch.optim.AdamW(groups, lr=rate)
        case _:
            return torch.optim.Adagrad(groups, lr=rate)


def plain_fits(lesson: Lesson, items: Sequence[PackItem], said: Said = lambda: None) -> list[nn.Module]:
    """Train the candidates one after the other with :func:`plain_fit`."""
    networks = []
    for item in items:
        networks.append(plain_fit(lesson, item))
        said()
    return networks


def plain_fit(lesson: Lesson, item: PackItem) -> nn.Module:
    """Train one candidate with a plain loop over tensor slices, best weights kept: the fastest simple way."""
    recipe = lesson.problem.spec.recipe
    (X, y), (X_valid, y_valid) = lesson.train.tensors, lesson.valid.tensors
    network = lesson.network(item)
    optimiser = optimiser_of(item.architecture.values, network)
    rates = torch.optim.lr_scheduler.LambdaLR(optimiser, lesson.factor)
    best, waited, kept = float("inf"), 0, copy.deepcopy(network.state_dict())
    for _ in range(recipe.max_epochs):
        network.train()
        order = torch.randperm(len(X))
        for rows in batch_slices(len(X), recipe.batch_size):
            chosen = order[rows]
            optimiser.zero_grad()
            lesson.loss(network(X[chosen]), y[chosen]).backward()
            optimiser.step()
            if recipe.schedule != "constant":
                rates.step()
        network.eval()
        with torch.no_grad():
            valid = float(lesson.loss(network(X_valid), y_valid))
        if valid < best - recipe.min_delta:
            best, waited, kept = valid, 0, copy.deepcopy(network.state_dict())
        else:
            waited += 1
        if waited >= recipe.patience or valid != valid:
            break
    network.load_state_dict(kept)
    return network


class OneCandidate(pl.LightningModule):
    """The ordinary LightningModule of one candidate."""

    def __init__(self, lesson: Lesson, item: PackItem) -> None:
        super().__init__()
        self.lesson, self.item, self.network = lesson, item, lesson.network(item)

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        return self.lesson.loss(self.network(batch[0]), batch[1])

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        self.log("valid_loss", self.lesson.loss(self.network(batch[0]), batch[1]))

    def configure_optimizers(self) -> Any:
        optimiser = optimiser_of(self.item.architecture.values, self)
        if self.lesson.problem.spec.recipe.schedule == "constant":
            return optimiser
        rates = torch.optim.lr_scheduler.LambdaLR(optimiser, self.lesson.factor)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": rates, "interval": "step"}}


class KeepBest(Callback):
    """Keeps the weights of the lowest validation loss in memory, which costs less than a checkpoint."""

    def __init__(self) -> None:
        self.best, self.kept = float("inf"), dict[str, Tensor]()

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        valid = float(trainer.callback_metrics["valid_loss"])
        if valid < self.best:
            self.best, self.kept = valid, copy.deepcopy(pl_module.network.state_dict())

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        pl_module.network.load_state_dict(self.kept or pl_module.network.state_dict())


def trainer_of(lesson: Lesson, callbacks: list[Callback], **options: Any) -> pl.Trainer:
    """Return a Trainer with the early stopping of the recipe that prints nothing."""
    recipe = lesson.problem.spec.recipe
    stopping = EarlyStopping("valid_loss", recipe.min_delta, recipe.patience, check_finite=True)
    return pl.Trainer(
        max_epochs=recipe.max_epochs, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, accelerator="auto", devices=1, callbacks=[stopping, *callbacks], **options,
    )  # fmt: skip


def loaders(lesson: Lesson) -> tuple[DataLoader[Any], DataLoader[Any]]:
    """Return the ordinary loaders of both parts."""
    size = lesson.problem.spec.recipe.batch_size
    return DataLoader(lesson.train, size, shuffle=True), DataLoader(lesson.valid, len(lesson.valid))


def quietly(work: Callable[[], list[nn.Module]]) -> list[nn.Module]:
    """Do the work without the log lines and warnings of Lightning."""
    for name in ("pytorch_lightning", "pytorch_lightning.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return work()


def lightning_fits(lesson: Lesson, items: Sequence[PackItem], said: Said = lambda: None) -> list[nn.Module]:
    """Train each candidate with one ``Trainer.fit``: no logger, no checkpoint, no bar, best weights kept in memory."""

    def work() -> list[nn.Module]:
        networks = []
        for item in items:
            module = OneCandidate(lesson, item)
            trainer = trainer_of(lesson, [KeepBest()], logger=False, num_sanity_val_steps=0)
            trainer.fit(module, *loaders(lesson))
            networks.append(module.network)
            said()
        return networks

    return quietly(work)


def optuna_fits(lesson: Lesson, items: Sequence[PackItem], said: Said = lambda: None) -> list[nn.Module]:
    """Train the candidates as the trials of a study in memory, each with a ``Trainer.fit`` and its default logger.

    Like the tutorial, except that the values of the trials are given beforehand (``enqueue_trial``), so that the same
    candidates are trained; that stopping is that of the recipe instead of a pruner; and that no bar is drawn. As there,
    the weights of the last epoch are the result.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    flat = [_flat(item.architecture.values) for item in items]
    networks: list[nn.Module] = []

    def objective(trial: Any) -> float:
        suggested = {name: _suggested(trial, name, [values[name] for values in flat]) for name in flat[0]}
        values = {name: json.loads(v) if isinstance(v, str) else v for name, v in suggested.items()}
        item = items[trial.number]
        item = PackItem(Architecture(family=item.architecture.family, values=values), item.seed)
        module = OneCandidate(lesson, item)
        with tempfile.TemporaryDirectory() as folder:
            trainer = trainer_of(lesson, [], logger=True, default_root_dir=folder)
            trainer.logger.log_hyperparams(suggested)
            trainer.fit(module, *loaders(lesson))
        networks.append(module.network)
        said()
        return float(trainer.callback_metrics["valid_loss"])

    def work() -> list[nn.Module]:
        study = optuna.create_study(direction="minimize")
        for values in flat:
            study.enqueue_trial(values)
        study.optimize(objective, n_trials=len(items))
        return networks

    return quietly(work)


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    """Return numbers as they are and everything else as JSON text, which a categorical parameter can hold."""
    numbers = {name: v for name, v in values.items() if isinstance(v, int | float) and not isinstance(v, bool)}
    return {name: numbers.get(name, json.dumps(value, sort_keys=True)) for name, value in values.items()}


def _suggested(trial: Any, name: str, seen: list[Any]) -> Any:
    """Ask the trial for a value, out of what the candidates have."""
    if all(isinstance(v, str) for v in seen):
        return trial.suggest_categorical(name, sorted(set(seen)))
    if all(isinstance(v, int) for v in seen):
        return trial.suggest_int(name, min(seen), max(seen))
    return trial.suggest_float(name, min(seen), max(seen), log=min(seen) > 0)


def outputs_of(lesson: Lesson, networks: Sequence[nn.Module]) -> Tensor:
    """Return the outputs (K, n, C) of trained networks on the validation rows."""
    X = lesson.valid.tensors[0]
    with torch.inference_mode():
        return torch.stack([network.eval()(X) for network in networks])
