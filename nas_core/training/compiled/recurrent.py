"""Recurrent layers: the states of a GRU or LSTM, step by step, and their slopes backwards through time.

What the gates read of the steps is a convolution of one tap before them, over all steps at once; its value is read by
nobody else, and the gates stay where it lay. The states of all steps lie in the rows of the operation. Behind them lies
for a GRU what the candidate reads of the state before, for an LSTM the cell: as many rows again. Then 5 rows follow
for each channel, the state of one step and its gates side by side: rows of a whole sequence lie far apart.

A layer that reads backwards begins at the last step that is there: behind it states are 0.

Source: Cho et al. (2014), arXiv 1406.1078; Hochreiter & Schmidhuber (1997); both as ``torch.nn.GRU`` and ``LSTM``.
"""

from __future__ import annotations

import numpy as np

from nas_core.training.compiled.convolution import row_total
from nas_core.training.compiled.fields import (
    BIAS,
    BY_TAP,
    C_OUT,
    OPTION,
    OUT,
    P_OUT,
    PRESENT,
    TABLE,
    WEIGHT,
    Memory,
    X,
)  # fmt: skip
from nas_core.training.compiled.functions import hyperbolic_tangent, logistic
from nas_core.training.compiled.jit import kernel, within
from nas_core.training.compiled.lanes import (
    LANES,
    add,
    fma,
    load,
    multiply,
    none,
    spread,
    store,
    subtract,
)
from nas_core.training.compiled.products import ADD, NO_BIAS, ONE, SET, correlate, weigh

__all__ = ["recur", "recur_back"]


@kernel
def recur(op: np.ndarray, m: Memory, N: int) -> None:
    """Compute the states of all steps.

    ``TABLE`` is that of a single place and tap, ``BY_TAP`` pairs each step with the one before it in reading order.
    """
    H, steps = op[C_OUT], op[P_OUT]
    state = (op[OUT] + 2 * H * steps) * N
    lstm, turned = op[OPTION] & 1, op[OPTION] & 2
    gates, width = state + H * N, (3 + lstm) * H
    for c in range(H * N):
        m.values[state + c] = 0.0
    for k in range(steps):
        p = steps - 1 - k if turned else k
        weigh(
            m.values, state // N, ONE, m.weights, op[WEIGHT], H, ONE, op[BIAS],
            m.values, gates // N, ONE, m.tables, op[TABLE], H if k else 0, width, N, SET,
        )  # fmt: skip
        for c in range(H):
            if lstm:
                _lstm(op, m, N, c, p, k, turned)
            else:
                _gru(op, m, N, c, p)
            if turned and op[PRESENT] >= 0:
                _keep_inside(op, m, N, c, p, lstm)


@kernel
def recur_back(op: np.ndarray, m: Memory, N: int) -> None:
    """Write the slopes of its weights and of what its gates read of the steps."""
    H, steps = op[C_OUT], op[P_OUT]
    state = (op[OUT] + 2 * H * steps) * N
    lstm, turned = op[OPTION] & 1, op[OPTION] & 2
    gates, width = state + H * N, (3 + lstm) * H
    for c in range(H * N):
        m.values[state + c] = 0.0
    for k in range(steps - 1, -1, -1):
        p = steps - 1 - k if turned else k
        for c in range(H):
            if lstm:
                _lstm_back(op, m, N, c, p, k, turned)
            else:
                _gru_back(op, m, N, c, p, k, turned)
        weigh(
            m.values, gates // N, ONE, m.weights, op[WEIGHT], ONE, H, NO_BIAS,
            m.values, state // N, ONE, m.tables, op[TABLE], width if k else 0, H, N, ADD,
        )  # fmt: skip
    apart = 0 if lstm else 2 * H  # rows of weights before those whose slopes lie behind the states
    first = width if lstm else apart
    _weight_slopes(op, m, N, op[X], 0, first)
    if not lstm:
        _weight_slopes(op, m, N, op[OUT] + H * steps, apart, H)


