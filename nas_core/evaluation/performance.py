"""Metrics of a whole pack under many resamples at once, and the guard that keeps useless models off the front."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nas_core.errors import SettingsError
from nas_core.evaluation.guards import output_reasons
from nas_core.objectives import METRICS, Objective, metric_objective
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
    constant is, and useless. Where a constant can be good at the metric, the objective names a second metric whose
    skill counts as well. So is one whose outputs hardly vary, or are certain and wrong (``guards``).

    Args:
        objective: The metric.
        y: (N,) class index, or the target of the fixed rows in the unit that the metric is computed in.
        baseline: Value of a model that ignores its inputs.
        classes: Number of classes, 0 for regression.
        seed: Decides the resamples.
        unit: Brings outputs (K, N, C) to the unit of ``y``; None when they are in it.
    """

    def __init__(
        self,
        objective: Objective,
        y: np.ndarray,
        *,
        baseline: float,
        classes: int,
        seed: int,
        unit: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> None:
        self._objective, self._y, self._baseline, self._classes = objective, y, baseline, classes
        self._unit = unit or (lambda outputs: outputs)
        weights = resample_weights(y, classes, RESAMPLES, seed)
        self._weights = np.concatenate([np.ones((1, len(y)), dtype=weights.dtype), weights])

    def judge(self, outputs: np.ndarray) -> list[Judgement]:
        """Return a judgement of each candidate from its ``outputs`` (K, N, C), which must be finite."""
        silent = output_reasons(outputs, self._y, classes=self._classes)
        outputs = self._unit(outputs)
        estimates = self._estimates(self._objective.name, outputs)
        guards: list[Estimate | None] = [None] * len(outputs)
        if self._objective.guard:
            guard = metric_objective(self._objective.guard)
            chance = 1.0 / max(1, len(np.unique(self._y)))
            guards = [_skill(guard, e, chance) for e in self._estimates(guard.name, outputs)]
        return [self._judgement(e, guard, reason) for e, guard, reason in zip(estimates, guards, silent)]

    def value(self, outputs: np.ndarray) -> float:
        """Return the metric of one candidate from its ``outputs`` (N, C), which must be finite, without an interval."""
        outputs = self._unit(outputs[None])
        return float(metric_values(self._objective.name, self._y, outputs, self._weights[:1])[0, 0])

    def _estimates(self, name: str, outputs: np.ndarray) -> list[Estimate]:
        """Return the metric called ``name`` of each candidate with its interval."""
        values = metric_values(name, self._y, outputs, self._weights)
        low, high = np.quantile(values[:, 1:], _EDGES, axis=1)
        # A skewed bootstrap can leave the estimate outside its own percentiles; the interval must hold it.
        low, high = np.minimum(low, values[:, 0]), np.maximum(high, values[:, 0])
        return [Estimate(value=float(v), low=float(a), high=float(b)) for v, a, b in zip(values[:, 0], low, high)]

    def _judgement(self, performance: Estimate, guard: Estimate | None, silent: str) -> Judgement:
        skill = _skill(self._objective, performance, self._baseline)
        reason = ""
        for found, of in ((skill, ""), (guard, f" in {self._objective.guard.replace('_', ' ')}")):
            if found is not None and not found.low > 0.0 and not reason:
                reason = (
                    f"No better than a model that ignores its inputs{of}: skill {found.value:.3g}, "
                    f"95 % interval {found.low:.3g} to {found.high:.3g}"
                )
        return Judgement(performance, skill, reason or silent)


def _skill(objective: Objective, performance: Estimate, baseline: float) -> Estimate:
    """Return the skill with its interval; where smaller values are better, their lower end has the higher skill."""
    value, *ends = (objective.skill(v, baseline) for v in (performance.value, performance.low, performance.high))
    return Estimate(value=value, low=min(ends), high=max(ends))


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

    Precision, recall and F1 are those of the last class of two, and the mean over the classes that occur in ``y`` when
    there are more; a share of nothing is 0. An error of a regression is in the unit of ``y``.

    Args:
        name: One of ``METRICS``.
        y: (N,) class index, or the target in the unit of the outputs.
        outputs: (K, N, C) logits (C = 1 for two classes) or predictions.
        weights: (R, N) not negative.

    Raises:
        SettingsError: No such metric.
    """
    if name not in _METRICS:
        raise SettingsError(f"There is no metric {name!r}", allowed=", ".join(METRICS), fix="choose one of them")
    return _METRICS[name](y, outputs, weights)


def probabilities(outputs: np.ndarray) -> np.ndarray:
    """Return the class probabilities (K, N, C) of logits (K, N, C) with C ≥ 2, in float64."""
    shifted = outputs.astype(np.float64) - outputs.max(axis=-1, keepdims=True)
    grown = np.exp(shifted)
    return grown / grown.sum(axis=-1, keepdims=True)


def _roc_auc(y: np.ndarray, outputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the area under the ROC curve; for C > 1 outputs the mean over the classes of one against the rest."""
    if outputs.shape[-1] == 1:
        return _binary_aucs(y == 1, outputs[..., 0], weights)
    chances = probabilities(outputs)
    present = [c for c in range(outputs.shape[-1]) if (y == c).any()]
    return np.mean([_binary_aucs(y == c, chances[..., c], weights) for c in present], axis=0)


def _binary_aucs(positive: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the AUC (K, R) of scores (K, N) under weights (R, N), ties counting one half.

    It is the share of pairs of a positive and a negative row in which the positive one has the higher score: the weight
    of the negative rows below each positive one is looked up among their cumulated weights.
    Costs: O(N log N + R N) for each candidate.
    """
    if 2 * positive.sum() < len(positive):  # the same pairs seen from the other side: fewer weights to cumulate
        positive, scores = ~positive, -scores
    own, others = weights[:, positive].astype(np.float64), weights[:, ~positive]
    pairs = own.sum(axis=1) * others.sum(axis=1, dtype=np.float64)
    below = np.zeros((len(weights), others.shape[1] + 1))
    found = np.empty((len(scores), len(weights)))
    for k, one in enumerate(scores):
        order = np.argsort(one[~positive])
        ranked = one[~positive][order]
        np.cumsum(others.take(order, axis=1), axis=1, dtype=np.float64, out=below[:, 1:])
        low, high = (np.searchsorted(ranked, one[positive], side) for side in ("left", "right"))
        beaten = below.take(low, axis=1)
        if (low != high).any():
            beaten = (beaten + below.take(high, axis=1)) / 2
        found[k] = np.einsum("rn,rn->r", own, beaten) / pairs
    return found


def _predicted(outputs: np.ndarray) -> np.ndarray:
    """Return the predicted class (K, N): the second of two where the logit is positive, else the largest logit."""
    return (outputs[..., 0] > 0).astype(np.int64) if outputs.shape[-1] == 1 else outputs.argmax(axis=-1)


def _mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted means (K, R) of values (K, N)."""
    return values @ weights.T.astype(np.float64) / weights.sum(axis=1, dtype=np.float64)


def _accuracy(y: np.ndarray, outputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return _mean((_predicted(outputs) == y).astype(np.float64), weights)


def _balanced_accuracy(y: np.ndarray, outputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    found, _, present = _counts(y, outputs, weights, np.unique(y))
    return _share(found, np.broadcast_to(present[:, None], found.shape)).mean(axis=0)


def _precision(y: np.ndarray, outputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    found, called, _ = _counts(y, outputs, weights, _asked(y, outputs))
    return _share(found, called).mean(axis=0)


def _recall(y: np.ndarray, outputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    found, _, present = _counts(y, outputs, weights, _asked(y, outputs))
    return _share(found, np.broadcast_to(present[:, None], found.shape)).mean(axis=0)


def _f1(y: np.ndarray, outputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    found, called, present = _counts(y, outputs, weights, _asked(y, outputs))
    return _share(2.0 * found, called + present[:, None]).mean(axis=0)


def _asked(y: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Return the classes whose precision, recall and F1 are averaged: the last of two, else all that occur."""
    return np.array([1]) if outputs.shape[-1] == 1 else np.unique(y)


def _counts(
    y: np.ndarray, outputs: np.ndarray, weights: np.ndarray, classes: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return, by class, the weight of rows found (M, K, R), of rows called it (M, K, R) and of its own rows (M, R)."""
    predicted, w = _predicted(outputs), weights.T.astype(np.float64)
    found = [(predicted[:, y == c] == c).astype(np.float64) @ w[y == c] for c in classes]
    called = [(predicted == c).astype(np.float64) @ w for c in classes]
    return np.stack(found), np.stack(called), np.stack([w[y == c].sum(axis=0) for c in classes])


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole, 0 where there is nothing to take a part of."""
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole > 0)


def _log_loss(y: np.ndarray, outputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the mean −ln(probability of the true class), from the logits without rounding small probabilities to 0."""
    logits = outputs.astype(np.float64)
    if outputs.shape[-1] == 1:
        return _mean(np.logaddexp(0.0, np.where(y == 1, -1.0, 1.0) * logits[..., 0]), weights)
    top = logits.max(axis=-1)
    total = top + np.log(np.exp(logits - top[..., None]).sum(axis=-1))
    return _mean(total - logits[:, np.arange(len(y)), y], weights)


def _mse(y: np.ndarray, outputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return _mean((outputs[..., 0].astype(np.float64) - y) ** 2, weights)


def _mae(y: np.ndarray, outputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return _mean(np.abs(outputs[..., 0].astype(np.float64) - y), weights)


def _r2(y: np.ndarray, outputs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return 1 − residual / total variance, (K, R); 0 where a resample has no variance to explain."""
    w = weights.astype(np.float64)
    total = w.sum(axis=1)
    mean = w @ y / total
    variance = w @ (y**2) / total - mean**2
    explained = variance > 1e-12 * (1.0 + mean**2)
    return np.where(explained, 1.0 - _mse(y, outputs, weights) / np.where(explained, variance, 1.0), 0.0)


_METRICS: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "roc_auc": _roc_auc,
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "f1": _f1,
    "precision": _precision,
    "recall": _recall,
    "log_loss": _log_loss,
    "r2": _r2,
    "mse": _mse,
    "mae": _mae,
}
