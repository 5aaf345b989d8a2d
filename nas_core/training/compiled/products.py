"""Products of a kernel with the rows of a value: what nearly all the work of a network of signals is.

Sixteen vectors of sums, four channels by four vectors of the batch, stay in registers while the taps go by; each tap
costs four loads, four spread weights and sixteen multiply-adds, near the peak of a core at any number of channels.
"""

from __future__ import annotations

import numpy as np

from nas_core.training.compiled.jit import kernel
from nas_core.training.compiled.lanes import LANES, fma, load, none, spread, store, total

__all__ = ["correlate", "weigh"]


@kernel
def weigh(
    x: np.ndarray, x0: int, per_x: int, w: np.ndarray, w0: int, w_out: int, w_in: int, bias: int,
    y: np.ndarray, y0: int, per_y: int, tables: np.ndarray, table: int, inputs: int, outputs: int, N: int, add: bool,
) -> None:  # fmt: skip
    """Set the rows of ``y``, or add to them: y[o, p] = bias[o] + Σ w[o, i, tap] · x[i, place] over the table's pairs.

    Args:
        x, x0, per_x: Rows of N numbers that are read, the first row, and how many rows a channel has.
        w, w0, w_out, w_in: Weights: that of (o, i, tap) is ``w[w0 + o · w_out + i · w_in + tap]``.
        bias: Where the biases begin in ``w``; -1 for none.
        y, y0, per_y: The rows that are written, with as many places as the table.
        tables, table: See :mod:`.tables`: for each place of y pairs (place of x, tap).
        inputs, outputs: Channels of x and y.
        N: Numbers in a row.
        add: Whether what y holds is added to.
    """
    pairs = table + per_y + 1
    taps = pairs + tables[table + per_y]
    for p in range(per_y):
        first, last = tables[table + p], tables[table + p + 1]
        for o in range(0, outputs, 4):
            rest = outputs - o
            w1 = w0 + o * w_out
            w2 = w1 + w_out if rest > 1 else w1
            w3 = w2 + w_out if rest > 2 else w1
            w4 = w3 + w_out if rest > 3 else w1
            y1 = (y0 + o * per_y + p) * N
            y2 = y1 + per_y * N if rest > 1 else y1
            y3 = y2 + per_y * N if rest > 2 else y1
            y4 = y3 + per_y * N if rest > 3 else y1
            at = 0
            while at + 4 * LANES <= N:
                if add:
                    a1, a2, a3, a4 = (
                        load(y, y1 + at),
                        load(y, y1 + at + LANES),
                        load(y, y1 + at + 2 * LANES),
                        load(y, y1 + at + 3 * LANES),
                    )
                    b1, b2, b3, b4 = (
                        load(y, y2 + at),
                        load(y, y2 + at + LANES),
                        load(y, y2 + at + 2 * LANES),
                        load(y, y2 + at + 3 * LANES),
                    )
                    c1, c2, c3, c4 = (
                        load(y, y3 + at),
                        load(y, y3 + at + LANES),
                        load(y, y3 + at + 2 * LANES),
                        load(y, y3 + at + 3 * LANES),
                    )
                    d1, d2, d3, d4 = (
                        load(y, y4 + at),
                        load(y, y4 + at + LANES),
                        load(y, y4 + at + 2 * LANES),
                        load(y, y4 + at + 3 * LANES),
                    )
                elif bias >= 0:
                    a1 = a2 = a3 = a4 = spread(w[bias + o])
                    b1 = b2 = b3 = b4 = spread(w[bias + min(o + 1, outputs - 1)])
                    c1 = c2 = c3 = c4 = spread(w[bias + min(o + 2, outputs - 1)])
                    d1 = d2 = d3 = d4 = spread(w[bias + min(o + 3, outputs - 1)])
                else:
                    a1 = a2 = a3 = a4 = b1 = b2 = b3 = b4 = c1 = c2 = c3 = c4 = d1 = d2 = d3 = d4 = none()
                for i in range(inputs):
                    for t in range(first, last):
                        k = i * w_in + tables[taps + t]
                        row = (x0 + i * per_x + tables[pairs + t]) * N + at
                        x1, x2, x3, x4 = (
                            load(x, row),
                            load(x, row + LANES),
                            load(x, row + 2 * LANES),
                            load(x, row + 3 * LANES),
                        )
                        s = spread(w[w1 + k])
                        a1, a2, a3, a4 = fma(s, x1, a1), fma(s, x2, a2), fma(s, x3, a3), fma(s, x4, a4)
                        s = spread(w[w2 + k])
                        b1, b2, b3, b4 = fma(s, x1, b1), fma(s, x2, b2), fma(s, x3, b3), fma(s, x4, b4)
                        s = spread(w[w3 + k])
                        c1, c2, c3, c4 = fma(s, x1, c1), fma(s, x2, c2), fma(s, x3, c3), fma(s, x4, c4)
                        s = spread(w[w4 + k])
                        d1, d2, d3, d4 = fma(s, x1, d1), fma(s, x2, d2), fma(s, x3, d3), fma(s, x4, d4)
                if rest > 3:
                    _four(y, y4 + at, d1, d2, d3, d4)
                if rest > 2:
                    _four(y, y3 + at, c1, c2, c3, c4)
                if rest > 1:
                    _four(y, y2 + at, b1, b2, b3, b4)
                _four(y, y1 + at, a1, a2, a3, a4)
                at += 4 * LANES
            while at < N:
                if add:
                    a1, b1, c1, d1 = load(y, y1 + at), load(y, y2 + at), load(y, y3 + at), load(y, y4 + at)
                elif bias >= 0:
                    a1 = spread(w[bias + o])
                    b1 = spread(w[bias + min(o + 1, outputs - 1)])
                    c1 = spread(w[bias + min(o + 2, outputs - 1)])
                    d1 = spread(w[bias + min(o + 3, outputs - 1)])
                else:
                    a1 = b1 = c1 = d1 = none()
                for i in range(inputs):
                    for t in range(first, last):
                        k = i * w_in + tables[taps + t]
                        x1 = load(x, (x0 + i * per_x + tables[pairs + t]) * N + at)
                        a1 = fma(spread(w[w1 + k]), x1, a1)
                        b1 = fma(spread(w[w2 + k]), x1, b1)
                        c1 = fma(spread(w[w3 + k]), x1, c1)
                        d1 = fma(spread(w[w4 + k]), x1, d1)
                if rest > 3:
                    store(y, y4 + at, d1)
                if rest > 2:
                    store(y, y3 + at, c1)
                if rest > 1:
                    store(y, y2 + at, b1)
                store(y, y1 + at, a1)
                at += LANES


