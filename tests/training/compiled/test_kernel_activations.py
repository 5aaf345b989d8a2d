"""Activations as kernels; the oracle is torch in double precision, its slopes by autograd."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from memories import batch, memory, operation, wide
from torch import Tensor
from torch.nn import functional

from nas_core.training.compiled.activations import ACTIVATIONS, activate, activate_back

TORCH: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": functional.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "softplus": functional.softplus,
}
ROWS = 6


def exact(name: str, x: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return values and slopes."""
    given = torch.from_numpy(x).double().requires_grad_()
    y = TORCH[name](given)
    y.backward(torch.from_numpy(g).double())
    return y.detach().numpy(), given.grad.numpy()


def computed(name: str, x: np.ndarray, g: np.ndarray, begin: float = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return values and slopes (rows, n) by the kernels, the slopes of x having been ``begin``."""
    rows, n = x.shape
    N = wide(n)
    m = memory(batch(np.concatenate([x, np.zeros_like(x)])))
    op = operation(OPTION=ACTIVATIONS.index(name), X=0, OUT=rows, C_OUT=rows, P_OUT=1)
    values, slopes = m.values.reshape(-1, N), m.slopes.reshape(-1, N)
    activate(op, m, N)
    slopes[rows:, :n], slopes[:rows, :n] = g, begin
    activate_back(op, m, N)
    assert np.array_equal(values[:rows, :n], x, equal_nan=True)
    assert not slopes[:, n:].any()
    return values[rows:, :n], slopes[:rows, :n]


@pytest.mark.parametrize("n", [1, 50, 64])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_and_slopes(name: str, n: int) -> None:
    rng = np.random.default_rng(n)
    x = (rng.standard_normal((ROWS, n)) * [[0.1], [1], [3], [10], [30], [90]]).astype(np.float32)
    x[0, 0] = 0
    g = rng.standard_normal((ROWS, n)).astype(np.float32)
    (y, found), (wanted, slopes) = computed(name, x, g), exact(name, x, g)
    size = np.maximum(np.abs(x), 1)
    assert np.all(np.abs(y - wanted) <= 4e-7 * np.abs(wanted) + (2.4e-7 * np.abs(x) if name == "gelu" else 1e-30))
    assert np.all(np.abs(found - slopes) <= 3e-7 * size * np.abs(g))  # torch subtracts from 1, too
    added = computed(name, x, g, begin=2.0)[1]
    assert np.all(np.abs(added - (2 + slopes)) <= 3e-7 * (size * np.abs(g) + 2))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_what_is_beyond_numbers(name: str) -> None:
    x = np.array([[np.nan, np.inf, -np.inf, 1e30, -1e30, -0.0]], np.float32)
    y, slopes = computed(name, x, np.ones_like(x))
    wanted, expected = exact(name, x, np.ones_like(x))
    np.testing.assert_allclose(y, wanted, rtol=1e-6)
    assert np.isfinite(slopes[0, 3:]).all()
    np.testing.assert_allclose(slopes[0, 3:], expected[0, 3:], rtol=1e-6, atol=1e-6)
    assert np.isnan(slopes[0, 0]) == np.isnan(expected[0, 0])


def test_a_row_depends_on_itself_alone() -> None:
    x = np.random.default_rng(0).standard_normal((ROWS, 33)).astype(np.float32)
    g = np.ones_like(x)
    for name in ACTIVATIONS:
        y, slopes = computed(name, x, g)
        few, fewer = computed(name, x[:, 30:31].copy(), g[:, :1])
        assert np.array_equal(y[:, 30], few[:, 0])
        assert np.array_equal(slopes[:, 30], fewer[:, 0])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slopes_of_the_data_are_not_computed(name: str) -> None:
    m = memory(batch(np.ones((2, 3))))
    m.slopes[:] = 1
    activate_back(operation(OPTION=ACTIVATIONS.index(name), X=0, OUT=1, C_OUT=1, P_OUT=1, NEEDS=0), m, wide(3))
    assert np.all(m.slopes == 1)
