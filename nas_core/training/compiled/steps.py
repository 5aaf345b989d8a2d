"""What networks of sequences compute over steps: where sequences end, and what is made of the steps that are there.

What says where a sequence has a step is a value of two channels: 1 where it has one, and 1 up to its last one; 0 in
columns that are no rows of the batch.
"""

from __future__ import annotations

import numpy as np

from nas_core.training.compiled.fields import (
    C_OUT,
    NEEDS,
    OPTION,
    OUT,
    P_IN,
    P_OUT,
    PRESENT,
    WEIGHT,
    Memory,
    X,
)  # fmt: skip
from nas_core.training.compiled.jit import inlined, kernel
from nas_core.training.compiled.lanes import (
    LANES,
    add,
    at_most,
    divide,
    fma,
    load,
    multiply,
    none,
    spread,
    store,
    subtract,
)  # fmt: skip

__all__ = [
    "embed", "embed_back", "largest", "largest_back", "last", "last_back", "presence",
    "step_mean", "step_mean_back",
]  # fmt: skip

LOWEST = np.finfo(np.float32).min


@kernel
def presence(op: np.ndarray, m: Memory, N: int, n: int) -> None:
    """Say where a channel of the data, ids of words or the mark of steps, is not 0, and up to where."""
    steps = op[P_OUT]
    for p in range(steps - 1, -1, -1):
        x, here = (op[X] + p) * N, (op[OUT] + p) * N
        inside = here + steps * N
        for j in range(N):
            there = np.float32(1.0) if j < n and m.values[x + j] > 0.5 else np.float32(0.0)
            m.values[here + j] = there
            m.values[inside + j] = max(there, m.values[inside + N + j]) if p + 1 < steps else there


@kernel
def last(op: np.ndarray, m: Memory, N: int) -> None:
    """Pick the last step that is there."""
    steps, there = op[P_IN], op[PRESENT]
    for c in range(op[C_OUT]):
        x, y = (op[X] + c * steps) * N, (op[OUT] + c) * N
        for at in range(0, N, LANES):
            a = load(m.values, x + (steps - 1) * N + at)
            if there >= 0:
                a = none()
                for p in range(steps):
                    a = fma(_ends(m, there + steps + p, p + 1 < steps, N, at), load(m.values, x + p * N + at), a)
            store(m.values, y + at, a)


@kernel
def last_back(op: np.ndarray, m: Memory, N: int) -> None:
    """Add the slopes of the last steps."""
    if not op[NEEDS]:
        return
    steps, there = op[P_IN], op[PRESENT]
    for c in range(op[C_OUT]):
        x, y = (op[X] + c * steps) * N, (op[OUT] + c) * N
        for at in range(0, N, LANES):
            g = load(m.slopes, y + at)
            if there < 0:
                row = x + (steps - 1) * N + at
                store(m.slopes, row, add(g, load(m.slopes, row)))
            else:
                for p in range(steps):
                    row, ends = x + p * N + at, _ends(m, there + steps + p, p + 1 < steps, N, at)
                    store(m.slopes, row, fma(g, ends, load(m.slopes, row)))


@inlined
def _ends(m: Memory, row: int, more: bool, N: int, at: int) -> object:
    """Return 1 where the step whose second mark lies in a row is the last one, 0 elsewhere."""
    here = load(m.values, row * N + at)
    return subtract(here, load(m.values, (row + 1) * N + at)) if more else here


@kernel
def largest(op: np.ndarray, m: Memory, N: int) -> None:
    """Find the largest value over the steps that are there, 0 without any."""
    steps, there = op[P_IN], op[PRESENT]
    for c in range(op[C_OUT]):
        x, y = (op[X] + c * steps) * N, (op[OUT] + c) * N
        for at in range(0, N, LANES):
            top, any_step = spread(LOWEST), none()
            for p in range(steps):
                a = load(m.values, x + p * N + at)
                if there >= 0:
                    here = load(m.values, (there + p) * N + at)
                    a = at_most(here, none(), spread(LOWEST), a)
                    any_step = add(any_step, here)
                top = at_most(top, a, a, at_most(a, top, top, add(a, top)))  # neither where one is NaN: their sum is
            store(m.values, y + at, at_most(any_step, none(), none(), top) if there >= 0 else top)


