"""What a user would do without packs: each candidate its own fit, same module, same data, same schedule."""

from __future__ import annotations

import copy
import logging
import warnings

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from nas_core.data import Problem
from nas_core.records import Architecture
from nas_core.spaces.tabular.module import build
from nas_core.training.batches import batch_slices

__all__ = ["lightning_fit", "plain_fit"]


def loss_of(problem: Problem, logits: Tensor, y: Tensor) -> Tensor:
    """Return the mean loss of a batch: BCE, cross-entropy or squared error."""
    if problem.task == "regression":
        return functional.mse_loss(logits[:, 0], y)
    if problem.C == 1:
        return functional.binary_cross_entropy_with_logits(logits[:, 0], y.float())
    return functional.cross_entropy(logits, y)


def optimiser_of(architecture: Architecture, module: nn.Module) -> torch.optim.Optimizer:
    """Return the candidate's optimiser; biases and normalisation are not decayed."""
    values = architecture.values
    weights = [p for p in module.parameters() if p.ndim > 1]
    others = [p for p in module.parameters() if p.ndim <= 1]
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


def tensors(problem: Problem) -> tuple[TensorDataset, TensorDataset]:
    """Return the training and validation parts as data sets; the targets as float for regression."""
    kind = torch.float32 if problem.task == "regression" else None
    return tuple(
        TensorDataset(torch.tensor(part.E), torch.tensor(part.y, dtype=kind)) for part in (problem.train, problem.valid)
    )  # type: ignore[return-value]


class OneCandidate(pl.LightningModule):
    """The ordinary LightningModule of one candidate."""

    def __init__(self, problem: Problem, architecture: Architecture, seed: int) -> None:
        super().__init__()
        self.problem, self.architecture = problem, architecture
        self.network = build(architecture, problem.encoder, problem.C, seed=seed)

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        return loss_of(self.problem, self.network(batch[0]), batch[1])

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        self.log("valid_loss", loss_of(self.problem, self.network(batch[0]), batch[1]))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return optimiser_of(self.architecture, self)


def lightning_fit(problem: Problem, architecture: Architecture, seed: int) -> nn.Module:
    """Train one candidate with one ``Trainer.fit``: early stopping, no logger, no checkpoint, no progress bar."""
    recipe = problem.spec.recipe
    train, valid = tensors(problem)
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = pl.Trainer(
            max_epochs=recipe.max_epochs, logger=False, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False, num_sanity_val_steps=0, accelerator="auto", devices=1,
            callbacks=[EarlyStopping("valid_loss", recipe.min_delta, recipe.patience, check_finite=True)],
        )  # fmt: skip
        module = OneCandidate(problem, architecture, seed)
        trainer.fit(
            module,
            DataLoader(train, batch_size=recipe.batch_size, shuffle=True),
            DataLoader(valid, batch_size=len(valid)),
        )
    return module.network


def plain_fit(problem: Problem, architecture: Architecture, seed: int) -> nn.Module:
    """Train one candidate with a plain loop over tensor slices, best weights kept: the fastest simple way."""
    recipe = problem.spec.recipe
    (X, y), (X_valid, y_valid) = (part.tensors for part in tensors(problem))
    module = build(architecture, problem.encoder, problem.C, seed=seed)
    optimiser = optimiser_of(architecture, module)
    best, waited, kept = float("inf"), 0, copy.deepcopy(module.state_dict())
    for _ in range(recipe.max_epochs):
        module.train()
        order = torch.randperm(len(X))
        for rows in batch_slices(len(X), recipe.batch_size):
            chosen = order[rows]
            optimiser.zero_grad()
            loss_of(problem, module(X[chosen]), y[chosen]).backward()
            optimiser.step()
        module.eval()
        with torch.no_grad():
            valid = float(loss_of(problem, module(X_valid), y_valid))
        if valid < best - recipe.min_delta:
            best, waited, kept = valid, 0, copy.deepcopy(module.state_dict())
        else:
            waited += 1
        if waited >= recipe.patience or valid != valid:
            break
    module.load_state_dict(kept)
    return module
