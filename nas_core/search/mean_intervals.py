"""The 95 % interval of a weighted geometric mean of measures, from the intervals of the measures.

Letters: n candidates, M measures.
"""

from __future__ import annotations

import numpy as np

from nas_core.preferences import FLOOR, interpretability

__all__ = ["mean_interval"]


def mean_interval(
    scores: np.ndarray, low: np.ndarray, high: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and the upper end (n,) of the 95 % interval of :func:`nas_core.preferences.interpretability`.

    The logarithm of the mean is a weighted sum, so the arms of the measures, weighted and on the scale of logarithms,
    add like the legs of a right angle, to each side for itself: from log I − √Σ(w (l − l_low))² to
    log I + √Σ(w (l_high − l))² with l = log((ε + s) / (ε + 1)). Exact measures add nothing. An undefined measure is
    left out, as in the mean.

    Source: Zou and Donner (2008), Statistics in Medicine 27, the method of variance estimates recovery (MOVER).
    Assumes: measures err independently of each other. Those of one network are taken on the same rows and do not quite;
        where they err together the true interval is wider, where they err against each other narrower.

    Args:
        scores, low, high: (n, M) in [0, 1], NaN where undefined; an end that is NaN counts as the score.
        weights: (M,), not negative.

    Returns:
        Two arrays (n,), NaN where the mean is; low ≤ mean ≤ high, and within what the measures' own ends would give.
    """
    scores, weights = np.asarray(scores, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    mean = interpretability(scores, weights)
    present = np.where(np.isnan(scores), 0.0, weights)
    total = present.sum(axis=1, keepdims=True)
    shares = present / np.where(total > 0.0, total, 1.0)
    value = np.where(np.isnan(scores), 0.0, scores)
    arms = []
    for end, cut in ((low, np.minimum), (high, np.maximum)):
        moved = cut(value, np.where(np.isnan(end) | np.isnan(scores), value, end))
        arms.append(np.sqrt(((shares * np.log((FLOOR + moved) / (FLOOR + value))) ** 2).sum(axis=1)))
    return mean * np.exp(-arms[0]), np.minimum(mean * np.exp(arms[1]), 1.0)
