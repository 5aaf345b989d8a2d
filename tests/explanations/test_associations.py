"""What the data say by themselves: scikit-learn's mutual information, the hints' correlations, and the surprises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_candidates import table
from signal_examples import problem_of
from toy_candidates import candidate_of, made_problem

from nas_core.data import Problem
from nas_core.errors import ExplanationError, SettingsError
from nas_core.explanations import surprises, target_associations


@pytest.mark.parametrize("kind", ["binary", "classes", "regression"])
def test_information_is_scikit_learns(kind: str) -> None:
    from sklearn.feature_selection import mutual_info_classif, mutual_info_regression

    problem = made_problem(kind)
    found = target_associations(problem, seed=5)
    estimate = mutual_info_regression if kind == "regression" else mutual_info_classif
    own = [0, 1, 2, 4, 5]  # without missing values
    raw, y = problem.train.raw, problem.train.y
    theirs = estimate(raw[:, own], y, discrete_features=[False] * 4 + [True], random_state=5)
    assert found.information[own] == pytest.approx(theirs, abs=1e-12)
    known = ~np.isnan(raw[:, 3])
    alone = estimate(raw[known][:, [3]], y[known], discrete_features=[False], random_state=5)
    assert found.information[3] == pytest.approx(alone[0], abs=1e-12)
    assert found.rows == len(problem.train)


def test_information_of_a_gaussian_pair_is_the_known_one() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=3000)
    y = 0.8 * x + 0.6 * rng.normal(size=3000)
    problem = table(np.column_stack([x, rng.normal(size=3000)]), y)
    found = target_associations(problem)
    assert found.information[0] == pytest.approx(-0.5 * np.log(1 - 0.64), abs=0.05)
    assert found.information[1] < 0.03
    assert list(found.shares) == [1.0, pytest.approx(found.information[1] / found.information[0])]
    assert found.correlation[0] == pytest.approx(6 / np.pi * np.arcsin(0.4), abs=0.03)


def test_correlations_are_those_of_the_hints_and_none_where_there_is_no_order() -> None:
    for kind in ("binary", "regression"):
        problem = made_problem(kind)
        found = target_associations(problem)
        assert problem.hints is not None
        assert found.correlation[:5] == pytest.approx(problem.hints.direction[:5])
        assert np.isnan(found.correlation[5])
    assert np.isnan(target_associations(made_problem("classes")).correlation).all()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000))
def test_information_is_never_negative_and_repeats_with_the_seed(seed: int) -> None:
    problem = made_problem("binary")
    one, other = (target_associations(problem, seed=seed) for _ in range(2))
    assert (one.information >= 0).all()
    assert np.array_equal(one.information, other.information)
    state = np.random.get_state()[1].copy()
    target_associations(problem, seed=seed)
    assert np.array_equal(np.random.get_state()[1], state)


def test_columns_that_say_nothing_say_why() -> None:
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=90), np.full(90, 3.0), np.full(90, np.nan), rng.normal(size=90)])
    X[10:, 3] = np.nan
    found = target_associations(table(X, X[:, 0]))
    assert found.reasons[0] == ""
    assert "one value" in found.reasons[1]
    assert "0 training rows" in found.reasons[2]
    assert "20 are needed" in found.reasons[3]
    assert np.isnan(found.information[1:]).all()
    assert np.isnan(found.correlation[1])
    assert list(found.shares) == [1, 0, 0, 0]


def test_categories_only() -> None:
    codes = np.random.default_rng(0).integers(0, 3, (120, 2)).astype(float)
    problem = table(codes, (codes[:, 0] == 1).astype(float), levels={0: ("a", "b", "c"), 1: ("d", "e", "f")},
                    classes=("no", "yes"))  # fmt: skip
    found = target_associations(problem)
    y = problem.train.y
    entropy = -sum(p * np.log(p) for p in np.bincount(y) / len(y))
    assert found.information[0] == pytest.approx(entropy)  # the category decides the class
    assert found.information[1] < 0.1


def told_problem() -> Problem:
    """x0 tells the target and x1 repeats it; x2 matters only together with x3; x4 is noise."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 5))
    X[:, 1] = X[:, 0] + 0.05 * rng.normal(size=1500)
    return table(X, 3 * X[:, 0] + np.sign(X[:, 2] * X[:, 3]))


def test_a_telling_feature_that_is_not_used_names_what_stands_in_for_it() -> None:
    problem = told_problem()
    candidate = candidate_of(problem, (1,), (2, 3))
    found = surprises(candidate, target_associations(problem), np.array([0, 3.0, 1.0, 0.2, 0]))
    assert [(s.feature, s.kind, s.stands_in) for s in found] == [(0, "unused", (1,)), (2, "silent", ())]


def test_agreement_is_no_surprise() -> None:
    problem = told_problem()
    both = candidate_of(problem, (0, 1))
    assert surprises(both, target_associations(problem), np.array([2.0, 1.0, 0, 0, 0])) == ()


def test_bad_input_is_told() -> None:
    problem = told_problem()
    found, candidate = target_associations(problem), candidate_of(problem, (0,))
    for wrong in (np.ones(3), np.array([1, 1, 1, 1, -1.0]), np.array([np.nan, 1, 1, 1, 1])):
        with pytest.raises(SettingsError, match="5 numbers, 0 or more"):
            surprises(candidate, found, wrong)
    assert [s.kind for s in surprises(candidate, found, np.zeros(5))] == ["unused", "unused"]
    with pytest.raises(SettingsError, match="0 rows"):
        target_associations(problem, rows=0)
    with pytest.raises(ExplanationError, match="holds image data"):
        target_associations(problem_of())
