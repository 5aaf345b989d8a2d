"""The rescale rule of DeepLIFT for any network of torch: what each operation passes back is its mean slope.

A network runs on explained rows and their baselines at once. Its gradient at the explained rows is then computed with
the slope of every operation replaced by its mean slope on the straight line from baseline to row. For an operation of
one number that is the difference quotient, which is the rescale rule; for a product it is the mean of the other factor.
So no list of layers has to be complete: an operation without a closed form has its slope averaged numerically.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_unflatten

from nas_core.errors import ExplanationError

__all__ = ["RescaleRule"]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Operations whose slope is the same everywhere in what depends on the input, or that only move numbers.
LINEAR = _names(
    """linear conv1d conv2d conv3d batch_norm add __add__ __radd__ __iadd__ sub __sub__ __rsub__ rsub neg __neg__ sum
    mean cat concat concatenate stack reshape view view_as flatten unflatten squeeze unsqueeze transpose permute
    movedim t swapaxes expand expand_as repeat contiguous clone to double float type_as getitem __getitem__ select
    index_select gather narrow chunk split unbind take_along_dim roll flip tile pad masked_fill where dropout
    feature_dropout identity avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d unfold fold
    zeros_like ones_like full_like new_zeros new_ones detach __get__ cumsum diff"""
)
# Functions of one number, applied to each.
SINGLE = _names(
    """relu relu_ sigmoid tanh gelu silu softplus elu selu celu leaky_relu relu6 hardtanh hardsigmoid hardswish mish
    softsign logsigmoid tanhshrink exp exp2 expm1 log log1p sqrt rsqrt square reciprocal abs sin cos erf clamp clip
    clamp_min clamp_max pow __pow__"""
)
# Linear in each of two factors: the slope at the midpoint is the mean slope.
PRODUCT = _names("mul __mul__ __rmul__ multiply matmul __matmul__ __rmatmul__ bmm mm einsum")
QUOTIENT = _names("div __truediv__ true_divide divide")


class RescaleRule(TorchFunctionMode):
    """While active, operations on what depends on ``inputs`` pass mean slopes back instead of slopes.

    Args:
        inputs: (2n, …) the explained rows, then the baseline of each.
        nodes: Gauss–Legendre points for operations without a closed form.

    Source: Shrikumar et al. (2017), arXiv 1704.02685, the rescale rule; maxima and products as means of slopes are the
    Aumann–Shapley values of that operation.
    """

    def __init__(self, inputs: Tensor, nodes: int) -> None:
        super().__init__()
        self._nodes, self._rows = nodes, len(inputs)
        inputs.follows = True  # type: ignore[attr-defined]

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        leaves, spec = tree_flatten((args, kwargs))
        own = [i for i, leaf in enumerate(leaves) if isinstance(leaf, Tensor) and getattr(leaf, "follows", False)]
        if not own:
            return func(*args, **kwargs)

        def call(*tensors: Tensor) -> Any:
            filled = list(leaves)
            for i, tensor in zip(own, tensors):
                filled[i] = tensor
            a, k = tree_unflatten(filled, spec)
            return func(*a, **k)

        found = self._followed(func.__name__, call, [leaves[i] for i in own], args, kwargs)
        for tensor in tree_flatten(found)[0]:
            if isinstance(tensor, Tensor) and tensor.is_floating_point():
                tensor.follows = True  # type: ignore[attr-defined]
        return found

    def _followed(self, name: str, call: Callable[..., Any], own: list[Tensor], args: Any, kwargs: Any) -> Any:
        """Return what the operation gives, with its mean slope where it has no constant one."""
        if name in LINEAR or (name in PRODUCT | QUOTIENT and len(own) == 1 and (name in PRODUCT or own[0] is args[0])):
            return call(*own)
        with torch.no_grad():
            plain = call(*[o.detach() for o in own])
        first = plain[0] if isinstance(plain, tuple) else plain
        if not isinstance(first, Tensor) or not first.is_floating_point():
            return plain  # sizes, comparisons, positions: nothing to pass back
        if wrong := [o for o in (*own, first) if len(o) != self._rows]:
            raise ExplanationError(
                f"The operation {name!r} of the network has {len(wrong[0])} rows instead of {self._rows}",
                allowed="networks that keep their rows apart, in the first dimension",
                fix="explain it by a method that only predicts",
            )
        if name in SINGLE and len(own) == 1:
            return _Secant.apply(call, own[0])
        if name == "layer_norm" and own[0] is args[0]:
            return _normalised(own[0], args, kwargs)
        if name in ("amax", "max_pool1d", "max_pool2d"):
            return _largest(_windows(name, own[0], first, args, kwargs)).reshape(first.shape)
        nodes = 1 if name in PRODUCT else self._nodes
        return _Mean.apply(call, nodes, *own)


class _Secant(torch.autograd.Function):
    """A function of one number: Δoutput / Δinput, and its slope where the input hardly differs."""

    @staticmethod
    def forward(ctx: Any, call: Callable[[Tensor], Tensor], z: Tensor) -> Tensor:
        n, y = len(z) // 2, call(z)
        dz, dy, middle = z[:n] - z[n:], y[:n] - y[n:], (z[:n] + z[n:]) / 2
        near = dz.abs() <= math.sqrt(torch.finfo(z.dtype).eps) * (1 + middle.abs())
        slope = dy / torch.where(near, torch.ones_like(dz), dz)
        if near.any():
            with torch.enable_grad():
                at = middle.detach().requires_grad_()
                (steep,) = torch.autograd.grad(call(at).sum(), at)
            slope = torch.where(near, steep, slope)
        ctx.save_for_backward(slope)
        return y

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        (slope,) = ctx.saved_tensors
        return None, g * torch.cat([slope, slope])


class _Maximum(torch.autograd.Function):
    """The larger of two numbers a and b: a + relu(b − a), by the rule for ReLU."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        n, ahead = len(a) // 2, b - a
        change = ahead[:n] - ahead[n:]
        up = (functional.relu(ahead[:n]) - functional.relu(ahead[n:])) / torch.where(change == 0, 1.0, change)
        half = torch.where(ahead[:n] == 0, 0.5, (ahead[:n] > 0).to(a.dtype))
        ctx.save_for_backward(torch.where(change == 0, half, up))
        return torch.maximum(a, b)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        share = torch.cat([ctx.saved_tensors[0]] * 2)
        return g * (1 - share), g * share


