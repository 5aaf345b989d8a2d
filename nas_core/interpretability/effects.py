"""First-order accumulated local effects (ALE) of many functions at once, and what is read from them.

``additivity``, ``main_effect_simplicity`` and the graded monotone share need the same curves; they are accumulated
once. The explained scalar is the logit or the regression output. With several outputs the logits are centred over the
classes first (a shift common to all classes does not change a prediction), and squares are pooled over the classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nas_core.errors import SettingsError
from nas_core.interpretability.complexity import curve_complexity, level_complexity
from nas_core.interpretability.grid import MAX_CELLS, Grid, effect_grid

__all__ = [
    "Effects",
    "FeatureCurves",
    "FeatureSteps",
    "Predict",
    "accumulate_effects",
    "effects_of",
    "feature_complexities",
    "prediction_deltas",
]

Predict = Callable[[np.ndarray], np.ndarray]
# Below this share of 1 + f0², the variance of f is rounding: a constant has no interactions and no main effects.
VARIANCE_FLOOR = 1e-10
# Main effects that explain less than this share of the variance of f are not averaged as if they were all of it.
EFFECT_FLOOR = 0.01
# Numbers of curves whose complexity is found at once: 8 MB.
AT_ONCE = 1_000_000


@dataclass(frozen=True)
class FeatureSteps:
    """What the functions that change with one feature do across its cells: L columns, one per function and output.

    Attributes:
        functions: (L / C,) the functions, ascending.
        deltas: (N, L) difference of f across the cell of each row, centred over several outputs.
        means: (M, L) their mean in each cell: the steps of the accumulated effect.
    """

    functions: np.ndarray
    deltas: np.ndarray
    means: np.ndarray

    def columns(self, C: int) -> np.ndarray:
        """Return where the L columns stand among all (K·C,)."""
        return (self.functions[:, None] * C + np.arange(C)).ravel()


@dataclass(frozen=True)
class FeatureCurves:
    """Curves of one feature, B times L of them.

    Attributes:
        feature: Which one.
        values: (B, M, L) effects at its borders.
        masses: (B, M) mass of rows at each border, for each of the B times.
    """

    feature: int
    values: np.ndarray
    masses: np.ndarray


@dataclass(frozen=True)
class Effects:
    """First-order effects of K functions on N rows, P features, C outputs.

    Attributes:
        grid: Where the effects are accumulated.
        curves: Per feature the centred effect at the borders (M_j + 1, K, C); None where no function changes with it.
        mean: (K, C) mean output f0.
        errors: (N, K·C) signed distance of f to f0 + the sum of the effects.
        residuals: (K, N) its square, summed over outputs.
        deviations: (K, N) squared distance of f to f0, summed over outputs.
        importances: (K, P, C) mean squared effect V_j over the rows.
        steadiness: (K, P, C) |Σd|/Σ|d| of the effect's steps d: 1 = monotone or flat, 0 = ends where it starts.
        steps: Per feature what the curves are accumulated from; None where no function changes with it.
        finite: (K,) False where a function gave NaN or infinity; its numbers are those of a constant.
    """

    grid: Grid
    curves: tuple[np.ndarray | None, ...]
    mean: np.ndarray
    errors: np.ndarray
    residuals: np.ndarray
    deviations: np.ndarray
    importances: np.ndarray
    steadiness: np.ndarray
    steps: tuple[FeatureSteps | None, ...]
    finite: np.ndarray

    @cached_property
    def variance(self) -> np.ndarray:
        """(K,) variance of f over the rows, summed over outputs."""
        return self.deviations.mean(1)

    @cached_property
    def varies(self) -> np.ndarray:
        """(K,) True where f varies by more than rounding."""
        return self.variance >= VARIANCE_FLOOR * (1 + (self.mean**2).sum(1))

    @cached_property
    def interaction_strength(self) -> np.ndarray:
        """(K,) IAS = Σ(f − f_ALE)² / Σ(f − f0)²: the variation that main effects leave unexplained; may exceed 1."""
        return np.divide(self.residuals.sum(1), self.deviations.sum(1), out=np.zeros(len(self.mean)), where=self.varies)

    @cached_property
    def complexities(self) -> np.ndarray:
        """(K, P, C) main effect complexity of every feature: of a curve, or of the levels of a category."""
        result = np.zeros(self.importances.shape)
        parts, places = [], []
        for j, curve in enumerate(self.curves):
            k, c = np.nonzero(self.importances[:, j] > 0)
            if curve is not None and len(k):
                parts.append(FeatureCurves(j, curve[None, :, k, c], self.grid.weights(j)[None]))
                places.append((k, j, c))
        for place, found in zip(places, feature_complexities(self.grid, parts), strict=True):
            result[place] = found[0]
        return result

    @cached_property
    def complexity(self) -> np.ndarray:
        """(K,) MEC* = Σ V_j·MEC_j / max(Σ V_j, 0.01·Var f); 0 for a constant.

        The floor (ours) keeps the noise of effects that explain next to nothing from counting as if it mattered.
        """
        weight = self.importances.sum((1, 2))
        total = (self.importances * self.complexities).sum((1, 2))
        return np.divide(
            total, np.maximum(weight, EFFECT_FLOOR * self.variance), out=np.zeros(len(weight)), where=self.varies
        )

    @cached_property
    def monotony(self) -> np.ndarray:
        """(K,) measured monotony Σ V_j·|Σd_j|/Σ|d_j| / Σ V_j over numeric features; NaN where none has an effect."""
        v = self.importances[:, ~self.grid.categorical, :]
        weight = v.sum((1, 2))
        total = (v * self.steadiness[:, ~self.grid.categorical, :]).sum((1, 2))
        known = (weight > 0) & self.varies
        return np.divide(total, weight, out=np.full(len(weight), np.nan), where=known)


def feature_complexities(grid: Grid, parts: Sequence[FeatureCurves]) -> list[np.ndarray]:
    """Return the main effect complexities (B, L) of each of ``parts``: of curves, or of the levels of categories.

    Curves of all features are taken together, which is several times faster than one feature after the other. They are
    as long as the longest of the grid, so that it does not matter which others there are.
    """
    found = [np.zeros((len(p.masses), p.values.shape[2]), np.int64) for p in parts]
    for categorical in (False, True):
        length = max((len(b) for b, flag in zip(grid.edges, grid.categorical) if flag == categorical), default=0)
        own = [i for i, part in enumerate(parts) if grid.categorical[part.feature] == categorical]
        for batch in _batches(own, [found[i].size * length for i in own]):
            x, y, w = (np.concatenate(a) for a in zip(*(_padded(grid, parts[i], length) for i in batch)))
            flat = level_complexity(y, w) if categorical else curve_complexity(x, y, w)
            ends = np.cumsum([found[i].size for i in batch])
            for i, own_flat in zip(batch, np.split(flat, ends[:-1]), strict=True):
                found[i] = own_flat.reshape(found[i].shape)
    return found


def _batches(items: Sequence[int], sizes: Sequence[int]) -> Iterator[list[int]]:
    """Yield neighbours whose sizes sum to at most ``AT_ONCE``, or a single larger one."""
    batch: list[int] = []
    total = 0
    for item, size in zip(items, sizes, strict=True):
        if batch and total + size > AT_ONCE:
            yield batch
            batch, total = [], 0
        batch.append(item)
        total += size
    if batch:
        yield batch


def _padded(grid: Grid, part: FeatureCurves, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return borders, effects and masses (B·L, length), with borders without mass at the end."""
    B, M, L = part.values.shape
    x, w = np.full((B * L, length), grid.edges[part.feature][-1]), np.zeros((B * L, length))
    y = np.zeros((B * L, length))
    x[:, :M], w[:, :M] = grid.edges[part.feature], np.repeat(part.masses, L, axis=0)
    y[:, :M] = part.values.transpose(0, 2, 1).reshape(B * L, M)
    return x, y, w


