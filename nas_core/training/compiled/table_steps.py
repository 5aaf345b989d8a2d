"""Many gradient steps of a network of tables in one call: a single one takes less time than calling it."""

from __future__ import annotations

import numpy as np

from nas_core.training.compiled.fields import Memory
from nas_core.training.compiled.jit import kernel, looping
from nas_core.training.compiled.losses import rows_loss
from nas_core.training.compiled.step import backward, forward
from nas_core.training.compiled.table_plan import FREE
from nas_core.training.compiled.updates import update

__all__ = ["draw", "look", "own_slopes", "pick", "train", "use"]

FACTOR = 0x2C1B3C6D  # of nas_core.spaces.tabular.noise


@looping
def train(
    ops: np.ndarray, reals: np.ndarray, calls: np.ndarray, m: Memory, N: int, out: int, outputs: int, task: int,
    X: np.ndarray, y: np.ndarray, counts: np.ndarray, order: np.ndarray, edges: np.ndarray,
    keys: np.ndarray, units: np.ndarray, threshold: int, scale: np.float32,
    values: np.ndarray, signs: np.ndarray, optimiser: int, first: np.ndarray, second: np.ndarray, decayed: int,
    rate: float, decay: float, steps: int, room: np.ndarray,
) -> float:  # fmt: skip
    """Make a gradient step with each batch of rows; return the sum of their losses.

    Args:
        ops, reals, calls, m, N, task: As of :func:`nas_core.training.compiled.step.forward` and ``backward``; the calls
            are both rows.
        out, outputs: Where the outputs begin in the values, and how many there are.
        X, y, counts: Rows: float32 (n, d), (n,) and (n,).
        order: int64, those that are meant, in their order.
        edges: int64, where batches begin in it, and where the last one ends.
        keys, units: int32 keys of the rows in that order and of the units with dropout.
        threshold, scale: The key below which a unit is dropped, and what is left is multiplied with.
        values: float32 (T,): the parameters; the weights of ``m`` themselves where no sign is prescribed.
        signs: int8 (T,), see :mod:`.table_plan`; empty where all are free.
        optimiser, first, second, decayed, rate, decay: As of :func:`nas_core.training.compiled.updates.update`.
        steps: Gradient steps made before.
        room: float32 (3, N) to work in.
    """
    total = 0.0
    for number in range(len(edges) - 1):
        begin, end = edges[number], edges[number + 1]
        n, rows = end - begin, order[begin:end]
        for i in range(n):
            room[0, i], room[1, i] = y[rows[i]], counts[rows[i]]
        draw(m.noise, N, keys[begin:end] if len(units) else keys[:0], units, threshold, scale)
        if len(signs):
            use(values, signs, m.weights)
        forward(ops, reals, calls[0], m, N, X, rows, True)
        backward(ops, reals, calls[1], m, N, out, outputs, room[0, :n], room[1, :n], room[2], task)
        if len(signs):
            own_slopes(values, signs, m.gradient)
        steps += 1
        update(optimiser, values, m.gradient, first, second, decayed, rate, decay, steps)
        for i in range(n):
            total += np.float64(room[2, i])
    if len(signs):
        use(values, signs, m.weights)
    return total


@looping
def look(
    ops: np.ndarray, reals: np.ndarray, calls: np.ndarray, m: Memory, N: int, out: int, outputs: int, task: int,
    X: np.ndarray, y: np.ndarray, counts: np.ndarray, order: np.ndarray, said: np.ndarray, room: np.ndarray,
) -> float:  # fmt: skip
    """Return the sum of the losses of some rows, and write their outputs into ``said`` (k, C) or nowhere (0, C).

    The other arguments are those of :func:`train`.
    """
    total, n = 0.0, len(order)
    for begin in range(0, n, N):
        end = min(begin + N, n)
        rows = order[begin:end]
        for i in range(end - begin):
            room[0, i], room[1, i] = y[rows[i]], counts[rows[i]]
        forward(ops, reals, calls[0], m, N, X, rows, False)
        rows_loss(m, out, outputs, room[0], room[1], room[2], N, end - begin, task)
        for i in range(end - begin):
            total += np.float64(room[2, i])
        if len(said):
            for c in range(outputs):
                for i in range(end - begin):
                    said[begin + i, c] = m.values[(out + c) * N + i]
    return total


@kernel
def pick(E: np.ndarray, rows: np.ndarray, columns: np.ndarray, X: np.ndarray) -> None:
    """Write the chosen rows and columns of E (n, D) into X (rows, columns)."""
    for i in range(len(rows)):
        for k in range(len(columns)):
            X[i, k] = E[rows[i], columns[k]]


@kernel
def draw(
    noise: np.ndarray, N: int, keys: np.ndarray, units: np.ndarray, threshold: int, scale: np.float32
) -> None:  # fmt: skip
    """Write what the units of the rows of a batch are multiplied with; see :mod:`nas_core.spaces.tabular.noise`."""
    for u in range(len(units)):
        for i in range(len(keys)):
            x = np.int32(units[u] + keys[i])
            x = np.int32(np.int32(x ^ (x >> 15)) * FACTOR)
            noise[u * N + i] = scale if x >= threshold else np.float32(0.0)


@kernel
def use(values: np.ndarray, signs: np.ndarray, weights: np.ndarray) -> None:
    """Write the weights that a network uses: sign · |value| where a sign is prescribed."""
    for i in range(np.uint64(0), np.uint64(len(values))):
        free, sign = signs[i] == FREE, np.float32(signs[i])
        weights[i] = values[i] if free else sign * abs(values[i])


@kernel
def own_slopes(values: np.ndarray, signs: np.ndarray, gradient: np.ndarray) -> None:
    """Make the slopes of the weights that are used those of the values behind them."""
    for i in range(np.uint64(0), np.uint64(len(values))):
        free, sign = signs[i] == FREE, np.float32(signs[i])
        gradient[i] *= np.float32(1.0) if free else sign * np.sign(values[i])
