"""How much the measures of accumulated effects would change with other rows: their noise, at the price of one pass.

A bootstrap that accumulates the effects anew for every resample costs hundreds of passes. What a row adds to a ratio of
sums, through the sums and through the means of its cells, has a closed form instead; resampling these contributions is
the bootstrap of the linearised statistic. The number of segments of a curve is no smooth function of the rows, so a few
curves are redrawn for it.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from nas_core.interpretability.effects import (
    EFFECT_FLOOR,
    Effects,
    FeatureCurves,
    FeatureSteps,
    accumulated,
    feature_complexities,
)

__all__ = ["REDRAWS", "STUDENT", "complexity_draws", "strength_influence"]

# Curves are redrawn so often; an interval of ± so many standard deviations of the draws is Student's with one less.
REDRAWS, STUDENT = 10, 2.262
# Curves that carry less than this share of a function's main effects keep their complexity.
NEGLIGIBLE = 0.01
# Noise of a curve's steps below this share of its variance cannot bend a straight line.
CALM = 1e-4


def strength_influence(effects: Effects) -> np.ndarray:
    """Return (K, N) the influence T_i of every row on IAS: counted w times, it moves IAS by (w − 1)·T_i.

    With residuals r, rows b of a cell of feature j with mean difference s_b over n_b rows, and a_ib the share of that
    cell below the value of row i (1 above the cell, 0 below it),

        T_k = [r_k² − 2 Σ_j (d_kj − s_b)/n_b · Σ_i a_ib r_i − IAS·(f_k − f0)²] / Σ (f − f0)²,  b the cell of row k.

    Σ_i a_ib r_i is a sum over the rows above a cell, hence a suffix sum: O(N·P) in all. ΣT = 0, and ΣT² is the
    variance of IAS.

    Source: Jaeckel (1972), the infinitesimal jackknife; Efron (1982), doi 10.1137/1.9781611970319, chapter 6.
    """
    K, N = effects.residuals.shape
    C = effects.mean.shape[1]
    moved = np.zeros((N, K * C))
    for j, part in enumerate(effects.steps):
        if part is not None:
            at = part.columns(C)
            moved[:, at] += _through_means(effects, j, part, effects.errors[:, at])
    direct = effects.residuals - 2 * moved.reshape(N, K, C).sum(2).T
    total = effects.deviations.sum(1)[:, None]
    change = direct - effects.interaction_strength[:, None] * effects.deviations
    return np.divide(change, total, out=np.zeros_like(change), where=effects.varies[:, None])


def _through_means(effects: Effects, j: int, part: FeatureSteps, errors: np.ndarray) -> np.ndarray:
    """Return (N, L) (d_k − s_b)/n_b · Σ_i a_ib r_i of one feature, b the cell of row k."""
    grid = effects.grid
    order, starts, cells = grid.orders[:, j], grid.starts[j], grid.cells[:, j]
    inside = np.add.reduceat(errors[order], starts, axis=0)
    shared = np.add.reduceat((errors * grid.shares[:, j, None])[order], starts, axis=0)
    above = np.cumsum(inside[::-1], axis=0)[::-1] - inside
    weight = (above + shared) / grid.counts(j)[:, None]
    return (part.deltas - part.means[cells]) * weight[cells]


def complexity_draws(effects: Effects) -> np.ndarray:
    """Return (REDRAWS, K) MEC* of resampled rows: their weights, and the noise they put on the steps of every curve.

    A step moves by Σ (w_i − 1)(d_i − s_b)/n_b over the rows of its cell. The borders of the cells stay, and so does the
    complexity of a curve that carries less than 1 % of a function's main effects, or is a line without noise.

    Source: Rubin (1981), doi 10.1214/aos/1176345338: weights that leave no row out, so that no border loses its mass.
    """
    weight = effects.importances.sum((1, 2))[:, None, None]
    live = effects.importances > NEGLIGIBLE * weight
    spread = np.repeat(effects.importances[None], REDRAWS, axis=0)
    segments = np.repeat(effects.complexities[None], REDRAWS, axis=0)
    parts, places = [], []
    for j, part in enumerate(effects.steps):
        if part is not None and (redrawn := _redrawn(effects, j, part, live[:, j])) is not None:
            k, c, curves, growth = redrawn
            spread[:, k, j, c] *= growth
            parts.append(curves)
            places.append((k, j, c))
    for (k, j, c), found in zip(places, feature_complexities(effects.grid, parts), strict=True):
        segments[:, k, j, c] = found
    total = (spread * segments).sum((2, 3))
    variances = _redraws(effects.deviations.shape[1]) @ effects.deviations.T / effects.deviations.shape[1]
    bottom = np.maximum(spread.sum((2, 3)), EFFECT_FLOOR * variances)
    return np.divide(total, bottom, out=np.zeros_like(total), where=effects.varies & (bottom > 0))


def _redrawn(
    effects: Effects, j: int, part: FeatureSteps, live: np.ndarray
) -> tuple[np.ndarray, np.ndarray, FeatureCurves, np.ndarray] | None:
    """Return which curves of feature ``j`` are redrawn, those ``live`` (K, C) that could change; None for none of them.

    They are L functions and outputs (L,) each, the curves REDRAWS times, and by what V_j is multiplied (REDRAWS, L).
    """
    grid, C = effects.grid, live.shape[1]
    weights = _redraws(len(grid.cells))
    order, starts, n = grid.orders[:, j], grid.starts[j], grid.counts(j)[:, None]
    columns = part.columns(C)
    k, c = np.divmod(columns, C)
    rest = (part.deltas - part.means[grid.cells[:, j]])[order]
    noise = (np.add.reduceat(rest * rest, starts, axis=0) / n**2).sum(0)
    straight = (effects.complexities[k, j, c] <= 1) & (noise <= CALM * effects.importances[k, j, c])
    kept = live[k, c] & ~straight
    if not kept.any():
        return None
    k, c, rest = k[kept], c[kept], rest[:, kept]
    moved = np.stack([np.add.reduceat((w[order] - 1)[:, None] * rest, starts, axis=0) for w in weights]) / n
    curves = np.pad(np.cumsum(part.means[:, kept] + moved, axis=1), ((0, 0), (1, 0), (0, 0)))
    masses = _border_masses(effects, j, weights)
    plain, _ = accumulated(part.means[:, kept], grid, j)
    # The squares are taken at the borders, not at the rows, so only their ratio is used.
    before = _variance(grid.weights(j)[None], plain[None])
    growth = np.divide(_variance(masses, curves), before, out=np.ones((len(weights), len(k))), where=before > 0)
    return k, c, FeatureCurves(j, curves, masses), growth


def _variance(masses: np.ndarray, curves: np.ndarray) -> np.ndarray:
    """Return the variance (B, L) of the curves (B, M, L) over borders with masses (B, M)."""
    # sums along the last axis, not products of matrices: their rounding would depend on how many curves stand beside
    share = (masses / masses.sum(1, keepdims=True))[:, None]
    y = np.ascontiguousarray(curves.transpose(0, 2, 1))
    return np.asarray((share * y**2).sum(2) - (share * y).sum(2) ** 2)


def _border_masses(effects: Effects, j: int, counts: np.ndarray) -> np.ndarray:
    """Return the mass at each border (B, M_j + 1) of rows counted ``counts`` (B, N) times."""
    grid = effects.grid
    shares, borders = grid.shares[:, j], len(grid.edges[j])
    cells = (grid.cells[:, j] + borders * np.arange(len(counts))[:, None]).ravel()
    low, high = (counts * (1 - shares)).ravel(), (counts * shares).ravel()
    size = len(counts) * borders
    return (np.bincount(cells, low, size) + np.bincount(cells + 1, high, size)).reshape(len(counts), borders)


@lru_cache(maxsize=8)
def _redraws(rows: int) -> np.ndarray:
    """Return the weight of each row in each of few resamples (REDRAWS, N), of mean 1: the same for every candidate."""
    weights = np.random.default_rng(1).exponential(size=(REDRAWS, rows))
    return weights / weights.mean(1, keepdims=True)
