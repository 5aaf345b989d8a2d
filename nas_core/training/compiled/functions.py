"""Exponentials and their kin on vectors: numba would call the mathematical library number by number.

Ranges are reduced as in Cephes (Moshier, 1989). The polynomials are minimax fits of our own, by least squares with the
weights of Lawson (1961) in double precision; their coefficients begin with the constant. NaN goes through.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nas_core.training.compiled.jit import inlined
from nas_core.training.compiled.lanes import (
    add,
    at_most,
    divide,
    fma,
    multiply,
    none,
    scaled,
    spread,
    subtract,
)  # fmt: skip

__all__ = ["bell", "exponential", "hyperbolic_tangent", "log_one_plus", "logistic", "magnitude", "normal"]

ONE = np.float32(1.0)
LOG2_E = np.float32(1.442695)
MINUS_LN2 = (np.float32(-0.693359375), np.float32(2.12194440e-4))
"""-ln 2 as a sum: k times the first number has no error for the k that occur."""
ROUNDING = np.float32(1.5 * 2**23)
"""A small number added to it is rounded to a whole one, which lies in the last bits."""
LOWEST, HIGHEST = np.float32(-110.0), np.float32(90.0)
"""Beyond them the exponential is 0 or infinite in single precision."""
ROOT_OF_TAU = np.float32(0.3989422804014327)
"""1 / √(2π)."""

EXPONENTIAL = tuple(
    np.float32(c) for c in (1.0, 1.0, 0.49999993, 0.16666519, 0.04166841, 0.0083689, 0.00138142)
)  # fmt: skip
"""e^r where |r| ≤ ln 2 / 2, within 3.2e-9."""
AREA_TANGENT = tuple(np.float32(c) for c in (0.33333338, 0.19999444, 0.14308308, 0.10715269, 0.12145164))
"""(artanh(s) / s - 1) / s² of s² where s ≤ 1/3, within 1.1e-10 of artanh(s) / s."""
TANGENT = tuple(np.float32(c) for c in (-0.33333282, 0.13331446, -0.05374007, 0.02064046, -0.00570676))
"""(tanh(x) / x - 1) / x² of x² where |x| ≤ 0.625, within 4.4e-9 of tanh(x) / x."""
TAIL = tuple(
    np.float32(c)
    for c in (
        0.5, -1.1968266, 1.0531548, -0.28696525, -0.15878235, 0.062257685, 0.009106341, 0.083937354, -0.09311091,
        0.027234212,
    )
)  # fmt: skip
"""Φ(-x) · e^(x² / 2) of x / (x + 3) where 0 ≤ x ≤ 14.5, within 9.2e-9 of it."""


@inlined
def polynomial(x: object, coefficients: tuple[Any, ...]) -> object:
    """Return a polynomial by Horner's rule; the loop over a constant tuple is unrolled."""
    value = spread(coefficients[-1])
    for i in range(len(coefficients) - 2, -1, -1):
        value = fma(value, x, spread(coefficients[i]))
    return value


@inlined
def magnitude(x: object) -> object:
    """Return |x|."""
    return at_most(x, none(), subtract(none(), x), x)


@inlined
def exponential(x: object) -> object:
    """Return e^x."""
    x = at_most(x, spread(LOWEST), spread(LOWEST), at_most(spread(HIGHEST), x, spread(HIGHEST), x))
    power = fma(x, spread(LOG2_E), spread(ROUNDING))
    k = subtract(power, spread(ROUNDING))
    r = fma(k, spread(MINUS_LN2[1]), fma(k, spread(MINUS_LN2[0]), x))
    return scaled(polynomial(r, EXPONENTIAL), power)


@inlined
def log_one_plus(u: object) -> object:
    """Return log(1 + u) for u from 0 to 1: twice artanh(u / (2 + u))."""
    s = divide(u, add(u, spread(np.float32(2.0))))
    square = multiply(s, s)
    half = fma(multiply(s, square), polynomial(square, AREA_TANGENT), s)
    return add(half, half)


@inlined
def logistic(x: object) -> object:
    """Return 1 / (1 + e^-x)."""
    one = spread(ONE)
    return divide(one, add(one, exponential(subtract(none(), x))))


@inlined
def hyperbolic_tangent(x: object) -> object:
    """Return tanh(x): a polynomial near 0, 1 - 2 / (e^(2 |x|) + 1) elsewhere."""
    size, square, one = magnitude(x), multiply(x, x), spread(ONE)
    near = fma(multiply(x, square), polynomial(square, TANGENT), x)
    two = spread(np.float32(2.0))
    far = subtract(one, divide(two, add(exponential(add(size, size)), one)))
    far = at_most(x, none(), subtract(none(), far), far)
    return at_most(size, spread(np.float32(0.625)), near, far)


@inlined
def bell(x: object) -> object:
    """Return e^(-x² / 2)."""
    return exponential(multiply(multiply(x, x), spread(np.float32(-0.5))))


@inlined
def normal(x: object, bell: object) -> object:
    """Return Φ(x), the normal distribution function, given e^(-x² / 2)."""
    size, farthest = magnitude(x), spread(np.float32(14.5))  # beyond it the bell is 0; where x is NaN, NaN
    size = at_most(size, farthest, size, farthest)
    beyond = multiply(polynomial(divide(size, add(size, spread(np.float32(3.0)))), TAIL), bell)
    return at_most(x, none(), beyond, subtract(spread(ONE), beyond))