def accumulate_effects(outputs: np.ndarray, deltas: np.ndarray, grid: Grid) -> Effects:
    """Return the first-order effects of K functions from their outputs and their differences across cells.

    Source: Apley & Zhu (2020), arXiv 1612.08468. The mean difference in each cell is accumulated over the cells,
    interpolated between the borders and centred over the rows.

    Args:
        outputs: (K, N, C) f at the rows.
        deltas: (K, N, P, C) f with feature j moved to the upper border of its cell, minus f with it at the lower one.
        grid: The cells of the rows.
    """
    finite = np.isfinite(outputs).all((1, 2)) & np.isfinite(deltas).all((1, 2, 3))
    K, N, C = outputs.shape
    P = len(grid.edges)
    rest = _columns(outputs, finite)
    mean = _sums(rest) / N
    rest -= mean
    deviations = _pooled(rest, K, C)
    importances, steadiness = np.zeros((P, K * C)), np.ones((P, K * C))
    curves: list[np.ndarray | None] = [None] * P
    parts = _steps(deltas, grid, finite)
    for j, part in enumerate(parts):
        if part is None:
            continue
        at = part.columns(C)
        curve, effect = accumulated(part.means, grid, j)
        rest[:, at] -= effect
        importances[j, at] = _sums(effect * effect) / N
        length = _sums(np.abs(part.means))
        steadiness[j, at] = np.divide(np.abs(_sums(part.means)), length, out=np.ones_like(length), where=length > 0)
        whole = np.zeros((len(curve), K * C))
        whole[:, at] = curve
        curves[j] = whole.reshape(-1, K, C)
    shape = (P, K, C)
    return Effects(
        grid, tuple(curves), mean.reshape(K, C), rest, _pooled(rest, K, C), deviations,
        importances.reshape(shape).transpose(1, 0, 2), steadiness.reshape(shape).transpose(1, 0, 2), parts, finite,
    )  # fmt: skip


