"""The fast metrics against scikit-learn, and what a bootstrap and the guard must do."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from nas_core.errors import SettingsError
from nas_core.evaluation.performance import Judge, metric_values, probabilities, resample_weights
from nas_core.objectives import METRICS


def slow(name: str, y: np.ndarray, outputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The slow twin: scikit-learn, one candidate and one weighting at a time."""
    values = np.empty((len(outputs), len(weights)))
    for k, out in enumerate(outputs):
        predicted = (out[:, 0] > 0).astype(int) if out.shape[1] == 1 else out.argmax(axis=1)
        for r, w in enumerate(weights):
            if name == "roc_auc" and out.shape[1] == 1:
                values[k, r] = metrics.roc_auc_score(y, out[:, 0], sample_weight=w)
            elif name == "roc_auc":
                chances = probabilities(out[None])[0]
                values[k, r] = metrics.roc_auc_score(y, chances, sample_weight=w, multi_class="ovr")
            elif name == "accuracy":
                values[k, r] = metrics.accuracy_score(y, predicted, sample_weight=w)
            elif name == "balanced_accuracy":
                values[k, r] = metrics.balanced_accuracy_score(y, predicted, sample_weight=w)
            else:
                values[k, r] = metrics.r2_score(y, out[:, 0], sample_weight=w)
    return values


def case(seed: int, classes: int, n: int, levels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return targets, outputs of three candidates and resamples; few ``levels`` make many ties."""
    rng = np.random.default_rng(seed)
    if not classes:
        y = rng.normal(size=n)
        return y, (y[None, :, None] + rng.normal(size=(3, n, 1))), resample_weights(y, 0, 6, seed)
    y = np.concatenate([np.arange(classes).repeat(2), rng.integers(0, classes, n)])
    outputs = rng.integers(-levels, levels + 1, size=(3, len(y), 1 if classes == 2 else classes)) / levels
    return y, outputs, resample_weights(y, classes, 6, seed)


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(["roc_auc", "accuracy", "balanced_accuracy"]),
    seed=st.integers(0, 10_000),
    classes=st.sampled_from([2, 3, 5]),
    n=st.integers(0, 40),
    levels=st.sampled_from([1, 3, 1000]),
)
def test_classification_metrics_agree_with_scikit_learn(
    name: str, seed: int, classes: int, n: int, levels: int
) -> None:
    y, outputs, weights = case(seed, classes, n, levels)
    assert metric_values(name, y, outputs, weights) == pytest.approx(slow(name, y, outputs, weights), abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(5, 60))
def test_r2_agrees_with_scikit_learn(seed: int, n: int) -> None:
    y, outputs, weights = case(seed, 0, n, 1)
    assert metric_values("r2", y, outputs, weights) == pytest.approx(slow("r2", y, outputs, weights), abs=1e-8)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), shift=st.floats(-5, 5), scale=st.floats(0.01, 100))
def test_auc_depends_on_the_order_of_the_scores_only(seed: int, shift: float, scale: float) -> None:
    y, outputs, weights = case(seed, 2, 30, 3)
    value = metric_values("roc_auc", y, outputs, weights)
    assert metric_values("roc_auc", y, outputs * scale + shift, weights) == pytest.approx(value, abs=1e-9)
    assert metric_values("roc_auc", y, -outputs, weights) == pytest.approx(1.0 - value, abs=1e-9)


def test_a_constant_has_auc_one_half_and_r2_zero() -> None:
    y = np.array([0, 1, 1, 0, 1])
    assert metric_values("roc_auc", y, np.zeros((1, 5, 1)), np.ones((1, 5)))[0, 0] == 0.5
    target = np.array([1.0, 2.0, 6.0])
    assert metric_values("r2", target, np.full((1, 3, 1), 3.0), np.ones((1, 3)))[0, 0] == pytest.approx(0.0)


def test_a_target_without_variance_has_nothing_to_explain() -> None:
    assert metric_values("r2", np.full(4, 2.0), np.full((1, 4, 1), 2.0), np.ones((1, 4)))[0, 0] == 0.0


def test_an_unknown_metric_is_named() -> None:
    with pytest.raises(SettingsError, match=r"no metric 'f1'.*roc_auc"):
        metric_values("f1", np.zeros(2), np.zeros((1, 2, 1)), np.ones((1, 2)))


@given(classes=st.integers(0, 4), n=st.integers(4, 50), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_resamples_draw_as_many_rows_of_each_class_as_there_are(classes: int, n: int, seed: int) -> None:
    y = np.random.default_rng(seed).integers(0, max(1, classes), n)
    weights = resample_weights(y, classes, 20, seed)
    assert weights.shape == (20, n)
    for c in range(max(1, classes)):
        assert (weights[:, y == c].sum(axis=1) == (y == c).sum()).all()
    assert np.array_equal(weights, resample_weights(y, classes, 20, seed))


def judge(y: np.ndarray, name: str = "roc_auc", baseline: float = 0.5, classes: int = 2) -> Judge:
    return Judge(METRICS[name], y, baseline=baseline, classes=classes, seed=0)


def test_the_interval_has_the_width_that_theory_gives() -> None:
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 200)
    scores = rng.normal(size=(1, 400, 1)) + y[None, :, None]
    found = judge(y).judge(scores)[0].performance
    auc = found.value
    q1, q2 = auc / (2 - auc), 2 * auc**2 / (1 + auc)  # Hanley and McNeil 1982
    deviation = np.sqrt((auc * (1 - auc) + 199 * (q1 - auc**2) + 199 * (q2 - auc**2)) / 200**2)
    assert (found.high - found.low) / (2 * 1.96) == pytest.approx(deviation, rel=0.2)


def test_useless_models_are_ineligible_and_useful_ones_are_not() -> None:
    rng = np.random.default_rng(1)
    y = np.repeat([0, 1], 60)
    signal = rng.normal(size=120) + 2.0 * y
    useless = [np.zeros(120), np.full(120, 3.0), 1e-9 * rng.normal(size=120), rng.normal(size=120), -signal]
    judged = judge(y).judge(np.stack([*useless, signal])[..., None])
    assert [bool(j.reason) for j in judged] == [True] * 5 + [False]
    assert "No better than a model that ignores its inputs: skill 0, 95 % interval 0 to 0" in judged[0].reason
    assert judged[-1].skill.value == pytest.approx(2 * judged[-1].performance.value - 1)


def test_a_single_class_predictor_has_no_accuracy_skill() -> None:
    y = np.repeat([0, 1], [90, 30])
    outputs = np.stack([np.full(120, -5.0), np.where(y == 1, 1.0, -1.0)])[..., None]
    judged = judge(y, "accuracy", baseline=0.75).judge(outputs)
    assert judged[0].reason
    assert judged[0].skill.value == pytest.approx(0.0)
    assert judged[1].performance.value == 1.0


def test_a_candidate_is_judged_alike_whoever_stands_beside_it() -> None:
    rng = np.random.default_rng(2)
    y = rng.integers(0, 3, 90)
    outputs = rng.normal(size=(8, 90, 3))
    together = judge(y, classes=3).judge(outputs)
    assert [judge(y, classes=3).judge(outputs[k : k + 1])[0] for k in range(8)] == together


@pytest.mark.slow
def test_a_pack_is_judged_in_little_time() -> None:
    rng = np.random.default_rng(3)
    y = rng.integers(0, 2, 2000)
    judging, outputs = judge(y), rng.normal(size=(64, 2000, 1))
    began = time.process_time()
    judging.judge(outputs)
    assert time.process_time() - began < 5.0