@within
def _weight_slopes(op: np.ndarray, m: Memory, N: int, slopes: int, row: int, rows: int) -> None:
    H, steps = op[C_OUT], op[P_OUT]
    correlate(
        m.values, op[OUT], steps, m.slopes, slopes, steps, m.gradient, op[WEIGHT] + row * H, H, ONE,
        m.tables, op[BY_TAP], ONE, H, rows, N,
    )  # fmt: skip
    for o in range(rows):
        m.gradient[op[BIAS] + row + o] = row_total(m.slopes, slopes + o * steps, steps, N)


@within
def _keep_inside(op: np.ndarray, m: Memory, N: int, c: int, p: int, lstm: int) -> None:
    """Set the state of a channel to 0 where the sequence has ended."""
    H, steps = op[C_OUT], op[P_OUT]
    state = (op[OUT] + 2 * H * steps + c) * N
    inside, out = (op[PRESENT] + steps + p) * N, (op[OUT] + c * steps + p) * N
    for at in range(0, N, LANES):
        there = load(m.values, inside + at)
        a = multiply(there, load(m.values, out + at))
        store(m.values, out + at, a)
        store(m.values, state + at, a)
        if lstm:
            cell = out + H * steps * N + at
            store(m.values, cell, multiply(there, load(m.values, cell)))


@within
def _gru(op: np.ndarray, m: Memory, N: int, c: int, p: int) -> None:
    """Compute one channel of one step; the room holds the states before and what the gates read of them."""
    H, steps = op[C_OUT], op[P_OUT]
    state = (op[OUT] + 2 * H * steps + c) * N
    gate, apart = H * N, H * steps * N
    x, y = (op[X] + c * steps + p) * N, (op[OUT] + c * steps + p) * N
    for at in range(0, N, LANES):
        s = state + gate + at
        r = logistic(add(load(m.values, x + at), load(m.values, s)))
        z = logistic(add(load(m.values, x + apart + at), load(m.values, s + gate)))
        read = load(m.values, s + 2 * gate)
        candidate = hyperbolic_tangent(fma(r, read, load(m.values, x + 2 * apart + at)))
        before = load(m.values, state + at)
        after = fma(z, subtract(before, candidate), candidate)
        store(m.values, x + at, r)
        store(m.values, x + apart + at, z)
        store(m.values, x + 2 * apart + at, candidate)
        store(m.values, y + apart + at, read)
        store(m.values, y + at, after)
        store(m.values, state + at, after)


@within
def _gru_back(op: np.ndarray, m: Memory, N: int, c: int, p: int, k: int, turned: int) -> None:
    """Slopes of one channel of one step: of its gates, in the room once more as the state before reads them."""
    H, steps = op[C_OUT], op[P_OUT]
    state = (op[OUT] + 2 * H * steps + c) * N
    gate, apart, one = H * N, H * steps * N, spread(np.float32(1.0))
    x, y = (op[X] + c * steps + p) * N, (op[OUT] + c * steps + p) * N
    inside, previous = (op[PRESENT] + steps + p) * N, N if turned else -N
    for at in range(0, N, LANES):
        r, z = load(m.values, x + at), load(m.values, x + apart + at)
        candidate, read = load(m.values, x + 2 * apart + at), load(m.values, y + apart + at)
        before = load(m.values, y + previous + at) if k else none()
        g = add(load(m.slopes, y + at), load(m.values, state + at))
        if turned and op[PRESENT] >= 0:
            g = multiply(g, load(m.values, inside + at))
        kept = multiply(g, z)
        to_candidate = multiply(subtract(g, kept), subtract(one, multiply(candidate, candidate)))
        to_z = multiply(multiply(kept, subtract(one, z)), subtract(before, candidate))
        to_read = multiply(to_candidate, r)
        to_r = multiply(multiply(to_read, read), subtract(one, r))
        store(m.slopes, x + at, to_r)
        store(m.slopes, x + apart + at, to_z)
        store(m.slopes, x + 2 * apart + at, to_candidate)
        store(m.slopes, y + apart + at, to_read)
        s = state + gate + at
        store(m.values, s, to_r)
        store(m.values, s + gate, to_z)
        store(m.values, s + 2 * gate, to_read)
        store(m.values, state + at, kept)


