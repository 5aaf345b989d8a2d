"""The network of an image architecture as a torch module: (n, channels, height, width) → (n, C).

Standard layers, each used once in a pass, nothing in place; what joins two maps is a module too, so that any
attribution method may hook into it. Submodules have the names that the plan gives its layers.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from nas_core.spaces.image.plan import Layer, plan_of, squeezed
from nas_core.spaces.image.rules import CONVOLUTIONS, KERNEL, ImageRules
from nas_core.spaces.layers import Dropout, SignalNetwork

__all__ = ["ImageNetwork", "SpatialAttention", "SqueezeExcitation", "image_network"]

Values = dict[str, Any]

_ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "softplus": nn.Softplus,
}


class Add(nn.Module):
    """The sum of the maps a block was given and those it made."""

    def forward(self, before: Tensor, made: Tensor) -> Tensor:
        return before + made


class Concatenate(nn.Module):
    """The maps a block was given, then those it made."""

    def forward(self, before: Tensor, made: Tensor) -> Tensor:
        return torch.cat([before, made], dim=1)


class Scale(nn.Module):
    """Maps times a gate."""

    def forward(self, x: Tensor, gate: Tensor) -> Tensor:
        return x * gate


class ChannelSummary(nn.Module):
    """Mean and largest value over the channels: (n, c, h, w) → (n, 2, h, w)."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], dim=1)


