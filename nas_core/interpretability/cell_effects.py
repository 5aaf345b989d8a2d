"""First-order effects of features that have no order: what a patch, a step or a word adds on average.

Accumulated local effects need an ordered number per feature; the cells of a signal have none. Their first-order
functional-ANOVA effects do without: a cell of the explained row is put into other rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from nas_core.interpretability.effects import VARIANCE_FLOOR

__all__ = ["CellResiduals", "cell_residuals", "other_rows"]

Predict = Callable[[np.ndarray], np.ndarray]
# Numbers of mixed rows held at once.
NUMBERS = 4_000_000


@dataclass(frozen=True)
class CellResiduals:
    """What first-order effects leave unexplained of one function on n rows.

    Attributes:
        residuals: (n,) unbiased squared distance of f to f0 + Σ_j f_j, summed over outputs; may be negative.
        deviations: (n,) squared distance of f to its mean over the rows, summed over outputs.
        finite: False where the function gave NaN or infinity; all else is 0 then.
        varies: True where f varies by more than rounding.
    """

    residuals: np.ndarray
    deviations: np.ndarray
    finite: bool
    varies: bool

    @property
    def interaction_strength(self) -> float:
        """IAS: the share of the variation of f that is not a sum of effects of single cells; at least 0."""
        if not self.varies:
            return 0.0
        return max(0.0, float(self.residuals.sum() / self.deviations.sum()))


def other_rows(count: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Return for each of ``count`` rows ``draws`` < ``count`` different other rows, (count, draws)."""
    keys = rng.random((count, count))
    np.fill_diagonal(keys, np.inf)
    return np.argpartition(keys, draws - 1, axis=1)[:, :draws]


def cell_residuals(
    predict: Predict, rows: np.ndarray, pool: np.ndarray, others: np.ndarray, owner: np.ndarray
) -> CellResiduals:
    """Return the residuals of the first-order approximation of ``predict`` (m, D) → (m, C) at the rows (n, D).

    For a row x and another row b the residual is r_b = f(x) − f(b) − Σ_j [f(x_j, b_−j) − f(b)]; its mean over b is
    f(x) − f_add(x). The square of a mean over few b is too large by its noise, so products of residuals at *different*
    b are averaged: with two halves of the b, the product of their means; over all ways to halve them, the mean of
    r_b·r_b' over b ≠ b'. That is unbiased for the squared residual, and exactly 0 for an additive function.

    Costs: n·P·B predictions less those where the cells of x and b are equal, B ≥ 2 other rows each.

    Args:
        predict: The function, on encoded rows.
        rows: (n, D) where to look.
        pool: (M, D) rows to mix with.
        others: (n, B) which of them, B ≥ 2 and independent of each other.
        owner: (D,) the cell of each column.
    """
    own, known = _centred(predict(rows)), _centred(predict(pool))
    n, B = others.shape
    P = int(owner.max()) + 1
    left = own[:, None] + (P - 1) * known[others]
    step = max(1, NUMBERS // (B * P * rows.shape[1]))
    for at in range(0, n, step):
        part = slice(at, at + step)
        left[part] -= _mixed(predict, rows[part], pool[others[part]], known[others[part]], owner, P)
    if not (np.isfinite(own).all() and np.isfinite(known).all() and np.isfinite(left).all()):
        return CellResiduals(np.zeros(n), np.zeros(n), False, False)
    products = (left.sum(1) ** 2 - (left**2).sum(1)) / (B * (B - 1))
    mean = own.mean(0)
    deviations = ((own - mean) ** 2).sum(1) * n / max(1, n - 1)
    varies = float(deviations.mean()) >= VARIANCE_FLOOR * (1 + float((mean**2).sum()))
    return CellResiduals(products.sum(1), deviations, True, varies)


def _mixed(predict: Predict, x: np.ndarray, b: np.ndarray, known: np.ndarray, owner: np.ndarray, P: int) -> np.ndarray:
    """Return Σ_j f(x_j, b_−j) (r, B, C) of rows ``x`` (r, D) in rows ``b`` (r, B, D) with outputs ``known`` (r, B, C).

    Where the cell is the same in both rows, the mixture is b itself.
    """
    belongs = owner[None] == np.arange(P)[:, None]
    differs = ((x[:, None] != b).astype(np.float32) @ belongs.T.astype(np.float32)) > 0
    i, k, j = np.nonzero(differs)
    mixed = np.where(belongs[j], x[i], b[i, k])
    total = (P - differs.sum(2))[..., None] * known
    if len(i):
        np.add.at(total, (i, k), _centred(predict(mixed)))
    return total


def _centred(outputs: np.ndarray) -> np.ndarray:
    """Return float64 outputs (n, C), centred over several outputs."""
    f = np.asarray(outputs, float)
    return f - f.mean(1, keepdims=True) if f.shape[1] > 1 else f
