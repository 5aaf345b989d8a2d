"""Counting the features a function depends on."""

from __future__ import annotations

from collections.abc import Callable

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
