"""Confusion, ROC, precision-recall and reliability against scikit-learn and against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    confusion_matrix,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from nas_core.errors import SettingsError
from nas_core.evaluation.classified import class_shares, confusion, reliability, thresholds
from nas_core.evaluation.performance import metric_values

SCORES = st.integers(2, 40).flatmap(
    lambda n: st.tuples(
        arrays(bool, n),
        arrays(np.float64, n, elements=st.sampled_from([-2.0, -1.0, 0.0, 0.25, 0.5, 1.0, 3.0])),
    )
)


@given(st.integers(2, 5), st.integers(1, 60), st.integers(0, 10_000))
def test_confusion_is_that_of_scikit_learn(classes: int, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    y, outputs = rng.integers(0, classes, n), rng.normal(size=(n, 1 if classes == 2 else classes))
    found = confusion(y, outputs, classes)
    assert np.array_equal(found.counts, confusion_matrix(y, found.predicted, labels=range(classes)))
    assert found.counts.sum() == n
    cells = [found.rows(a, p) for a in range(classes) for p in range(classes)]
    assert sorted(np.concatenate(cells)) == list(range(n))
    for line, total in zip(found.shares, found.counts.sum(1)):
        assert line.sum() == pytest.approx(1.0 if total else 0.0)
    assert np.array_equal(class_shares(outputs).argmax(1), found.predicted)


def test_outputs_that_do_not_fit_are_refused() -> None:
    with pytest.raises(SettingsError, match=r"shape \(3, 2\) for 3 rows of 2 classes"):
        confusion(np.zeros(3, int), np.zeros((3, 2)), 2)


@given(SCORES)
def test_curves_are_those_of_scikit_learn(rows: tuple[np.ndarray, np.ndarray]) -> None:
    positive, scores = rows
    found = thresholds(positive, scores)
    if positive.all() or not positive.any():
        assert found is None
        return
    assert found is not None
    false, true, _ = roc_curve(positive, scores, drop_intermediate=False)
    assert np.allclose(found.false_positive, false)
    assert np.allclose(found.true_positive, true)
    assert found.area == pytest.approx(roc_auc_score(positive, scores))
    assert found.average_precision == pytest.approx(average_precision_score(positive, scores))
    precision, recall, _ = precision_recall_curve(positive, scores)
    assert np.allclose(found.precision[1:], precision[:-1][::-1])
    assert np.allclose(found.recall[1:], recall[:-1][::-1])
    assert found.share == pytest.approx(positive.mean())


@given(SCORES)
def test_the_area_is_the_metric_of_the_search(rows: tuple[np.ndarray, np.ndarray]) -> None:
    positive, scores = rows
    found = thresholds(positive, scores)
    if found is not None:
        metric = metric_values("roc_auc", positive.astype(int), scores[None, :, None], np.ones((1, len(scores))))
        assert found.area == pytest.approx(metric[0, 0])


@given(st.integers(1, 200), st.integers(0, 10_000))
def test_reliability_is_that_of_scikit_learn(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    chance, positive = rng.uniform(0.001, 0.999, n), rng.random(n) < 0.5
    found = reliability(positive, chance)
    share, mean = calibration_curve(np.append(positive, [True, False]), np.append(chance, [0.5, 0.5]), n_bins=10)
    with_two = reliability(np.append(positive, [True, False]), np.append(chance, [0.5, 0.5]))
    assert len(with_two.share) == len(share)
    assert np.allclose(with_two.share, share)
    assert np.allclose(with_two.mean, mean)
    assert found.count.sum() == n
    assert found.brier == pytest.approx(brier_score_loss(positive, chance, pos_label=True))
    assert (found.low <= found.share).all()
    assert (found.share <= found.high).all()
    assert 0 <= found.error <= 1


def test_wilsons_interval_is_that_of_scipy() -> None:
    from scipy.stats import binomtest

    positive = np.array([True] * 7 + [False] * 3)
    found = reliability(positive, np.full(10, 0.61))
    wanted = binomtest(7, 10).proportion_ci(method="wilson")
    assert (found.low[0], found.high[0]) == pytest.approx((wanted.low, wanted.high))


def test_a_perfectly_calibrated_forecast_has_no_error() -> None:
    assert reliability(np.array([True, False, False, False]), np.full(4, 0.25)).error == pytest.approx(0.0)


@pytest.mark.parametrize("chance", [np.zeros(0), np.array([1.2])])
def test_what_is_no_probability_is_refused(chance: np.ndarray) -> None:
    with pytest.raises(SettingsError, match="no probabilities"):
        reliability(np.ones(len(chance), bool), chance)
