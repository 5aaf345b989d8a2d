"""Convolutions and linear layers, forwards and backwards."""

from __future__ import annotations

import numpy as np

from nas_core.training.compiled.fields import (
    BACK,
    BIAS,
    BY_TAP,
    C_IN,
    C_OUT,
    NEEDS,
    OUT,
    P_IN,
    P_OUT,
    TABLE,
    TAPS,
    WEIGHT,
    Memory,
    X,
)
from nas_core.training.compiled.jit import kernel, within
from nas_core.training.compiled.lanes import LANES, fma, load, none, spread, total
from nas_core.training.compiled.products import ADD, NO_BIAS, ONE, SET, correlate, weigh

__all__ = ["convolve", "convolve_back", "convolve_each", "convolve_each_back"]

ROWS = 32
"""Rows that are summed in single precision before the sums are added up in double precision."""


@kernel
def convolve(op: np.ndarray, m: Memory, N: int) -> None:
    """Compute a convolution; a linear layer is one of a single place and tap."""
    inputs, taps = op[C_IN], op[TAPS]
    weigh(
        m.values, op[X], op[P_IN], m.weights, op[WEIGHT], inputs * taps, taps, op[BIAS],
        m.values, op[OUT], op[P_OUT], m.tables, op[TABLE], inputs, op[C_OUT], N, SET,
    )  # fmt: skip


@kernel
def convolve_back(op: np.ndarray, m: Memory, N: int) -> None:
    """Write the slopes of its weights, add those of what it reads."""
    inputs, outputs, taps, places = op[C_IN], op[C_OUT], op[TAPS], op[P_OUT]
    correlate(
        m.values, op[X], op[P_IN], m.slopes, op[OUT], places, m.gradient, op[WEIGHT], inputs * taps, taps,
        m.tables, op[BY_TAP], taps, inputs, outputs, N,
    )  # fmt: skip
    if op[BIAS] >= 0:
        for o in range(outputs):
            m.gradient[op[BIAS] + o] = row_total(m.slopes, op[OUT] + o * places, places, N)
    if op[NEEDS]:
        weigh(
            m.slopes, op[OUT], places, m.weights, op[WEIGHT], taps, inputs * taps, NO_BIAS,
            m.slopes, op[X], op[P_IN], m.tables, op[BACK], outputs, inputs, N, ADD,
        )  # fmt: skip


@kernel
def convolve_each(op: np.ndarray, m: Memory, N: int) -> None:
    """Compute a convolution of each channel with a kernel of its own, without bias."""
    taps = op[TAPS]
    for c in range(op[C_OUT]):
        weigh(
            m.values, op[X] + c * op[P_IN], op[P_IN], m.weights, op[WEIGHT] + c * taps, taps, taps, NO_BIAS,
            m.values, op[OUT] + c * op[P_OUT], op[P_OUT], m.tables, op[TABLE], ONE, ONE, N, SET,
        )  # fmt: skip


@kernel
def convolve_each_back(op: np.ndarray, m: Memory, N: int) -> None:
    """Write the slopes of its weights, add those of what it reads."""
    taps, places = op[TAPS], op[P_OUT]
    for c in range(op[C_OUT]):
        x, y, weight = op[X] + c * op[P_IN], op[OUT] + c * places, op[WEIGHT] + c * taps
        correlate(
            m.values, x, op[P_IN], m.slopes, y, places, m.gradient, weight, taps, taps, m.tables, op[BY_TAP],
            taps, ONE, ONE, N,
        )  # fmt: skip
        if op[NEEDS]:
            weigh(
                m.slopes, y, places, m.weights, weight, taps, taps, NO_BIAS, m.slopes, x, op[P_IN], m.tables, op[BACK],
                ONE, ONE, N, ADD,
            )  # fmt: skip


@within
def row_total(x: np.ndarray, row: int, rows: int, N: int) -> float:
    """Return the sum of rows of N numbers."""
    one = spread(np.float32(1.0))
    sum_ = 0.0
    for begin in range(row, row + rows, ROWS):
        a = b = none()
        for r in range(begin, min(begin + ROWS, row + rows)):
            at = r * N
            while at + 2 * LANES <= N * (r + 1):
                a, b, at = fma(one, load(x, at), a), fma(one, load(x, at + LANES), b), at + 2 * LANES
            if at < N * (r + 1):
                a = fma(one, load(x, at), a)
        sum_ += np.float64(total(fma(one, a, b)))
    return sum_
