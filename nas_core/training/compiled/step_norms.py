"""Normalisation of sequences: over the channels of each step, and over the steps of a batch that are there."""

from __future__ import annotations

import numpy as np

from nas_core.training.compiled.fields import (
    BIAS,
    C_OUT,
    NEEDS,
    OTHER,
    OUT,
    P_OUT,
    PLACE,
    PRESENT,
    WEIGHT,
    Memory,
    X,
)  # fmt: skip
from nas_core.training.compiled.jit import kernel, within
from nas_core.training.compiled.lanes import (
    LANES,
    add,
    divide,
    fma,
    load,
    multiply,
    none,
    root,
    spread,
    store,
    subtract,
    total,
)  # fmt: skip

__all__ = ["channel_norm", "channel_norm_back", "step_norm", "step_norm_back"]


@kernel
def channel_norm(op: np.ndarray, real: np.ndarray, m: Memory, N: int) -> None:
    """Normalise the channels of each step (Ba et al. 2016); mean and 1 / deviation lie in two channels behind them."""
    C, P = op[C_OUT], op[P_OUT]
    share, step, kept = spread(np.float32(1 / C)), P * N, (op[OUT] + C * P) * N
    one = spread(np.float32(1.0))
    for at in range(0, step, LANES):
        x, y = op[X] * N + at, op[OUT] * N + at
        mean, variance = none(), none()
        for c in range(C):
            mean = add(mean, load(m.values, x + c * step))
        mean = multiply(mean, share)
        for c in range(C):
            a = subtract(load(m.values, x + c * step), mean)
            variance = fma(a, a, variance)
        scale = divide(one, root(fma(variance, share, spread(real[1]))))
        for c in range(C):
            a = multiply(subtract(load(m.values, x + c * step), mean), scale)
            a = fma(a, spread(m.weights[op[WEIGHT] + c]), spread(m.weights[op[BIAS] + c]))
            store(m.values, y + c * step, a)
        store(m.values, kept + at, mean)
        store(m.values, kept + step + at, scale)


@kernel
def channel_norm_back(op: np.ndarray, m: Memory, N: int) -> None:
    """Write the slopes of its scales and shifts, add those of what it reads."""
    C, P = op[C_OUT], op[P_OUT]
    share, step, kept = spread(np.float32(1 / C)), P * N, (op[OUT] + C * P) * N
    for c in range(C):
        scales, shifts = none(), none()
        for at in range(0, step, LANES):
            g = load(m.slopes, op[OUT] * N + c * step + at)
            a = subtract(load(m.values, op[X] * N + c * step + at), load(m.values, kept + at))
            scales = fma(g, multiply(a, load(m.values, kept + step + at)), scales)
            shifts = add(shifts, g)
        m.gradient[op[WEIGHT] + c] = total(scales)
        m.gradient[op[BIAS] + c] = total(shifts)
    if not op[NEEDS]:
        return
    for at in range(0, step, LANES):
        x, y = op[X] * N + at, op[OUT] * N + at
        mean, scale = load(m.values, kept + at), load(m.values, kept + step + at)
        plain, along = none(), none()
        for c in range(C):
            g = multiply(load(m.slopes, y + c * step), spread(m.weights[op[WEIGHT] + c]))
            plain = add(plain, g)
            along = fma(g, multiply(subtract(load(m.values, x + c * step), mean), scale), along)
        plain, along = multiply(plain, share), multiply(along, share)
        for c in range(C):
            g = subtract(multiply(load(m.slopes, y + c * step), spread(m.weights[op[WEIGHT] + c])), plain)
            a = multiply(subtract(load(m.values, x + c * step), mean), scale)
            store(m.slopes, x + c * step, fma(scale, subtract(g, multiply(a, along)), load(m.slopes, x + c * step)))


@kernel
def step_norm(op: np.ndarray, real: np.ndarray, m: Memory, N: int, training: bool) -> None:
    """Normalise each channel by the steps that are there (Ioffe & Szegedy 2015).

    ``OTHER``: where in ``Memory.scratch`` mean and 1 / deviation of each channel are kept. ``real``: momentum, epsilon.
    """
    C, size = op[C_OUT], op[P_OUT] * N
    count = _count(m, op[PRESENT] * N, size)
    for c in range(C):
        x, y = op[X] * N + c * size, op[OUT] * N + c * size
        mean, variance = m.statistics[op[PLACE] + c], m.statistics[op[PLACE] + C + c]
        if training:
            mean, variance = _moments(m, x, op[PRESENT] * N, size, count)
            unbiased = np.float32(variance * count / max(count - np.float32(1.0), np.float32(1.0)))
            m.statistics[op[PLACE] + c] += real[0] * (mean - m.statistics[op[PLACE] + c])
            m.statistics[op[PLACE] + C + c] += real[0] * (unbiased - m.statistics[op[PLACE] + C + c])
        deviation = np.float32(1.0) / np.sqrt(variance + real[1])
        m.scratch[op[OTHER] + c], m.scratch[op[OTHER] + C + c] = mean, deviation
        scale = np.float32(m.weights[op[WEIGHT] + c] * deviation)
        factor, shift = spread(scale), spread(np.float32(m.weights[op[BIAS] + c] - mean * scale))
        for at in range(0, size, LANES):
            store(m.values, y + at, fma(factor, load(m.values, x + at), shift))


@kernel
def step_norm_back(op: np.ndarray, m: Memory, N: int) -> None:
    """Write the slopes of its scales and shifts, add those of what it reads."""
    C, size = op[C_OUT], op[P_OUT] * N
    count, there = _count(m, op[PRESENT] * N, size), op[PRESENT] * N
    for c in range(C):
        x, y = op[X] * N + c * size, op[OUT] * N + c * size
        centre, deviation = spread(m.scratch[op[OTHER] + c]), m.scratch[op[OTHER] + C + c]
        factor, plain, along = spread(deviation), none(), none()
        for at in range(0, size, LANES):
            g = load(m.slopes, y + at)
            plain = add(plain, g)
            along = fma(g, multiply(factor, subtract(load(m.values, x + at), centre)), along)
        shifts, scales = total(plain), total(along)
        m.gradient[op[BIAS] + c], m.gradient[op[WEIGHT] + c] = shifts, scales
        if op[NEEDS]:
            scale = spread(np.float32(deviation * m.weights[op[WEIGHT] + c]))
            plain, along = spread(np.float32(shifts / count)), spread(np.float32(scales / count))
            for at in range(0, size, LANES):
                a = multiply(factor, subtract(load(m.values, x + at), centre))
                common = multiply(load(m.values, there + at), fma(a, along, plain))
                g = subtract(load(m.slopes, y + at), common)
                store(m.slopes, x + at, fma(scale, g, load(m.slopes, x + at)))


@within
def _count(m: Memory, first: int, size: int) -> float:
    """Return how many steps are there, at least 1."""
    count = none()
    for at in range(0, size, LANES):
        count = add(count, load(m.values, first + at))
    return max(total(count), np.float32(1.0))


@within
def _moments(m: Memory, x: int, there: int, size: int, count: float) -> tuple[np.float32, np.float32]:
    """Return mean and variance of a channel over the steps that are there."""
    whole = none()
    for at in range(0, size, LANES):
        whole = fma(load(m.values, x + at), load(m.values, there + at), whole)
    mean = np.float32(total(whole) / count)
    centre, squares = spread(mean), none()
    for at in range(0, size, LANES):
        a = subtract(load(m.values, x + at), centre)
        squares = fma(multiply(a, a), load(m.values, there + at), squares)
    return mean, np.float32(total(squares) / count)
