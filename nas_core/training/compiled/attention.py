"""Attention: products of maps with maps, each row of the batch by itself, and weights that sum to one.

Source: Vaswani et al. (2017), arXiv 1706.03762.
"""

from __future__ import annotations

import math

import numpy as np

from nas_core.training.compiled.fields import (
    C_IN,
    C_OUT,
    NEEDS,
    OPTION,
    OTHER,
    OUT,
    P_IN,
    P_OUT,
    PRESENT,
    Memory,
    X,
)  # fmt: skip
from nas_core.training.compiled.functions import exponential
from nas_core.training.compiled.jit import kernel, within
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
from nas_core.training.compiled.products import ADD, ONE, SET

__all__ = ["mix", "mix_back", "place", "place_back", "scores", "scores_back", "soften", "soften_back"]

COORDINATES = 8
BLOCK = 4 if LANES == 16 else 2
"""Rows whose sums, with four others, stay in registers: there are 32 of 16 lanes, 16 of fewer."""
NOWHERE = np.float32(-1e30)
"""A score whose weight is 0, but which leaves numbers where all scores are such."""


@kernel
def scores(op: np.ndarray, m: Memory, N: int) -> None:
    """Compute weights of attention from queries ``X`` and keys ``OTHER``; its channels are heads · places of ``X``."""
    width, P, S = op[C_IN], op[P_IN], op[P_OUT]
    heads = op[C_OUT] // P
    each = width // heads
    scale = np.float32(1 / math.sqrt(each))
    for h in range(heads):
        first, to = h * each, op[OUT] + h * P * S
        products(
            m.values, op[X] + first * P, ONE, P, m.values, op[OTHER] + first * S, ONE, S, m.values, to, S, ONE,
            P, S, each, scale, N, SET,
        )  # fmt: skip
    _softmax(op, m, N)


@kernel
def scores_back(op: np.ndarray, m: Memory, N: int) -> None:
    """Add the slopes of queries and keys."""
    width, P, S = op[C_IN], op[P_IN], op[P_OUT]
    heads = op[C_OUT] // P
    each = width // heads
    scale = np.float32(1 / math.sqrt(each))
    _softmax_back(op, m, N)
    for h in range(heads):
        first, to = h * each, op[OUT] + h * P * S
        queries, keys = op[X] + first * P, op[OTHER] + first * S
        products(
            m.values, keys, S, ONE, m.slopes, to, S, ONE, m.slopes, queries, P, ONE, each, P, S, scale, N, ADD
        )  # fmt: skip
        products(
            m.values, queries, P, ONE, m.slopes, to, ONE, S, m.slopes, keys, S, ONE, each, S, P, scale, N, ADD
        )  # fmt: skip


@kernel
def mix(op: np.ndarray, m: Memory, N: int) -> None:
    """Sum the channels of ``X`` over its places with the weights ``OTHER``; each of ``OPTION`` heads its own."""
    P, S, heads = op[P_OUT], op[P_IN], op[OPTION]
    each = op[C_OUT] // heads
    for h in range(heads):
        products(
            m.values, op[X] + h * each * S, S, ONE, m.values, op[OTHER] + h * P * S, S, ONE,
            m.values, op[OUT] + h * each * P, P, ONE, each, P, S, np.float32(1.0), N, SET,
        )  # fmt: skip


@kernel
def mix_back(op: np.ndarray, m: Memory, N: int) -> None:
    """Add the slopes of channels and weights."""
    P, S, heads = op[P_OUT], op[P_IN], op[OPTION]
    each = op[C_OUT] // heads
    for h in range(heads):
        maps, weights, out = op[X] + h * each * S, op[OTHER] + h * P * S, op[OUT] + h * each * P
        products(
            m.slopes, out, ONE, P, m.values, maps, ONE, S, m.slopes, weights, S, ONE, P, S, each, np.float32(1.0), N,
            ADD,
        )  # fmt: skip
        if op[NEEDS]:
            products(
                m.slopes, out, P, ONE, m.values, weights, ONE, S, m.slopes, maps, S, ONE,
                each, S, P, np.float32(1.0), N, ADD,
            )  # fmt: skip


