"""First-order effects of features that have no order: what a patch, a step or a word adds on average.

Accumulated local effects need an ordered number per feature; the cells of a signal have none. Their first-order
functional-ANOVA effects do without: a cell of the explained row is put into other rows.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from nas_core.interpretability.effects import VARIANCE_FLOOR
from nas_core.interpretability.per_problem import KEPT

__all__ = ["CellMixtures", "CellResiduals", "cell_residuals", "other_rows"]

Predict = Callable[[np.ndarray], np.ndarray]
# Numbers of mixed rows made at once.
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


class CellMixtures:
    """Rows whose cells are put into other rows, one at a time: what every function of a problem is asked about.

    The mixed rows are made when they are first needed and kept for the next function, up to KEPT numbers.

    Args:
        rows: (n, D) where to look: rows whose cells are put elsewhere.
        pool: (M, D) rows to mix with.
        others: (n, B) which of them, B ≥ 2 and independent of each other.
        owner: (D,) the cell of each column, 0 to P − 1.
    """

    def __init__(self, rows: np.ndarray, pool: np.ndarray, others: np.ndarray, owner: np.ndarray) -> None:
        self.rows, self.pool, self.others, self.P = rows, pool, others, int(owner.max()) + 1
        self._owner = owner
        self._kept: dict[int, _Piece] = {}
        self._room, self._lock = KEPT, threading.Lock()

    def residuals(self, predict: Predict, count: int | None = None) -> CellResiduals:
        """Return the residuals of the first-order approximation of ``predict`` (m, D) → (m, C) at encoded rows.

        For a row x and another row b the residual is r_b = f(x) − f(b) − Σ_j [f(x_j, b_−j) − f(b)]; its mean over b is
        f(x) − f_add(x). The square of a mean over few b is too large by its noise, so products of residuals at
        *different* b are averaged: with two halves of the b, the product of their means; over all ways to halve them,
        the mean of r_b·r_b' over b ≠ b'. That is unbiased for the squared residual, and exactly 0 for an additive
        function.

        Costs: n·P·B predictions less those where the cells of x and b are equal.

        Args:
            predict: The function.
            count: How many of the rows, from the first; all unless given.
        """
        own = _centred(predict(self.rows[:count]))
        n, others, known = len(own), self.others[:count], _centred(predict(self.pool))
        left = own[:, None] + (self.P - 1) * known[others] - self._sums(predict, known, n)
        if not (np.isfinite(own).all() and np.isfinite(known).all() and np.isfinite(left).all()):
            return CellResiduals(np.zeros(n), np.zeros(n), False, False)
        B = others.shape[1]
        products = (left.sum(1) ** 2 - (left**2).sum(1)) / (B * (B - 1))
        mean = own.mean(0)
        deviations = ((own - mean) ** 2).sum(1) * n / max(1, n - 1)
        varies = float(deviations.mean()) >= VARIANCE_FLOOR * (1 + float((mean**2).sum()))
        return CellResiduals(products.sum(1), deviations, True, varies)

    def _sums(self, predict: Predict, known: np.ndarray, count: int) -> np.ndarray:
        """Return Σ_j f(x_j, b_−j) (count, B, C) of the first ``count`` rows x in their other rows b.

        Where the cell is the same in both rows, the mixture is b itself, whose centred output is in ``known`` (M, C).
        """
        B = self.others.shape[1]
        total = np.zeros((count * B, known.shape[1]))
        for start, piece in self._pieces(count):
            end = min(count, start + len(piece.same))
            same, others = piece.same[: end - start, :, None], self.others[start:end]
            total[start * B : end * B] = (same * known[others]).reshape(-1, known.shape[1])
            pairs = piece.pairs[: np.searchsorted(piece.pairs, (end - start) * B)]
            if len(pairs):
                first = np.flatnonzero(np.diff(pairs, prepend=-1))
                outputs = _centred(predict(piece.mixed[: len(pairs)]))
                total[start * B + pairs[first]] += np.add.reduceat(outputs, first, axis=0)
        return total.reshape(count, B, -1)

    def _pieces(self, count: int) -> Iterator[tuple[int, _Piece]]:
        """Yield pieces that together hold the first ``count`` rows, and where each begins."""
        step = max(1, NUMBERS // (self.others.shape[1] * self.P * self.rows.shape[1]))
        for start in range(0, count, step):
            with self._lock:
                piece = self._kept.get(start)
                if piece is None:
                    some = slice(start, start + step)
                    piece = _mixed(self.rows[some], self.pool[self.others[some]], self._owner)
                    if piece.mixed.size <= self._room:
                        self._kept[start] = piece
                        self._room -= piece.mixed.size
            yield start, piece


@dataclass(frozen=True)
class _Piece:
    """Some rows (r, D) mixed with B others each.

    Attributes:
        pairs: (m,) ascending, row · B + other, of each mixed row.
        mixed: (m, D) those that differ from the other row.
        same: (r, B) how many cells are the same in both rows.
    """

    pairs: np.ndarray
    mixed: np.ndarray
    same: np.ndarray


def _mixed(x: np.ndarray, b: np.ndarray, owner: np.ndarray) -> _Piece:
    """Return the mixtures of rows ``x`` (r, D) with rows ``b`` (r, B, D)."""
    P = int(owner.max()) + 1
    belongs = owner[None] == np.arange(P)[:, None]
    differs = ((x[:, None] != b).astype(np.float32) @ belongs.T.astype(np.float32)) > 0
    i, k, j = np.nonzero(differs)
    return _Piece(i * b.shape[1] + k, np.where(belongs[j], x[i], b[i, k]), P - differs.sum(2))


def cell_residuals(
    predict: Predict, rows: np.ndarray, pool: np.ndarray, others: np.ndarray, owner: np.ndarray
) -> CellResiduals:
    """Return the residuals of a single function, see :meth:`CellMixtures.residuals`; arguments as there."""
    return CellMixtures(rows, pool, others, owner).residuals(predict)


def _centred(outputs: np.ndarray) -> np.ndarray:
    """Return float64 outputs (n, C), centred over several outputs."""
    f = np.asarray(outputs, float)
    return f - f.mean(1, keepdims=True) if f.shape[1] > 1 else f
