"""What joins values: copies, sums, gates and what is taken over the channels; dropout, a gate of noise, too."""

from __future__ import annotations

import numpy as np

from nas_core.training.compiled.fields import C_IN, C_OUT, KIND, NEEDS, OTHER, OUT, P_IN, P_OUT, PLACE, Memory, X
from nas_core.training.compiled.jit import kernel
from nas_core.training.compiled.kinds import GATE, SUM
from nas_core.training.compiled.lanes import (
    LANES,
    add,
    divide,
    first_largest,
    fma,
    load,
    multiply,
    none,
    spread,
    store,
    where_equal,
)

__all__ = [
    "channel_largest",
    "channel_largest_back",
    "channel_mean",
    "channel_mean_back",
    "copy",
    "drop",
    "drop_back",
    "gate",
    "gate_back",
    "hand_back",
    "plus",
]


@kernel
def copy(op: np.ndarray, m: Memory, N: int) -> None:
    """Copy a value, such as to its part of a join; :func:`hand_back` goes back."""
    x, out = op[X] * N, op[OUT] * N
    for at in range(0, op[C_OUT] * op[P_OUT] * N, LANES):
        store(m.values, out + at, load(m.values, x + at))


@kernel
def plus(op: np.ndarray, m: Memory, N: int) -> None:
    """Add two values of one shape; :func:`hand_back` goes back."""
    x, other, out = op[X] * N, op[OTHER] * N, op[OUT] * N
    for at in range(0, op[C_OUT] * op[P_OUT] * N, LANES):
        store(m.values, out + at, add(load(m.values, x + at), load(m.values, other + at)))


@kernel
def hand_back(op: np.ndarray, m: Memory, N: int) -> None:
    """Add the slopes of a copy to those of what it is of; those of a sum to those of both its parts."""
    if not op[NEEDS]:
        return
    out, x = op[OUT] * N, op[X] * N
    for part in range(2 if op[KIND] == SUM else 1):
        if part == 1:
            x = op[OTHER] * N
        for at in range(0, op[C_OUT] * op[P_OUT] * N, LANES):
            store(m.slopes, x + at, add(load(m.slopes, x + at), load(m.slopes, out + at)))


@kernel
def drop(op: np.ndarray, m: Memory, N: int, training: bool) -> None:
    """Multiply a value with noise, whose rows begin at row ``PLACE``; when not training, copy it."""
    if not training:
        copy(op, m, N)
        return
    x, noise, out = op[X] * N, op[PLACE] * N, op[OUT] * N
    for at in range(0, op[C_OUT] * op[P_OUT] * N, LANES):
        store(m.values, out + at, multiply(load(m.values, x + at), load(m.noise, noise + at)))


@kernel
def drop_back(op: np.ndarray, m: Memory, N: int) -> None:
    """Add the slopes of what was multiplied with noise."""
    if not op[NEEDS]:
        return
    x, noise, out = op[X] * N, op[PLACE] * N, op[OUT] * N
    for at in range(0, op[C_OUT] * op[P_OUT] * N, LANES):
        store(m.slopes, x + at, fma(load(m.slopes, out + at), load(m.noise, noise + at), load(m.slopes, x + at)))


@kernel
def gate(op: np.ndarray, m: Memory, N: int) -> None:
    """Multiply each channel (GATE) or each place (PLACE_GATE) with a number, for which ``OTHER`` has a row."""
    places, by_channel = op[P_OUT], op[KIND] == GATE
    for row in range(op[C_OUT] * places):
        x, out = (op[X] + row) * N, (op[OUT] + row) * N
        factor = (op[OTHER] + (row // places if by_channel else row % places)) * N
        for at in range(0, N, LANES):
            store(m.values, out + at, multiply(load(m.values, x + at), load(m.values, factor + at)))


@kernel
def gate_back(op: np.ndarray, m: Memory, N: int) -> None:
    """Add the slopes of what was multiplied, and of the numbers it was multiplied with."""
    if not op[NEEDS]:
        return
    places, by_channel = op[P_OUT], op[KIND] == GATE
    for row in range(op[C_OUT] * places):
        x, out = (op[X] + row) * N, (op[OUT] + row) * N
        factor = (op[OTHER] + (row // places if by_channel else row % places)) * N
        for at in range(0, N, LANES):
            g = load(m.slopes, out + at)
            store(m.slopes, x + at, fma(g, load(m.values, factor + at), load(m.slopes, x + at)))
            store(m.slopes, factor + at, fma(g, load(m.values, x + at), load(m.slopes, factor + at)))


@kernel
def channel_mean(op: np.ndarray, m: Memory, N: int) -> None:
    """Take the mean over the channels at each place."""
    size, share = op[P_IN] * N, spread(np.float32(1 / op[C_IN]))
    x, out = op[X] * N, op[OUT] * N
    for at in range(0, size, LANES):
        total = none()
        for c in range(op[C_IN]):
            total = add(total, load(m.values, x + c * size + at))
        store(m.values, out + at, multiply(total, share))


@kernel
def channel_mean_back(op: np.ndarray, m: Memory, N: int) -> None:
    """Add the slopes of all channels."""
    if not op[NEEDS]:
        return
    size, share = op[P_IN] * N, spread(np.float32(1 / op[C_IN]))
    x, out = op[X] * N, op[OUT] * N
    for c in range(op[C_IN]):
        for at in range(0, size, LANES):
            to = x + c * size + at
            store(m.slopes, to, fma(load(m.slopes, out + at), share, load(m.slopes, to)))


@kernel
def channel_largest(op: np.ndarray, m: Memory, N: int) -> None:
    """Take the largest over the channels at each place; NaN where one of them is."""
    size, x, out = op[P_IN] * N, op[X] * N, op[OUT] * N
    for at in range(0, size, LANES):
        top = load(m.values, x + at)
        for c in range(1, op[C_IN]):
            a = load(m.values, x + c * size + at)
            top = first_largest(a, top, a, top)
        store(m.values, out + at, top)


@kernel
def channel_largest_back(op: np.ndarray, m: Memory, N: int) -> None:
    """Add the slopes of the largest channel; of several, an equal share to each, as ``torch.amax``."""
    if not op[NEEDS]:
        return
    size, x, out, one = op[P_IN] * N, op[X] * N, op[OUT] * N, spread(np.float32(1.0))
    for at in range(0, size, LANES):
        top, count = load(m.values, out + at), none()
        for c in range(op[C_IN]):
            count = add(count, where_equal(load(m.values, x + c * size + at), top, one))
        share = divide(load(m.slopes, out + at), count)
        for c in range(op[C_IN]):
            to = x + c * size + at
            store(m.slopes, to, add(load(m.slopes, to), where_equal(load(m.values, to), top, share)))
