"""Any candidate trained the usual way: one LightningModule, one ``Trainer.fit``, the recipe of the problem.

What it has in common with a pack is what makes a comparison fair: initial weights of the same seed, optimiser, batches,
learning rates over the steps, early stopping, and the weights of the lowest validation loss in the end.
"""

from __future__ import annotations

import copy
import logging
import math
import time
import warnings
from functools import partial
from typing import Any, cast

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, EarlyStopping
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, TensorDataset

from nas_core.data import Problem
from nas_core.spaces import SearchSpace
from nas_core.spaces.layers import SignalNetwork, seed_dropout
from nas_core.spaces.tabular.layout import network_layout
from nas_core.spaces.tabular.module import build
from nas_core.training.losses import losses
from nas_core.training.module_pack import ModulePack
from nas_core.training.network import initial_stats, pack_members
from nas_core.training.network_training import torch_optimiser
from nas_core.training.networks import build_network, placed
from nas_core.training.progress import PackItem, TrainOutcome
from nas_core.training.rates import rate_factor
from nas_core.training.result import PackResult
from nas_core.training.signal_rows import shaped
from nas_core.training.trained import TrainedPack

__all__ = ["fit_one"]

CPU = torch.device("cpu")


class OneNetwork(pl.LightningModule):
    """The ordinary LightningModule of one candidate."""

    def __init__(self, problem: Problem, network: nn.Module, values: dict[str, Any]) -> None:
        super().__init__()
        self.task, self.recipe, self.network, self.values = problem.task, problem.spec.recipe, network, values
        self.steps = self.recipe.max_epochs * math.ceil(len(problem.train) / self.recipe.batch_size)

    def loss(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Return the mean loss of a batch."""
        return losses(self.network(batch[0]).T[None], batch[1], self.task, None).mean()

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        return self.loss(batch)

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        self.log("valid_loss", self.loss(batch))

    def configure_optimizers(self) -> Any:
        optimiser = torch_optimiser(self.network, self.values)
        if self.recipe.schedule == "constant":
            return optimiser
        rate = LambdaLR(optimiser, partial(rate_factor, self.recipe.schedule, steps=self.steps))
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": rate, "interval": "step"}}


class KeepBest(Callback):
    """Keeps the weights of the lowest validation loss, in memory: a checkpoint on the disk would cost more."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.best = math.inf
        self.weights: dict[str, Tensor] | None = None

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        found = float(trainer.callback_metrics["valid_loss"])
        self.losses.append(found)
        if found < self.best:
            self.best, self.weights = found, copy.deepcopy(cast(OneNetwork, pl_module).network.state_dict())


def fit_one(problem: Problem, space: SearchSpace, item: PackItem) -> PackResult:
    """Return the result of training one candidate by itself, on the CPU, in the form of a pack of one."""
    began = time.perf_counter()
    train, valid = (_rows(problem, part) for part in (problem.train, problem.valid))
    module, kept = OneNetwork(problem, _network(problem, space, item), item.architecture.values), KeepBest()
    start = _loss(module, valid)
    if space.signal is not None:
        seed_dropout(module.network, item.seed, CPU)
    torch.manual_seed(item.seed)  # the order of the rows
    _run(problem, module, kept, train, valid)
    if kept.weights is not None:
        module.network.load_state_dict(kept.weights)
    module.network.eval()
    sound = kept.weights is not None and math.isfinite(kept.losses[-1])
    seconds = time.perf_counter() - began
    outcome = TrainOutcome(
        "done" if sound else "failed", "" if sound else "the validation loss became undefined",
        {"valid_loss": kept.losses}, seconds=seconds, start_loss=start, kept_loss=kept.best,
    )  # fmt: skip
    return PackResult([outcome], _pack(problem, item, module.network), seconds)


def _run(problem: Problem, module: OneNetwork, kept: KeepBest, train: TensorDataset, valid: TensorDataset) -> None:
    """One ``Trainer.fit`` with nothing that costs time for nothing: no logger, no checkpoint, no progress bar."""
    recipe = problem.spec.recipe
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    stopper = EarlyStopping("valid_loss", recipe.min_delta, recipe.patience, check_finite=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = pl.Trainer(
            max_epochs=recipe.max_epochs, logger=False, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False, num_sanity_val_steps=0, accelerator="cpu", devices=1, callbacks=[kept, stopper],
        )  # fmt: skip
        trainer.fit(
            module,
            DataLoader(train, batch_size=recipe.batch_size, shuffle=True),
            DataLoader(valid, batch_size=len(valid)),
        )


def _network(problem: Problem, space: SearchSpace, item: PackItem) -> nn.Module:
    if space.signal is None:
        return build(item.architecture, problem.encoder, problem.C, seed=item.seed)
    return placed(build_network(space, item), CPU)


def _rows(problem: Problem, part: Any) -> TensorDataset:
    """Return one part of the data; a table as encoded rows, images and sequences in the shape of the signal."""
    signal = problem.dataset.signal
    x = torch.tensor(part.E) if signal is None else shaped(part.E, signal, CPU)
    return TensorDataset(x, torch.tensor(part.y, dtype=torch.float32 if problem.task == "regression" else None))


def _loss(module: OneNetwork, rows: TensorDataset) -> float:
    module.network.eval()
    with torch.inference_mode():
        return float(module.loss(cast(tuple[Tensor, Tensor], rows.tensors)))


def _pack(problem: Problem, item: PackItem, network: nn.Module) -> TrainedPack | ModulePack:
    """Return the trained network in the form in which candidates are judged and measured."""
    signal = problem.dataset.signal
    if signal is not None:
        return ModulePack([cast(SignalNetwork, network)], signal, problem.C, CPU)
    layout, state = network_layout(item.architecture, problem.encoder, problem.C), network.state_dict()
    member, stats = pack_members([layout], [item.seed])[0], initial_stats([layout])
    flat = torch.zeros(member.run)
    flat[: layout.size] = torch.cat([state[block.name].reshape(-1) for block in layout.blocks])
    norms = [
        f"groups.{group.index}.layers.{layer}.norm.{name}"
        for group in layout.groups for layer in range(group.depth if group.stats_size else 0)
        for name in ("running_mean", "running_var")
    ]  # fmt: skip
    if norms:
        stats[: layout.stats_size] = torch.cat([state[name] for name in norms])
    return TrainedPack([layout], flat, stats, [0], problem.encoder.D, CPU)
