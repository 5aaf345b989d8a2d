"""ALE, partial dependence and ICE: known functions, scikit-learn, exact shape functions, and empty columns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from known_candidates import known, table
from signal_examples import problem_of
from toy_candidates import candidate_of, made_problem
from toy_signal_candidates import of_family

from nas_core.data import Problem
from nas_core.errors import ExplanationError, SettingsError
from nas_core.explanations import (
    CurveMethod,
    TrainedCandidate,
    effect_curve,
    effect_curves,
    ice_lines,
    shape_functions,
)

Made = Callable[..., TrainedCandidate]
METHODS: tuple[CurveMethod, ...] = ("ale", "pdp")
ROWS = 3000


def uniform(P: int = 3, rows: int = ROWS, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (rows, P))


@pytest.fixture(scope="module")
def cube() -> Problem:
    """Three independent features, uniform on (-1, 1)."""
    X = uniform()
    return table(X, X[:, 0])


@pytest.mark.parametrize("method", METHODS)
def test_the_curves_of_a_sum_are_its_terms_though_it_is_one_group(cube: Problem, method: CurveMethod) -> None:
    candidate = known(cube, all=((0, 1, 2), lambda a, b, c: 2 * a + b**2 + 0 * c))
    X = cube.train.raw[:1000]
    first, second, third = (effect_curve(candidate, j, method, X) for j in range(3))
    assert first.effect[:, 0] == pytest.approx(2 * (first.grid - X[:, 0].mean()), abs=1e-5)
    # between the borders of a cell a curve is straight, so the mean of a parabola is a little off
    assert second.effect[:, 0] == pytest.approx(second.grid**2 - (X[:, 1] ** 2).mean(), abs=2e-3)
    assert np.abs(third.effect).max() < 1e-5
    assert not first.exact
    assert first.level == pytest.approx(candidate.predict(X).mean(0))


@pytest.mark.parametrize("method", METHODS)
def test_a_product_of_centred_features_has_no_main_effect(cube: Problem, method: CurveMethod) -> None:
    candidate = known(cube, pair=((0, 1), lambda a, b: a * b))
    curve = effect_curve(candidate, 0, method, cube.train.raw)
    # the slope of the average is the mean of the other feature, cell by cell for ALE
    assert np.abs(curve.effect).max() < (0.12 if method == "ale" else 0.03)
    assert np.mean((curve.low <= 0.03) & (curve.high >= -0.03)) > 0.9


@pytest.mark.parametrize("method", METHODS)
def test_the_effect_of_a_product_is_the_mean_of_its_partner(method: CurveMethod) -> None:
    X = uniform(2) + np.array([0.0, 3.0])
    problem = table(X, X[:, 0])
    candidate = known(problem, pair=((0, 1), lambda a, b: a * b))
    rows = problem.train.raw
    curve = effect_curve(candidate, 0, method, rows)
    slope, at = rows[:, 1].mean(), 0.0
    expected = slope * (curve.grid - at) + slope * at - (rows[:, 0] * rows[:, 1]).mean()
    assert curve.effect[:, 0] == pytest.approx(expected, abs=0.15 if method == "ale" else 1e-4)


def test_correlated_features_are_where_the_two_differ() -> None:
    """With x1 = x0, PDP moves x0 away from x1 and ALE does not: f = x0 x1, slope 0 against slope x0."""
    x = uniform(1)
    problem = table(np.column_stack([x, x]), x[:, 0])
    candidate = known(problem, pair=((0, 1), lambda a, b: a * b))
    rows = problem.train.raw
    ale, pdp = (effect_curve(candidate, 0, m, rows) for m in METHODS)
    assert ale.effect[:, 0] == pytest.approx(ale.grid**2 / 2 - (rows[:, 0] ** 2 / 2).mean(), abs=0.01)
    assert np.ptp(pdp.effect) < 0.1


def test_partial_dependence_is_scikit_learns(problem: Problem, made: Made) -> None:
    from sklearn.base import BaseEstimator, RegressorMixin
    from sklearn.inspection import partial_dependence

    class Wrapped(RegressorMixin, BaseEstimator):
        """One output of the candidate as a fitted estimator."""

        def __init__(self, candidate: TrainedCandidate, output: int) -> None:
            self.candidate, self.output, self.fitted_ = candidate, output, True

        def fit(self, X: np.ndarray, y: np.ndarray) -> Wrapped:
            return self

        def predict(self, X: np.ndarray) -> np.ndarray:
            return self.candidate.predict(X)[:, self.output]

    candidate, rows = made((0, 1, 3), (2,), (5,)), problem.train.raw
    for j in (0, 2, 5):
        curve = effect_curve(candidate, j, "pdp", rows)
        for c in range(candidate.outputs):
            theirs = partial_dependence(
                Wrapped(candidate, c), rows, [j], custom_values={j: curve.grid}, kind="both", method="brute"
            )
            assert curve.effect[:, c] + curve.level[c] == pytest.approx(theirs["average"][0], abs=1e-6)
            lines = ice_lines(candidate, j, rows)
            assert lines.outputs[:, :, c] == pytest.approx(theirs["individual"][0], abs=1e-6)


def test_the_mean_of_the_ice_lines_is_the_pdp_and_each_passes_its_row(problem: Problem, made: Made) -> None:
    candidate, rows = made((0, 1), (2, 5)), problem.train.raw[:40]
    lines, curve = ice_lines(candidate, 0, rows), effect_curve(candidate, 0, "pdp", rows)
    assert lines.outputs.mean(0) == pytest.approx(curve.effect + curve.level)
    assert lines.own_outputs == pytest.approx(candidate.predict(rows))
    moved = rows.copy()
    moved[:, 0] = lines.grid[3]
    assert lines.outputs[:, 3] == pytest.approx(candidate.predict(moved))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("linear", [False, True])
def test_a_feature_alone_or_in_a_sum_has_its_exact_curve(problem: Problem, made: Made, method: CurveMethod,
                                                         linear: bool) -> None:  # fmt: skip
    candidate = made((0, 3, 5), linear=True) if linear else made((0,), (3,), (5,), (1, 2))
    rows = problem.train.raw[:60]
    shapes = {} if linear else {s.feature: s for s in shape_functions(candidate, rows)}
    for j in (0, 3, 5):
        curve = effect_curve(candidate, j, method, rows)
        assert curve.exact
        assert not curve.error.any()
        assert (curve.missing is not None) == (j == 3)
        moved = rows.copy()
        for m in (0, len(curve.grid) // 2, len(curve.grid) - 1):
            moved[:, j] = curve.grid[m]
            assert curve.effect[m] == pytest.approx((candidate.predict(moved) - candidate.predict(rows)).mean(0))
        if not linear:
            assert curve.missing == pytest.approx(shapes[j].missing) if j == 3 else curve.missing is None
            shared = np.isin(curve.grid, shapes[j].grid)
            at = np.isin(shapes[j].grid, curve.grid)
            assert shared.sum() >= 2
            assert curve.effect[shared] == pytest.approx(shapes[j].effect[at])


def test_the_general_way_agrees_with_the_exact_one_where_groups_add_up(cube: Problem) -> None:
    """The same additive function once as groups of one, and once as one group that is estimated."""
    apart = known(cube, a=((0,), torch.sin), b=((1,), torch.square))
    together = known(cube, both=((0, 1), lambda a, b: torch.sin(a) + torch.square(b)))
    rows = cube.train.raw[:600]
    for j in (0, 1):
        exact, estimated = effect_curve(apart, j, "ale", rows), effect_curve(together, j, "ale", rows)
        assert exact.exact
        assert not estimated.exact
        assert np.interp(estimated.grid, exact.grid, exact.effect[:, 0]) == pytest.approx(
            estimated.effect[:, 0], abs=5e-3
        )
        assert estimated.weight == pytest.approx(exact.weight, rel=0.01)


def test_missing_values_count_in_the_mean_in_the_same_way_exact_or_estimated() -> None:
    X = uniform(2)
    X[::5, 0] = np.nan
    problem = table(X, np.nan_to_num(X[:, 0]))
    apart = known(problem, a=((0,), torch.exp), b=((1,), torch.square))
    together = known(problem, both=((0, 1), lambda a, b: torch.exp(a) + torch.square(b)))
    rows = problem.train.raw[:900]
    exact = effect_curve(apart, 0, "ale", rows)
    for method in METHODS:
        estimated = effect_curve(together, 0, method, rows)
        assert estimated.missing == pytest.approx(exact.missing, abs=2e-3)
        near = np.interp(estimated.grid, exact.grid, exact.effect[:, 0])
        assert estimated.effect[:, 0] == pytest.approx(near, abs=5e-3)


def test_the_band_holds_the_curve_and_shrinks_with_more_rows(cube: Problem) -> None:
    candidate = known(cube, pair=((0, 1), lambda a, b: a * b + a))
    for method in METHODS:
        few, many = (effect_curve(candidate, 0, method, cube.train.raw[:n]) for n in (100, 1600))
        for curve in (few, many):
            assert (curve.low <= curve.effect + 1e-12).all()
            assert (curve.high >= curve.effect - 1e-12).all()
        assert many.error.mean() < few.error.mean() / 2
        again = effect_curve(candidate, 0, method, cube.train.raw[:100])
        assert np.array_equal(again.low, few.low)


def test_standard_errors_are_those_of_repeated_samples(cube: Problem) -> None:
    candidate = known(cube, pair=((0, 1), lambda a, b: a * b))
    grid_rows = np.sort(uniform(2, 60, 5), axis=0)  # the same cells in every sample
    drawn = []
    for seed in range(60):
        rows = np.column_stack([grid_rows[:, 0], uniform(1, 60, seed)[:, 0], np.zeros(60)])
        drawn.append(effect_curve(candidate, 0, "ale", rows).effect[:, 0])
    told = effect_curve(candidate, 0, "ale", rows).error[:, 0]
    assert told.mean() == pytest.approx(np.std(drawn, axis=0).mean(), rel=0.35)


def test_the_curves_of_all_features_come_with_the_most_important_first(cube: Problem) -> None:
    candidate = known(cube, all=((0, 1, 2), lambda a, b, c: a + 5 * b + 0.2 * c))
    for method in METHODS:
        found = effect_curves(candidate, method)
        assert [c.feature for c in found] == [1, 0, 2]
        sizes = [float(c.weight[0]) for c in found]
        assert sizes == pytest.approx([5 / 3**0.5, 1 / 3**0.5, 0.2 / 3**0.5], rel=0.15)
    assert [c.feature for c in effect_curves(candidate, features=[2, 0])] == [0, 2]


def test_categories_have_their_levels_and_counts(problem: Problem, made: Made) -> None:
    for method in METHODS:
        curve = effect_curve(made((0, 5)), 5, method)
        assert curve.levels == ("red", "green", "blue")
        assert list(curve.grid) == [0, 1, 2]
        assert curve.counts.sum() == len(problem.train)
        assert not len(curve.edges)
        assert not curve.exact


@settings(max_examples=15, deadline=None)
@given(st.floats(-50, 50), st.floats(0.1, 20), st.integers(0, 2**31))
def test_curves_follow_an_affine_change_of_the_output_and_forget_the_order_of_rows(
    shift: float, scale: float, seed: int
) -> None:
    problem = made_problem("regression")
    one = known(problem, pair=((0, 1), lambda a, b: a * b + a))
    other = known(problem, pair=((0, 1), lambda a, b: scale * (a * b + a) + shift))
    rows = problem.train.raw
    shuffled = rows[np.random.default_rng(seed).permutation(len(rows))]
    for method in METHODS:
        mine = effect_curve(one, 0, method, rows)
        changed, moved = effect_curve(other, 0, method, rows), effect_curve(one, 0, method, shuffled)
        assert changed.effect == pytest.approx(scale * mine.effect, rel=1e-6, abs=1e-6)
        assert moved.effect == pytest.approx(mine.effect, abs=1e-9)
        assert moved.weight == pytest.approx(mine.weight, abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_what_cannot_move_says_why(method: CurveMethod) -> None:
    X = np.column_stack([uniform(2, 60), np.full(60, 4.0), np.full(60, np.nan), uniform(1, 60, 1)[:, 0] > 0])
    problem = table(X, X[:, 0])
    candidate = known(problem, pair=((0, 2, 3, 4), lambda a, b, c, d: a + b + c + a * d))
    unread, constant, missing = (effect_curve(candidate, j, method) for j in (1, 2, 3))
    assert "does not read" in unread.reason
    assert not unread.effect.any()
    assert "one value" in constant.reason
    assert len(constant.grid) == 1
    assert constant.effect == pytest.approx(0, abs=1e-6)
    assert "missing" in missing.reason
    assert not len(missing.grid)
    two = effect_curve(candidate, 4, method)
    assert list(two.grid) == [0, 1]
    assert not two.reason
    one = effect_curve(candidate, 0, method, problem.train.raw[:1])
    assert one.reason == "" or "one value" in one.reason
    assert np.isfinite(one.effect).all()
    assert np.isinf(one.error).all() or one.reason


def test_rows_that_all_miss_the_value_say_so() -> None:
    X = uniform(2, 60)
    X[::3, 0] = np.nan
    problem = table(X, X[:, 1])
    candidate = known(problem, pair=((0, 1), lambda a, b: a * b))
    rows = problem.train.raw[np.isnan(problem.train.raw[:, 0])]
    assert "missing in all of these rows" in effect_curve(candidate, 0, "ale", rows).reason


def test_a_table_of_categories_only() -> None:
    codes = np.random.default_rng(0).integers(0, 3, (90, 2)).astype(float)
    problem = table(codes, (codes[:, 0] == 1).astype(float), levels={0: ("a", "b", "c"), 1: ("d", "e", "f")},
                    classes=("no", "yes"))  # fmt: skip
    for method in METHODS:
        found = effect_curves(candidate_of(problem, (0, 1)), method)
        assert {c.levels for c in found} == {("a", "b", "c"), ("d", "e", "f")}
        assert all(np.isfinite(c.effect).all() for c in found)


def test_errors_say_what_is_allowed(binary: Problem) -> None:
    candidate = candidate_of(binary, (0, 1))
    with pytest.raises(SettingsError, match=r"no feature 9.*0 to 5"):
        effect_curve(candidate, 9)
    with pytest.raises(SettingsError, match=r"no curve 'ice'.*ale, pdp"):
        effect_curve(candidate, 0, "ice")
    with pytest.raises(ExplanationError, match="no rows"):
        effect_curve(candidate, 0, "ale", binary.train.raw[:0])
    with pytest.raises(ExplanationError, match=r"shape \(3, 2\)"):
        effect_curve(candidate, 0, "ale", np.zeros((3, 2)))
    with pytest.raises(ExplanationError, match="reads image data"):
        effect_curve(of_family(problem_of()), 0)