@kernel
def soften(op: np.ndarray, m: Memory, N: int) -> None:
    """Make weights that sum to one of the scores of the places of each channel."""
    size = op[C_OUT] * op[P_OUT] * N
    for at in range(0, size, LANES):
        store(m.values, op[OUT] * N + at, load(m.values, op[X] * N + at))
    _softmax(op, m, N)


@kernel
def soften_back(op: np.ndarray, m: Memory, N: int) -> None:
    """Add the slopes of the scores."""
    _softmax_back(op, m, N)
    size = op[C_OUT] * op[P_OUT] * N
    for at in range(0, size, LANES):
        x = op[X] * N + at
        store(m.slopes, x, add(load(m.slopes, x), load(m.slopes, op[OUT] * N + at)))


@kernel
def place(op: np.ndarray, m: Memory, N: int) -> None:
    """Put sine and cosine of each place at four speeds behind the channels of ``X``."""
    steps = op[P_OUT]
    size = op[C_IN] * steps * N
    for at in range(0, size, LANES):
        store(m.values, op[OUT] * N + at, load(m.values, op[X] * N + at))
    half = COORDINATES // 2
    for k in range(half):
        speed = np.float32(1000.0 ** (-k / half))
        for p in range(steps):
            angle = np.float32(p) * speed
            sine, cosine = spread(np.float32(math.sin(angle))), spread(np.float32(math.cos(angle)))
            row = (op[OUT] + (op[C_IN] + k) * steps + p) * N
            for at in range(0, N, LANES):
                store(m.values, row + at, sine)
                store(m.values, row + half * steps * N + at, cosine)


@kernel
def place_back(op: np.ndarray, m: Memory, N: int) -> None:
    """Add the slopes of the channels."""
    if op[NEEDS]:
        size = op[C_IN] * op[P_OUT] * N
        for at in range(0, size, LANES):
            x = op[X] * N + at
            store(m.slopes, x, add(load(m.slopes, x), load(m.slopes, op[OUT] * N + at)))


@within
def _softmax(op: np.ndarray, m: Memory, N: int) -> None:
    """Turn the scores of each channel where they lie into weights; those of steps that are not there are 0."""
    S, there = op[P_OUT], op[PRESENT]
    one, nowhere, away = spread(np.float32(1.0)), spread(NOWHERE), spread(-NOWHERE)
    for c in range(op[C_OUT]):
        first = (op[OUT] + c * S) * N
        for at in range(first, first + N, LANES):
            top = nowhere
            for s in range(S):
                a = load(m.values, at + s * N)
                if there >= 0:
                    here = load(m.values, there * N + at - first + s * N)
                    a = fma(a, here, fma(away, here, nowhere))
                    store(m.values, at + s * N, a)
                top = at_most(a, top, top, a)
            whole = none()
            for s in range(S):
                a = exponential(subtract(load(m.values, at + s * N), top))
                whole = add(whole, a)
                store(m.values, at + s * N, a)
            share = divide(one, whole)
            for s in range(S):
                store(m.values, at + s * N, multiply(share, load(m.values, at + s * N)))


@within
def _softmax_back(op: np.ndarray, m: Memory, N: int) -> None:
    """Turn the slopes of weights where they lie into those of the scores."""
    S, there = op[P_OUT], op[PRESENT]
    for c in range(op[C_OUT]):
        first = (op[OUT] + c * S) * N
        for at in range(first, first + N, LANES):
            mean = none()
            for s in range(S):
                mean = fma(load(m.values, at + s * N), load(m.slopes, at + s * N), mean)
            for s in range(S):
                a = multiply(load(m.values, at + s * N), subtract(load(m.slopes, at + s * N), mean))
                if there >= 0:
                    a = multiply(a, load(m.values, there * N + at - first + s * N))
                store(m.slopes, at + s * N, a)


