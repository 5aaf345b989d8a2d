"""What joins values: copies, sums, gates and what is taken over the channels; dropout, a gate of noise, too."""

from __future__ import annotations

import numpy as np

from nas_core.training.compiled.fields import C_IN, C_OUT, NEEDS, OTHER, OUT, P_IN, P_OUT, PLACE, Memory, X
from nas_core.training.compiled.jit import inlined, kernel
from nas_core.training.compiled.lanes import (
    LANES,
    add,
    at_most,
    divide,
    fma,
    largest,
    load,
    multiply,
    none,
    spread,
    store,
)

__all__ = [
    "channel_largest",
    "channel_largest_back",
    "channel_mean",
    "channel_mean_back",
    "copy",
    "copy_back",
    "drop",
    "drop_back",
    "gate",
    "gate_back",
    "place_gate",
    "place_gate_back",
    "plus",
    "plus_back",
]


@kernel
def copy(op: np.ndarray, m: Memory, N: int) -> None:
    """Copy a value, such as to its part of a join."""
    x, out = op[X] * N, op[OUT] * N
    for at in range(0, op[C_OUT] * op[P_OUT] * N, LANES):
        store(m.values, out + at, load(m.values, x + at))


@kernel
def copy_back(op: np.ndarray, m: Memory, N: int) -> None:
    """Add the slopes of what was copied."""
    if op[NEEDS]:
        _hand_on(op, m, N, X)


@kernel
def plus(op: np.ndarray, m: Memory, N: int) -> None:
    """Add two values of one shape."""
    x, other, out = op[X] * N, op[OTHER] * N, op[OUT] * N
    for at in range(0, op[C_OUT] * op[P_OUT] * N, LANES):
        store(m.values, out + at, add(load(m.values, x + at), load(m.values, other + at)))


@kernel
def plus_back(op: np.ndarray, m: Memory, N: int) -> None:
    """Add the slopes of both."""
    if op[NEEDS]:
        _hand_on(op, m, N, X)
        _hand_on(op, m, N, OTHER)


@kernel
def _hand_on(op: np.ndarray, m: Memory, N: int, field: int) -> None:
    """Add the slopes of an operation to those of what the field says it reads."""
    x, out = op[field] * N, op[OUT] * N
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
    """Multiply each channel with a number: ``OTHER`` has a row for each."""
    _gate(op, m, N, 1, 0)


@kernel
def gate_back(op: np.ndarray, m: Memory, N: int) -> None:
    """Add the slopes of the channels and of their numbers."""
    _gate_back(op, m, N, 1, 0)


@kernel
def place_gate(op: np.ndarray, m: Memory, N: int) -> None:
    """Multiply each place with a number: ``OTHER`` has a row for each."""
    _gate(op, m, N, 0, 1)


@kernel
def place_gate_back(op: np.ndarray, m: Memory, N: int) -> None:
    """Add the slopes of the places and of their numbers."""
    _gate_back(op, m, N, 0, 1)


@kernel
def _gate(op: np.ndarray, m: Memory, N: int, by_channel: int, by_place: int) -> None:
    places = op[P_OUT]
    for c in range(op[C_OUT]):
        for p in range(places):
            x, out = (op[X] + c * places + p) * N, (op[OUT] + c * places + p) * N
            factor = (op[OTHER] + c * by_channel + p * by_place) * N
            for at in range(0, N, LANES):
                store(m.values, out + at, multiply(load(m.values, x + at), load(m.values, factor + at)))


@kernel
def _gate_back(op: np.ndarray, m: Memory, N: int, by_channel: int, by_place: int) -> None:
    if not op[NEEDS]:
        return
    places = op[P_OUT]
    for c in range(op[C_OUT]):
        for p in range(places):
            x, out = (op[X] + c * places + p) * N, (op[OUT] + c * places + p) * N
            factor = (op[OTHER] + c * by_channel + p * by_place) * N
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
    """Take the largest over the channels at each place."""
    size, x, out = op[P_IN] * N, op[X] * N, op[OUT] * N
    for at in range(0, size, LANES):
        top = load(m.values, x + at)
        for c in range(1, op[C_IN]):
            top = largest(top, load(m.values, x + c * size + at))
        store(m.values, out + at, top)


@kernel
def channel_largest_back(op: np.ndarray, m: Memory, N: int) -> None:
    """Add the slopes of the largest channel; of several, an equal share to each, as ``torch.amax``."""
    if not op[NEEDS]:
        return
    size, x, out = op[P_IN] * N, op[X] * N, op[OUT] * N
    for at in range(0, size, LANES):
        top, count = load(m.values, out + at), none()
        for c in range(op[C_IN]):
            count = add(count, _is_top(m, x + c * size + at, top))
        share = divide(load(m.slopes, out + at), count)
        for c in range(op[C_IN]):
            to = x + c * size + at
            store(m.slopes, to, fma(share, _is_top(m, to, top), load(m.slopes, to)))


@inlined
def _is_top(m: Memory, at: int, top: object) -> object:
    """Return 1 where a value is the largest, else 0."""
    return at_most(top, load(m.values, at), spread(np.float32(1.0)), none())
