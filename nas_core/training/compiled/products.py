"""Products of a kernel with the rows of a value: what nearly all the work of a network of signals is.

Eight vectors of sums or more stay in registers while taps and channels go by, enough to hide how long a multiply-add
takes; the blocks are as wide as the channels allow, so that no lane of them works for nothing.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from nas_core.training.compiled.blocks import blank, fill, inner, keep, outer, read, scatter
from nas_core.training.compiled.jit import within
from nas_core.training.compiled.lanes import LANES

__all__ = ["ADD", "NO_BIAS", "ONE", "SET", "correlate", "weigh"]

SET, ADD, ONE, NO_BIAS = (cast(int, np.int64(number)) for number in (0, 1, 1, -1))
"""Numbers whose type is that of any other: numba compiles a kernel anew for each int that is written into a call."""

WIDE, BROAD = (2, 4) if LANES == 16 else (1, 2)
"""Vectors beside eight rows of sums, and beside four: sixteen sums where there are 32 registers, eight where 16."""
CHUNK = 128
"""Pairs of places after which sums over the batch are written down, so that what they read stays near."""


@within
def weigh(
    x: np.ndarray, x0: int, per_x: int, w: np.ndarray, w0: int, w_out: int, w_in: int, bias: int,
    y: np.ndarray, y0: int, per_y: int, tables: np.ndarray, table: int, inputs: int, outputs: int, N: int, add: int,
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
        add: 1 where what y holds is added to, 0 where it is overwritten.
    """
    of = (x, w, y, tables, (x0, per_x, w0, w_out, w_in, bias, y0, per_y, table, inputs, N), add)
    eight = outputs // 8 * 8
    six = eight + (outputs - eight) // 6 * 6
    four = six + (outputs - six) // 4 * 4
    even, wide, broad, fourfold = (
        N // (2 * LANES) * 2 * LANES, N // (WIDE * LANES) * WIDE * LANES, N // (BROAD * LANES) * BROAD * LANES,
        N // (4 * LANES) * 4 * LANES,
    )  # fmt: skip
    if eight:
        _weigh(blank(8, WIDE), of, 0, eight, 0, wide)
        _weigh(blank(8, 1), of, 0, eight, wide, N)
    if eight < six:
        _weigh(blank(6, 2), of, eight, six, 0, even)
        _weigh(blank(6, 1), of, eight, six, even, N)
    if six < four:
        _weigh(blank(4, BROAD), of, six, four, 0, broad)
        _weigh(blank(4, 1), of, six, four, broad, N)
    if four < outputs:
        _weigh(blank(1, 4), of, four, outputs, 0, fourfold)
        _weigh(blank(1, 1), of, four, outputs, fourfold, N)


@within
def _weigh(
    block: tuple[tuple[object, ...], ...], of: tuple[Any, ...], first: int, last: int, start: int, stop: int,
) -> None:  # fmt: skip
    """Compute channels ``first`` to ``last``, columns ``start`` to ``stop`` in blocks of a size."""
    x, w, y, tables, sizes, add = of
    x0, per_x, w0, w_out, w_in, bias, y0, per_y, table, inputs, N = sizes
    reads = table + per_y + 1
    taps = reads + tables[table + per_y]
    for o in range(first, last, len(block)):
        for p in range(per_y):
            for at in range(start, stop, len(block[0]) * LANES):
                to = (y0 + o * per_y + p) * N + at
                if add:
                    sums = read(block, y, to, per_y * N)
                elif bias >= 0:
                    sums = fill(block, w, bias + o, 1)
                else:
                    sums = block
                for t in range(tables[table + p], tables[table + p + 1]):
                    weight = w0 + o * w_out + tables[taps + t]
                    row = (x0 + tables[reads + t]) * N + at
                    for i in range(inputs):
                        sums = outer(sums, w, weight + i * w_in, w_out, x, row + i * per_x * N)
                keep(sums, y, to, per_y * N)


@within
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
    of = (x, g, w, tables, (x0, per_x, g0, per_g, w0, w_out, w_in, table, taps, N))
    four, two = outputs // 4 * 4, outputs // 2 * 2
    broad, even = inputs // BROAD * BROAD, inputs // 2 * 2
    for begin in range(0, per_g, CHUNK):
        if four:
            _correlate(blank(4, BROAD), of, begin, 0, four, 0, broad)
            _correlate(blank(4, 2), of, begin, 0, four, broad, even)
            _correlate(blank(4, 1), of, begin, 0, four, even, inputs)
        if four < two:
            _correlate(blank(2, BROAD), of, begin, four, two, 0, broad)
            _correlate(blank(2, 2), of, begin, four, two, broad, even)
            _correlate(blank(2, 1), of, begin, four, two, even, inputs)
        if two < outputs:
            _correlate(blank(1, 1), of, begin, two, outputs, 0, inputs)


@within
def _correlate(
    block: tuple[tuple[object, ...], ...], of: tuple[Any, ...], begin: int, o_first: int, o_last: int, i_first: int,
    i_last: int,
) -> None:  # fmt: skip
    """Add what the pairs of each tap from ``begin`` on come to, for ranges of channels in blocks of a size."""
    x, g, w, tables, sizes = of
    x0, per_x, g0, per_g, w0, w_out, w_in, table, taps, N = sizes
    places = table + taps + 1
    reads = places + tables[table + taps]
    for o in range(o_first, o_last, len(block)):
        for tap in range(taps):
            first = tables[table + tap] + begin
            last = min(first + CHUNK, tables[table + tap + 1])
            for i in range(i_first, i_last, len(block[0])):
                sums = block
                for t in range(first, last):
                    at = (g0 + o * per_g + tables[places + t]) * N
                    row = (x0 + i * per_x + tables[reads + t]) * N
                    for column in range(0, N, LANES):
                        sums = inner(sums, g, at + column, per_g * N, x, row + column, per_x * N)
                scatter(sums, w, w0 + o * w_out + i * w_in + tap, w_out, w_in, begin > 0)
