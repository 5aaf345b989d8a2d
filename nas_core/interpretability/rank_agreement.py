"""How unevenly an attribution is spread, and how alike two attributions are: Gini, Spearman, pairwise rank agreement.

All work row by row on the sizes |φ| of (n, P) attributions. Sizes of a row are compared in steps of a millionth of its
largest, what rounding leaves of them, so that noise does not order features that have the same influence.
"""

from __future__ import annotations

import numpy as np

__all__ = ["gini", "pair_agreement", "rank_correlation", "sizes"]

STEPS = 1e6


def sizes(values: np.ndarray) -> np.ndarray:
    """Return |φ| of attributions (n, P) in steps of a millionth of the largest of the row; 0 where all are 0."""
    found = np.abs(np.asarray(values, float))
    largest = found.max(1, initial=0.0, keepdims=True)
    return np.round(found / np.where(largest > 0, largest, 1.0) * STEPS) / STEPS


def gini(values: np.ndarray) -> np.ndarray:
    """Return (n,) the Gini index of |φ| (n, P) times P/(P − 1): 1 = one feature has it all, 0 = all have the same.

    Rows without any influence, and all rows where P < 2, are NaN.

    Source: Chalasani et al. (2020), arXiv 1810.06583; Hurley & Rickard (2009).
    Differs: times P/(P − 1), so that one feature of few has 1, not (P − 1)/P.
    """
    ordered = np.sort(np.abs(np.asarray(values, float)), axis=1)
    P, total = ordered.shape[1], ordered.sum(1)
    known = (total > 0) & (P > 1)
    weighted = ordered @ (2.0 * np.arange(1, P + 1) - P - 1)
    return np.where(known, weighted / np.where(known, max(1, P - 1) * total, 1.0), np.nan)


def rank_correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return (n,) Spearman's correlation of the rows of two (n, P) arrays, ties sharing their mean rank.

    Two rows that are each the same everywhere have 1; where only one of them is, 0: it lost the order.
    """
    from scipy.stats import rankdata

    one, two = (rankdata(a, axis=1) - (a.shape[1] + 1) / 2 for a in (first, second))
    spread, other = (one**2).sum(1), (two**2).sum(1)
    known = (spread > 0) & (other > 0)
    found = (one * two).sum(1) / np.sqrt(np.where(known, spread * other, 1.0))
    return np.where(known, np.clip(found, -1.0, 1.0), ((spread == 0) & (other == 0)).astype(float))


def pair_agreement(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return (n,) the share of pairs of features that the rows of two (n, P) arrays put in the same order.

    A pair that is tied in both counts as agreement, one that is tied in one of them as half: a coin would decide it.
    NaN where P < 2.

    Source: Krishna et al. (2022), arXiv 2202.01602, pairwise rank agreement.
    Differs: ties count half.
    """
    n, P = first.shape
    if P < 2:
        return np.full(n, np.nan)
    total = np.zeros(n)
    for j in range(P - 1):  # one feature against those after it, so that P² signs are never held for all rows
        one, two = (np.sign(a[:, j + 1 :] - a[:, j, None]) for a in (first, second))
        total += (1 - np.abs(one - two) / 2).sum(1)
    return total / (P * (P - 1) / 2)
