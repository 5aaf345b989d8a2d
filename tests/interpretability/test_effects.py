"""Accumulated local effects: oracle values, and properties of what is read from them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_core.errors import SettingsError
from nas_core.interpretability import accumulate_effects, effect_grid, effects_of, prediction_deltas

ROWS = 2000
CUBE = np.random.default_rng(7).uniform(-1, 1, (ROWS, 3))


def on_rows(f: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """Return ``f`` of the columns as a function (N, P) → (N, 1)."""
    return lambda X: np.broadcast_to(f(X.T), len(X))[:, None].astype(float)


def friedman(x: np.ndarray) -> np.ndarray:
    return 10 * np.sin(np.pi * x[0] * x[1]) + 20 * (x[2] - 0.5) ** 2 + 10 * x[3] + 5 * x[4]


@pytest.mark.parametrize(
    ("f", "strength", "slack", "complexity"),
    [
        (lambda x: 2 * x[0] - x[1], 0, 1e-12, 1),
        (lambda x: 0.7, 0, 0, 0),
        (lambda x: x[0] ** 2, 0, 1e-6, 4),
        (lambda x: np.abs(x[0]), 0, 1e-4, 3),
        (lambda x: (x[0] > 0) * 1.0, 0, 0.01, 1),
        (lambda x: x[0] + x[1] + x[0] * x[1], 1 / 7, 0.012, 1),
        (lambda x: np.sin(3 * np.pi * x[0]), 0, 1e-3, 9),
    ],
)
def test_oracle_values(f: Callable, strength: float, slack: float, complexity: float) -> None:
    effects = effects_of(on_rows(f), CUBE)
    assert effects.interaction_strength[0] == pytest.approx(strength, abs=slack)
    assert effects.complexity[0] == pytest.approx(complexity, abs=1e-9)


def test_friedman_1() -> None:
    effects = effects_of(on_rows(friedman), np.random.default_rng(1).uniform(0, 1, (ROWS, 10)))
    assert effects.interaction_strength[0] == pytest.approx(0.0749, abs=0.008)
    assert effects.complexity[0] == pytest.approx(1.75, abs=0.05)


def test_a_pure_interaction_is_all_interaction_and_is_not_scored_on_the_noise_of_its_effects() -> None:
    effects = effects_of(on_rows(lambda x: x[0] * x[1]), CUBE)
    assert effects.interaction_strength[0] == pytest.approx(1.0, abs=0.02)
    assert effects.complexities.max() == 9  # the noise itself is as complex as can be …
    assert effects.complexity[0] < 4  # … but the floor keeps it from being the score


@settings(max_examples=25, deadline=None)
@given(st.floats(-1e6, 1e6), st.integers(0, 1000))
def test_a_constant_has_no_interactions_and_no_complexity(level: float, seed: int) -> None:
    rounding = np.random.default_rng(seed).normal(size=64) * 1e-9 * (1 + abs(level)) * 1e-4
    X = np.random.default_rng(seed).uniform(-1, 1, (64, 2))
    effects = effects_of(lambda Z: (level + rounding * Z[:, 0])[:, None], X)
    assert effects.interaction_strength[0] == 0
    assert effects.complexity[0] == 0
    assert np.isnan(effects.monotony[0])


def test_strength_can_exceed_one() -> None:
    rng = np.random.default_rng(0)
    x = np.repeat(rng.uniform(-1, 1, 100), 2)
    X = np.column_stack([x, x + rng.normal(scale=0.01, size=200)])
    effects = effects_of(on_rows(lambda x: 30 * (x[0] - x[1]) ** 2), X)
    assert effects.interaction_strength[0] > 1


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100), st.floats(-50, 50))
def test_measures_do_not_depend_on_the_unit_of_the_output(seed: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    X, a, b = rng.uniform(-1, 1, (80, 3)), rng.normal(size=(3, 4)), rng.normal(size=4)
    plain = effects_of(lambda Z: (np.tanh(Z @ a) @ b)[:, None], X)
    moved = effects_of(lambda Z: (np.tanh(Z @ a) @ b * scale + shift)[:, None], X)
    assert moved.interaction_strength == pytest.approx(plain.interaction_strength, rel=1e-6)
    assert moved.complexity == pytest.approx(plain.complexity, rel=1e-6)
    assert moved.monotony == pytest.approx(plain.monotony, rel=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_additive_monotone_functions_are_additive_and_monotone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, slope = rng.normal(size=(90, 4)), rng.uniform(0.2, 3, 4)
    effects = effects_of(lambda Z: np.tanh(Z * slope).sum(1, keepdims=True), X)
    assert effects.interaction_strength[0] < 1e-3
    assert effects.monotony[0] == pytest.approx(1.0)


def test_measured_monotony_of_a_parabola_and_a_line() -> None:
    X = np.linspace(-1, 1, 201)[:, None].repeat(2, 1)
    parabola = effects_of(on_rows(lambda x: x[0] ** 2), X)
    assert parabola.monotony[0] == pytest.approx(0.0, abs=1e-9)
    assert effects_of(on_rows(lambda x: -x[1]), X).monotony[0] == pytest.approx(1.0)


def test_a_pack_gives_what_each_function_gives_alone() -> None:
    rng = np.random.default_rng(5)
    X, W, v = rng.normal(size=(120, 6)), rng.normal(size=(7, 6, 5)), rng.normal(size=(7, 5, 3))
    functions = [lambda Z, k=k: np.tanh(Z @ W[k]) @ v[k] for k in range(7)]
    grid = effect_grid(X)
    outputs = np.stack([f(X) for f in functions])
    deltas = np.stack([prediction_deltas(f, X, grid) for f in functions])
    pack = accumulate_effects(outputs, deltas, grid)
    for k, f in enumerate(functions):
        alone = effects_of(f, X)
        assert pack.interaction_strength[k] == pytest.approx(alone.interaction_strength[0], rel=1e-9)
        assert pack.complexity[k] == pytest.approx(alone.complexity[0], rel=1e-9)
        assert pack.monotony[k] == pytest.approx(alone.monotony[0], rel=1e-9)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_a_shift_common_to_all_classes_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, W = rng.normal(size=(60, 3)), rng.normal(size=(3, 4))
    plain = effects_of(lambda Z: np.tanh(Z @ W), X)
    shifted = effects_of(lambda Z: np.tanh(Z @ W) + 5 * np.prod(Z, axis=1, keepdims=True), X)
    assert shifted.interaction_strength == pytest.approx(plain.interaction_strength, rel=1e-6, abs=1e-9)
    assert shifted.complexity == pytest.approx(plain.complexity, rel=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("position", [0, 1, 2])
def test_one_function_that_is_not_finite_leaves_its_neighbours_unchanged(bad: float, position: int) -> None:
    rng = np.random.default_rng(2)
    X = rng.normal(size=(50, 3))
    grid = effect_grid(X)
    outputs, deltas = rng.normal(size=(3, 50, 1)), rng.normal(size=(3, 50, 3, 1))
    clean = accumulate_effects(outputs, deltas, grid)
    outputs[position, 7] = bad
    broken = accumulate_effects(outputs, deltas, grid)
    others = [k for k in range(3) if k != position]
    assert broken.finite.tolist() == [k != position for k in range(3)]
    assert (broken.interaction_strength[others] == clean.interaction_strength[others]).all()
    assert (broken.complexity[others] == clean.complexity[others]).all()


def test_levels_of_a_category_are_one_effect_each() -> None:
    codes = np.arange(400) % 4
    X = np.column_stack([codes, np.random.default_rng(0).normal(size=400)])
    table = np.array([0.0, 3.0, 3.0, -2.0])
    effects = effects_of(lambda Z: (table[Z[:, 0].astype(int)] + Z[:, 1])[:, None], X, [True, False])
    curve = effects.curves[0][:, 0, 0]
    assert curve - curve[0] == pytest.approx(table)
    assert effects.complexities[0, :, 0].tolist() == [2, 1]
    assert effects.interaction_strength[0] == pytest.approx(0, abs=1e-9)
    assert effects.monotony[0] == pytest.approx(1.0)  # the category has no order and does not count


def test_the_mean_effect_over_the_rows_is_zero_and_unused_features_have_none() -> None:
    effects = effects_of(on_rows(lambda x: np.exp(x[0]) + x[1]), CUBE)
    assert effects.curves[2] is None
    for j in (0, 1):
        assert effects.grid.weights(j) @ effects.curves[j][:, 0, 0] == pytest.approx(0, abs=1e-9 * ROWS)


def test_a_function_without_an_output_dimension_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"shape \(2000,\).*return one column per output"):
        effects_of(lambda X: X[:, 0], CUBE)


def test_a_function_that_returns_a_view_of_its_rows_is_not_changed_under_its_hands() -> None:
    effects = effects_of(lambda Z: Z[:, :1], CUBE)
    assert effects.interaction_strength[0] == pytest.approx(0, abs=1e-12)
    assert effects.complexity[0] == pytest.approx(1)
