"""Pooling: the largest and the mean of the places that a kernel reads, and the mean over all of them."""

from __future__ import annotations

import numpy as np

from nas_core.training.compiled.fields import BACK, C_OUT, NEEDS, OUT, P_IN, P_OUT, TABLE, Memory, X
from nas_core.training.compiled.jit import kernel
from nas_core.training.compiled.lanes import LANES, first_largest, fma, load, none, spread, store, where_equal

__all__ = ["average_pool", "average_pool_back", "max_pool", "max_pool_back", "mean", "mean_back"]


@kernel
def max_pool(op: np.ndarray, m: Memory, N: int) -> None:
    """Set each place to the largest of those that its window reads; NaN where one of them is."""
    table, places = op[TABLE], op[P_OUT]
    reads = table + places + 1
    for c in range(op[C_OUT]):
        x, y = op[X] + c * op[P_IN], op[OUT] + c * places
        for p in range(places):
            first, last = m.tables[table + p], m.tables[table + p + 1]
            for at in range(0, N, LANES):
                largest = load(m.values, (x + m.tables[reads + first]) * N + at)
                for t in range(first + 1, last):
                    a = load(m.values, (x + m.tables[reads + t]) * N + at)
                    largest = first_largest(a, largest, a, largest)
                store(m.values, (y + p) * N + at, largest)


@kernel
def max_pool_back(op: np.ndarray, m: Memory, N: int) -> None:
    """Add the slope of each place to the first of the largest that its window reads (of NaN to the last)."""
    if not op[NEEDS]:
        return
    table, places = op[TABLE], op[P_OUT]
    reads = table + places + 1
    for c in range(op[C_OUT]):
        x, y = op[X] + c * op[P_IN], op[OUT] + c * places
        for p in range(places):
            first, last = m.tables[table + p], m.tables[table + p + 1]
            for at in range(0, N, LANES):
                slope = load(m.slopes, (y + p) * N + at)
                largest, which = load(m.values, (x + m.tables[reads + first]) * N + at), none()
                for t in range(first + 1, last):
                    a = load(m.values, (x + m.tables[reads + t]) * N + at)
                    which = first_largest(a, largest, spread(np.float32(t - first)), which)
                    largest = first_largest(a, largest, a, largest)
                for t in range(first, last):
                    place = (x + m.tables[reads + t]) * N + at
                    share = where_equal(which, spread(np.float32(t - first)), slope)
                    store(m.slopes, place, fma(spread(np.float32(1.0)), share, load(m.slopes, place)))


@kernel
def average_pool(op: np.ndarray, m: Memory, N: int) -> None:
    """Set each place to the mean of those that its window reads; places beyond the border are not counted."""
    table, places = op[TABLE], op[P_OUT]
    reads = table + places + 1
    for c in range(op[C_OUT]):
        x, y = op[X] + c * op[P_IN], op[OUT] + c * places
        for p in range(places):
            first, last = m.tables[table + p], m.tables[table + p + 1]
            part = spread(np.float32(1.0 / (last - first)))
            for at in range(0, N, LANES):
                sum_ = none()
                for t in range(first, last):
                    sum_ = fma(part, load(m.values, (x + m.tables[reads + t]) * N + at), sum_)
                store(m.values, (y + p) * N + at, sum_)


@kernel
def average_pool_back(op: np.ndarray, m: Memory, N: int) -> None:
    """Add to the slope of each place its part of those of the windows that read it."""
    if not op[NEEDS]:
        return
    table, back, places = op[TABLE], op[BACK], op[P_IN]
    windows = back + places + 1
    for c in range(op[C_OUT]):
        x, y = op[X] + c * places, op[OUT] + c * op[P_OUT]
        for p in range(places):
            first, last = m.tables[back + p], m.tables[back + p + 1]
            for at in range(0, N, LANES):
                slope = load(m.slopes, (x + p) * N + at)
                for t in range(first, last):
                    window = m.tables[windows + t]
                    count = m.tables[table + window + 1] - m.tables[table + window]
                    part = spread(np.float32(1.0 / count))
                    slope = fma(part, load(m.slopes, (y + window) * N + at), slope)
                store(m.slopes, (x + p) * N + at, slope)


@kernel
def mean(op: np.ndarray, m: Memory, N: int) -> None:
    """Set each channel to its mean over all places."""
    places = op[P_IN]
    one, part = spread(np.float32(1.0)), spread(np.float32(1.0 / places))
    for c in range(op[C_OUT]):
        for at in range(0, N, LANES):
            sum_ = none()
            for p in range(places):
                sum_ = fma(one, load(m.values, (op[X] + c * places + p) * N + at), sum_)
            store(m.values, (op[OUT] + c) * N + at, fma(part, sum_, none()))


@kernel
def mean_back(op: np.ndarray, m: Memory, N: int) -> None:
    """Add to the slope of each place its part of that of its channel."""
    if not op[NEEDS]:
        return
    places = op[P_IN]
    part = spread(np.float32(1.0 / places))
    for c in range(op[C_OUT]):
        for at in range(0, N, LANES):
            share = load(m.slopes, (op[OUT] + c) * N + at)
            for p in range(places):
                place = (op[X] + c * places + p) * N + at
                store(m.slopes, place, fma(part, share, load(m.slopes, place)))