@kernel
def _four(y: np.ndarray, at: int, a: object, b: object, c: object, d: object) -> None:
    store(y, at, a)
    store(y, at + LANES, b)
    store(y, at + 2 * LANES, c)
    store(y, at + 3 * LANES, d)


@kernel
def correlate(
    x: np.ndarray, x0: int, per_x: int, g: np.ndarray, g0: int, per_g: int, w: np.ndarray, w0: int, w_out: int,
    w_in: int, tables: np.ndarray, table: int, taps: int, inputs: int, outputs: int, N: int,
) -> None:  # fmt: skip
    """Write the slopes of weights: w[o, i, tap] = Σ g[o, p] · x[i, place] over the table's pairs and the batch.

    Args:
        x, x0, per_x: Rows of N numbers that were read, the first row, and how many rows a channel has.
        g, g0, per_g: Slopes of what was made of them, likewise.
        w, w0, w_out, w_in: What is written, at ``w0 + o · w_out + i · w_in + tap``.
        tables, table: See :mod:`.tables`: for each tap pairs (place of g, place of x).
        taps: Taps of the kernel.
        inputs, outputs: Channels of x and g.
        N: Numbers in a row.
    """
    places = table + taps + 1
    reads = places + tables[table + taps]
    for o in range(0, outputs, 4):
        rows = min(4, outputs - o)
        g2 = per_g * min(1, rows - 1) * N
        g3 = per_g * min(2, rows - 1) * N
        g4 = per_g * min(3, rows - 1) * N
        for tap in range(taps):
            first, last = tables[table + tap], tables[table + tap + 1]
            for i in range(0, inputs, 4):
                columns = min(4, inputs - i)
                r2 = per_x * min(1, columns - 1) * N
                r3 = per_x * min(2, columns - 1) * N
                r4 = per_x * min(3, columns - 1) * N
                a1 = a2 = a3 = a4 = b1 = b2 = b3 = b4 = c1 = c2 = c3 = c4 = d1 = d2 = d3 = d4 = none()
                for t in range(first, last):
                    gt = (g0 + o * per_g + tables[places + t]) * N
                    xt = (x0 + i * per_x + tables[reads + t]) * N
                    for at in range(0, N, LANES):
                        x1, x2, x3, x4 = (
                            load(x, xt + at),
                            load(x, xt + r2 + at),
                            load(x, xt + r3 + at),
                            load(x, xt + r4 + at),
                        )
                        s = load(g, gt + at)
                        a1, a2, a3, a4 = fma(s, x1, a1), fma(s, x2, a2), fma(s, x3, a3), fma(s, x4, a4)
                        s = load(g, gt + g2 + at)
                        b1, b2, b3, b4 = fma(s, x1, b1), fma(s, x2, b2), fma(s, x3, b3), fma(s, x4, b4)
                        s = load(g, gt + g3 + at)
                        c1, c2, c3, c4 = fma(s, x1, c1), fma(s, x2, c2), fma(s, x3, c3), fma(s, x4, c4)
                        s = load(g, gt + g4 + at)
                        d1, d2, d3, d4 = fma(s, x1, d1), fma(s, x2, d2), fma(s, x3, d3), fma(s, x4, d4)
                to = w0 + o * w_out + i * w_in + tap
                _totals(w, to, w_in, columns, a1, a2, a3, a4)
                if rows > 1:
                    _totals(w, to + w_out, w_in, columns, b1, b2, b3, b4)
                if rows > 2:
                    _totals(w, to + 2 * w_out, w_in, columns, c1, c2, c3, c4)
                if rows > 3:
                    _totals(w, to + 3 * w_out, w_in, columns, d1, d2, d3, d4)


@kernel
def _totals(w: np.ndarray, to: int, step: int, columns: int, a: object, b: object, c: object, d: object) -> None:
    w[to] = total(a)
    if columns > 1:
        w[to + step] = total(b)
    if columns > 2:
        w[to + 2 * step] = total(c)
    if columns > 3:
        w[to + 3 * step] = total(d)