@kernel
def largest_back(op: np.ndarray, m: Memory, N: int) -> None:
    """Add the slopes of the largest values, in equal parts where several steps have them, as torch does."""
    if not op[NEEDS]:
        return
    steps, there = op[P_IN], op[PRESENT]
    one = spread(np.float32(1.0))
    for c in range(op[C_OUT]):
        x, y = (op[X] + c * steps) * N, (op[OUT] + c) * N
        for at in range(0, N, LANES):
            top, count = load(m.values, y + at), none()
            for p in range(steps):
                here = one if there < 0 else load(m.values, (there + p) * N + at)
                count = add(count, at_most(top, load(m.values, x + p * N + at), here, none()))
            share = divide(load(m.slopes, y + at), at_most(count, none(), one, count))
            for p in range(steps):
                row = x + p * N + at
                here = one if there < 0 else load(m.values, (there + p) * N + at)
                part = multiply(share, at_most(top, load(m.values, row), here, none()))
                store(m.slopes, row, add(part, load(m.slopes, row)))


@kernel
def step_mean(op: np.ndarray, m: Memory, N: int) -> None:
    """Compute the mean over the steps that are there of maps that are 0 elsewhere."""
    steps = op[P_IN]
    for at in range(0, N, LANES):
        share = _share(m, op[PRESENT] * N + at, steps, N)
        for c in range(op[C_OUT]):
            a = none()
            for p in range(steps):
                a = add(a, load(m.values, (op[X] + c * steps + p) * N + at))
            store(m.values, (op[OUT] + c) * N + at, multiply(share, a))


@kernel
def step_mean_back(op: np.ndarray, m: Memory, N: int) -> None:
    """Add the slopes of all steps."""
    if not op[NEEDS]:
        return
    steps = op[P_IN]
    for at in range(0, N, LANES):
        share = _share(m, op[PRESENT] * N + at, steps, N)
        for c in range(op[C_OUT]):
            g = multiply(share, load(m.slopes, (op[OUT] + c) * N + at))
            for p in range(steps):
                row = (op[X] + c * steps + p) * N + at
                store(m.slopes, row, add(g, load(m.slopes, row)))


@inlined
def _share(m: Memory, row: int, steps: int, N: int) -> object:
    """Return 1 / the number of steps, 1 without any."""
    count, one = none(), spread(np.float32(1.0))
    for p in range(steps):
        count = add(count, load(m.values, row + p * N))
    return divide(one, at_most(count, one, one, count))


@kernel
def _word(op: np.ndarray, number: np.float32) -> int:
    """Return an id that is one of the ``OPTION`` words, so that nothing beyond the table is ever read."""
    return max(0, min(int(np.rint(number)), op[OPTION] - 1))


@kernel
def embed(op: np.ndarray, m: Memory, N: int, n: int) -> None:
    """Look up the vectors of words, of the ids in ``X``; columns that are no rows get that of the padding."""
    width, steps = op[C_OUT], op[P_OUT]
    for p in range(steps):
        for j in range(N):
            word = _word(op, m.values[(op[X] + p) * N + j]) if j < n else 0
            for c in range(width):
                m.values[(op[OUT] + c * steps + p) * N + j] = m.weights[op[WEIGHT] + word * width + c]


@kernel
def embed_back(op: np.ndarray, m: Memory, N: int, n: int) -> None:
    """Write the slopes of the vectors of ``OPTION`` words; word 0, the padding, has none."""
    width, steps = op[C_OUT], op[P_OUT]
    for k in range(op[OPTION] * width):
        m.gradient[op[WEIGHT] + k] = 0.0
    for p in range(steps):
        for j in range(n):
            word = _word(op, m.values[(op[X] + p) * N + j])
            if word > 0:
                for c in range(width):
                    m.gradient[op[WEIGHT] + word * width + c] += m.slopes[(op[OUT] + c * steps + p) * N + j]
