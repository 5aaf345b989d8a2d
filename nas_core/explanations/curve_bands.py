"""How much an accumulated local effect would differ with other rows of the same kind, by the bootstrap."""

from __future__ import annotations

import numpy as np

from nas_core.interpretability.grid import Grid
from nas_core.records import derive_seed

__all__ = ["RESAMPLES", "resampled"]

RESAMPLES = 200


def resampled(
    deltas: np.ndarray, grid: Grid, effect: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return standard error, lower and upper end (M + 1, C) of the curve when the rows (N, C) are drawn again.

    A cell that a resample leaves empty keeps its own mean. With one row there is nothing to draw: the errors are inf.
    """
    N, C = deltas.shape
    if N < 2:
        endless = np.full(effect.shape, np.inf)
        return endless, -endless, endless
    rng = np.random.default_rng(derive_seed("curve band", seed))
    weights = rng.multinomial(N, np.full(N, 1 / N), size=RESAMPLES).astype(float)
    order, starts, cells = grid.orders[:, 0], grid.starts[0], grid.cells[:, 0]
    counts = np.add.reduceat(weights[:, order], starts, axis=1)
    curves = np.empty((RESAMPLES, len(effect), C))
    for c in range(C):
        sums = np.add.reduceat(weights[:, order] * deltas[order, c], starts, axis=1)
        steps = np.divide(sums, counts, out=np.tile(np.diff(effect[:, c]), (RESAMPLES, 1)), where=counts > 0)
        drawn = np.concatenate((np.zeros((RESAMPLES, 1)), np.cumsum(steps, axis=1)), axis=1)
        rows = drawn[:, cells] + grid.shares[:, 0] * steps[:, cells]
        curves[:, :, c] = drawn - (weights * rows).mean(1, keepdims=True)
    low, high = np.quantile(curves, (0.025, 0.975), axis=0)
    # a skewed bootstrap can leave the curve outside its own percentiles; the band must hold it
    return curves.std(0, ddof=1), np.minimum(low, effect), np.maximum(high, effect)