def _steps(deltas: np.ndarray, grid: Grid, finite: np.ndarray) -> tuple[FeatureSteps | None, ...]:
    """Return the mean differences in the cells of every feature, of the functions that change with it only."""
    changes = (deltas != 0).any((1, 3)) & finite[:, None]
    parts: list[FeatureSteps | None] = []
    for j in range(len(grid.edges)):
        functions = np.flatnonzero(changes[:, j])
        block = _columns(deltas[functions, :, j], finite[functions])
        if not block.any():
            parts.append(None)
            continue
        means = np.add.reduceat(block[grid.orders[:, j]], grid.starts[j], axis=0) / grid.counts(j)[:, None]
        parts.append(FeatureSteps(functions, block, means))
    return tuple(parts)


def accumulated(steps: np.ndarray, grid: Grid, j: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (curve at the borders (M + 1, L), effect at the rows (N, L)), both centred, from the mean steps (M, L)."""
    curve = np.concatenate((np.zeros((1, steps.shape[1])), np.cumsum(steps, axis=0)))
    cells, shares = grid.cells[:, j], grid.shares[:, j, None]
    effect = curve[cells] + shares * steps[cells]
    centre = _sums(effect) / len(effect)
    return curve - centre, effect - centre


def _columns(values: np.ndarray, finite: np.ndarray) -> np.ndarray:
    """Return (K, N, C) as float64 columns (N, K·C), centred over several outputs; 0 where a function is not finite."""
    kept = np.array(values.transpose(1, 0, 2), np.float64, order="C")
    kept[:, ~finite] = 0.0
    if kept.shape[2] > 1:
        kept -= kept.mean(2, keepdims=True)
    return kept.reshape(len(kept), -1)


def _sums(values: np.ndarray) -> np.ndarray:
    """Return the sums (L,) of columns (N, L), the same bits whatever stands beside a column.

    NumPy adds row after row, but pairwise where there is a single column.
    """
    return values.sum(0) if values.shape[1] != 1 else np.repeat(values, 2, axis=1).sum(0)[:1]


def _pooled(rest: np.ndarray, K: int, C: int) -> np.ndarray:
    """Return the squares of (N, K·C) summed over outputs: (K, N)."""
    squares = rest * rest
    return np.ascontiguousarray(squares.T) if C == 1 else squares.reshape(-1, K, C).sum(2).T


def prediction_deltas(predict: Predict, X: np.ndarray, grid: Grid) -> np.ndarray:
    """Return the differences across cells (N, P, C) of any function ``predict`` (N, P) → (N, C): the slow, general way.

    Costs two predictions of N rows per feature.
    """
    columns = []
    for j in range(X.shape[1]):
        changed = X.copy()
        changed[:, j] = grid.upper(j)
        high = np.array(predict(changed), float)  # a copy: what is returned may be a view of what was given
        changed[:, j] = grid.lower(j)
        columns.append(high - np.asarray(predict(changed), float))
    return np.stack(columns, axis=1)


def effects_of(
    predict: Predict, X: np.ndarray, categorical: Sequence[bool] | None = None, *, max_cells: int = MAX_CELLS
) -> Effects:
    """Return the first-order effects (K = 1) of any function ``predict`` (N, P) → (N, C) on the rows ``X`` (N, P).

    Raises:
        SettingsError: ``predict`` does not return two dimensions.
    """
    outputs = np.asarray(predict(X), float)
    if outputs.ndim != 2 or len(outputs) != len(X):
        raise SettingsError(
            f"The function returns an array of shape {outputs.shape} for {len(X)} rows",
            allowed="two dimensions: rows and outputs",
            fix="return one column per output, also when there is only one",
        )
    grid = effect_grid(X, categorical, max_cells=max_cells)
    return accumulate_effects(outputs[None], prediction_deltas(predict, X, grid)[None], grid)
