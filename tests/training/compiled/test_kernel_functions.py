"""Functions of vectors; the oracle is NumPy and SciPy in double precision."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numba import njit
from scipy import special

from nas_core.training.compiled import functions
from nas_core.training.compiled.lanes import LANES, load, store

SPECIAL = [0.0, -0.0, np.inf, -np.inf, 1e30, -1e30, 1e-42, -1e-42, 0.625, -0.625, 88.73, -87.4, -103.9, -104.1, 1e-7]


def everywhere(function: Callable[..., object]) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function of arrays; it is compiled anew, for what is kept does not notice changed functions."""

    @njit(error_model="numpy")
    def loop(x: np.ndarray, y: np.ndarray) -> None:
        for at in range(0, len(x), LANES):
            store(y, at, function(load(x, at)))

    def applied(x: np.ndarray) -> np.ndarray:
        wide = np.zeros(-(-len(x) // LANES) * LANES, np.float32)
        wide[: len(x)] = x
        found = np.zeros_like(wide)
        loop(wide, found)
        return found[: len(x)]

    return applied


@njit(error_model="numpy", forceinline=True)
def normal(x: object) -> object:
    return functions.normal(x, functions.bell(x))


def ulps(found: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """Return the errors in units of the last place of single precision."""
    with np.errstate(over="ignore", invalid="ignore"):
        size = np.spacing(np.abs(exact.astype(np.float32))).astype(float)
        gaps = np.abs(found - exact) / size
    return np.where(found == exact.astype(np.float32), 0, gaps)


@pytest.mark.parametrize(
    ("function", "exact", "bounds", "worst"),
    [
        (functions.exponential, np.exp, (-120, 120), 2),
        (functions.log_one_plus, np.log1p, (0, 1), 3),
        (functions.logistic, special.expit, (-80, 120), 3),
        (functions.hyperbolic_tangent, np.tanh, (-20, 20), 3),
        (normal, special.ndtr, (-1, 20), 4),
        (functions.magnitude, np.abs, (-5, 5), 0),
    ],
    ids=["exp", "log1p", "logistic", "tanh", "normal", "abs"],
)
def test_last_places(
    function: Callable[..., object], exact: Callable[..., np.ndarray], bounds: tuple[float, float], worst: float
) -> None:  # fmt: skip
    grid = np.linspace(*bounds, 40_000)
    near = np.geomspace(1e-30, 1, 2_000)
    x = np.concatenate([grid, near, -near, SPECIAL]).astype(np.float32)
    x = x[(x >= bounds[0]) & (x <= bounds[1])]
    x = np.concatenate([x, [np.inf, np.nan] if bounds[1] > 1 else [np.nan]]).astype(np.float32)
    found = everywhere(function)(x)
    with np.errstate(over="ignore"):
        wanted = exact(x.astype(float))
        wanted = np.where(np.abs(wanted) > np.finfo(np.float32).max, np.inf, wanted)
    assert np.isnan(found[-1])
    errors = ulps(found[:-1], wanted[:-1])
    assert errors.max() <= worst, x[errors.argmax()]


def test_the_tail_of_the_normal_distribution_keeps_its_digits() -> None:
    x = np.linspace(-12, 0, 10_000).astype(np.float32)
    found, exact = everywhere(normal)(x), special.ndtr(x.astype(float))
    rounding = 1 + x.astype(float) ** 2  # x² / 2 is rounded before its exponential is taken
    assert np.all(np.abs(found / exact - 1) <= 1.2e-7 * rounding)
