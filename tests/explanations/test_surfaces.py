"""Interaction surfaces: the pure interaction of known functions, nothing where features add up, and bad input."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from known_candidates import known, table
from signal_examples import problem_of
from toy_candidates import candidate_of
from toy_signal_candidates import of_family

from nas_core.data import Problem
from nas_core.errors import ExplanationError, SettingsError
from nas_core.explanations import CurveMethod, TrainedCandidate, interaction_partners, interaction_surface

Made = Callable[..., TrainedCandidate]
METHODS: tuple[CurveMethod, ...] = ("ale", "pdp")


@pytest.fixture(scope="module")
def cube() -> Problem:
    X = np.random.default_rng(0).uniform(-1, 1, (3000, 3))
    return table(X, X[:, 0])


@pytest.mark.parametrize("method", METHODS)
def test_the_pure_interaction_of_a_product_is_the_centred_product(cube: Problem, method: CurveMethod) -> None:
    candidate = known(cube, all=((0, 1, 2), lambda a, b, c: 2 * a * b + 7 * a + b**2 - c))
    found = interaction_surface(candidate, (0, 1), method, cube.train.raw[:900])
    a, b = (grid - grid.mean() * 0 for grid in found.grids)
    X = cube.train.raw[:900]
    expected = 2 * np.outer(a - X[:, 0].mean(), b - X[:, 1].mean())
    assert found.effect[:, :, 0] == pytest.approx(expected, abs=0.1 if method == "ale" else 0.02)
    assert not found.reason
    variance = candidate.predict(X).var()
    assert found.strength[0] == pytest.approx(4 / 9 / variance, rel=0.15)


def test_ale_of_a_product_is_exact_where_all_cells_hold_rows(cube: Problem) -> None:
    """The second difference of a·b is the area of the cell, so the surface is the product less a sum of two curves."""
    candidate = known(cube, pair=((0, 1), lambda a, b: a * b))
    found = interaction_surface(candidate, (0, 1), "ale", cube.train.raw, cells=5)
    a, b = found.grids
    left = found.effect[:, :, 0] - np.outer(a, b)
    assert np.abs(np.diff(np.diff(left, axis=0), axis=1)).max() < 1e-5


@pytest.mark.parametrize("method", METHODS)
def test_a_sum_in_one_group_has_no_interaction(cube: Problem, method: CurveMethod) -> None:
    candidate = known(cube, pair=((0, 1), lambda a, b: torch.sin(3 * a) + b**3))
    found = interaction_surface(candidate, (0, 1), method, cube.train.raw[:400])
    assert np.abs(found.effect).max() < 1e-5
    assert not found.reason
    assert found.strength[0] < 1e-9


def test_order_of_the_pair_turns_the_surface(cube: Problem) -> None:
    candidate = known(cube, pair=((0, 1), lambda a, b: torch.exp(a * b)))
    for method in METHODS:
        one, other = (interaction_surface(candidate, pair, method) for pair in ((0, 1), (1, 0)))
        assert other.effect == pytest.approx(one.effect.transpose(1, 0, 2), abs=1e-9)
        assert np.array_equal(other.counts, one.counts.T)
        assert other.strength == pytest.approx(one.strength)


@settings(max_examples=15, deadline=None)
@given(st.floats(-20, 20), st.floats(0.2, 5), st.integers(0, 1000))
def test_main_effects_and_shifts_change_nothing(main: float, scale: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(120, 2))
    problem = table(X, X[:, 0])
    plain = known(problem, pair=((0, 1), lambda a, b: a * b))
    with_mains = known(problem, pair=((0, 1), lambda a, b: scale * a * b + main * a - main * b + main))
    for method in METHODS:
        one, other = (interaction_surface(c, (0, 1), method, problem.train.raw) for c in (plain, with_mains))
        assert other.effect == pytest.approx(scale * one.effect, rel=1e-4, abs=1e-4)


def test_correlated_features_leave_cells_without_rows_and_they_are_counted() -> None:
    x = np.random.default_rng(1).normal(size=800)
    X = np.column_stack([x, x + 0.1 * np.random.default_rng(2).normal(size=800)])
    problem = table(X, x)
    found = interaction_surface(known(problem, pair=((0, 1), lambda a, b: a * b)), (0, 1))
    assert (found.counts == 0).mean() > 0.5
    assert found.counts.sum() == found.rows == len(problem.train)
    assert np.isfinite(found.effect).all()


def test_partners_are_those_of_the_same_group_that_is_no_sum(problem: Problem, made: Made) -> None:
    candidate = made((0, 1, 3), (2,))
    assert interaction_partners(candidate, 1) == (0, 3)
    assert interaction_partners(candidate, 2) == ()
    assert interaction_partners(candidate, 4) == ()
    assert interaction_partners(made((0, 1), linear=True), 0) == ()


def test_what_cannot_interact_says_why(problem: Problem, made: Made) -> None:
    candidate = made((0, 1, 5), (2,))
    for method in METHODS:
        apart, unread = (interaction_surface(candidate, pair, method) for pair in ((0, 2), (0, 4)))
        assert "adds them up" in apart.reason
        assert not apart.effect.any()
        assert "does not read n4" in unread.reason
        category = interaction_surface(candidate, (0, 5), method)
        assert category.levels == ((), ("red", "green", "blue"))
        assert category.counts.shape == (category.effect.shape[0] - 1, 3)
        assert category.counts.sum() == category.rows


def test_a_feature_with_one_value_or_rows_with_none() -> None:
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=60), np.full(60, 2.0), rng.normal(size=60)])
    X[::2, 0], X[1::2, 2] = np.nan, np.nan
    problem = table(X, rng.normal(size=60))
    candidate = candidate_of(problem, (0, 1, 2))
    assert "x1 has one value" in interaction_surface(candidate, (0, 1)).reason
    with pytest.raises(ExplanationError, match="No row has a value of both 'x0' and 'x2'"):
        interaction_surface(candidate, (0, 2))


def test_errors_say_what_is_allowed(binary: Problem) -> None:
    candidate = candidate_of(binary, (0, 1))
    with pytest.raises(SettingsError, match=r"no pair of features 1 and 1.*two different"):
        interaction_surface(candidate, (1, 1))
    with pytest.raises(SettingsError, match="0 to 5"):
        interaction_surface(candidate, (0, 6))
    with pytest.raises(SettingsError, match=r"no surface 'h'.*ale, pdp"):
        interaction_surface(candidate, (0, 1), "h")
    with pytest.raises(ExplanationError, match="reads image data"):
        interaction_partners(of_family(problem_of()), 0)
