"""Which features a function depends on, found by resampling: for models whose structure does not say so."""

from __future__ import annotations

import numpy as np

from nas_core.interpretability.effects import VARIANCE_FLOOR, Predict

__all__ = ["USE_THRESHOLD", "used_features"]

USE_THRESHOLD = 1e-3


def used_features(predict: Predict, X: np.ndarray, *, draws: int = 50, seed: int = 0) -> tuple[int, ...]:
    """Return the features (ascending) whose resampling changes the output of ``predict`` (N, P) → (N, C).

    Feature j counts when, with its values replaced by those of other rows, the root mean square change of the output
    exceeds 1/1000 of the output's standard deviation: a leaked weight of 1e-6 does not count, and nothing counts for a
    constant.

    Source: Molnar et al. (2019), arXiv 1904.03867.
    Differs: a threshold relative to sd(f) instead of any change at all; several classes are centred and pooled.
    Costs: ``draws`` predictions of N rows per feature, fewer where an early draw already decides.
    """
    rng = np.random.default_rng(seed)
    base = _centred(predict(X))
    mean = base.mean(0)
    variance = float(((base - mean) ** 2).sum(1).mean())
    if variance < VARIANCE_FLOOR * (1 + float((mean**2).sum())):
        return ()
    limit = USE_THRESHOLD**2 * variance * draws
    used = []
    for j in range(X.shape[1]):
        total, changed = 0.0, X.copy()
        for _ in range(draws):
            changed[:, j] = rng.permutation(X[:, j])
            total += float(((_centred(predict(changed)) - base) ** 2).sum(1).mean())
            if total > limit:  # the mean over all draws can only be larger
                used.append(j)
                break
    return tuple(used)


def _centred(outputs: np.ndarray) -> np.ndarray:
    """Return float64 outputs (N, C), centred over several outputs."""
    f = np.asarray(outputs, float)
    return f - f.mean(1, keepdims=True) if f.shape[1] > 1 else f
