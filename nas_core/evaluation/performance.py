"""Metrics of a whole pack under many resamples at once, and the guard that keeps useless models off the front."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nas_core.errors import SettingsError
from nas_core.objectives import METRICS, Objective
from nas_core.records import Estimate, derive_seed

__all__ = ["RESAMPLES", "Judge", "Judgement", "metric_values", "probabilities", "resample_weights"]

RESAMPLES = 200
_EDGES = (0.025, 0.975)


@dataclass(frozen=True)
class Judgement:
    """How good one candidate is.

    Attributes:
        performance: The metric with its 95 % bootstrap interval.
        skill: The same as a share of the way from ignoring the inputs (0) to perfect (1).
        reason: Why it may not enter a front; empty when it may.
    """

    performance: Estimate
    skill: Estimate
    reason: str = ""


class Judge:
    """Scores packs on the same rows with the same resamples, so that candidates are compared in pairs.

    Guard: a model whose skill has a lower bound of 0 or less is ineligible. It would be perfectly interpretable, as a
    constant is, and useless.

    Args:
        objective: The metric.
        y: (N,) class index or standardised target of the fixed rows.
        baseline: Value of a model that ignores its inputs.
        classes: Number of classes, 0 for regression.
        seed: Decides the resamples.
    """

    def __init__(self, objective: Objective, y: np.ndarray, *, baseline: float, classes: int, seed: int) -> None:
        self._objective, self._y, self._baseline = objective, y, baseline
        weights = resample_weights(y, classes, RESAMPLES, seed)
        self._weights = np.concatenate([np.ones((1, len(y)), dtype=weights.dtype), weights])

    def judge(self, outputs: np.ndarray) -> list[Judgement]:
        """Return a judgement of each candidate from its ``outputs`` (K, N, C), which must be finite."""
        values = metric_values(self._objective.name, self._y, outputs, self._weights)
        low, high = np.quantile(values[:, 1:], _EDGES, axis=1)
        # A skewed bootstrap can leave the estimate outside its own percentiles; the interval must hold it.
        low, high = np.minimum(low, values[:, 0]), np.maximum(high, values[:, 0])
        return [self._judgement(*map(float, numbers)) for numbers in zip(values[:, 0], low, high)]

    def _judgement(self, value: float, low: float, high: float) -> Judgement:
        skills = [self._objective.skill(v, self._baseline) for v in (value, low, high)]
        skill = Estimate(value=skills[0], low=skills[1], high=skills[2])
        reason = ""
        if not skill.low > 0.0:
            reason = (
                f"No better than a model that ignores its inputs: skill {skill.value:.3g}, "
                f"95 % interval {skill.low:.3g} to {skill.high:.3g}"
            )
        return Judgement(Estimate(value=value, low=low, high=high), skill, reason)


def resample_weights(y: np.ndarray, classes: int, resamples: int, seed: int) -> np.ndarray:
    """Return how often each row is drawn in each bootstrap resample, (R, N) float32.

    Rows are drawn with replacement, within each class for classification, so that no resample lacks a class; the
    intervals are therefore conditional on the class shares. For regression (``classes`` 0) all rows are one group.
    """
    rng = np.random.default_rng(derive_seed(seed, "bootstrap"))
    weights = np.zeros((resamples, len(y)), dtype=np.float32)
    groups = [np.flatnonzero(y == c) for c in range(classes)] if classes else [np.arange(len(y))]
    for rows in groups:
        if len(rows):
            for r in range(resamples):
                weights[r, rows] = np.bincount(rng.integers(0, len(rows), len(rows)), minlength=len(rows))
    return weights


def metric_values(name: str, y: np.ndarray, outputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the metric of each candidate under each row weighting, (K, R) float64.

    Args:
        name: roc_auc, accuracy, balanced_accuracy or r2.
        y: (N,) class index, or the target in the unit of the outputs.
        outputs: (K, N, C) logits (C = 1 for two classes) or predictions.
        weights: (R, N) not negative.

    Raises:
        SettingsError: No such metric.
    """
    if name == "roc_auc":
        return _roc_auc(y, outputs, weights)
    if name == "accuracy":
        return _correct(y, outputs) @ weights.T.astype(np.float64) / weights.sum(axis=1, dtype=np.float64)
    if name == "balanced_accuracy":
        return _balanced_accuracy(y, outputs, weights)
    if name == "r2":
        return _r2(y, outputs[..., 0], weights)
    raise SettingsError(f"There is no metric {name!r}", allowed=", ".join(METRICS), fix="choose one of them")


def probabilities(outputs: np.ndarray) -> np.ndarray:
    """Return the class probabilities (K, N, C) of logits (K, N, C) with C ≥ 2, in float64."""
    shifted = outputs.astype(np.float64) - outputs.max(axis=-1, keepdims=True)
    grown = np.exp(shifted)
    return grown / grown.sum(axis=-1, keepdims=True)


def _roc_auc(y: np.ndarray, outputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the area under the ROC curve; for C > 1 outputs the mean over the classes of one against the rest."""
    if outputs.shape[-1] == 1:
        return np.stack([_binary_auc(y == 1, scores, weights) for scores in outputs[..., 0]])
    chances = probabilities(outputs)
    present = [c for c in range(outputs.shape[-1]) if (y == c).any()]
    each = [[_binary_auc(y == c, scores[:, c], weights) for c in present] for scores in chances]
    return np.mean(each, axis=1)


def _binary_auc(positive: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the AUC (R,) of scores (N,) under weights (R, N), ties counting one half, in O(N log N + R N)."""
    order = np.argsort(scores, kind="stable")
    ranked = scores[order]
    starts = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
    sorted_weights = weights[:, order]
    up = sorted_weights * positive[order]
    down = sorted_weights - up
    if len(starts) < len(ranked):  # ties: one step per distinct score
        up, down = np.add.reduceat(up, starts, axis=1), np.add.reduceat(down, starts, axis=1)
    below = np.cumsum(down, axis=1, dtype=np.float64) - 0.5 * down
    wins = np.einsum("rn,rn->r", up, below, dtype=np.float64)
    return wins / (up.sum(axis=1, dtype=np.float64) * down.sum(axis=1, dtype=np.float64))


def _correct(y: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Return whether each prediction is right, (K, N) as 0.0 or 1.0."""
    predicted = outputs[..., 0] > 0 if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)
    return (predicted == y).astype(np.float64)


def _balanced_accuracy(y: np.ndarray, outputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    correct = _correct(y, outputs)
    classes = np.unique(y)
    recalls = []
    for c in classes:
        own = weights[:, y == c].astype(np.float64)
        recalls.append(correct[:, y == c] @ own.T / own.sum(axis=1))
    return np.mean(recalls, axis=0)


def _r2(y: np.ndarray, predicted: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return 1 − residual / total variance, (K, R); 0 where a resample has no variance to explain."""
    w = weights.astype(np.float64)
    total = w.sum(axis=1)
    mean = w @ y / total
    variance = w @ (y**2) / total - mean**2
    residual = (predicted.astype(np.float64) - y) ** 2 @ w.T / total
    explained = variance > 1e-12 * (1.0 + mean**2)
    return np.where(explained, 1.0 - residual / np.where(explained, variance, 1.0), 0.0)
