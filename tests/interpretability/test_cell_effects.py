"""First-order effects of cells: exact where f is additive, unbiased where it is not, the same in every pack."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas_core.interpretability import cell_residuals
from nas_core.interpretability.cell_effects import other_rows

OWNER = np.array([0, 0, 1, 1, 2, 2])  # three cells of two columns each


def ias(f: object, n: int = 400, B: int = 4, seed: int = 0, low: float = -1.0) -> float:
    rng = np.random.default_rng(seed)
    rows = rng.uniform(low, 1, (n, 6))
    return cell_residuals(f, rows, rows, other_rows(n, B, rng), OWNER).interaction_strength


@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(1, 3))
def test_an_additive_function_has_no_interactions_whatever_is_drawn(seed: int, B: int, C: int) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(6, C))

    def f(x: np.ndarray) -> np.ndarray:
        return x @ weights + np.sin(3 * x[:, [0]] * x[:, [1]]) + 7  # columns 0 and 1 are one cell

    assert ias(f, n=40, B=B, seed=seed) <= 1e-5


def test_a_product_of_two_cells_is_nothing_but_interaction() -> None:
    assert ias(lambda x: x[:, [0]] * x[:, [2]], n=4000) == pytest.approx(1, abs=0.05)
    assert ias(lambda x: np.prod(x[:, ::2], 1, keepdims=True), n=4000) == pytest.approx(1, abs=0.15)


def test_known_interaction_strengths_are_found() -> None:
    # variances for U(-1, 1): x 1/3, x·y 1/9
    assert ias(lambda x: x[:, [0]] + x[:, [2]] + x[:, [0]] * x[:, [2]], n=4000) == pytest.approx(1 / 7, abs=0.02)
    # inside one cell a product is no interaction
    assert ias(lambda x: x[:, [0]] * x[:, [1]] + x[:, [2]]) <= 1e-9


def test_logits_are_centred_over_the_classes() -> None:
    def f(x: np.ndarray) -> np.ndarray:
        shift = 5 * x[:, [0]] * x[:, [2]]  # common to all classes: it changes no prediction
        return np.hstack([x[:, [0]], x[:, [2]], -x[:, [4]]]) + shift

    assert ias(f) <= 1e-9


@pytest.mark.parametrize("B", [2, 4, 16])
def test_few_other_rows_do_not_bias_the_strength(B: int) -> None:
    def f(x: np.ndarray) -> np.ndarray:
        return x[:, [0]] + x[:, [2]] * x[:, [4]]

    found = np.array([ias(f, n=60, B=B, seed=s) for s in range(120)])
    error = found.std() / np.sqrt(len(found))
    assert found.mean() == pytest.approx(0.25, abs=4 * error + 0.012)  # 0.012: the ratio of means at n = 60


def test_the_square_of_a_mean_over_few_rows_would_be_biased() -> None:
    """What the products of different rows are for: the plain square is far too large with four other rows."""
    rng = np.random.default_rng(0)
    rows = rng.uniform(-1, 1, (2000, 6))
    others = other_rows(2000, 4, rng)

    def f(x: np.ndarray) -> np.ndarray:
        return x[:, 0] + x[:, 2] * x[:, 4]

    r = 2 * f(rows[others].reshape(-1, 6)).reshape(2000, 4) + f(rows)[:, None]
    for j in range(3):
        mixed = np.where(j == OWNER, rows[:, None], rows[others])
        r -= f(mixed.reshape(-1, 6)).reshape(2000, 4)
    plain = (r.mean(1) ** 2).mean() / f(rows).var()
    assert plain > 0.32
    assert cell_residuals(lambda x: f(x)[:, None], rows, rows, others, OWNER).interaction_strength == pytest.approx(
        0.25, abs=0.03
    )


def test_more_rows_come_closer() -> None:
    def f(x: np.ndarray) -> np.ndarray:
        return np.maximum(0, x[:, [0]] + x[:, [2]] + x[:, [4]])

    spread = [np.std([ias(f, n=n, seed=s) for s in range(30)]) for n in (30, 300)]
    assert spread[1] < spread[0] / 2


def test_a_constant_has_no_interactions_and_what_is_not_finite_is_told() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(20, 6))
    others = other_rows(20, 4, rng)
    constant = cell_residuals(lambda x: np.full((len(x), 1), 0.7), rows, rows, others, OWNER)
    assert not constant.varies
    assert constant.interaction_strength == 0
    broken = cell_residuals(lambda x: np.full((len(x), 1), np.nan), rows, rows, others, OWNER)
    assert not broken.finite
    assert broken.interaction_strength == 0


def test_cells_that_are_the_same_in_both_rows_cost_nothing() -> None:
    asked = 0

    def f(x: np.ndarray) -> np.ndarray:
        nonlocal asked
        asked += len(x)
        return np.maximum(0, x.sum(1, keepdims=True))

    rng = np.random.default_rng(0)
    rows = rng.normal(size=(30, 6))
    rows[:, 2:] = 0.5
    others = other_rows(30, 4, rng)
    assert cell_residuals(f, rows, rows, others, OWNER).interaction_strength <= 1e-12
    assert asked == 30 + 30 + 30 * 4


@given(st.integers(3, 30), st.integers(0, 99))
def test_other_rows_are_different_and_not_the_row_itself(count: int, seed: int) -> None:
    found = other_rows(count, 2, np.random.default_rng(seed))
    assert found.shape == (count, 2)
    assert (found != np.arange(count)[:, None]).all()
    assert (found[:, 0] != found[:, 1]).all()
    assert np.array_equal(found, other_rows(count, 2, np.random.default_rng(seed)))