class _Mean(torch.autograd.Function):
    """Any operation: its slopes averaged over Gauss–Legendre points of the line from baselines to rows."""

    @staticmethod
    def forward(ctx: Any, call: Callable[..., Any], nodes: int, *own: Tensor) -> Any:
        ctx.call, ctx.nodes = call, nodes
        ctx.set_materialize_grads(False)  # the last states of a recurrent layer have their rows elsewhere
        ctx.save_for_backward(*own)
        return call(*own)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> Any:
        own: tuple[Tensor, ...] = ctx.saved_tensors
        n = len(own[0]) // 2
        at, weights = np.polynomial.legendre.leggauss(ctx.nodes)
        at, weights = np.append((at + 1) / 2, 0.5), np.append(weights / 2, 0.0)
        total = [torch.zeros_like(o[:n]) for o in own]
        for i in range(0, ctx.nodes, 2):  # two points at a time: the operation may hold tensors of 2n rows
            points = [
                torch.cat([torch.lerp(o[n:], o[:n], float(t)) for t in at[i : i + 2]]).detach().requires_grad_()
                for o in own
            ]
            with torch.enable_grad():
                found = ctx.call(*points)
            outputs = found if isinstance(found, tuple) else (found,)
            known = [(y, g) for y, g in zip(outputs, gradients) if g is not None and y.requires_grad]
            if not known:
                continue
            scaled = [torch.cat([float(w) * g[:n] for w in weights[i : i + 2]]) for _, g in known]
            for k, part in enumerate(torch.autograd.grad([y for y, _ in known], points, scaled, allow_unused=True)):
                if part is not None:
                    total[k] += part[:n] + part[n:]
        return None, None, *(torch.cat([t, t]) for t in total)


def _normalised(z: Tensor, args: Any, kwargs: Any) -> Tensor:
    """Return the layer normalisation of ``z``, made of a square, a root and products, whose mean slopes are exact."""
    names = ("normalized_shape", "weight", "bias", "eps")
    known = {"weight": None, "bias": None, "eps": 1e-5, **dict(zip(names, args[1:])), **kwargs}
    shape = known["normalized_shape"]
    dims = tuple(range(-(1 if isinstance(shape, int) else len(shape)), 0))
    centred = z - z.mean(dims, keepdim=True)
    variance = _Secant.apply(torch.square, centred).mean(dims, keepdim=True)
    result: Tensor = _Mean.apply(torch.mul, 1, centred, _Secant.apply(torch.rsqrt, variance + known["eps"]))
    if known["weight"] is not None:
        result = result * known["weight"]
    return result if known["bias"] is None else result + known["bias"]


def _largest(values: Tensor) -> Tensor:
    """Return the largest of ``values`` (2n, …, k) over the last dimension, pair by pair."""
    while values.shape[-1] > 1:
        half = values.shape[-1] // 2
        winners = _Maximum.apply(values[..., :half], values[..., half : 2 * half])
        values = torch.cat([winners, values[..., 2 * half :]], dim=-1)
    return values[..., 0]


def _windows(name: str, z: Tensor, result: Tensor, args: Any, kwargs: Any) -> Tensor:
    """Return what each number of the ``result`` is the largest of: (2n, …, k)."""
    if name == "amax":
        given = kwargs.get("dim", args[1] if len(args) > 1 else ())
        dims = [d % z.dim() for d in (given if isinstance(given, (tuple, list)) else [given])]
        dims = dims or list(range(z.dim()))
        others = [d for d in range(z.dim()) if d not in dims]
        return z.permute(*others, *dims).reshape(*(z.shape[d] for d in others), -1)
    flat = name == "max_pool1d"
    names = ("kernel_size", "stride", "padding", "dilation")
    known = {**dict(zip(names, args[1:])), **kwargs}
    kernel = _pair(known["kernel_size"], flat)
    stride = _pair(known.get("stride") or known["kernel_size"], flat)
    around, apart = _pair(known.get("padding", 0), flat, 0), _pair(known.get("dilation", 1), flat)
    maps, size = (z[:, :, None], (1, result.shape[-1])) if flat else (z, result.shape[-2:])
    after = [
        max(0, (size[d] - 1) * stride[d] + apart[d] * (kernel[d] - 1) + 1 - maps.shape[2 + d] - around[d])
        for d in (0, 1)
    ]
    lowest = torch.finfo(z.dtype).min / 4
    padded = functional.pad(maps, (around[1], after[1], around[0], after[0]), value=lowest)
    parts = [
        padded[:, :, i * apart[0] :: stride[0], j * apart[1] :: stride[1]][:, :, : size[0], : size[1]]
        for i in range(kernel[0])
        for j in range(kernel[1])
    ]
    return torch.stack(parts, dim=-1)


def _pair(given: Any, flat: bool, low: int = 1) -> tuple[int, int]:
    """Return a size of two dimensions; one of steps is that of the second."""
    values = list(given) if isinstance(given, (tuple, list)) else [given] * (1 if flat else 2)
    return (low, int(values[0])) if flat else (int(values[0]), int(values[1]))