@within
def _lstm(op: np.ndarray, m: Memory, N: int, c: int, p: int, k: int, turned: int) -> None:
    """Compute one channel of one step; the room holds what the gates read of the states before."""
    H, steps = op[C_OUT], op[P_OUT]
    state = (op[OUT] + 2 * H * steps + c) * N
    gate, apart = H * N, H * steps * N
    x, y = (op[X] + c * steps + p) * N, (op[OUT] + c * steps + p) * N
    previous = N if turned else -N
    for at in range(0, N, LANES):
        s = state + gate + at
        i = logistic(add(load(m.values, x + at), load(m.values, s)))
        f = logistic(add(load(m.values, x + apart + at), load(m.values, s + gate)))
        g = hyperbolic_tangent(add(load(m.values, x + 2 * apart + at), load(m.values, s + 2 * gate)))
        o = logistic(add(load(m.values, x + 3 * apart + at), load(m.values, s + 3 * gate)))
        before = load(m.values, y + apart + previous + at) if k else none()
        cell = fma(f, before, multiply(i, g))
        after = multiply(o, hyperbolic_tangent(cell))
        store(m.values, x + at, i)
        store(m.values, x + apart + at, f)
        store(m.values, x + 2 * apart + at, g)
        store(m.values, x + 3 * apart + at, o)
        store(m.values, y + apart + at, cell)
        store(m.values, y + at, after)
        store(m.values, state + at, after)


@within
def _lstm_back(op: np.ndarray, m: Memory, N: int, c: int, p: int, k: int, turned: int) -> None:
    """Slopes of one channel of one step: of its gates, in the room once more, and of the cell before."""
    H, steps = op[C_OUT], op[P_OUT]
    state = (op[OUT] + 2 * H * steps + c) * N
    gate, apart, one = H * N, H * steps * N, spread(np.float32(1.0))
    x, y = (op[X] + c * steps + p) * N, (op[OUT] + c * steps + p) * N
    inside, previous = (op[PRESENT] + steps + p) * N, N if turned else -N
    for at in range(0, N, LANES):
        i, f = load(m.values, x + at), load(m.values, x + apart + at)
        g, o = load(m.values, x + 2 * apart + at), load(m.values, x + 3 * apart + at)
        before = load(m.values, y + apart + previous + at) if k else none()
        shown = hyperbolic_tangent(load(m.values, y + apart + at))
        slope = add(load(m.slopes, y + at), load(m.values, state + at))
        of_cell = load(m.slopes, y + apart + at)
        if turned and op[PRESENT] >= 0:
            there = load(m.values, inside + at)
            slope, of_cell = multiply(slope, there), multiply(of_cell, there)
        of_cell = fma(multiply(slope, o), subtract(one, multiply(shown, shown)), of_cell)
        to_o = multiply(multiply(slope, shown), multiply(o, subtract(one, o)))
        to_i = multiply(multiply(of_cell, g), multiply(i, subtract(one, i)))
        to_f = multiply(multiply(of_cell, before), multiply(f, subtract(one, f)))
        to_g = multiply(multiply(of_cell, i), subtract(one, multiply(g, g)))
        s = state + gate + at
        store(m.slopes, x + at, to_i)
        store(m.slopes, x + apart + at, to_f)
        store(m.slopes, x + 2 * apart + at, to_g)
        store(m.slopes, x + 3 * apart + at, to_o)
        store(m.values, s, to_i)
        store(m.values, s + gate, to_f)
        store(m.values, s + 2 * gate, to_g)
        store(m.values, s + 3 * gate, to_o)
        store(m.values, state + at, none())
        if k:
            store(m.slopes, y + apart + previous + at, multiply(of_cell, f))
