"""The slow twin: one candidate, its readable module, torch.optim, autograd and a plain loop."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from nas_core.data import Problem, Recipe
from nas_core.records import Architecture
from nas_core.spaces.tabular.module import FeatureGroupNetwork, build
from nas_core.spaces.tabular.noise import row_keys
from nas_core.training.batches import batch_slices, epoch_order


@dataclass
class Twin:
    module: FeatureGroupNetwork
    train_loss: list[float]
    valid_loss: list[float]
    best_epoch: int


def train_alone(
    problem: Problem, architecture: Architecture, seed: int, recipe: Recipe,
    prepare: Callable[[FeatureGroupNetwork], object] = lambda module: None,
) -> Twin:  # fmt: skip
    module = build(architecture, problem.encoder, problem.C, seed=seed)
    prepare(module)
    dtype = module.bias.dtype
    optimiser = _optimiser(module, architecture)
    E, y = torch.from_numpy(problem.train.E).to(dtype), _target(problem, problem.train.y, dtype)
    twin, best, kept, waited = Twin(module, [], [], -1), float("inf"), copy.deepcopy(module.state_dict()), 0
    for epoch in range(recipe.max_epochs):
        order, total = epoch_order(problem.spec.split_seed, epoch, len(E)), 0.0
        module.train()
        for step, rows in enumerate(batch_slices(len(E), recipe.batch_size)):
            chosen = order[rows]
            module.at(torch.from_numpy(row_keys(epoch, step, len(chosen))))
            loss = _loss(problem, module(E[chosen]), y[chosen], problem.train.weights, chosen)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item() * len(chosen)
        module.eval()
        with torch.no_grad():
            every = torch.arange(len(problem.valid))
            valid = _loss(
                problem, module(torch.from_numpy(problem.valid.E).to(dtype)), _target(problem, problem.valid.y, dtype),
                problem.valid.weights, every,
            ).item()  # fmt: skip
        twin.train_loss.append(total / len(E))
        twin.valid_loss.append(valid)
        waited += 1
        if valid < best - recipe.min_delta:
            best, twin.best_epoch, kept, waited = valid, epoch, copy.deepcopy(module.state_dict()), 0
        if waited >= recipe.patience:
            break
    module.load_state_dict(kept)
    return twin


def _optimiser(module: FeatureGroupNetwork, architecture: Architecture) -> torch.optim.Optimizer:
    values = architecture.values
    decayed = [p for n, p in module.named_parameters() if n.endswith(".weight") and ".norm." not in n]
    others = [p for n, p in module.named_parameters() if not (n.endswith(".weight") and ".norm." not in n)]
    groups = [{"params": decayed, "weight_decay": values["weight_decay"]}, {"params": others, "weight_decay": 0.0}]
    rate = values["learning_rate"]
    if values["optimiser"] == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=0.9)
    kinds = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "adagrad": torch.optim.Adagrad}
    return kinds[values["optimiser"]](groups, lr=rate)


def _target(problem: Problem, y: np.ndarray, dtype: torch.dtype) -> Tensor:
    return torch.from_numpy(y.astype(np.int64)) if problem.C > 1 else torch.from_numpy(y.astype(np.float32)).to(dtype)


def _loss(problem: Problem, logits: Tensor, y: Tensor, weights: np.ndarray | None, rows: Tensor) -> Tensor:
    """Return torch's own mean loss; class weights go through its ``weight`` argument where it has one."""
    if problem.task == "regression":
        return functional.mse_loss(logits[:, 0], y)
    if problem.C > 1:
        by_class = problem.class_weights
        weight = None if by_class is None else torch.from_numpy(by_class.astype(np.float32))
        return functional.cross_entropy(logits, y, weight=weight, reduction="none").mean()
    own = None if weights is None else torch.from_numpy(weights)[rows]
    return functional.binary_cross_entropy_with_logits(logits[:, 0], y, weight=own)
