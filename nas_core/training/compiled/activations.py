"""Activations and their slopes, number by number, as torch defines them."""

from __future__ import annotations

import numpy as np

from nas_core.training.compiled.fields import C_OUT, NEEDS, OPTION, OUT, P_OUT, Memory, X
from nas_core.training.compiled.functions import (
    ONE,
    ROOT_OF_TAU,
    bell,
    exponential,
    hyperbolic_tangent,
    log_one_plus,
    logistic,
    magnitude,
    normal,
)
from nas_core.training.compiled.jit import inlined, kernel
from nas_core.training.compiled.lanes import (
    LANES,
    add,
    at_most,
    fma,
    load,
    multiply,
    none,
    spread,
    store,
    subtract,
)

__all__ = ["ACTIVATIONS", "activate", "activate_back"]

ACTIVATIONS = ("relu", "sigmoid", "tanh", "gelu", "silu", "softplus")
"""The field ``OPTION`` is an index of them. GELU is the exact one; softplus has beta 1."""
RELU, SIGMOID, TANH, GELU, SILU = range(5)


@kernel
def activate(op: np.ndarray, m: Memory, N: int) -> None:
    """Compute an activation."""
    option, shift = op[OPTION], (op[X] - op[OUT]) * N
    for at in range(op[OUT] * N, (op[OUT] + op[C_OUT] * op[P_OUT]) * N, LANES):
        store(m.values, at, _value(option, load(m.values, at + shift)))


@kernel
def activate_back(op: np.ndarray, m: Memory, N: int) -> None:
    """Add the slopes of what it reads."""
    if not op[NEEDS]:
        return
    option, shift = op[OPTION], (op[X] - op[OUT]) * N
    for at in range(op[OUT] * N, (op[OUT] + op[C_OUT] * op[P_OUT]) * N, LANES):
        slope = _slope(option, load(m.values, at + shift), load(m.values, at))
        store(m.slopes, at + shift, fma(load(m.slopes, at), slope, load(m.slopes, at + shift)))


@inlined
def _value(option: int, x: object) -> object:
    if option == RELU:
        return at_most(x, none(), none(), x)
    if option == SIGMOID:
        return logistic(x)
    if option == TANH:
        return hyperbolic_tangent(x)
    if option == GELU:
        return multiply(x, normal(x, bell(x)))
    if option == SILU:
        return multiply(x, logistic(x))
    smaller = log_one_plus(exponential(subtract(none(), magnitude(x))))  # softplus, without overflow
    return add(at_most(x, none(), none(), x), smaller)


@inlined
def _slope(option: int, x: object, y: object) -> object:
    """Return the derivative where ``x`` became ``y``."""
    one = spread(ONE)
    if option == RELU:
        return at_most(y, none(), none(), one)
    if option == SIGMOID:
        return multiply(y, subtract(one, y))
    if option == TANH:
        return subtract(one, multiply(y, y))
    if option == GELU:
        height = bell(x)
        return fma(multiply(x, spread(ROOT_OF_TAU)), height, normal(x, height))
    share = logistic(x)
    if option == SILU:
        return multiply(share, fma(x, subtract(one, share), one))
    return share
