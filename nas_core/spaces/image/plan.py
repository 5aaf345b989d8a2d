"""The layers of a convolutional network with their shapes and costs: what facts, graph and module are made from.

For a map of m = height · width places, c channels in and w out, kernel k: a convolution has k²·c·w weights and w
biases, a separable one k²·c + c·w weights and w biases; a batch norm replaces the biases by 2·w parameters.
Squeeze-excitation has two 1×1 convolutions with biases through r = max(1, c // 4) units, spatial attention one 3×3
convolution, with a bias, of the mean and the largest channel. Operations are multiply-adds plus function evaluations of
one prediction: weights once for each place, w·m for an activation (identity is free), a batch norm and a residual sum,
c·m for each input of a pooling window (9 or 4), one for each number read by a mean or scaled by a gate. Padding counts,
joining maps is free.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from nas_core.spaces.image.rules import CONVOLUTIONS, KERNEL, POOLS, ImageRules, Size, halved

__all__ = ["Layer", "Plan", "keeps_width", "plan_of", "squeezed"]

Values = dict[str, Any]


class Layer(NamedTuple):
    """One layer.

    Attributes:
        name: The submodule that computes it, "stage1.block2" or "hidden1".
        operation: A block's operation; "add" or "concat" where a skip connection ends; "down.max", "down.avg" or
            "down.conv" of stride 2; of the head "mean", "hidden" or "readout".
        stage: Index of the stage, −1 for the head.
        inputs, outputs: Channels, or units of a dense layer.
        size, after: Height and width before and after.
        parameters, operations: What it costs.
    """

    name: str
    operation: str
    stage: int
    inputs: int
    outputs: int
    size: Size
    after: Size
    parameters: int
    operations: int


class Plan(NamedTuple):
    """A network's layers in their order; ``maps`` is the shape (F, height, width) that the head reads."""

    layers: tuple[Layer, ...]
    maps: tuple[int, int, int]
    parameters: int
    operations: int


def squeezed(channels: int) -> int:
    """Return the units between the two layers of a squeeze-excitation of this many channels."""
    return max(1, channels // 4)


def keeps_width(operation: str, inputs: int, width: int | None) -> bool:
    """Return whether a residual connection around this block adds maps of one shape."""
    return operation in CONVOLUTIONS and inputs == width


def plan_of(rules: ImageRules, values: Values) -> Plan:
    """Return the plan of canonical ``values``."""
    layers: list[Layer] = []
    normed, active = values["normalisation"] == "batch", values["activation"] != "identity"
    connections = values["connections"]
    channels, size = rules.channels, rules.size
    for s, stage in enumerate(values["stages"]):
        for b, block in enumerate(stage["blocks"]):
            layer = _block(f"stage{s + 1}.block{b + 1}", s, block, channels, size, normed, active)
            layers.append(layer)
            name, outputs = f"stage{s + 1}.join{b + 1}", layer.outputs
            if connections == "residual" and keeps_width(layer.operation, channels, outputs):
                layers.append(Layer(name, "add", s, outputs, outputs, size, size, 0, outputs * size[0] * size[1]))
            elif connections == "dense" and layer.operation in CONVOLUTIONS:
                outputs += channels
                layers.append(Layer(name, "concat", s, outputs, outputs, size, size, 0, 0))
            channels = outputs
        if stage["transition"]["operation"] != "none":
            layer = _transition(s, stage["transition"], channels, size, normed, active)
            layers.append(layer)
            channels, size = layer.outputs, layer.after
    maps = (channels, *size)
    _head(layers, rules.outputs, values, maps, normed, active)
    return Plan(tuple(layers), maps, sum(x.parameters for x in layers), sum(x.operations for x in layers))


def _weighted(weights: int, places: int, outputs: int, normed: bool, active: bool) -> tuple[int, int]:
    """Return (parameters, operations) of ``weights`` used at each place, with their norm or biases and activation."""
    parameters = weights + (2 * outputs if normed else outputs)
    return parameters, places * (weights + outputs * (normed + active))


def _block(
    name: str, stage: int, block: dict[str, Any], channels: int, size: Size, normed: bool, active: bool
) -> Layer:
    operation = block["operation"]
    places, kernel = size[0] * size[1], KERNEL[operation]
    outputs = block["width"] if operation in CONVOLUTIONS else channels
    if operation in CONVOLUTIONS:
        one_map = kernel * kernel * channels
        weights = one_map + channels * outputs if operation in ("sep3", "sep5") else one_map * outputs
        cost = _weighted(weights, places, outputs, normed, active)
    elif operation in POOLS:
        cost = 0, kernel * kernel * channels * places
    elif operation == "se":
        r = squeezed(channels)
        cost = 2 * channels * r + r + channels, 2 * channels * places + 2 * channels * r + r + channels
    else:
        cost = 19, (3 * channels + 19) * places  # mean, largest, scaling; 18 weights and a sigmoid
    return Layer(name, operation, stage, channels, outputs, size, size, *cost)


def _transition(
    stage: int, transition: dict[str, Any], channels: int, size: Size, normed: bool, active: bool
) -> Layer:  # fmt: skip
    after, operation = halved(size), transition["operation"]
    places, outputs = after[0] * after[1], channels
    if operation == "conv":
        outputs = transition["width"]
        cost = _weighted(9 * channels * outputs, places, outputs, normed, active)
    else:
        cost = 0, 4 * channels * places
    return Layer(f"stage{stage + 1}.transition", f"down.{operation}", stage, channels, outputs, size, after, *cost)


def _head(
    layers: list[Layer], outputs: int, values: Values, maps: tuple[int, int, int], normed: bool, active: bool
) -> None:
    """Append the layers of the head."""
    one: Size = (1, 1)
    width, size = maps[0], (maps[1], maps[2])
    if values["head"] == "gap_linear":
        layers.append(Layer("mean", "mean", -1, width, width, size, one, 0, width * size[0] * size[1]))
    else:
        width *= size[0] * size[1]
    for k in range(values["hidden_depth"]):
        hidden = values["hidden_width"]
        cost = _weighted(width * hidden, 1, hidden, normed, active)
        layers.append(Layer(f"hidden{k + 1}", "hidden", -1, width, hidden, one, one, *cost))
        width = hidden
    layers.append(Layer("readout", "readout", -1, width, outputs, one, one, width * outputs + outputs, width * outputs))
