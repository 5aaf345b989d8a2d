"""Losses as kernels; the oracle is ``nas_core.training.losses`` in double precision, its slopes by autograd."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from memories import batch, memory, wide

from nas_core.training.compiled.losses import TASKS, loss, rows_loss
from nas_core.training.losses import losses

BEFORE, AFTER = 2, 3  # rows around those of the outputs


def exact(
    outputs: np.ndarray, y: np.ndarray, counts: np.ndarray, task: str
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Return the loss (n,) of each row and the slopes (C, n) of their mean."""
    logits = torch.from_numpy(outputs).double().requires_grad_()
    target = torch.from_numpy(y).long() if task == "classes" else torch.from_numpy(y).double()
    name = "regression" if task == "regression" else "classification"
    each = losses(logits[None], target, name, torch.from_numpy(counts).double())[0]
    each.mean().backward()
    return each.detach().numpy(), logits.grad.numpy()


def samples(task: str, outputs: int, n: int, size: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n)
    y = rng.standard_normal(n) if task == "regression" else rng.integers(0, max(outputs, 2), n)
    x = size * rng.standard_normal((outputs, n))
    return x.astype(np.float32), y.astype(np.float32), rng.uniform(0, 2, n).astype(np.float32)


def rounding(task: str, x: np.ndarray, y: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the error (n,) of single precision in what is squared, or in a sum of exponentials near 1."""
    if task == "regression":
        return 2.4e-7 * (np.abs(x[0]) + np.abs(y)) ** 2 * counts
    return counts * (2.4e-7 if task == "classes" else 1e-15 * (1 + np.abs(x[0])))  # the oracle subtracts logits


@pytest.mark.parametrize("size", [1, 30, 3000])
@pytest.mark.parametrize("n", [1, 5, 16, 37])
@pytest.mark.parametrize(
    ("task", "outputs"), [("regression", 1), ("regression", 2), ("binary", 1), ("classes", 2), ("classes", 7)]
)  # fmt: skip
def test_losses_and_slopes(task: str, outputs: int, n: int, size: float) -> None:
    x, y, counts = samples(task, outputs, n, size)
    N, kind = wide(n), TASKS.index(task)
    around = [np.ones((k, n), np.float32) for k in (BEFORE, AFTER)]
    m = memory(batch(np.concatenate([around[0], x, around[1]])))
    m.slopes[:] = 9
    each = np.full(n, np.nan, np.float32)
    loss(m, BEFORE, outputs, y, counts, each, N, n, kind)
    rows, slopes = exact(x, y, counts, task)
    assert np.all(np.abs(each - rows) <= 1e-6 * np.abs(rows) + rounding(task, x, y, counts))
    found = m.slopes.reshape(-1, N)
    atol = 2.4e-7 * counts * (np.abs(x[0]) + np.abs(y) if task == "regression" else 1) / n
    assert np.all(np.abs(found[BEFORE:-AFTER, :n] - slopes) <= 1e-6 * np.abs(slopes) + atol)
    assert not found[BEFORE:-AFTER, n:].any()
    assert np.all(found[:BEFORE] == 9)
    assert np.all(found[-AFTER:] == 9)
    alone = np.full(n, np.nan, np.float32)
    m.slopes[:] = 9
    rows_loss(m, BEFORE, outputs, y, counts, alone, N, n, kind)
    assert np.array_equal(alone, each)
    assert np.all(m.slopes == 9)


@pytest.mark.parametrize(("task", "outputs"), [("regression", 1), ("binary", 1), ("classes", 3)])
def test_nan_in_one_row_is_the_loss_of_that_row(task: str, outputs: int) -> None:
    x, y, counts = samples(task, outputs, 6, 1)
    for k in range(outputs):
        spoilt = x.copy()
        spoilt[k, 4] = np.nan
        m, each = memory(batch(spoilt)), np.zeros(6, np.float32)
        loss(m, 0, outputs, y, counts, each, wide(6), 6, TASKS.index(task))
        assert np.flatnonzero(np.isnan(each)).tolist() == [4]
        assert np.isnan(m.slopes).reshape(outputs, -1).any(0).nonzero()[0].tolist() == [4]


def test_infinite_loss_of_a_class_that_is_ruled_out() -> None:
    x, y = np.array([[0.0], [-np.inf]], np.float32), np.ones(1, np.float32)
    m, each = memory(batch(x)), np.zeros(1, np.float32)
    loss(m, 0, 2, y, y, each, wide(1), 1, TASKS.index("classes"))
    assert each[0] == np.inf
    assert m.slopes.reshape(2, -1)[:, 0].tolist() == [1, -1]
