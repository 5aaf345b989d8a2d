"""The same function in fewer steps: a trained signal network rewritten for the thousands of predictions of a measure.

* Normalisation that follows a convolution or a linear layer is folded into its weights.
* Pooling of images is element-wise operations on shifted maps, which are vectorised whatever the layout. Those of torch
  are not where channels come first, or are few: with 4 to 32 channels of 8 × 8 they took 2 to 20 times as long.
* tanh(x) is 2σ(2x) − 1, which takes a quarter of the time and is as exact to 2e-7.
* Channels come first: with pooling out of the way, small networks took 0.8 to 1 times as long as with channels last.
"""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from nas_core.spaces.layers import Dropout, SignalNetwork

__all__ = ["quickened"]


def quickened(network: SignalNetwork) -> SignalNetwork:
    """Return a network with the same outputs and layers, up to rounding, that is faster in eval mode.

    It shares the weights that it does not change. Its submodules have the names of the original; a normalisation that
    is folded into the layer before it passes its input on.
    """
    tensors = [*network.parameters(), *network.buffers()]
    kept = [*tensors, *(m.generator for m in network.modules() if isinstance(m, Dropout))]
    twin = copy.deepcopy(network, {id(part): part for part in kept if part is not None}).eval()
    for module in twin.modules():
        if isinstance(module, nn.Sequential):
            _fold(module)
    for module in list(twin.modules()):
        for name, child in module.named_children():
            if (quick := _replaced(child)) is not None:
                setattr(module, name, quick)
        if isinstance(module, nn.Conv2d):  # a parameter of its own: the original keeps its layout
            module.weight = nn.Parameter(module.weight.detach().contiguous(), requires_grad=False)
    return twin


def _fold(sequence: nn.Sequential) -> None:
    """Fold every normalisation into the layer before it."""
    for (name, layer), (following, norm) in pairwise(list(sequence.named_children())):
        if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            fused: nn.Module = fuse_conv_bn_eval(layer, norm)
        elif isinstance(layer, nn.Linear) and isinstance(norm, nn.BatchNorm1d):
            fused = fuse_linear_bn_eval(layer, norm)
        else:
            continue
        setattr(sequence, name, fused)
        setattr(sequence, following, nn.Identity())


def _replaced(module: nn.Module) -> nn.Module | None:
    """Return what replaces a pooling or an activation, None where nothing is faster."""
    if isinstance(module, nn.Tanh):
        return QuickTanh()
    if isinstance(module, nn.MaxPool2d):
        settings = (module.kernel_size, module.stride, module.padding, module.dilation, module.ceil_mode)
        return {(2, 2, 0, 1, True): PairPooling(largest=True), (3, 1, 1, 1, False): NeighbourPooling(largest=True)}.get(
            cast("tuple[int, int, int, int, bool]", settings)
        )
    if isinstance(module, nn.AvgPool2d):
        pooled = (module.kernel_size, module.stride, module.padding)
        if module.divisor_override is None and pooled == (2, 2, 0) and module.ceil_mode:
            return PairPooling(largest=False)
        if module.divisor_override is None and pooled == (3, 1, 1) and not module.count_include_pad:
            return NeighbourPooling(largest=False)
    return None


class QuickTanh(nn.Module):
    """The hyperbolic tangent by the logistic function."""

    def forward(self, x: Tensor) -> Tensor:
        """Return tanh(x)."""
        return torch.sigmoid(2 * x).mul_(2).sub_(1)


class PairPooling(nn.Module):
    """Pooling of 2 × 2 places with stride 2; what is left at the edge is pooled alone."""

    def __init__(self, *, largest: bool) -> None:
        super().__init__()
        self.largest = largest

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, c, ⌈height / 2⌉, ⌈width / 2⌉)."""
        for axis in (2, 3):
            size = x.shape[axis]
            pairs = x.narrow(axis, 0, size - size % 2)
            first, second = _every_other(pairs, axis, 0), _every_other(pairs, axis, 1)
            made = torch.maximum(first, second) if self.largest else (first + second).mul_(0.5)
            x = made if size % 2 == 0 else torch.cat([made, x.narrow(axis, size - 1, 1)], dim=axis)
        return x


class NeighbourPooling(nn.Module):
    """Pooling of the 3 × 3 places around each; beyond the edge there is nothing."""

    def __init__(self, *, largest: bool) -> None:
        super().__init__()
        self.largest = largest

    def forward(self, x: Tensor) -> Tensor:
        """Return maps of the same size."""
        around = pad(x, (1, 1, 1, 1), value=float("-inf") if self.largest else 0.0)
        for axis in (2, 3):
            size = x.shape[axis]
            first, own, last = (around.narrow(axis, at, size) for at in range(3))
            pair = torch.maximum(first, own) if self.largest else first + own
            around = torch.maximum(pair, last) if self.largest else pair.add_(last)
        return around if self.largest else around.mul_(_shares(x))


def _every_other(x: Tensor, axis: int, start: int) -> Tensor:
    """Return every second place along an axis."""
    return x[:, :, start::2] if axis == 2 else x[:, :, :, start::2]


def _shares(x: Tensor) -> Tensor:
    """Return (height, width) one over how many places there are around each."""
    counts = [torch.full((size,), 3.0, dtype=x.dtype, device=x.device) for size in x.shape[2:]]
    for count in counts:
        count[0] -= 1
        count[-1] -= 1
    return 1 / (counts[0][:, None] * counts[1])
