"""The most operations a network of an image space can need, from the bounds alone."""

from __future__ import annotations

from nas_core.spaces.image.plan import squeezed
from nas_core.spaces.image.rules import CONVOLUTIONS, KERNEL, POOLS, ImageRules, Size, halved

__all__ = ["max_operations"]


def max_operations(rules: ImageRules) -> int:
    """Return an upper bound on the operations of any architecture; every cost grows with its channels and its places.

    Each block is the most expensive one at the most channels it can meet, each stage is full, and the number of stages
    is the one that costs most with its head. Channels add up along dense connections.
    """
    variable = rules.blocks
    normed, active = rules.offers("normalisation", "batch"), set(rules.choices["activation"].choices) != {"identity"}
    per_value = int(normed) + int(active)
    widest = variable.widths[-1]
    joins = rules.offers("connections", "dense") and bool(variable.convolutions)
    adds = int(rules.offers("connections", "residual"))
    channels, size, total = rules.channels, rules.size, 0
    most = _head(rules, channels, size, per_value) if variable.min_stages == 0 else 0
    for s in range(variable.max_stages):
        if size == (1, 1):
            break
        for _ in range(variable.max_blocks):
            places = size[0] * size[1]
            total += max(_block(o, channels, widest, places, per_value, adds) for o in variable.operations)
            if variable.convolutions:
                channels = channels + widest if joins else max(channels, widest)
        if s + 1 >= variable.min_stages:
            most = max(most, total + _head(rules, channels, size, per_value))
        size, places = halved(size), halved(size)[0] * halved(size)[1]
        total += max((_halving(t, channels, widest, places, per_value) for t in variable.transitions), default=0)
        channels = max(channels, widest) if "conv" in variable.transitions else channels
        if s + 1 >= variable.min_stages:
            most = max(most, total + _head(rules, channels, size, per_value))
    limit = rules.limits.max_operations
    return most if limit is None else min(most, limit)


def _block(operation: str, channels: int, width: int, places: int, per_value: int, adds: int) -> int:
    kernel = KERNEL[operation] ** 2
    if operation in CONVOLUTIONS:
        separable = operation.startswith("sep")
        weights = kernel * channels + channels * width if separable else kernel * channels * width
        return places * (weights + width * (per_value + adds))
    if operation in POOLS:
        return kernel * channels * places
    if operation == "se":
        r = squeezed(channels)
        return 2 * channels * places + 2 * channels * r + r + channels
    return (3 * channels + 19) * places


def _halving(operation: str, channels: int, width: int, places: int, per_value: int) -> int:
    if operation == "conv":
        return places * (9 * channels * width + width * per_value)
    return 4 * channels * places


def _head(rules: ImageRules, channels: int, size: Size, per_value: int) -> int:
    flat = channels * size[0] * size[1]
    costs = [flat + channels * rules.outputs] if rules.offers("head", "gap_linear") else []
    if rules.offers("head", "dense"):
        widest = max(int(w) for w in rules.choices["hidden_width"].choices)
        for depth in {rules.hidden_depth.low, rules.hidden_depth.high}:
            cost, width = 0, flat
            for _ in range(depth):
                cost, width = cost + width * widest + widest * per_value, widest
            costs.append(cost + width * rules.outputs)
    return max(costs)
