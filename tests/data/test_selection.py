"""Forward selection takes the column that lowers the squared error most, one after the other."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nas_core.data import Problem, load_data
from nas_core.data.selection import forward_order


def slow_order(Z: np.ndarray, T: np.ndarray, steps: int) -> tuple[int, ...]:
    """The definition: fit every extension by least squares and keep the best."""
    Z, T = Z - Z.mean(0), T - T.mean(0)
    chosen: list[int] = []
    for _ in range(steps):
        errors = {}
        for j in set(range(Z.shape[1])) - set(chosen):
            X = Z[:, [*chosen, j]]
            errors[j] = np.sum((T - X @ np.linalg.lstsq(X, T, rcond=None)[0]) ** 2)
        chosen.append(min(errors, key=errors.__getitem__))
    return tuple(chosen)


@given(st.integers(0, 10_000), st.integers(1, 3))
def test_it_is_the_greedy_choice(seed: int, targets: int) -> None:
    rng = np.random.default_rng(seed)
    Z = rng.normal(size=(40, 6)) @ rng.normal(size=(6, 6))
    T = Z @ rng.normal(size=(6, targets)) + rng.normal(size=(40, targets))
    assert forward_order(Z, T, 4) == slow_order(Z, T, 4)


def test_a_copy_is_never_taken_nor_a_constant() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 50))
    Z = np.column_stack([a, 2 * a + 1, np.full(50, 3.0), b])
    order = forward_order(Z, (a + 0.1 * b)[:, None], 4)
    assert len(order) == 2
    assert order[0] in (0, 1)
    assert order[1] == 3


def test_scale_and_shift_of_a_column_do_not_matter() -> None:
    rng = np.random.default_rng(1)
    Z, T = rng.normal(size=(60, 5)), rng.normal(size=(60, 1))
    assert forward_order(Z, T, 5) == forward_order(Z * [1, 10, 0.1, 5, 2] + 7, T, 5)


def test_hints_hold_an_order_of_distinct_features() -> None:
    order = Problem.create(load_data("breast_cancer")).hints.order
    assert 8 <= len(order) <= 12
    assert len(set(order)) == len(order)
