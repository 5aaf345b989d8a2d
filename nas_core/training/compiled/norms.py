"""Batch normalisation over the rows of the batch and all places of a channel."""

from __future__ import annotations

import numpy as np

from nas_core.training.compiled.fields import BIAS, C_OUT, NEEDS, OTHER, OUT, P_OUT, PLACE, WEIGHT, Memory, X
from nas_core.training.compiled.jit import kernel, within
from nas_core.training.compiled.lanes import LANES, fma, load, none, spread, store, total, upto

__all__ = ["normalise", "normalise_back"]

ROWS = 16
"""Rows that are summed in single precision before the sums are added up in double precision."""


@kernel
def normalise(op: np.ndarray, real: np.ndarray, m: Memory, N: int, n: int, training: bool) -> None:
    """Compute batch normalisation, and in training move the running statistics.

    The mean and 1 / standard deviation that were used are left in ``scratch`` at ``OTHER``, C numbers each. The
    variance over a single number is 0, that of the running statistics too.

    Source: Ioffe & Szegedy (2015); Chan, Golub & LeVeque (1983) for the corrected sums in two passes.

    Args:
        op: ``PLACE``: where the running means (C) and then the variances (C) begin in ``statistics``.
        real: Momentum and epsilon.
        m: Memory.
        N: Numbers in a row.
        n: How many of them are there; the others are left out.
        training: Whether the statistics are those of the batch, as of ``torch.nn.BatchNorm2d``.
    """
    channels, places, kept, used = op[C_OUT], op[P_OUT], op[PLACE], op[OTHER]
    count = places * n
    for c in range(channels):
        x, y = op[X] + c * places, op[OUT] + c * places
        mean, variance = m.statistics[kept + c], m.statistics[kept + channels + c]
        if training:
            mean = np.float32(_moments(m.values, x, places, N, n, np.float32(0.0))[0] / count)
            rest, squares = _moments(m.values, x, places, N, n, mean)
            deviations = max(squares - rest * rest / count, 0.0) if squares == squares else squares
            variance = np.float32(deviations / count)
            part = np.float64(real[0])
            m.statistics[kept + c] += part * (mean - m.statistics[kept + c])
            m.statistics[kept + channels + c] += part * (
                deviations / max(count - 1, 1) - m.statistics[kept + channels + c]
            )
        inverse = np.float32(1.0 / np.sqrt(np.float64(variance) + np.float64(real[1])))
        m.scratch[used + c], m.scratch[used + channels + c] = mean, inverse
        scale = np.float32(m.weights[op[WEIGHT] + c] * inverse)
        slope, start = spread(scale), spread(np.float32(m.weights[op[BIAS] + c] - mean * scale))
        for at in range(0, places * N, LANES):
            store(m.values, y * N + at, fma(slope, load(m.values, x * N + at), start))


@kernel
def normalise_back(op: np.ndarray, real: np.ndarray, m: Memory, N: int, n: int) -> None:
    """Write the slopes of scale and shift, add those of what was normalised in training."""
    channels, places, used = op[C_OUT], op[P_OUT], op[OTHER]
    count = places * n
    one = spread(np.float32(1.0))
    for c in range(channels):
        x, y = op[X] + c * places, op[OUT] + c * places
        mean, inverse = m.scratch[used + c], m.scratch[used + channels + c]
        slopes, product = _products(m.values, x, m.slopes, y, places, N, mean)
        m.gradient[op[WEIGHT] + c], m.gradient[op[BIAS] + c] = product * inverse, slopes
        if op[NEEDS]:
            scale = np.float32(m.weights[op[WEIGHT] + c] * inverse)
            along = np.float32(-scale * product * inverse * inverse / count)
            by, x_by = spread(scale), spread(along)
            less, start = spread(np.float32(-mean)), spread(np.float32(-scale * slopes / count))
            for column in range(0, N, LANES):
                for p in range(places):
                    at = p * N + column
                    centred = fma(one, load(m.values, x * N + at), less)
                    slope = fma(by, load(m.slopes, y * N + at), fma(x_by, centred, start))
                    store(m.slopes, x * N + at, fma(one, upto(slope, n - column), load(m.slopes, x * N + at)))


@within
def _moments(x: np.ndarray, row: int, rows: int, N: int, n: int, mean: np.float32) -> tuple[float, float]:
    """Return Σ (x - mean) and Σ (x - mean)² over rows of N numbers of which n are there."""
    sums, squares = 0.0, 0.0
    one, less = spread(np.float32(1.0)), spread(np.float32(-mean))
    for column in range(0, n, LANES):
        for begin in range(row, row + rows, ROWS):
            a = b = none()
            for r in range(begin, min(begin + ROWS, row + rows)):
                centred = upto(fma(one, load(x, r * N + column), less), n - column)
                a, b = fma(one, centred, a), fma(centred, centred, b)
            sums += np.float64(total(a))
            squares += np.float64(total(b))
    return sums, squares


@within
def _products(
    x: np.ndarray, row: int, g: np.ndarray, row_g: int, rows: int, N: int, mean: np.float32
) -> tuple[float, float]:
    """Return Σ g and Σ g · (x - mean) over rows of N numbers; g is 0 where no row of the batch is."""
    sums, products = 0.0, 0.0
    one, less = spread(np.float32(1.0)), spread(np.float32(-mean))
    for begin in range(0, rows, ROWS):
        a = b = none()
        for at in range(begin * N, min(begin + ROWS, rows) * N, LANES):
            slope = load(g, row_g * N + at)
            a = fma(one, slope, a)
            b = fma(slope, fma(one, load(x, row * N + at), less), b)
        sums += np.float64(total(a))
        products += np.float64(total(b))
    return sums, products
