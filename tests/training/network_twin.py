"""The slow twin of the training of signal networks: one network, torch.optim, a plain loop, every epoch remembered."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from nas_core.data import Problem, Recipe
from nas_core.spaces import SearchSpace
from nas_core.spaces.layers import seed_dropout
from nas_core.training.batches import batch_slices, epoch_order
from nas_core.training.networks import build_network
from nas_core.training.progress import PackItem


@dataclass
class NetworkTwin:
    network: nn.Module
    train_loss: list[float]
    valid_loss: list[float]
    kept_epoch: int


def train_network_alone(
    problem: Problem, space: SearchSpace, item: PackItem, recipe: Recipe,
    prepare: Callable[[nn.Module], object] = lambda network: None,
) -> NetworkTwin:  # fmt: skip
    network = build_network(space, item)
    prepare(network)
    dtype = next(network.parameters()).dtype
    seed_dropout(network, item.seed, torch.device("cpu"))
    values = item.architecture.values
    optimiser = _optimiser(network, values)
    x, y = _rows(problem, problem.train.E, dtype), _target(problem, problem.train.y, dtype)
    twin, states, rows_of = NetworkTwin(network, [], [], -1), [], []
    lowest, waited = float("inf"), 0
    steps = len(batch_slices(len(x), recipe.batch_size)) * recipe.max_epochs
    for epoch in range(recipe.max_epochs):
        order, total = epoch_order(problem.spec.split_seed, epoch, len(x)), 0.0
        network.train()
        slices = batch_slices(len(x), recipe.batch_size)
        for step, rows in enumerate(slices):
            chosen = order[rows]
            each = _losses(problem, network(x[chosen]), y[chosen])
            if problem.train.weights is not None:
                each = each * torch.from_numpy(problem.train.weights)[chosen]
            for group in optimiser.param_groups:
                group["lr"] = values["learning_rate"] * _factor(recipe, epoch * len(slices) + step, steps)
            optimiser.zero_grad()
            each.mean().backward()
            optimiser.step()
            total += each.sum().item()
        network.eval()
        with torch.no_grad():
            outputs = network(_rows(problem, problem.valid.E, dtype))
            valid = _losses(problem, outputs, _target(problem, problem.valid.y, dtype))
        if problem.valid.weights is not None:
            valid = valid * torch.from_numpy(problem.valid.weights)
        twin.train_loss.append(total / len(x))
        twin.valid_loss.append(float(valid.double().mean()))
        states.append(copy.deepcopy(network.state_dict()))
        rows_of.append(valid.double().numpy())
        lowest, waited = (twin.valid_loss[-1], 0) if twin.valid_loss[-1] < lowest else (lowest, waited + 1)
        if waited >= recipe.patience:
            break
    twin.kept_epoch = kept_of(rows_of)
    network.load_state_dict(states[twin.kept_epoch])
    return twin


def kept_of(rows_of: list[np.ndarray]) -> int:
    """The last epoch that is not clearly worse than the best one before it (losses (epochs, n))."""
    kept = 0
    for epoch, rows in enumerate(rows_of):
        before = min(rows_of[: epoch + 1], key=lambda r: r.mean())
        difference = rows - before
        if difference.mean() <= 2 * difference.std(ddof=1) / math.sqrt(len(rows)):
            kept = epoch
    return kept


def _factor(recipe: Recipe, step: int, steps: int) -> float:
    if recipe.schedule == "constant":
        return 1.0
    up = 0.15 * steps
    if step < up:
        return 0.05 + 0.95 * step / up
    return (1 + math.cos(math.pi * (step - up) / (steps - up))) / 2


def _optimiser(network: nn.Module, values: dict[str, object]) -> torch.optim.Optimizer:
    weights = {n for n, p in network.named_parameters() if "weight" in n.rpartition(".")[2] and p.ndim > 1}
    decayed = [p for n, p in network.named_parameters() if n in weights]
    others = [p for n, p in network.named_parameters() if n not in weights]
    groups = [{"params": decayed, "weight_decay": values["weight_decay"]}, {"params": others, "weight_decay": 0.0}]
    rate = values["learning_rate"]
    if values["optimiser"] == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=0.9, foreach=False)
    kinds = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "adagrad": torch.optim.Adagrad}
    return kinds[values["optimiser"]](groups, lr=rate, foreach=False)


def _rows(problem: Problem, E: np.ndarray, dtype: torch.dtype) -> Tensor:
    return torch.from_numpy(np.array(E)).to(dtype).reshape(-1, *problem.dataset.signal.encoded_shape)


def _target(problem: Problem, y: np.ndarray, dtype: torch.dtype) -> Tensor:
    return torch.from_numpy(y.astype(np.int64)) if problem.C > 1 else torch.from_numpy(y.astype(np.float32)).to(dtype)


def _losses(problem: Problem, outputs: Tensor, y: Tensor) -> Tensor:
    if problem.task == "regression":
        return functional.mse_loss(outputs[:, 0], y, reduction="none")
    if problem.C > 1:
        return functional.cross_entropy(outputs, y, reduction="none")
    return functional.binary_cross_entropy_with_logits(outputs[:, 0], y, reduction="none")
