"""From a step of a schedule of networks of sequences to what computes it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from nas_core.spaces.layers import Dropout, SignalNetwork
from nas_core.spaces.sequence.blocks import SelfAttention
from nas_core.training.batched.layout import Plan
from nas_core.training.batched.schedule import Step
from nas_core.training.batched.sequence_attention import attention
from nas_core.training.batched.sequence_cells import cells
from nas_core.training.batched.sequence_norms import channel_norm, step_norm
from nas_core.training.batched.sequence_works import (
    Work,
    convolution,
    each_channel,
    join,
    pooling,
    product,
    scale,
    words,
)

__all__ = ["size_of", "work_of"]


def size_of(step: Step, plans: Sequence[Plan]) -> int:
    """Return the padded channels of the value of a step."""
    member = step.members[0]
    return plans[member.network].layouts[member.operation].size


def work_of(
    step: Step, plans: Sequence[Plan], networks: Sequence[SignalNetwork], statistics: Tensor, device: torch.device
) -> Work:
    """Return what a step computes; ``statistics`` (2, S · C) are the running ones, where it has some."""
    kind, traits, size = step.kind, step.traits, size_of(step, plans)
    modules = [_module(plans[m.network], networks[m.network], m.operation) for m in step.members]
    widths = [plans[m.network].program.operations[m.operation].shape[2] for m in step.members]
    if kind == "words":
        return words(widths, size, step.slots, device)
    if kind in ("gates", "readout"):
        return product
    if kind == "convolve":
        kernel, dilation = traits
        return convolution(plans[0].program.given[1], kernel, dilation, device)
    if kind in ("gru", "lstm"):
        turned = [plans[m.network].program.operations[m.operation].traits for m in step.members]
        return cells(kind == "lstm", _turned(turned, size, step.slots, device))
    if kind == "join":
        return join
    if kind == "attend":
        return attention(traits[0], _scales(modules, step.slots, device))
    if kind == "step norm":
        return step_norm(statistics.view(2, step.slots, 1, size), *traits)
    if kind == "channel norm":
        return channel_norm(_means(widths, size, step.slots, device), *traits)
    if kind == "each channel":
        return each_channel([module for module in modules if module is not None], step.slots)
    if kind in ("scale", "scale and add"):
        dropouts = [module if isinstance(module, Dropout) else None for module in modules]
        return scale(dropouts, widths, size, step.slots, device)
    return pooling(kind, traits)


def _module(plan: Plan, network: SignalNetwork, operation: int) -> nn.Module | None:
    place = plan.program.operations[operation].place
    return network.get_submodule(place) if place else None


def _turned(members: Sequence[tuple[int, ...]], size: int, slots: int, device: torch.device) -> Tensor | None:
    """Return (S, 1, 1, H) which units read backwards; None where none does."""
    turned = torch.zeros(slots, 1, 1, size, dtype=torch.bool)
    for slot, (first, stop) in enumerate(members):
        turned[slot, ..., first:stop] = True
    return turned.to(device) if turned.any() else None


def _scales(modules: Sequence[nn.Module | None], slots: int, device: torch.device) -> Tensor:
    """Return (S, 1, 1, 1, 1) what the scores of attention are multiplied by."""
    scales = torch.ones(slots, 1, 1, 1, 1)
    for slot, module in enumerate(modules):
        assert isinstance(module, SelfAttention)
        scales[slot] = (module.out.in_features / module.heads) ** -0.5
    return scales.to(device)


def _means(widths: Sequence[int], size: int, slots: int, device: torch.device) -> Tensor:
    """Return (S, C, C) matrices by which a product is the mean over the channels that a network has."""
    means = torch.zeros(slots, size, size)
    for slot, width in enumerate(widths):
        means[slot, :width, :width] = 1 / width
    return means.to(device)
