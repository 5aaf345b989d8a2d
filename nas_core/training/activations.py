"""Activation functions on slices of a stack, forward and backward, without temporaries.

The same formulas as ``torch.nn``; ``z`` is the input, ``a`` the result, both (S, H, N).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["ACTIVATION_NAMES", "activate", "activate_backward"]

aten = torch.ops.aten

FORWARD: dict[str, Callable[[Tensor, Tensor], object]] = {
    "gelu": lambda z, out: aten.gelu.out(z, out=out),
    "identity": lambda z, out: out.copy_(z),
    "relu": lambda z, out: torch.clamp_min(z, 0, out=out),
    "sigmoid": lambda z, out: torch.sigmoid(z, out=out),
    "silu": lambda z, out: aten.silu.out(z, out=out),
    "softplus": lambda z, out: aten.softplus.out(z, 1, 20, out=out),
    "tanh": lambda z, out: torch.tanh(z, out=out),
}

# (gradient of the result, z, a, gradient of z); the last may be the first
BACKWARD: dict[str, Callable[[Tensor, Tensor, Tensor, Tensor], object]] = {
    "gelu": lambda g, z, a, out: aten.gelu_backward.grad_input(g, z, grad_input=out),
    "identity": lambda g, z, a, out: None if g is out else out.copy_(g),
    "relu": lambda g, z, a, out: aten.threshold_backward.grad_input(g, a, 0, grad_input=out),
    "sigmoid": lambda g, z, a, out: aten.sigmoid_backward.grad_input(g, a, grad_input=out),
    "silu": lambda g, z, a, out: aten.silu_backward.grad_input(g, z, grad_input=out),
    "softplus": lambda g, z, a, out: aten.softplus_backward.grad_input(g, z, 1, 20, grad_input=out),
    "tanh": lambda g, z, a, out: aten.tanh_backward.grad_input(g, a, grad_input=out),
}

ACTIVATION_NAMES = tuple(FORWARD)

Slices = list[tuple[str, int, int]]


def activate(z: Tensor, slices: Slices) -> Tensor:
    """Apply to each slice (name, start, stop) of the first axis its activation."""
    a = torch.empty_like(z)
    for name, start, stop in slices:
        FORWARD[name](z[start:stop], a[start:stop])
    return a


def activate_backward(g: Tensor, z: Tensor, a: Tensor, slices: Slices) -> Tensor:
    """Turn the gradient ``g`` of the result into the gradient of ``z``, in place."""
    for name, start, stop in slices:
        part = g[start:stop]
        BACKWARD[name](part, z[start:stop], a[start:stop], part)
    return g
