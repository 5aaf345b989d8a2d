"""Is the second candidate better than the first? The paired bootstrap beside a slow twin and beside scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from nas_core.comparison.paired import paired_difference
from nas_core.data import Problem, load_data
from nas_core.evaluation.performance import resample_weights


@pytest.fixture(scope="module")
def cancer() -> Problem:
    return Problem.create(load_data("breast_cancer"))


def noisy(problem: Problem, noise: float, seed: int) -> np.ndarray:
    """Return outputs (N, 1) that are right but for noise."""
    y = problem.valid.target
    return ((y * 2.0 - 1.0) + noise * np.random.default_rng(seed).standard_normal(len(y)))[:, None]


def test_the_difference_is_that_of_the_metric_and_the_interval_that_of_repeated_rows(cancer: Problem) -> None:
    a, b = noisy(cancer, 2.0, 0), noisy(cancer, 1.0, 1)
    found = paired_difference(cancer, a, b)
    y = cancer.valid.target
    assert found.difference == pytest.approx(roc_auc_score(y, b[:, 0]) - roc_auc_score(y, a[:, 0]))
    slow = []
    for weights in resample_weights(y, 2, found.resamples, 0)[:200]:
        rows = np.repeat(np.arange(len(y)), weights.astype(int))
        slow.append(roc_auc_score(y[rows], b[rows, 0]) - roc_auc_score(y[rows], a[rows, 0]))
    assert (found.low, found.high) == pytest.approx(np.quantile(slow, (0.025, 0.975)), abs=0.02)
    assert found.verdict == "second"
    assert found.better > 0.95


def test_a_candidate_is_not_better_than_itself(cancer: Problem) -> None:
    a = noisy(cancer, 1.0, 0)
    found = paired_difference(cancer, a, a)
    assert (found.difference, found.low, found.high, found.better, found.verdict) == (0.0, 0.0, 0.0, 0.5, "neither")


def test_exchanging_the_candidates_turns_the_answer_round(cancer: Problem) -> None:
    a, b = noisy(cancer, 3.0, 0), noisy(cancer, 0.5, 1)
    there, back = paired_difference(cancer, a, b), paired_difference(cancer, b, a)
    assert there.difference == -back.difference
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    assert (there.verdict, back.verdict) == ("second", "first")
    assert there.better == pytest.approx(1 - back.better)


def test_pairs_are_told_apart_where_single_intervals_overlap(cancer: Problem) -> None:
    """Both have the same noise, the second a little less of it: only a paired comparison sees that."""
    y = cancer.valid.target
    noise = 1.6 * np.random.default_rng(0).standard_normal(len(y))
    a = ((y * 2.0 - 1.0) + noise)[:, None]
    b = ((y * 2.0 - 1.0) + 0.8 * noise)[:, None]
    found = paired_difference(cancer, a, b)
    draws = [
        roc_auc_score(y[r], a[r, 0]) for r in (np.random.default_rng(s).integers(0, len(y), len(y)) for s in range(200))
    ]
    assert found.high - found.low < np.ptp(np.quantile(draws, (0.025, 0.975)))
    assert found.verdict == "second"


def test_a_smaller_error_is_better() -> None:
    problem = Problem.create(load_data("diabetes"), metric="mae")
    target = (problem.valid.y - 0.0)[:, None]
    rng = np.random.default_rng(0)
    good, bad = (target + s * rng.standard_normal(target.shape) for s in (0.3, 1.5))
    found = paired_difference(problem, bad, good)
    assert found.difference < 0
    assert found.verdict == "second"
