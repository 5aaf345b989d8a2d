"""What the steps of a pack of networks compute: values (n, height, width, channels) in, one such value out.

All channels of all networks lie side by side. Each network's part depends on its own part of what is given alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from nas_core.spaces.layers import Dropout
from nas_core.training.batched.schedule import Step

__all__ = ["Products", "Work", "dropout", "each_channel", "norm", "of_kind"]

Work = Callable[[Sequence[Tensor], Sequence[Tensor], bool], Tensor]
"""Values, parameters, whether it is training → the value."""


def of_kind(step: Step) -> Work:
    """Return what a step without a state computes."""
    if step.kind in ("convolution", "first convolution", "depthwise"):
        groups = {"convolution": step.slots, "first convolution": 1, "depthwise": step.width}[step.kind]
        return _convolution(step.traits[1], step.traits[2], groups)
    if step.kind in ("linear", "flatten", "channel mean", "channel largest", "place gate"):
        return {
            "linear": _linear, "flatten": _flatten, "channel mean": _channel_mean, "channel largest": _channel_largest,
            "place gate": _place_gate,
        }[step.kind](step)  # fmt: skip
    return {"mean": _mean, "sum": _sum, "gate": _gate}[step.kind]


def norm(statistics: Tensor, momentum: float, epsilon: float) -> Work:
    """Return batch normalisation (Ioffe & Szegedy 2015) that keeps running ``statistics`` (mean and variance, C)."""

    def work(given: Sequence[Tensor], own: Sequence[Tensor], training: bool) -> Tensor:
        x = given[0].permute(0, 3, 1, 2)
        y = functional.batch_norm(x, statistics[0], statistics[1], own[0], own[1], training, momentum, epsilon)
        return y.permute(0, 2, 3, 1).contiguous()

    return work


def each_channel(module: nn.Module) -> Work:
    """Return an activation or a pooling, which has no state."""

    def work(given: Sequence[Tensor], own: Sequence[Tensor], training: bool) -> Tensor:
        y: Tensor = module(given[0].permute(0, 3, 1, 2))
        return y.permute(0, 2, 3, 1).contiguous()

    return work


def dropout(modules: Sequence[Dropout], places: Sequence[np.ndarray], device: torch.device) -> Work:
    """Return dropout with the noise that each network draws alone, from its own generator."""
    spots = [torch.from_numpy(at).to(device) for at in places]

    def work(given: Sequence[Tensor], own: Sequence[Tensor], training: bool) -> Tensor:
        x = given[0]
        if not training:
            return x
        scale = torch.zeros_like(x)
        for module, at in zip(modules, spots, strict=True):
            shape = (x.shape[0], len(at), *x.shape[1:3])
            keep = torch.rand(shape, generator=module.generator, device=x.device) >= module.p
            scale[..., at] = keep.permute(0, 2, 3, 1) / (1 - module.p)
        return x * scale

    return work


def _convolution(stride: Any, padding: Any, groups: int) -> Work:
    def work(given: Sequence[Tensor], own: Sequence[Tensor], training: bool) -> Tensor:
        weight, bias = own
        x = given[0].permute(0, 3, 1, 2)
        y = functional.conv2d(x, weight.permute(0, 3, 1, 2), bias, stride, padding, groups=groups)
        value: Tensor = y.permute(0, 2, 3, 1).contiguous()
        return value

    return work


class Products(torch.autograd.Function):
    """Batched products of contiguous matrices: in others the bits may depend on how far their rows lie apart.

    x (S, n, inputs), weight (S, inputs, outputs), bias (S, 1, outputs) → (S, n, outputs).
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        x = x.contiguous()
        ctx.save_for_backward(x, weight)
        return torch.baddbmm(bias, x, weight)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        y = gradients[0].contiguous()
        return torch.bmm(y, weight.mT), torch.bmm(x.mT, y), y.sum(1, keepdim=True)


def _linear(step: Step) -> Work:
    def work(given: Sequence[Tensor], own: Sequence[Tensor], training: bool) -> Tensor:
        n = len(given[0])
        x = given[0].reshape(n, step.slots, -1).transpose(0, 1)
        y: Tensor = Products.apply(x, *own)
        return y.transpose(0, 1).reshape(n, 1, 1, -1)

    return work


def _flatten(step: Step) -> Work:
    def work(given: Sequence[Tensor], own: Sequence[Tensor], training: bool) -> Tensor:
        n, height, width, _ = given[0].shape
        return given[0].view(n, height, width, step.slots, -1).permute(0, 3, 1, 2, 4).reshape(n, 1, 1, -1)

    return work


def _by_network(x: Tensor, step: Step) -> Tensor:
    return x.unflatten(-1, (step.slots, -1))


def _channel_mean(step: Step) -> Work:
    channels: int = step.traits[0]

    def work(given: Sequence[Tensor], own: Sequence[Tensor], training: bool) -> Tensor:
        return _by_network(given[0], step)[..., :channels].mean(-1)

    return work


def _channel_largest(step: Step) -> Work:
    channels: int = step.traits[0]

    def work(given: Sequence[Tensor], own: Sequence[Tensor], training: bool) -> Tensor:
        return _by_network(given[0], step)[..., :channels].amax(-1)

    return work


def _place_gate(step: Step) -> Work:
    def work(given: Sequence[Tensor], own: Sequence[Tensor], training: bool) -> Tensor:
        return (_by_network(given[0], step) * _by_network(given[1], step)[..., :1]).flatten(-2)

    return work


def _mean(given: Sequence[Tensor], own: Sequence[Tensor], training: bool) -> Tensor:
    return given[0].mean((1, 2), keepdim=True)


def _sum(given: Sequence[Tensor], own: Sequence[Tensor], training: bool) -> Tensor:
    return given[0] + given[1]


def _gate(given: Sequence[Tensor], own: Sequence[Tensor], training: bool) -> Tensor:
    return given[0] * given[1]