@within
def products(
    x: np.ndarray, x0: int, x_out: int, x_in: int, y: np.ndarray, y0: int, y_out: int, y_in: int,
    z: np.ndarray, z0: int, z_x: int, z_y: int, A: int, B: int, terms: int, scale: np.float32, N: int, plus: int,
) -> None:  # fmt: skip
    """Set rows of N numbers, or add to them: z[a, b] = scale · Σ x[a, i] · y[b, i], each row of the batch by itself.

    Args:
        x, x0, x_out, x_in: An array, the row of its [0, 0], how many rows further the next a and the next i lie.
        y, y0, y_out, y_in: Likewise for b and i.
        z, z0, z_x, z_y: What is written, for a and b.
        A, B, terms: How many a, b and i there are.
        scale: What sums are multiplied with.
        N: Numbers in a row.
        plus: 1 where what z holds is added to, 0 where it is overwritten.
    """
    factor, step_x, step_y, step_z = spread(scale), x_out * N, y_out * N, z_y * N
    for a in range(0, A, BLOCK):
        rows = min(BLOCK, A - a)
        x2, x3, x4 = step_x * min(1, rows - 1), step_x * min(2, rows - 1), step_x * min(3, rows - 1)
        for b in range(0, B, 4):
            rest = min(4, B - b) - 1
            y2, y3, y4 = step_y * min(1, rest), step_y * min(2, rest), step_y * min(3, rest)
            for at in range(0, N, LANES):
                xi, yi = (x0 + a * x_out) * N + at, (y0 + b * y_out) * N + at
                a1 = a2 = a3 = a4 = b1 = b2 = b3 = b4 = c1 = c2 = c3 = c4 = d1 = d2 = d3 = d4 = none()
                for _ in range(terms):
                    v1, v2, v3, v4 = load(y, yi), load(y, yi + y2), load(y, yi + y3), load(y, yi + y4)
                    s = load(x, xi)
                    a1, a2, a3, a4 = fma(s, v1, a1), fma(s, v2, a2), fma(s, v3, a3), fma(s, v4, a4)
                    s = load(x, xi + x2)
                    b1, b2, b3, b4 = fma(s, v1, b1), fma(s, v2, b2), fma(s, v3, b3), fma(s, v4, b4)
                    if BLOCK == 4:
                        s = load(x, xi + x3)
                        c1, c2, c3, c4 = fma(s, v1, c1), fma(s, v2, c2), fma(s, v3, c3), fma(s, v4, c4)
                        s = load(x, xi + x4)
                        d1, d2, d3, d4 = fma(s, v1, d1), fma(s, v2, d2), fma(s, v3, d3), fma(s, v4, d4)
                    xi += x_in * N
                    yi += y_in * N
                to = (z0 + a * z_x + b * z_y) * N + at
                _put(z, to, step_z, rest, factor, plus, a1, a2, a3, a4)
                if rows > 1:
                    _put(z, to + z_x * N, step_z, rest, factor, plus, b1, b2, b3, b4)
                if rows > 2:
                    _put(z, to + 2 * z_x * N, step_z, rest, factor, plus, c1, c2, c3, c4)
                if rows > 3:
                    _put(z, to + 3 * z_x * N, step_z, rest, factor, plus, d1, d2, d3, d4)


@within
def _put(
    z: np.ndarray, to: int, step: int, rest: int, factor: object, plus: int, a: object, b: object, c: object, d: object
) -> None:
    store(z, to, fma(factor, a, load(z, to) if plus else none()))
    if rest > 0:
        store(z, to + step, fma(factor, b, load(z, to + step) if plus else none()))
    if rest > 1:
        store(z, to + 2 * step, fma(factor, c, load(z, to + 2 * step) if plus else none()))
    if rest > 2:
        store(z, to + 3 * step, fma(factor, d, load(z, to + 3 * step) if plus else none()))
