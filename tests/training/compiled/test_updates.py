"""Optimisers as kernels; the oracle is ``torch.optim``, fused and element by element."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from nas_core.training.compiled.updates import update
from nas_core.training.network_training import torch_optimiser
from nas_core.training.optimiser import OPTIMISERS

STEPS = 20
RATES = [0.03 * (1 + np.cos(i)) for i in range(STEPS)]  # a schedule


class Both(nn.Module):
    """37 weights that are decayed and 21 that are not."""

    def __init__(self, start: np.ndarray) -> None:
        super().__init__()
        self.decayed = nn.Parameter(torch.from_numpy(start[:37].copy())[None])
        self.free = nn.Parameter(torch.from_numpy(start[37:].copy()))

    def flat(self) -> np.ndarray:
        return torch.cat([p.detach().ravel() for p in self.parameters()]).numpy()


@pytest.fixture
def start() -> np.ndarray:
    return np.random.default_rng(0).standard_normal(58).astype(np.float32)


@pytest.fixture
def gradients() -> np.ndarray:
    rng = np.random.default_rng(1)
    found = rng.standard_normal((STEPS, 58)) * 10.0 ** rng.integers(-6, 3, 58)
    found[:, ::9] = 0
    return found.astype(np.float32)


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("decay", [0.0, 0.05])
@pytest.mark.parametrize("name", OPTIMISERS)
def test_it_steps_as_torch_does(
    name: str, decay: float, fused: bool, start: np.ndarray, gradients: np.ndarray
) -> None:  # fmt: skip
    network = Both(start)
    optimiser = torch_optimiser(network, {"optimiser": name, "learning_rate": 1.0, "weight_decay": decay})
    for group in optimiser.param_groups:
        group |= {"fused": fused, "foreach": False}
    weights, first, second = start.copy(), np.zeros_like(start), np.zeros_like(start)
    for step, (rate, gradient) in enumerate(zip(RATES, gradients), start=1):
        network.decayed.grad = torch.from_numpy(gradient[:37].copy())[None]
        network.free.grad = torch.from_numpy(gradient[37:].copy())
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.step()
        update(OPTIMISERS.index(name), weights, gradient, first, second, 37, rate, decay, step)
        scale = np.abs(start) + np.abs(weights)  # a weight that passes 0 keeps the rounding of where it was
        assert np.all(np.abs(weights - network.flat()) <= 1e-6 * scale), step


@pytest.mark.parametrize("name", OPTIMISERS)
def test_nan_spoils_its_own_weight_alone(name: str, start: np.ndarray) -> None:
    gradient = np.ones_like(start)
    gradient[40] = np.nan
    weights, first, second = start.copy(), np.zeros_like(start), np.zeros_like(start)
    update(OPTIMISERS.index(name), weights, gradient, first, second, 37, 0.1, 0.1, 1)
    assert np.flatnonzero(np.isnan(weights)).tolist() == [40]
    assert gradient[0] == 1


def test_no_weight_at_all() -> None:
    none = np.zeros(0, np.float32)
    for kind in range(len(OPTIMISERS)):
        update(kind, none, none, none, none, 0, 0.1, 0.1, 1)
