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
)  # fmt: skip
from nas_core.training.compiled.jit import kernel
from nas_core.training.compiled.lanes import LANES, fma, load, none, spread, total
from nas_core.training.compiled.products import correlate, weigh

__all__ = ["convolve", "convolve_back"]


@kernel
def convolve(op: np.ndarray, m: Memory, N: int) -> None:
    """Compute a convolution; a linear layer is one of a single place and tap."""
    inputs, taps = op[C_IN], op[TAPS]
    weigh(
        m.values, op[X], op[P_IN], m.weights, op[WEIGHT], inputs * taps, taps, op[BIAS],
        m.values, op[OUT], op[P_OUT], m.tables, op[TABLE], inputs, op[C_OUT], N, False,
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
            m.slopes, op[OUT], places, m.weights, op[WEIGHT], taps, inputs * taps, -1,
            m.slopes, op[X], op[P_IN], m.tables, op[BACK], outputs, inputs, N, True,
        )  # fmt: skip


@kernel
def row_total(x: np.ndarray, row: int, rows: int, N: int) -> float:
    """Return the sum of rows of N numbers."""
    a, one = none(), spread(np.float32(1.0))
    for at in range(row * N, (row + rows) * N, LANES):
        a = fma(one, load(x, at), a)
    return total(a)
