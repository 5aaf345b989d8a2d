"""Normalisation in packs of networks of sequences, with its gradient: values (S, n, steps, C)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from nas_core.training.batched.sequence_works import Batch, Work

__all__ = ["channel_norm", "step_norm"]


def step_norm(statistics: Tensor, momentum: float, epsilon: float) -> Work:
    """Return batch normalisation over all steps that are there; running ``statistics`` (2, S, 1, C)."""

    def work(given: Sequence[Tensor], own: Sequence[Tensor], batch: Batch) -> Tensor:
        x = given[0].flatten(1, 2)
        if batch.training:
            y, mean, variance = _StepNorm.apply(x, *own, batch.shares, epsilon)
            statistics[0].lerp_(mean, momentum)
            statistics[1].lerp_(variance * batch.unbiased, momentum)
        else:
            slope = own[0] * torch.rsqrt(statistics[1] + epsilon)
            y = torch.addcmul(own[1] - statistics[0] * slope, x, slope)
        return y.view(given[0].shape)

    return work


class _StepNorm(torch.autograd.Function):
    """x (S, N, C), weight and bias (S, 1, C), shares (1, 1, N) → the value, and mean and variance (S, 1, C)."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, shares: Tensor, epsilon: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        shares = shares.expand(len(x), -1, -1).contiguous()
        mean = torch.bmm(shares, x)
        unit = x - mean
        variance = torch.bmm(shares, unit * unit)
        inverse = torch.rsqrt(variance + epsilon)
        unit.mul_(inverse)
        ctx.save_for_backward(unit, weight, inverse, shares)
        ctx.mark_non_differentiable(mean, variance)
        return torch.addcmul(bias, unit, weight), mean, variance

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        unit, weight, inverse, shares = ctx.saved_tensors
        y = gradients[0]
        level = y.sum(1, keepdim=True)
        along = (y * unit).sum(1, keepdim=True)
        pulled = torch.addcmul(level, unit, along)
        slope = torch.addcmul(y, pulled, shares.mT, value=-1).mul_(weight * inverse)
        return slope, along, level, None, None


def channel_norm(means: Tensor, epsilon: float) -> Work:
    """Return layer normalisation over the channels of each step.

    Args:
        means: (S, C, C) matrices by which a product is the mean over the channels that a network has.
        epsilon: What is added to the variance.
    """

    def work(given: Sequence[Tensor], own: Sequence[Tensor], batch: Batch) -> Tensor:
        y: Tensor = _ChannelNorm.apply(given[0].flatten(1, 2), *own, means, epsilon)
        return y.view(given[0].shape)

    return work


class _ChannelNorm(torch.autograd.Function):
    """x (S, N, C), which is 0 in channels that a network lacks, weight and bias (S, 1, C)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, means: Tensor, epsilon: float) -> Tensor:
        unit = torch.baddbmm(x, x, means, alpha=-1)
        inverse = torch.bmm(unit * unit, means).add_(epsilon).rsqrt_()
        unit.mul_(inverse)
        ctx.save_for_backward(unit, weight, inverse, means)
        return torch.addcmul(bias, unit, weight)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        unit, weight, inverse, means = ctx.saved_tensors
        y = gradients[0]
        scaled = y * weight
        along = torch.bmm(scaled * unit, means)
        slope = torch.baddbmm(scaled, scaled, means, alpha=-1).addcmul_(along, unit, value=-1).mul_(inverse)
        return slope, (y * unit).sum(1, keepdim=True), y.sum(1, keepdim=True), None, None