class SqueezeExcitation(nn.Module):
    """A gate for each channel, from the means of all channels (Hu et al. 2018, arXiv 1709.01507)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mean = nn.AdaptiveAvgPool2d(1)
        self.squeeze = nn.Conv2d(channels, squeezed(channels), 1)
        self.activation = nn.ReLU()
        self.excite = nn.Conv2d(squeezed(channels), channels, 1)
        self.gate = nn.Sigmoid()
        self.scale = Scale()

    def forward(self, x: Tensor) -> Tensor:
        gates = self.gate(self.excite(self.activation(self.squeeze(self.mean(x)))))
        scaled: Tensor = self.scale(x, gates)
        return scaled


class SpatialAttention(nn.Module):
    """A gate for each place, from mean and largest channel around it (Woo et al. 2018, arXiv 1807.06521)."""

    def __init__(self) -> None:
        super().__init__()
        self.summary = ChannelSummary()
        self.convolution = nn.Conv2d(2, 1, 3, padding=1)
        self.gate = nn.Sigmoid()
        self.scale = Scale()

    def forward(self, x: Tensor) -> Tensor:
        scaled: Tensor = self.scale(x, self.gate(self.convolution(self.summary(x))))
        return scaled


class Stage(nn.Module):
    """Blocks with the joins around them, then a transition; the children run in their order."""

    def forward(self, x: Tensor) -> Tensor:
        before = x
        for child in self.children():
            if isinstance(child, (Add, Concatenate)):
                x = child(before, x)
            else:
                before, x = x, child(x)
        return x


class ImageNetwork(SignalNetwork):
    """Stages of blocks and a head; see :class:`nas_core.spaces.layers.SignalNetwork`.

    Attributes:
        layers: The blocks, transitions and hidden layers by name.
    """

    def __init__(self, rules: ImageRules, values: Values) -> None:
        super().__init__()
        plan = plan_of(rules, values)
        self._stages: list[str] = []
        self._head: list[str] = []
        found: list[str] = []
        self._linear = values["head"] == "gap_linear"
        for layer in plan.layers:
            if layer.stage < 0:
                continue
            owner, name = layer.name.split(".")
            if owner not in self._stages:
                self.add_module(owner, Stage())
                self._stages.append(owner)
            self.get_submodule(owner).add_module(name, _part(layer, values))
            found += [] if layer.operation in ("add", "concat") else [layer.name]
        rest = [x for x in plan.layers if x.stage < 0]
        for name, module in _head_parts(rest, values, bool(values["stages"])).items():
            self.add_module(name, module)
            self._head.append(name)
        self.layers = (*found, *(x.name for x in rest if x.operation == "hidden"))

    def features(self, x: Tensor) -> Tensor:
        """Return the maps (n, F, height, width) of images ``x`` (n, channels, height, width)."""
        for name in self._stages:
            x = self.get_submodule(name)(x)
        return x

    def head(self, maps: Tensor) -> Tensor:
        """Return the outputs (n, C) of the maps."""
        for name in self._head:
            maps = self.get_submodule(name)(maps)
        return maps

    @property
    def map_weights(self) -> Tensor | None:
        """(C, F) what each map adds to each output, for a linear head; else None."""
        weights: Tensor = self.get_submodule("readout").weight  # type: ignore[assignment]
        return weights if self._linear else None


def image_network(rules: ImageRules, values: Values) -> ImageNetwork:
    """Return the untrained network of canonical ``values``."""
    return ImageNetwork(rules, values)


def _part(layer: Layer, values: Values) -> nn.Module:
    """Return the module of a block, a join or a transition."""
    operation = layer.operation
    if operation in CONVOLUTIONS:
        return _convolution(layer, values, KERNEL[operation], 1, separable=operation.startswith("sep"))
    if operation == "down.conv":
        return _convolution(layer, values, 3, 2, separable=False)
    if operation == "se":
        return SqueezeExcitation(layer.inputs)
    fixed: dict[str, Callable[[], nn.Module]] = {
        "max": lambda: nn.MaxPool2d(3, stride=1, padding=1),
        "avg": lambda: nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False),
        "down.max": lambda: nn.MaxPool2d(2, ceil_mode=True),
        "down.avg": lambda: nn.AvgPool2d(2, ceil_mode=True),
        "attention": SpatialAttention,
        "add": Add,
        "concat": Concatenate,
    }
    return fixed[operation]()


def _convolution(layer: Layer, values: Values, kernel: int, stride: int, *, separable: bool) -> nn.Module:
    c, w, bias = layer.inputs, layer.outputs, values["normalisation"] == "none"
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    if separable:
        parts["depthwise"] = nn.Conv2d(c, c, kernel, padding=kernel // 2, groups=c, bias=False)
        parts["pointwise"] = nn.Conv2d(c, w, 1, bias=bias)
    else:
        parts["convolution"] = nn.Conv2d(c, w, kernel, stride=stride, padding=kernel // 2, bias=bias)
    if not bias:
        parts["norm"] = nn.BatchNorm2d(w)
    if values["activation"] != "identity":
        parts["activation"] = _ACTIVATIONS[values["activation"]]()
    return nn.Sequential(parts)


def _head_parts(layers: list[Layer], values: Values, made: bool) -> OrderedDict[str, nn.Module]:
    """Return the modules of the head; ``made`` says whether it reads maps, not pixels, which dropout would spoil."""
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    if layers[0].operation == "mean":
        parts["mean"] = nn.AdaptiveAvgPool2d(1)
    parts["flatten"] = nn.Flatten()
    for at, layer in enumerate(x for x in layers if x.operation != "mean"):
        if values["dropout"] and (made or at):
            parts[f"dropout{at + 1}"] = Dropout(values["dropout"])
        if layer.operation == "hidden":
            parts[layer.name] = _dense(layer, values)
        else:
            parts[layer.name] = nn.Linear(layer.inputs, layer.outputs)
    return parts


def _dense(layer: Layer, values: Values) -> nn.Module:
    bias = values["normalisation"] == "none"
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    parts["linear"] = nn.Linear(layer.inputs, layer.outputs, bias=bias)
    if not bias:
        parts["norm"] = nn.BatchNorm1d(layer.outputs)
    if values["activation"] != "identity":
        parts["activation"] = _ACTIVATIONS[values["activation"]]()
    return nn.Sequential(parts)
