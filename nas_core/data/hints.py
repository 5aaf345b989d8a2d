"""What a cheap look at the training rows suggests: which features matter, which pairs interact, which way they point.

Hints start a search in a good place; nothing a person is shown as a result depends on them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_core.data.dataset import FeatureSpec
from nas_core.data.selection import forward_order

__all__ = ["Hints", "interaction_gain", "make_hints", "mutual_information", "spearman"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
ROWS = 10_000  # more rows change no hint by much
RELEVANCE_BINS = 10
EFFECT_BINS = 8
PAIR_BINS = 4  # divides EFFECT_BINS, so that coarse bins are unions of fine ones
PAIR_FEATURES = 64
ORDERED = 12


@dataclass(frozen=True)
class Hints:
    """Read-only hints from the training part.

    Attributes:
        relevance: (P,) in [0, 1], mutual information with the target as a share of the target's entropy.
        interaction: (P, P) in [0, 1], symmetric, diagonal 0: share of the target's variance that a pair explains
            beyond the additive effects; 0 for pairs that were not looked at.
        direction: (P,) in [-1, 1], Spearman correlation with the target; 0 for categorical features and for more
            than two classes.
        order: At most 12 features, each the one that adds most to a linear model of those before it (forward
            selection on the ranks of numeric features and on the bins of categorical ones); chosen among the 64 most
            relevant ones.
    """

    relevance: Floats
    interaction: Floats
    direction: Floats
    order: tuple[int, ...] = ()


def make_hints(features: tuple[FeatureSpec, ...], X: Floats, y: NDArray[np.generic], classes: int) -> Hints:
    """Return the hints of training rows X (n, P, imputed) and y (n,).

    Args:
        features: The P specifications.
        X: Raw values without missing ones; categories as codes.
        y: Class index, or the value to predict.
        classes: Number of classes, 0 for regression.
    """
    if len(y) > ROWS:
        pick = np.linspace(0, len(y) - 1, ROWS).astype(np.int64)
        X, y = X[pick], y[pick]
    numeric = np.array([f.kind == "numeric" for f in features])
    target = y.astype(np.int64) if classes else _quantile_codes(y.astype(float), RELEVANCE_BINS)
    codes = np.column_stack([_codes(X[:, j], numeric[j], RELEVANCE_BINS) for j in range(X.shape[1])])
    relevance = mutual_information(codes, target)
    direction = np.zeros(X.shape[1])
    if classes <= 2:
        ranks = _ranks(y.astype(float))
        direction[numeric] = [spearman(X[:, j], ranks) for j in np.flatnonzero(numeric)]
    interaction = np.zeros((X.shape[1], X.shape[1]))
    top = np.sort(np.argsort(-relevance, kind="stable")[:PAIR_FEATURES])
    T = np.eye(classes)[target] if classes > 2 else y.astype(float)[:, None]
    fine = np.column_stack([_codes(X[:, j], numeric[j], EFFECT_BINS) for j in top])
    interaction[np.ix_(top, top)] = interaction_gain(fine, T)
    for array in (relevance, interaction, direction):
        array.setflags(write=False)
    columns = np.column_stack(
        [_ranks(X[:, j]) if numeric[j] else _mean_by_level(fine[:, n], T) for n, j in enumerate(top)]
    )
    order = tuple(int(top[n]) for n in forward_order(columns, T, ORDERED))
    return Hints(relevance, interaction, direction, order)


def mutual_information(codes: Codes, target: Codes) -> Floats:
    """Return the mutual information of each column of codes (n, P) with target (n,), as a share of its entropy (P,).

    Source: plug-in estimate with the first-order bias correction of Miller (1955): minus
    (used bins - 1)(used classes - 1) / 2n nats; limited to [0, 1].
    """
    n, classes = len(target), int(target.max()) + 1
    share = np.bincount(target, minlength=classes) / n
    entropy = -np.sum(share[share > 0] * np.log(share[share > 0]))
    if entropy == 0:
        return np.zeros(codes.shape[1])
    result = np.zeros(codes.shape[1])
    for j in range(codes.shape[1]):
        cells = np.bincount(codes[:, j] * classes + target, minlength=(int(codes[:, j].max()) + 1) * classes)
        joint = cells.reshape(-1, classes) / n
        marginal = joint.sum(axis=1)
        used = joint > 0
        information = np.sum(joint[used] * np.log(joint[used] / np.outer(marginal, share)[used]))
        bias = (np.sum(marginal > 0) - 1) * (np.sum(share > 0) - 1) / (2 * n)
        result[j] = np.clip((information - bias) / entropy, 0.0, 1.0)
    return result


def spearman(x: Floats, target_ranks: Floats) -> float:
    """Return the rank correlation in [-1, 1] of x (n,) with the ranks (n,) of a target; 0 if one is constant."""
    ranks = _ranks(x)
    a, b = ranks - ranks.mean(), target_ranks - target_ranks.mean()
    scale = np.sqrt((a @ a) * (b @ b))
    return float(np.clip(a @ b / scale, -1.0, 1.0)) if scale > 0 else 0.0


def interaction_gain(fine: Codes, T: Floats) -> Floats:
    """Return the gain (F, F) in [0, 1] of every pair of features beyond their additive effects.

    With r the residual of a ridge regression of the target on the one-hot bins of all features (penalty by generalised
    cross-validation), and m the mean of r in the cells of a 4 × 4 grid of the pair,
    gain = max(0, Σ_cells n_cell m² − 9 σ²_r) / Σ (t − mean t)²; the term 9 σ²_r is what noise alone explains.
    Targets of several columns (classes) add up their numerators and denominators.

    Source: the idea is FAST of Lou, Caruana, Gehrke and Hooker (2013); differs in the additive fit and the grid.
    Costs: one matrix product of (4F, n) by (n, 4F) per target column, and an eigendecomposition of size 8F.

    Args:
        fine: (n, F) bin codes in 0 … 7; a pair's grid joins neighbouring bins to 4.
        T: (n, C) target columns.
    """
    F = fine.shape[1]
    T = T - T.mean(axis=0)
    total = float(np.sum(T**2))
    if total == 0 or F < 2:
        return np.zeros((F, F))
    R = T - _additive_fit(_one_hot(fine, EFFECT_BINS), T)
    B = _one_hot(fine // (EFFECT_BINS // PAIR_BINS), PAIR_BINS)
    count = _grid(B.T @ B, F)
    explained = np.zeros((F, F))
    for c in range(T.shape[1]):
        sums = _grid(B.T @ (B * R[:, [c]]), F)
        noise = (PAIR_BINS - 1) ** 2 * np.mean(R[:, c] ** 2)
        explained += np.sum(sums**2 / np.maximum(count, 1), axis=(2, 3)) - noise
    gain = np.clip(explained / total, 0.0, 1.0)
    np.fill_diagonal(gain, 0.0)
    return (gain + gain.T) / 2


def _grid(matrix: Floats, F: int) -> Floats:
    """Return a (4F, 4F) matrix of cells as (F, F, 4, 4)."""
    return matrix.reshape(F, PAIR_BINS, F, PAIR_BINS).transpose(0, 2, 1, 3)


def _additive_fit(B: Floats, T: Floats) -> Floats:
    """Return the fitted values (n, C) of a ridge regression on B (n, d), its penalty chosen by cross-validation."""
    B = B - B.mean(axis=0)
    values, vectors = np.linalg.eigh(B.T @ B)
    keep = values > 1e-9 * max(values[-1], 1e-12)
    values, vectors = values[keep], vectors[:, keep]
    inner = vectors.T @ (B.T @ T)
    explained, n, total = np.sum(inner**2, axis=1), len(T), float(np.sum(T**2))
    best, best_score = 1.0, np.inf
    for penalty in n * np.logspace(-4, 1, 21):
        freedom = np.sum(values / (values + penalty))
        fitted = np.sum(explained * (values + 2 * penalty) / (values + penalty) ** 2)
        score = (total - fitted) / max(1e-9, 1 - (freedom + 1) / n) ** 2
        if score < best_score:
            best, best_score = penalty, score
    return B @ (vectors @ (inner / (values + best)[:, None]))


def _one_hot(codes: Codes, bins: int) -> Floats:
    """Return codes (n, F) in 0 … bins-1 as columns (n, F * bins)."""
    n, F = codes.shape
    out = np.zeros((n, F * bins))
    out[np.arange(n)[:, None], codes + bins * np.arange(F)] = 1.0
    return out


def _codes(x: Floats, numeric: np.bool_ | bool, bins: int) -> Codes:
    """Return bin codes 0 … bins-1 of one feature: quantile bins, or categories from the most frequent to the rest."""
    if numeric:
        return _quantile_codes(x, bins)
    values, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
    rank = np.empty(len(values), dtype=np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(values))
    return np.minimum(rank, bins - 1)[inverse]


def _quantile_codes(x: Floats, bins: int) -> Codes:
    """Return codes 0 … bins-1 of quantile bins; equal values share a bin, so heavy values may leave bins empty."""
    edges = np.quantile(x, np.arange(1, bins) / bins, method="lower")
    return np.searchsorted(edges, x, side="left").astype(np.int64)


def _mean_by_level(codes: Codes, T: Floats) -> Floats:
    """Return for each row (n,) the mean of the target's first column over the rows of the same code."""
    counts = np.bincount(codes)
    return (np.bincount(codes, weights=T[:, 0]) / np.maximum(counts, 1))[codes]


def _ranks(x: Floats) -> Floats:
    """Return ranks from 1, equal values sharing their mean rank."""
    _, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]
