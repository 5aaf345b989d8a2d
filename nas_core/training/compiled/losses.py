"""Losses of the outputs of a network and their slopes, as :mod:`nas_core.training.losses` defines them."""

from __future__ import annotations

import numpy as np

from nas_core.training.compiled.fields import Memory
from nas_core.training.compiled.functions import ONE, exponential, log_one_plus, logistic, magnitude
from nas_core.training.compiled.jit import inlined, kernel, within
from nas_core.training.compiled.lanes import (
    LANES,
    add,
    at_most,
    divide,
    lane,
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
    rows_loss(m, row, outputs, y, counts, each, N, n, task)
    if task == REGRESSION:
        _square_slopes(m, row, outputs, y, N, n)
    elif task == BINARY:
        _binary_slopes(m, row, y, N, n)
    else:
        _class_slopes(m, row, outputs, y, N, n)
    share = np.float32(1 / n)
    for start in range(row * N, (row + outputs) * N, N):
        for r in range(n):
            m.slopes[start + r] *= counts[r] * share
        for r in range(n, N):
            m.slopes[start + r] = 0


@kernel
def rows_loss(
    m: Memory, row: int, outputs: int, y: np.ndarray, counts: np.ndarray, each: np.ndarray, N: int, n: int, task: int,
) -> None:  # fmt: skip
    """Write the loss of each row of the batch, without slopes; the arguments are those of :func:`loss`."""
    if task == REGRESSION:
        for r in range(n):
            gap = m.values[row * N + r] - y[r]
            each[r] = gap * gap * counts[r]
    elif task == BINARY:
        _binary(m.values, row, y, counts, each, N, n)
    else:
        _classes(m.values, row, outputs, y, counts, each, N, n)


@within
def _square_slopes(m: Memory, row: int, outputs: int, y: np.ndarray, N: int, n: int) -> None:
    for at in range((row + 1) * N, (row + outputs) * N):
        m.slopes[at] = 0
    for r in range(n):
        m.slopes[row * N + r] = np.float32(2.0) * (m.values[row * N + r] - y[r])


@within
def _binary(x: np.ndarray, row: int, y: np.ndarray, counts: np.ndarray, each: np.ndarray, N: int, n: int) -> None:
    for at in range(0, n, LANES):
        rest = log_one_plus(exponential(subtract(none(), magnitude(load(x, row * N + at)))))
        for r in range(at, min(at + LANES, n)):
            logit = x[row * N + r]
            each[r] = ((np.float32(1.0) - y[r]) * logit - min(logit, np.float32(0.0)) + lane(rest, r - at)) * counts[r]


@within
def _binary_slopes(m: Memory, row: int, y: np.ndarray, N: int, n: int) -> None:
    for at in range(row * N, (row + 1) * N, LANES):
        store(m.slopes, at, logistic(load(m.values, at)))
    for r in range(n):
        m.slopes[row * N + r] -= y[r]


@within
def _classes(
    x: np.ndarray, row: int, outputs: int, y: np.ndarray, counts: np.ndarray, each: np.ndarray, N: int, n: int,
) -> None:  # fmt: skip
    for at in range(0, n, LANES):
        top = _largest(x, row * N + at, (row + outputs) * N, N)
        mass = _mass(x, row * N + at, (row + outputs) * N, N, top)
        for r in range(at, min(at + LANES, n)):
            logit = x[(row + int(y[r])) * N + r]
            each[r] = (np.log(lane(mass, r - at)) - (logit - lane(top, r - at))) * counts[r]


@within
def _class_slopes(m: Memory, row: int, outputs: int, y: np.ndarray, N: int, n: int) -> None:
    for at in range(0, N, LANES):
        first, last = row * N + at, (row + outputs) * N
        top = _largest(m.values, first, last, N)
        share = divide(spread(ONE), _mass(m.values, first, last, N, top))
        for k in range(first, last, N):
            store(m.slopes, k, multiply(exponential(subtract(load(m.values, k), top)), share))
    for r in range(n):
        m.slopes[(row + int(y[r])) * N + r] -= np.float32(1.0)


@inlined
def _largest(x: np.ndarray, first: int, last: int, N: int) -> object:
    """Return the largest logits of a vector of rows; where one is NaN, the sum of exponentials becomes NaN."""
    top = load(x, first)
    for k in range(first + N, last, N):
        logit = load(x, k)
        top = at_most(top, logit, logit, top)
    return top


@inlined
def _mass(x: np.ndarray, first: int, last: int, N: int, top: object) -> object:
    """Return the sums of the exponentials of the logits minus ``top``."""
    mass = none()
    for k in range(first, last, N):
        mass = add(mass, exponential(subtract(load(x, k), top)))
    return mass
