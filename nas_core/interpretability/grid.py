"""The grid of first-order effects: quantile cells of the held-out rows, and neighbouring levels of categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = ["MAX_CELLS", "Grid", "effect_grid"]

MAX_CELLS = 100


@dataclass(frozen=True)
class Grid:
    """Cells of every feature and the place of every row in them.

    Attributes:
        edges: Per feature, the increasing cell borders (M_j + 1,), in the unit of the feature. A feature with one value
            has the two equal borders (v, v): one cell of width zero, so its differences are zero.
        cells: (N, P) cell of each row: ``edges[j][cells[i, j]] <= x[i, j] <= edges[j][cells[i, j] + 1]``.
        shares: (N, P) position in the cell, 0 at its lower border and 1 at its upper one.
        categorical: (P,) True where the values are category codes.
    """

    edges: tuple[np.ndarray, ...]
    cells: np.ndarray
    shares: np.ndarray
    categorical: np.ndarray

    @cached_property
    def orders(self) -> np.ndarray:
        """(N, P) row numbers sorted by cell, feature by feature."""
        return np.argsort(self.cells, axis=0, kind="stable")

    @cached_property
    def starts(self) -> tuple[np.ndarray, ...]:
        """Per feature, where each cell starts in :attr:`orders` (M_j,); no cell is empty."""
        return tuple(
            np.concatenate(([0], np.cumsum(np.bincount(self.cells[:, j], minlength=len(e) - 1))[:-1]))
            for j, e in enumerate(self.edges)
        )

    def counts(self, j: int) -> np.ndarray:
        """Return how many rows lie in each cell of feature ``j`` (M_j,)."""
        return np.bincount(self.cells[:, j], minlength=len(self.edges[j]) - 1)

    def weights(self, j: int) -> np.ndarray:
        """Return the mass of rows at each border of feature ``j`` (M_j + 1,), summing to N.

        A row between two borders gives each its linear interpolation weight, so the weighted mean of a curve over the
        borders is the mean over the rows of the interpolated curve.
        """
        cells, shares, borders = self.cells[:, j], self.shares[:, j], len(self.edges[j])
        return np.bincount(cells, 1 - shares, borders) + np.bincount(cells + 1, shares, borders)

    def lower(self, j: int) -> np.ndarray:
        """Return the lower border of each row's cell (N,)."""
        return self.edges[j][self.cells[:, j]]

    def upper(self, j: int) -> np.ndarray:
        """Return the upper border of each row's cell (N,)."""
        return self.edges[j][self.cells[:, j] + 1]


def effect_grid(X: np.ndarray, categorical: Sequence[bool] | None = None, *, max_cells: int = MAX_CELLS) -> Grid:
    """Return the grid of the rows ``X`` (N, P): cells between observed quantiles, or between neighbouring levels.

    Source: Apley & Zhu (2020), arXiv 1612.08468: borders are quantiles of the data, so that every cell holds rows.
    Differs: borders are observed values without repetition, so a column with few values gets few cells. Levels of a
    category are taken in the order of their codes, and a row stands in the cell below its own level.

    Args:
        X: Rows without missing values.
        categorical: (P,) True where the column holds category codes; default nowhere.
        max_cells: Most cells of a numeric feature.
    """
    flags = np.zeros(X.shape[1], bool) if categorical is None else np.asarray(categorical, bool)
    edges = tuple(_borders(X[:, j], max_cells, bool(flags[j])) for j in range(X.shape[1]))
    cells = np.empty(X.shape, np.int64)
    shares = np.empty(X.shape)
    for j, border in enumerate(edges):
        cells[:, j] = np.clip(np.searchsorted(border, X[:, j], side="left") - 1, 0, len(border) - 2)
        low, high = border[cells[:, j]], border[cells[:, j] + 1]
        width = high - low
        shares[:, j] = np.divide(X[:, j] - low, width, out=np.zeros(len(X)), where=width > 0)
    return Grid(edges, cells, shares, flags)


def _borders(x: np.ndarray, max_cells: int, categorical: bool) -> np.ndarray:
    """Return the borders of one column: all observed levels, or at most ``max_cells + 1`` of its observed quantiles."""
    values = np.unique(x)
    if not categorical and len(values) > max_cells + 1:
        values = np.unique(np.quantile(x, np.linspace(0, 1, max_cells + 1), method="inverted_cdf"))
    return np.repeat(values, 2) if len(values) == 1 else values
