"""Losses of the outputs of a network and their slopes, as :mod:`nas_core.training.losses` defines them."""

from __future__ import annotations

import numpy as np

from nas_core.training.compiled.fields import Memory
from nas_core.training.compiled.functions import exponential, log_one_plus, logistic, magnitude
from nas_core.training.compiled.jit import kernel
from nas_core.training.compiled.lanes import (
    LANES,
    add,
    at_most,
    divide,
    load,
    multiply,
    none,
    spread,
    store,
    subtract,
)

__all__ = ["TASKS", "loss", "rows_loss"]

TASKS = ("regression", "binary", "classes")
"""Squared error of the first output, cross-entropy of one logit, cross-entropy of a logit for each class."""
REGRESSION, BINARY = range(2)


@kernel
def loss(
    m: Memory, row: int, outputs: int, y: np.ndarray, counts: np.ndarray, each: np.ndarray, N: int, n: int, task: int,
) -> None:  # fmt: skip
    """Write the loss of each row of the batch and the slopes of the outputs.

    Args:
        m: The outputs are rows of its ``values``; their slopes, of the mean of ``each``, are written, not added to.
        row, outputs: Where the outputs begin, and how many there are.
        y: float32, (n,) or longer: the target, or the number of the class.
        counts: float32, likewise: what the loss of each row is multiplied with.
        each: float32, likewise: written, the loss of each row.
        N: Numbers in a row.
        n: Rows of the batch that are there; the slopes of the others are 0.
        task: Its index in :data:`TASKS`.
    """
    _loss(m.values, m.slopes, row, outputs, y, counts, each, N, n, task, True)
    share = np.float32(1 / n)
    for start in range(row * N, (row + outputs) * N, N):
        for r in range(n):
            m.slopes[start + r] *= counts[r] * share
        m.slopes[start + n : start + N] = 0


@kernel
def rows_loss(
    m: Memory, row: int, outputs: int, y: np.ndarray, counts: np.ndarray, each: np.ndarray, N: int, n: int, task: int,
) -> None:  # fmt: skip
    """Write the loss of each row of the batch, without slopes; the arguments are those of :func:`loss`."""
    _loss(m.values, m.slopes, row, outputs, y, counts, each, N, n, task, False)


@kernel
def _loss(
    x: np.ndarray, slopes: np.ndarray, row: int, outputs: int, y: np.ndarray, counts: np.ndarray, each: np.ndarray,
    N: int, n: int, task: int, back: bool,
) -> None:  # fmt: skip
    """Write the losses and, going back, the derivatives of each row's loss without ``counts``."""
    if task == REGRESSION:
        _squares(x, slopes, row, outputs, y, counts, each, N, n, back)
    elif task == BINARY:
        _binary(x, slopes, row, y, counts, each, N, n, back)
    else:
        _classes(x, slopes, row, outputs, y, counts, each, N, n, back)


@kernel
def _squares(
    x: np.ndarray, slopes: np.ndarray, row: int, outputs: int, y: np.ndarray, counts: np.ndarray, each: np.ndarray,
    N: int, n: int, back: bool,
) -> None:  # fmt: skip
    start = row * N
    for r in range(n):
        gap = x[start + r] - y[r]
        each[r] = gap * gap * counts[r]
    if back:
        slopes[start + N : start + outputs * N] = 0
        for r in range(n):
            slopes[start + r] = np.float32(2.0) * (x[start + r] - y[r])


@kernel
def _binary(
    x: np.ndarray, slopes: np.ndarray, row: int, y: np.ndarray, counts: np.ndarray, each: np.ndarray, N: int, n: int,
    back: bool,
) -> None:  # fmt: skip
    start, rest = row * N, np.empty(N, np.float32)
    for at in range(0, N, LANES):
        logit = load(x, start + at)
        store(rest, at, log_one_plus(exponential(subtract(none(), magnitude(logit)))))
        if back:
            store(slopes, start + at, logistic(logit))
    for r in range(n):
        logit = x[start + r]
        each[r] = ((np.float32(1.0) - y[r]) * logit - min(logit, np.float32(0.0)) + rest[r]) * counts[r]
        if back:
            slopes[start + r] -= y[r]


@kernel
def _classes(
    x: np.ndarray, slopes: np.ndarray, row: int, outputs: int, y: np.ndarray, counts: np.ndarray, each: np.ndarray,
    N: int, n: int, back: bool,
) -> None:  # fmt: skip
    largest, total = np.empty(N, np.float32), np.empty(N, np.float32)
    first, last = row * N, (row + outputs) * N
    for at in range(0, N, LANES):
        top, mass = load(x, first + at), none()
        for k in range(first + N + at, last, N):
            logit = load(x, k)
            top = at_most(top, logit, logit, top)
        for k in range(first + at, last, N):
            part = exponential(subtract(load(x, k), top))
            mass = add(mass, part)
            if back:
                store(slopes, k, part)
        store(largest, at, top)
        store(total, at, mass)
        if back:
            share = divide(spread(np.float32(1.0)), mass)
            for k in range(first + at, last, N):
                store(slopes, k, multiply(load(slopes, k), share))
    for r in range(n):
        at = first + int(y[r]) * N + r
        each[r] = (np.log(total[r]) - (x[at] - largest[r])) * counts[r]
        if back:
            slopes[at] -= np.float32(1.0)
