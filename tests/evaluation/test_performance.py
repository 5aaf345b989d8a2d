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
from nas_core.objectives import METRICS, metrics_for


def slow(name: str, y: np.ndarray, outputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The slow twin: scikit-learn, one candidate and one weighting at a time."""
    return np.array([[one(name, y, out, w) for w in weights] for out in outputs])


def one(name: str, y: np.ndarray, out: np.ndarray, w: np.ndarray) -> float:
    binary = out.shape[1] == 1
    if name in ("r2", "mse", "mae"):
        found = {"r2": metrics.r2_score, "mse": metrics.mean_squared_error, "mae": metrics.mean_absolute_error}[name]
        return found(y, out[:, 0], sample_weight=w)
    predicted = (out[:, 0] > 0).astype(int) if binary else out.argmax(axis=1)
    if name in ("accuracy", "balanced_accuracy"):
        return getattr(metrics, f"{name}_score")(y, predicted, sample_weight=w)
    if name in ("precision", "recall", "f1"):
        of = {"average": "binary"} if binary else {"average": "macro", "labels": np.unique(y)}
        return getattr(metrics, f"{name}_score")(y, predicted, sample_weight=w, zero_division=0.0, **of)
    chances = 1 / (1 + np.exp(-out[:, 0].astype(float))) if binary else probabilities(out[None])[0]
    if name == "log_loss":
        return metrics.log_loss(y, chances, sample_weight=w, labels=np.arange(2 if binary else out.shape[1]))
    return metrics.roc_auc_score(y, out[:, 0] if binary else chances, sample_weight=w, multi_class="ovr")


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
    name=st.sampled_from(metrics_for("classification", 2)),
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


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(metrics_for("regression", 0)), seed=st.integers(0, 10_000), n=st.integers(5, 60),
    ties=st.booleans(),
)  # fmt: skip
def test_regression_metrics_agree_with_scikit_learn(name: str, seed: int, n: int, ties: bool) -> None:
    y, outputs, weights = case(seed, 0, n, 1)
    if ties:
        y, outputs = np.round(y), np.round(outputs)
    weights = weights[[np.ptp(np.repeat(y, w.astype(int))) > 0 for w in weights]]
    assert metric_values(name, y, outputs, weights) == pytest.approx(slow(name, y, outputs, weights), abs=1e-8)


@settings(max_examples=30, deadline=None)
@given(name=st.sampled_from(list(METRICS)), seed=st.integers(0, 1000), classes=st.sampled_from([2, 4]))
def test_a_weight_of_two_is_a_row_that_is_there_twice(name: str, seed: int, classes: int) -> None:
    y, outputs, _ = case(seed, classes if METRICS[name].task == "classification" else 0, 20, 3)
    twice = np.random.default_rng(seed).integers(1, 3, len(y))
    repeated = metric_values(name, y.repeat(twice), outputs.repeat(twice, axis=1), np.ones((1, twice.sum())))
    assert metric_values(name, y, outputs, twice[None].astype(float)) == pytest.approx(repeated, abs=1e-9)


def test_a_class_that_occurs_nowhere_does_not_count() -> None:
    y = np.array([0, 0, 1, 1])
    outputs = np.array([[[3.0, 0, 0], [0, 3, 0], [0, 3, 0], [0, 0, 3]]])
    for name, expected in (("recall", 0.5), ("precision", (1 + 0.5) / 2), ("f1", (2 / 3 + 0.5) / 2)):
        assert metric_values(name, y, outputs, np.ones((1, 4)))[0, 0] == pytest.approx(expected)


def test_a_share_of_nothing_is_nothing() -> None:
    y, never = np.array([0, 1, 1]), np.full((1, 3, 1), -2.0)
    for name in ("precision", "recall", "f1"):
        assert metric_values(name, y, never, np.ones((1, 3)))[0, 0] == 0.0


def test_the_log_loss_of_a_confident_mistake_is_finite() -> None:
    found = metric_values("log_loss", np.array([1, 0]), np.array([[[-800.0], [800.0]]]), np.ones((1, 2)))
    assert found[0, 0] == pytest.approx(800.0)
    several = metric_values("log_loss", np.array([2]), np.array([[[900.0, 0.0, -100.0]]]), np.ones((1, 1)))
    assert several[0, 0] == pytest.approx(1000.0)


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
    with pytest.raises(SettingsError, match=r"no metric 'gini'.*roc_auc"):
        metric_values("gini", np.zeros(2), np.zeros((1, 2, 1)), np.ones((1, 2)))


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


def test_always_answering_positive_is_no_recall_worth_having() -> None:
    y = np.repeat([0, 1], [80, 40])
    always, good = np.full(120, 2.0), np.where(y == 1, 1.0, -1.0)
    good[:60] *= -0.5  # half of the negatives are called positive
    judged = judge(y, "recall", baseline=1 / 3).judge(np.stack([always, good])[..., None])
    assert judged[0].performance.value == 1.0
    assert "ignores its inputs in balanced accuracy: skill 0" in judged[0].reason
    assert not judged[1].reason
    assert judged[1].performance.value == 1.0


@pytest.mark.parametrize("name", ["mse", "mae", "log_loss"])
def test_smaller_is_better_where_it_is(name: str) -> None:
    rng = np.random.default_rng(4)
    y: np.ndarray
    if name == "log_loss":
        y = np.repeat([0, 1], 60)
        good, bad = np.where(y == 1, 2.0, -2.0), rng.normal(size=120)
        judging = judge(y, name, baseline=float(np.log(2)))
    else:
        y = rng.normal(size=120)
        good, bad = y + 0.1 * rng.normal(size=120), rng.normal(size=120)
        judging = judge(y, name, baseline=float(np.mean(y**2) if name == "mse" else np.mean(np.abs(y))), classes=0)
    better, worse = judging.judge(np.stack([good, bad])[..., None])
    assert better.performance.value < worse.performance.value
    assert not better.reason
    assert worse.reason
    for found in (better, worse):
        assert found.performance.low <= found.performance.value <= found.performance.high
        assert found.skill.low <= found.skill.value <= found.skill.high
    objective = METRICS[name]
    assert objective.loss(better.performance.value) < objective.loss(worse.performance.value)
    assert objective.better(better.performance.value, worse.performance.value)


def test_outputs_are_judged_in_the_unit_of_the_target() -> None:
    y = np.linspace(0.0, 1.0, 50)
    judging = Judge(METRICS["mse"], y, baseline=0.1, classes=0, seed=0, unit=np.expm1)
    assert judging.judge(np.log1p(y)[None, :, None])[0].performance.value == pytest.approx(0.0, abs=1e-20)


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
