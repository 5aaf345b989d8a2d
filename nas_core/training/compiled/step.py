"""A network forwards and backwards: all its operations in turn."""

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
from nas_core.training.compiled.losses import loss
from nas_core.training.compiled.norms import normalise, normalise_back
from nas_core.training.compiled.pooling import (
    average_pool,
    average_pool_back,
    max_pool,
    max_pool_back,
    mean,
    mean_back,
)  # fmt: skip

__all__ = ["backward", "forward"]


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
def forward(
    ops: np.ndarray, reals: np.ndarray, m: Memory, N: int, X: np.ndarray, rows: np.ndarray, training: bool
) -> None:  # fmt: skip
    """Compute all values of the chosen rows.

    Args:
        ops, reals, m, N: See :class:`nas_core.training.compiled.plan.Plan` and :mod:`.fields`.
        X: Rows of the data (n, D).
        rows: int64, the chosen ones, at most N.
        training: Whether noise is added and the statistics of the batch are used and remembered.
    """
    n = len(rows)
    gather(X, rows, m.values, N)
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
def backward(
    ops: np.ndarray, reals: np.ndarray, m: Memory, N: int, row: int, outputs: int, y: np.ndarray, counts: np.ndarray,
    each: np.ndarray, task: int,
) -> None:  # fmt: skip
    """Compute the losses of the rows that went forward, and all slopes and the gradient of their mean.

    Args:
        ops, reals, m, N: As of :func:`forward`.
        row, outputs: Where the outputs begin in the values, and how many there are.
        y, counts: float32 (n,): targets or class numbers of these rows, and how much each counts.
        each: float32 (N,): written, the loss of each row.
        task: See :data:`nas_core.training.compiled.losses.TASKS`.
    """
    n = len(y)
    m.slopes[:] = 0.0
    loss(m, row, outputs, y, counts, each, N, n, task)
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
