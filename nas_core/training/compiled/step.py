"""A network forwards and backwards: all its operations in turn."""

from __future__ import annotations

import numpy as np

from nas_core.training.compiled import kinds as k
from nas_core.training.compiled.activations import activate, activate_back
from nas_core.training.compiled.attention import (
    mix,
    mix_back,
    place,
    place_back,
    scores,
    scores_back,
    soften,
    soften_back,
)  # fmt: skip
from nas_core.training.compiled.blocks import turn
from nas_core.training.compiled.calls import Kernels, addresses, call
from nas_core.training.compiled.convolution import convolve, convolve_back, convolve_each, convolve_each_back
from nas_core.training.compiled.fields import KIND, OUT, Memory
from nas_core.training.compiled.jit import kernel, within
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
from nas_core.training.compiled.kinds import CHANNEL_NORM, DROP, EMBED, NORM, PRESENCE, STEP_NORM
from nas_core.training.compiled.lanes import LANES, none, store
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
from nas_core.training.compiled.recurrent import recur, recur_back
from nas_core.training.compiled.step_norms import channel_norm, channel_norm_back, step_norm, step_norm_back
from nas_core.training.compiled.steps import (
    embed,
    embed_back,
    largest,
    largest_back,
    last,
    last_back,
    presence,
    step_mean,
    step_mean_back,
)  # fmt: skip

__all__ = ["BACKWARD", "backward", "calls_of", "forward"]

FORWARD: Kernels = {
    k.CONVOLVE: convolve, k.DEPTHWISE: convolve_each, k.ACTIVATE: activate, k.MAX_POOL: max_pool,
    k.AVERAGE_POOL: average_pool, k.MEAN: mean, k.COPY: copy, k.SUM: plus, k.GATE: gate, k.PLACE_GATE: gate,
    k.CHANNEL_MEAN: channel_mean, k.CHANNEL_LARGEST: channel_largest, k.RECUR: recur, k.SCORES: scores, k.MIX: mix,
    k.SOFTMAX: soften, k.PLACED: place, k.LAST: last, k.LARGEST: largest, k.STEP_MEAN: step_mean,
}  # fmt: skip
BACKWARD: Kernels = {
    k.CONVOLVE: convolve_back, k.DEPTHWISE: convolve_each_back, k.ACTIVATE: activate_back, k.MAX_POOL: max_pool_back,
    k.AVERAGE_POOL: average_pool_back, k.MEAN: mean_back, k.DROP: drop_back, k.COPY: hand_back, k.SUM: hand_back,
    k.GATE: gate_back, k.PLACE_GATE: gate_back, k.CHANNEL_MEAN: channel_mean_back,
    k.CHANNEL_LARGEST: channel_largest_back, k.RECUR: recur_back, k.SCORES: scores_back, k.MIX: mix_back,
    k.SOFTMAX: soften_back, k.PLACED: place_back, k.CHANNEL_NORM: channel_norm_back, k.STEP_NORM: step_norm_back,
    k.LAST: last_back, k.LARGEST: largest_back, k.STEP_MEAN: step_mean_back,
}  # fmt: skip
"""The kernels of most kinds; those that are told more than the row are called by name."""
NAMED_FORWARD, NAMED_BACKWARD = {NORM, DROP, CHANNEL_NORM, STEP_NORM, PRESENCE, EMBED}, {NORM, PRESENCE, EMBED}


def calls_of(ops: np.ndarray) -> np.ndarray:
    """Return (2, kinds) where the kernels of these operations lie, forwards and backwards, in this process."""
    used = set(ops[:, KIND].tolist())
    return np.stack([addresses(used - NAMED_FORWARD, FORWARD), addresses(used - NAMED_BACKWARD, BACKWARD)])


@within
def gather(X: np.ndarray, rows: np.ndarray, values: np.ndarray, N: int) -> None:
    """Write the chosen rows of X (n, D) side by side as the first D rows of the values; zeros beyond them."""
    n, D = len(rows), X.shape[1]
    for i in range(0, N, LANES):
        for d in range(0, D, LANES):
            if D >= LANES and i < n:
                begin = min(d, D - LANES)
                turn(X, rows, i, n, D, begin, values, begin * N + i, N)
            else:
                for k in range(d, min(d + LANES, D)):
                    for j in range(i, i + LANES):
                        values[k * N + j] = X[rows[j], k] if j < n else np.float32(0.0)


@kernel
def forward(
    ops: np.ndarray, reals: np.ndarray, calls: np.ndarray, m: Memory, N: int, X: np.ndarray, rows: np.ndarray,
    training: bool,
) -> None:  # fmt: skip
    """Compute all values of the chosen rows.

    Args:
        ops, reals, m, N: See :class:`nas_core.training.compiled.plan.Plan` and :mod:`.fields`.
        calls: Where the kernels are, see :func:`calls_of`; the first row of it.
        X: Rows of the data (n, D).
        rows: int64, the chosen ones, at most N.
        training: Whether noise is added and the statistics of the batch are used and remembered.
    """
    n = len(rows)
    gather(X, rows, m.values, N)
    for number in range(len(ops)):
        op = ops[number]
        kind = op[KIND]
        if kind == NORM:
            normalise(op, reals[number], m, N, n, training)
        elif kind == DROP:
            drop(op, m, N, training)
        elif kind == CHANNEL_NORM:
            channel_norm(op, reals[number], m, N)
        elif kind == STEP_NORM:
            step_norm(op, reals[number], m, N, training)
        elif kind == PRESENCE:
            presence(op, m, N, n)
        elif kind == EMBED:
            embed(op, m, N, n)
        else:
            call(calls[kind], op, m, N)


@kernel
def backward(
    ops: np.ndarray, reals: np.ndarray, calls: np.ndarray, m: Memory, N: int, row: int, outputs: int, y: np.ndarray,
    counts: np.ndarray, each: np.ndarray, task: int,
) -> None:  # fmt: skip
    """Compute the losses of the rows that went forward, and all slopes and the gradient of their mean.

    Args:
        ops, reals, calls, m, N: As of :func:`forward`; the second row of the calls.
        row, outputs: Where the outputs begin in the values, and how many there are.
        y, counts: float32 (n,): targets or class numbers of these rows, and how much each counts.
        each: float32 (N,): written, the loss of each row.
        task: See :data:`nas_core.training.compiled.losses.TASKS`.
    """
    n = len(y)
    first = len(m.slopes) // N
    for number in range(len(ops)):
        first = min(first, ops[number, OUT])
    for at in range(first * N, len(m.slopes), LANES):  # the data lie before and have no slopes
        store(m.slopes, at, none())
    loss(m, row, outputs, y, counts, each, N, n, task)
    for number in range(len(ops) - 1, -1, -1):
        op = ops[number]
        kind = op[KIND]
        if kind == NORM:
            normalise_back(op, reals[number], m, N, n)
        elif kind == EMBED:
            embed_back(op, m, N, n)
        elif kind != PRESENCE:
            call(calls[kind], op, m, N)
