"""Counting the features a function depends on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_core.interpretability import used_features

X = np.random.default_rng(0).uniform(-1, 1, (300, 10))


@pytest.mark.parametrize(
    ("f", "used"),
    [
        (lambda Z: 2 * Z[:, 0] - Z[:, 1], (0, 1)),
        (lambda Z: np.full(len(Z), 0.7), ()),
        (lambda Z: 0.7 + 1e-9 * Z[:, 4], ()),
        (lambda Z: Z[:, 0] * Z[:, 1], (0, 1)),
        (lambda Z: Z[:, 2] + 1e-6 * Z[:, 5], (2,)),
        (
            lambda Z: 10 * np.sin(np.pi * Z[:, 0] * Z[:, 1]) + 20 * Z[:, 2] ** 2 + 10 * Z[:, 3] + 5 * Z[:, 4],
            tuple(range(5)),
        ),
    ],
)
def test_oracles(f: Callable[[np.ndarray], np.ndarray], used: tuple[int, ...]) -> None:
    assert used_features(lambda Z: f(Z)[:, None], X, draws=20) == used


@settings(max_examples=20, deadline=None)
@given(st.sets(st.integers(0, 9)), st.integers(0, 100))
def test_exactly_the_features_of_a_random_network_count(kept: set[int], seed: int) -> None:
    mask = np.isin(np.arange(10), sorted(kept))
    rng = np.random.default_rng(seed)
    W, v = rng.normal(size=(10, 8)) * mask[:, None], rng.normal(size=(8, 3))
    assert used_features(lambda Z: np.tanh(Z @ W) @ v, X, draws=3, seed=seed) == tuple(sorted(kept))


def column(predict: Callable[[np.ndarray], np.ndarray], Z: np.ndarray) -> np.ndarray:
    """Return the outputs (n,) of a model of scikit-learn as a column."""
    return predict(Z)[:, None]


def test_more_rows_find_the_features_of_trees() -> None:
    """The check of Molnar et al. (2019): features split by CARTs, found with 10, 50 and 500 rows; .300, .020, .000."""
    from sklearn.tree import DecisionTreeRegressor

    rng = np.random.default_rng(7)
    errors: dict[int, list[int]] = {10: [], 50: [], 500: []}
    for _ in range(60):
        rows = rng.normal(size=(700, 8))
        y = rows[:, 0] * rows[:, 1] + rows[:, 2] + rng.normal(size=700)
        tree = DecisionTreeRegressor(max_depth=int(rng.integers(1, 4)), min_samples_leaf=20, random_state=0)
        tree.fit(rows, y)
        split = set(tree.tree_.feature[tree.tree_.feature >= 0].tolist())
        for count, found in errors.items():
            used = used_features(partial(column, tree.predict), rows[-count:], draws=1)
            assert set(used) <= split  # nothing is found that is not there
            found.append(len(split) - len(used))
    mean = {count: float(np.mean(found)) for count, found in errors.items()}
    assert 0.1 < mean[10] < 0.8
    assert 0 < mean[50] < 0.1
    assert mean[500] == 0
