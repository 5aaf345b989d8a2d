"""The slow twin of an image network: values read literally, with weights that depend on their order and shape.

It knows nothing of the canonical form: an identity block is computed, a 5×5 kernel stays one on 2×2 places.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

FUNCTIONS: dict[str, Any] = {
    "relu": F.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "gelu": F.gelu, "silu": F.silu,
    "softplus": F.softplus, "identity": lambda x: x,
}  # fmt: skip


class Weights:
    """Random weights in the order in which they are asked for; the same as those of ``image_examples.computed``."""

    def __init__(self) -> None:
        self.at = 0

    def take(self, *shape: int) -> Tensor:
        drawn = np.random.default_rng([0, self.at, *shape]).standard_normal(shape)
        self.at += 1
        fan = max(1, int(np.prod(shape[1:]))) if len(shape) > 1 else 1
        return torch.from_numpy(drawn) / fan**0.5


def literal(values: dict[str, Any], images: Tensor, outputs: int) -> Tensor:
    """Return the outputs (n, C) of the network that ``values`` describe, canonical or not."""
    weights, x = Weights(), images
    for stage in values["stages"]:
        for block in stage["blocks"]:
            made = _block(values, block, x, weights)
            wide = "width" in block
            if values["connections"] == "residual" and wide and made.shape == x.shape:
                made = x + made
            elif values["connections"] == "dense" and wide:
                made = torch.cat([x, made], 1)
            x = made
        x = _transition(values, stage["transition"], x, weights)
    return _head(values, x, weights, outputs)


def _block(values: dict[str, Any], block: dict[str, Any], x: Tensor, weights: Weights) -> Tensor:
    operation = block["operation"]
    if operation == "identity":
        return x
    if operation == "max":
        return F.max_pool2d(x, 3, 1, 1)
    if operation == "avg":
        return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    if operation == "se":
        return x * _gates(x, weights)
    if operation == "attention":
        seen = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], 1)
        return x * torch.sigmoid(F.conv2d(seen, weights.take(1, 2, 3, 3), weights.take(1), padding=1))
    kernel, width = int(operation[-1]), block["width"]
    if operation.startswith("sep"):
        x = F.conv2d(x, _kernel(weights, x.shape[1], 1, kernel, x), padding=kernel // 2, groups=x.shape[1])
        return _finished(values, F.conv2d(x, weights.take(width, x.shape[1], 1, 1)), weights)
    return _finished(
        values, F.conv2d(x, _kernel(weights, width, x.shape[1], kernel, x), padding=kernel // 2), weights
    )  # fmt: skip


def _kernel(weights: Weights, out: int, into: int, kernel: int, x: Tensor) -> Tensor:
    """Return weights; of a 5×5 kernel on at most 2×2 places the middle is drawn as a 3×3 one, the rest is large."""
    if kernel == 5 and max(x.shape[2:]) <= 2:
        return F.pad(weights.take(out, into, 3, 3), (1, 1, 1, 1), value=1e3)
    return weights.take(out, into, kernel, kernel)


def _gates(x: Tensor, weights: Weights) -> Tensor:
    c, r = x.shape[1], max(1, x.shape[1] // 4)
    squeezed = F.relu(F.conv2d(x.mean((2, 3), keepdim=True), weights.take(r, c, 1, 1), weights.take(r)))
    return torch.sigmoid(F.conv2d(squeezed, weights.take(c, r, 1, 1), weights.take(c)))


def _finished(values: dict[str, Any], x: Tensor, weights: Weights) -> Tensor:
    """Return x with the biases or the norm (fresh statistics), then the activation."""
    shape = (1, -1, *([1] * (x.dim() - 2)))
    if values["normalisation"] == "batch":
        x = x / (1 + 1e-5) ** 0.5 * weights.take(x.shape[1]).reshape(shape)
    made: Tensor = FUNCTIONS[values["activation"]](x + weights.take(x.shape[1]).reshape(shape))
    return made


def _transition(values: dict[str, Any], transition: dict[str, Any], x: Tensor, weights: Weights) -> Tensor:
    operation = transition["operation"]
    if operation == "none":
        return x
    if operation == "conv":
        drawn = weights.take(transition["width"], x.shape[1], 3, 3)
        return _finished(values, F.conv2d(x, drawn, stride=2, padding=1), weights)
    pool = F.max_pool2d if operation == "max" else F.avg_pool2d
    made: Tensor = pool(x, 2, ceil_mode=True)
    return made


def _head(values: dict[str, Any], x: Tensor, weights: Weights, outputs: int) -> Tensor:
    x = x.mean((2, 3)) if values["head"] == "gap_linear" else x.flatten(1)
    for _ in range(values["hidden_depth"] if values["head"] == "dense" else 0):
        x = _finished(values, F.linear(x, weights.take(values["hidden_width"], x.shape[1])), weights)
    return F.linear(x, weights.take(outputs, x.shape[1]), weights.take(outputs))


def raw_stages(most: int, blocks: list[dict[str, Any]], ends: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield every list of at most two stages of at most ``most`` blocks, whatever it means."""
    import itertools

    single = [list(c) for n in range(most + 1) for c in itertools.product(blocks, repeat=n)]
    stages = [{"blocks": b, "transition": t} for b in single for t in ends]
    for count in range(3):
        yield from (list(c) for c in itertools.product(stages, repeat=count))
