"""Permutation importance: exactly 0 of what is not used, right by hand and by scikit-learn, in rounds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_candidates import known, table
from signal_examples import problem_of
from toy_candidates import candidate_of
from toy_signal_candidates import of_family

from nas_core.data import Dataset, Problem
from nas_core.errors import ExplanationError, SettingsError
from nas_core.evaluation.performance import metric_values
from nas_core.explanations import (
    Score,
    TrainedCandidate,
    permutation_importance,
    permutation_rounds,
    shared_features,
)
from nas_core.records import derive_seed

Made = Callable[..., TrainedCandidate]


def score_of(problem: Problem) -> Score:
    """Return the problem's own metric."""
    name = problem.objective.name
    return lambda y, outputs: float(metric_values(name, y, outputs[None], np.ones((1, len(y))))[0, 0])


def linear_problem(metric: str | None = None, rows: int = 4000) -> tuple[Problem, TrainedCandidate]:
    """Return y = 2 x0 + x1 + noise of independent unit features, and the network 2 x0 + x1; x2 is not used."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, 3))
    y = 2 * X[:, 0] + X[:, 1] + rng.normal(size=rows)
    problem = table(X, y)
    if metric is not None:
        problem = Problem.create(problem.dataset, metric)
    mean = float(problem.target_mean)
    return problem, known(problem, both=((0, 1), lambda a, b: 2 * a + b - mean))


def test_the_importance_of_a_linear_model_is_twice_its_variance() -> None:
    """Shuffling x_j adds 2 w_j² Var x_j to the squared error, so R² falls by 2 w_j² / Var y."""
    problem, candidate = linear_problem()
    found = permutation_importance(candidate, score_of(problem))
    assert found.value == pytest.approx(np.array([8, 2, 0]) / 6, rel=0.2)
    assert found.score == pytest.approx(5 / 6, abs=0.02)
    assert (found.repeats, found.metric, found.rows) == (10, "R²", len(problem.valid))
    assert list(found.order) == [0, 1, 2]


def test_of_a_metric_that_should_be_small_a_rise_is_for_the_worse() -> None:
    problem, candidate = linear_problem("mse")
    found = permutation_importance(candidate, score_of(problem))
    assert found.value == pytest.approx(np.array([8, 2, 0]) / 6, rel=0.2)


def test_what_is_not_used_has_exactly_nothing(problem: Problem, made: Made) -> None:
    found = permutation_importance(made((0, 1, 3), (5,)), score_of(problem), repeats=3)
    assert list(found.used) == [True, True, False, True, False, True]
    assert (found.value[[2, 4]] == 0).all()
    assert (found.error[[2, 4]] == 0).all()
    assert found.feature_names == problem.feature_names


def test_every_drop_is_the_one_computed_by_hand(problem: Problem, made: Made) -> None:
    candidate, score = made((0, 1, 3), (2,)), score_of(problem)
    part = problem.valid
    worse = 1 if problem.objective.maximise else -1

    def of(raw: np.ndarray) -> float:
        outputs = candidate.predict(raw)
        return score(part.target, problem.judged((outputs - problem.target_mean) / problem.target_sd))

    found = permutation_importance(candidate, score, repeats=1)
    reached = []
    order = np.random.default_rng(derive_seed("permutation", 0, 0)).permutation(len(part))
    for j in candidate.used:
        raw = part.raw.copy()
        raw[:, j] = raw[order, j]
        reached.append(worse * (of(part.raw) - of(raw)))
    assert found.value[list(candidate.used)] == pytest.approx(reached, abs=1e-6)


def test_scikit_learn_agrees_within_its_errors() -> None:
    from sklearn.inspection import permutation_importance as theirs

    problem, candidate = linear_problem()

    class Wrapped:
        """The candidate with the method that scikit-learn asks for."""

        def fit(self, X: np.ndarray, y: np.ndarray) -> Wrapped:
            return self

        def score(self, X: np.ndarray, y: np.ndarray) -> float:
            residual = y - candidate.predict(X)[:, 0]
            return float(1 - residual.var() / y.var())

    y = problem.dataset.y[problem.valid.rows]
    other = theirs(Wrapped(), problem.valid.raw, y, n_repeats=10, random_state=0)
    own = permutation_importance(candidate, score_of(problem))
    theirs_error = other["importances_std"] / 9**0.5
    apart = np.abs(own.value - other["importances_mean"])
    assert (apart <= 4 * np.sqrt(own.error**2 + theirs_error**2)).all()
    assert own.error[:2] == pytest.approx(theirs_error[:2], rel=1.0)


def test_rounds_get_better_and_end_with_the_same_answer() -> None:
    problem, candidate = linear_problem(rows=600)
    rounds = list(permutation_rounds(candidate, score_of(problem), repeats=6))
    assert [r.repeats for r in rounds] == [1, 2, 3, 4, 5, 6]
    assert np.isinf(rounds[0].error[:2]).all()
    assert rounds[0].error[2] == 0
    last = permutation_importance(candidate, score_of(problem), repeats=6)
    assert np.array_equal(last.value, rounds[-1].value)
    assert np.array_equal(last.error, rounds[-1].error)
    assert last.error[0] < rounds[1].error[0] * 3
    other = permutation_importance(candidate, score_of(problem), repeats=6, seed=1)
    assert not np.array_equal(other.value, last.value)
    assert np.abs(other.value - last.value).max() < 6 * max(other.error.max(), last.error.max())


@settings(max_examples=10, deadline=None)
@given(st.floats(0.1, 100), st.integers(0, 1000))
def test_a_strictly_increasing_change_of_the_logit_changes_no_auc(scale: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(200, 2))
    problem = table(X, (X[:, 0] + rng.normal(size=200) > 0).astype(float), classes=("no", "yes"))
    one = known(problem, a=((0, 1), lambda a, b: a + 0.3 * a * b))
    other = known(problem, a=((0, 1), lambda a, b: scale * (a + 0.3 * a * b) - 3))
    found = [permutation_importance(c, score_of(problem), repeats=2) for c in (one, other)]
    assert found[1].value == pytest.approx(found[0].value, abs=5e-3)


@pytest.mark.parametrize("kind", ["image", "words"])
def test_cells_of_signals_have_an_importance_too(kind: str) -> None:
    problem = problem_of(kind)
    candidate = of_family(problem)

    def score(y: np.ndarray, outputs: np.ndarray) -> float:
        return -float(metric_values("log_loss", y, outputs[None], np.ones((1, len(y))))[0, 0])

    found = permutation_importance(candidate, score, repeats=2, rows=40)
    assert found.value.shape == (problem.P,)
    assert found.rows == 40
    pick = np.linspace(0, len(problem.valid) - 1, 40).astype(int)
    raw, y = problem.valid.raw[pick], problem.valid.target[pick]
    assert found.score == pytest.approx(score(y, candidate.predict(raw)))
    assert (found.value[list(candidate.used)] != 0).any()
    if kind == "image":  # a cell of one pixel: shuffled by hand
        once = next(permutation_rounds(candidate, score, repeats=1, rows=40))
        changed = raw.copy()
        changed[:, 7] = raw[np.random.default_rng(derive_seed("permutation", 0, 0)).permutation(40), 7]
        assert once.value[7] == pytest.approx(found.score - score(y, candidate.predict(changed)))


def test_features_that_follow_each_other_are_named() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=300)
    X = np.column_stack([x, np.exp(x), -x + 0.3 * rng.normal(size=300), rng.normal(size=300), np.full(300, 1.0)])
    problem = table(X, x)
    found = shared_features(candidate_of(problem, (0,), (3,), (4,)))
    assert [s.feature for s in found] == [0]
    assert found[0].others == (1, 2)
    assert found[0].correlations[0] == pytest.approx(1.0)
    assert found[0].correlations[1] < -0.9
    assert shared_features(candidate_of(problem, (0,)), strong=0.9999)[0].others == (1,)
    assert shared_features(candidate_of(problem, (3,))) == ()


def test_bad_input_is_told() -> None:
    problem, candidate = linear_problem(rows=100)
    with pytest.raises(SettingsError, match="0 repeats"):
        permutation_importance(candidate, score_of(problem), repeats=0)
    with pytest.raises(ExplanationError, match="There are 1 held-out rows"):
        permutation_importance(candidate, score_of(problem), rows=1)
    with pytest.raises(ExplanationError, match="R² is nan"):
        permutation_importance(candidate, lambda y, outputs: float("nan"))


def test_rows_of_one_class_have_no_auc() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 2))
    made = table(X, (X[:, 0] > 0).astype(float), classes=("no", "yes"))
    valid = made.split.valid
    y = made.dataset.y.copy()
    y[valid] = 0
    own = made.dataset
    problem = Problem(made.spec, Dataset(own.name, own.features, own.X, y, own.task, own.classes, own.target,
                                         own.source), made.split)  # fmt: skip
    with pytest.raises(ExplanationError, match=r"ROC AUC is nan.*two classes"):
        permutation_importance(candidate_of(problem, (0, 1)), score_of(problem))
