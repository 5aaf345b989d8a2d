"""One gradient step of a network, and its losses on rows it does not learn from: all operations in turn."""

from __future__ import annotations

import numpy as np

from nas_core.training.compiled.activations import activate, activate_back
from nas_core.training.compiled.convolution import convolve, convolve_back
from nas_core.training.compiled.fields import KIND, Memory
from nas_core.training.compiled.jit import kernel
from nas_core.training.compiled.joins import (
    channel_largest,
    channel_largest_back,
    channel_mean,
    channel_mean_back,
    copy,
    drop,
    drop_back,
    gate,
    gate_back,
    hand_back,
    plus,
)  # fmt: skip
from nas_core.training.compiled.kinds import (
    ACTIVATE,
    AVERAGE_POOL,
    CHANNEL_LARGEST,
    CHANNEL_MEAN,
    CONVOLVE,
    COPY,
    DROP,
    GATE,
    MAX_POOL,
    MEAN,
    NORM,
    PLACE_GATE,
    SUM,
)  # fmt: skip
from nas_core.training.compiled.losses import loss, rows_loss
from nas_core.training.compiled.norms import normalise, normalise_back
from nas_core.training.compiled.pooling import (
    average_pool,
    average_pool_back,
    max_pool,
    max_pool_back,
    mean,
    mean_back,
)  # fmt: skip
from nas_core.training.compiled.updates import update

__all__ = ["learn", "look"]


@kernel
def gather(X: np.ndarray, rows: np.ndarray, values: np.ndarray, N: int) -> None:
    """Write the chosen rows of X (n, D) side by side as the first D rows of the values; zeros beyond them."""
    n, D = len(rows), X.shape[1]
    for i in range(n):
        for d in range(D):
            values[d * N + i] = X[rows[i], d]
    for d in range(D):
        for i in range(n, N):
            values[d * N + i] = 0.0


@kernel
def forward(ops: np.ndarray, reals: np.ndarray, m: Memory, N: int, n: int, training: bool) -> None:
    """Compute all values of the n rows."""
    for k in range(len(ops)):
        op = ops[k]
        kind = op[KIND]
        if kind == CONVOLVE:
            convolve(op, m, N)
        elif kind == ACTIVATE:
            activate(op, m, N)
        elif kind == MAX_POOL:
            max_pool(op, m, N)
        elif kind == AVERAGE_POOL:
            average_pool(op, m, N)
        elif kind == MEAN:
            mean(op, m, N)
        elif kind == NORM:
            normalise(op, reals[k], m, N, n, training)
        elif kind == DROP:
            drop(op, m, N, training)
        elif kind == COPY:
            copy(op, m, N)
        elif kind == SUM:
            plus(op, m, N)
        elif kind in (GATE, PLACE_GATE):
            gate(op, m, N)
        elif kind == CHANNEL_MEAN:
            channel_mean(op, m, N)
        elif kind == CHANNEL_LARGEST:
            channel_largest(op, m, N)


@kernel
def backward(ops: np.ndarray, reals: np.ndarray, m: Memory, N: int, n: int) -> None:
    """Compute all slopes from those of the outputs."""
    for k in range(len(ops) - 1, -1, -1):
        op = ops[k]
        kind = op[KIND]
        if kind == CONVOLVE:
            convolve_back(op, m, N)
        elif kind == ACTIVATE:
            activate_back(op, m, N)
        elif kind == MAX_POOL:
            max_pool_back(op, m, N)
        elif kind == AVERAGE_POOL:
            average_pool_back(op, m, N)
        elif kind == MEAN:
            mean_back(op, m, N)
        elif kind == NORM:
            normalise_back(op, reals[k], m, N, n)
        elif kind == DROP:
            drop_back(op, m, N)
        elif kind in (COPY, SUM):
            hand_back(op, m, N)
        elif kind in (GATE, PLACE_GATE):
            gate_back(op, m, N)
        elif kind == CHANNEL_MEAN:
            channel_mean_back(op, m, N)
        elif kind == CHANNEL_LARGEST:
            channel_largest_back(op, m, N)


@kernel
def learn(
    ops: np.ndarray, reals: np.ndarray, m: Memory, N: int, X: np.ndarray, rows: np.ndarray, y: np.ndarray,
    counts: np.ndarray, each: np.ndarray, task: int, out: int, outputs: int, optimiser: int, first: np.ndarray,
    second: np.ndarray, decayed: int, rate: float, decay: float, step: int,
) -> float:  # fmt: skip
    """Make one gradient step with the chosen rows; return the sum of their losses.

    Args:
        ops, reals, m, N, out, outputs, decayed: See :class:`nas_core.training.compiled.plan.Plan`.
        X, y, counts: All training rows (n, D), their targets (n,), and how much each counts (n,).
        rows: The chosen ones.
        each: (N,) room for the loss of each.
        task: 0 regression, 1 two classes, 2 more classes.
        optimiser, first, second, rate, decay, step: See :func:`nas_core.training.compiled.updates.update`.
    """
    n = len(rows)
    gather(X, rows, m.values, N)
    forward(ops, reals, m, N, n, True)
    m.slopes[:] = 0.0
    loss(m, out, outputs, y[rows], counts[rows], each, N, n, task)
    backward(ops, reals, m, N, n)
    update(optimiser, m.weights, m.gradient, first, second, decayed, rate, decay, step)
    total = 0.0
    for i in range(n):
        total += each[i]
    return total


@kernel
def look(
    ops: np.ndarray, reals: np.ndarray, m: Memory, N: int, X: np.ndarray, rows: np.ndarray, y: np.ndarray,
    counts: np.ndarray, task: int, out: int, outputs: int, found: np.ndarray, said: np.ndarray,
) -> None:  # fmt: skip
    """Write the loss of each chosen row to ``found`` (n,) and its outputs to ``said`` (n, C); nothing is learned."""
    each = np.empty(N, dtype=np.float32)
    for start in range(0, len(rows), N):
        part = rows[start : start + N]
        n = len(part)
        gather(X, part, m.values, N)
        forward(ops, reals, m, N, n, False)
        rows_loss(m, out, outputs, y[part], counts[part], each, N, n, task)
        found[start : start + n] = each[:n]
        for c in range(outputs):
            for i in range(n):
                said[start + i, c] = m.values[(out + c) * N + i]
