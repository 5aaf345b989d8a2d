"""The one form of an image architecture: networks that compute the same with the same weights have equal values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nas_core.spaces.image.plan import keeps_width
from nas_core.spaces.image.rules import CONVOLUTIONS, POOLS, ImageRules, Size, halved

__all__ = ["NO_TRANSITION", "canonical", "cleaned", "forced"]

Values = dict[str, Any]
Stages = list[dict[str, Any]]

NO_TRANSITION = {"operation": "none"}

_SMALLER = {"conv5": "conv3", "sep5": "sep3"}


def canonical(rules: ImageRules, values: Values) -> Values:
    """Return canonical values.

    Identity blocks, and pooling of a single place, are dropped, and stages that nothing divides become one. A 5×5
    kernel on at most 2×2 places is a 3×3 one: its border only ever meets padding. A mean over 2×2 blocks of places just
    before the mean over all places is dropped where both sides are even. A linear 1×1 convolution that keeps the width
    commutes with the mean pooling beside it, and comes first. A dense head without hidden layers on a single
    place is the linear head. What cannot matter is fixed by :func:`forced`.
    """
    stages = cleaned(values["stages"], rules.size)
    size = _final_size(stages, rules.size)
    changed = {**values, "stages": stages}
    if values["head"] == "dense" and values["hidden_depth"] == 0 and size == (1, 1):
        changed["head"] = "gap_linear"
    if changed["head"] == "gap_linear":
        changed["stages"] = _without_last_means(stages, rules.size)
    for name, variable in rules.reals.items():
        changed[name] = variable.tidy(changed[name])
    changed.update(forced(rules, changed))
    if (changed["activation"], changed["normalisation"]) == ("identity", "none") and changed["connections"] != "dense":
        changed["stages"] = _with_means_last(changed["stages"], rules.channels)
    return changed


def cleaned(stages: Stages, size: Size) -> Stages:
    """Return fresh stages without what computes nothing, merged where nothing divides them, kernels no larger than can
    matter."""
    kept: Stages = []
    open_blocks: list[dict[str, Any]] = []
    for stage in stages:
        open_blocks += _live_blocks(stage["blocks"], size)
        transition = stage["transition"]
        operation = transition["operation"]
        if operation == "none" or (size == (1, 1) and operation != "conv"):
            continue
        kept.append({"blocks": open_blocks, "transition": dict(transition)})
        open_blocks, size = [], halved(size)
    if open_blocks:
        kept.append({"blocks": open_blocks, "transition": dict(NO_TRANSITION)})
    return kept


def forced(rules: ImageRules, values: Values) -> Values:
    """Return the variables that mean nothing for these values (or have another name), with the value they are given.

    Activation and normalisation without a layer of weights to follow; connections without a convolution to go around,
    or, residual ones, without a convolution that keeps the width; dropout of pixels; what a head does not have. The
    result need not be in the domain of the variable.
    """
    found: Values = {}
    convolutions, keeps, weighted = _uses(values["stages"], rules.channels)
    if values["head"] == "gap_linear":
        found["hidden_depth"] = 0
    depth = found.get("hidden_depth", values["hidden_depth"])
    if depth == 0:
        found["hidden_width"] = 0
    if not weighted and depth == 0:
        found["activation"], found["normalisation"] = "identity", "none"
    if not convolutions or (not keeps and _is_residual(rules, values["connections"])):
        found["connections"] = "plain"
    if not values["stages"] and depth == 0:
        found["dropout"] = 0.0
    return found


def _is_residual(rules: ImageRules, connections: str) -> bool:
    return connections == "residual" or (connections == "plain" and not rules.offers("connections", "plain"))


def _uses(stages: Stages, channels: int) -> tuple[bool, bool, bool]:
    """Return whether there are convolution blocks, some that keep the width, and any convolution at all."""
    convolutions = keeps = weighted = False
    for stage in stages:
        for block in stage["blocks"]:
            if block["operation"] in CONVOLUTIONS:
                convolutions = True
                keeps = keeps or keeps_width(block["operation"], channels, block["width"])
                channels = block["width"]
        if stage["transition"]["operation"] == "conv":
            weighted, channels = True, stage["transition"]["width"]
    return convolutions, keeps, weighted or convolutions


def _live_blocks(blocks: Iterable[dict[str, Any]], size: Size) -> list[dict[str, Any]]:
    kept = []
    for block in blocks:
        operation = block["operation"]
        if operation == "identity" or (size == (1, 1) and operation in POOLS):
            continue
        if max(size) <= 2 and operation in _SMALLER:
            kept.append({**block, "operation": _SMALLER[operation]})
        else:
            kept.append(dict(block))
    return kept


def _final_size(stages: Stages, size: Size) -> Size:
    for stage in stages:
        if stage["transition"]["operation"] != "none":
            size = halved(size)
    return size


def _without_last_means(stages: Stages, size: Size) -> Stages:
    """Return stages that do not end in a mean over 2×2 places that the mean over all places repeats."""
    while stages and stages[-1]["transition"]["operation"] == "avg":
        before = _final_size(stages[:-1], size)
        if any(side > 1 and side % 2 for side in before):
            break
        last = {"blocks": stages[-1]["blocks"], "transition": dict(NO_TRANSITION)}
        stages = [*stages[:-1], last] if last["blocks"] else stages[:-1]
    return stages


def _with_means_last(stages: Stages, channels: int) -> Stages:
    """Return stages of linear convolutions in which 1×1 ones that keep the width go before the mean pooling."""
    ordered = []
    for stage in stages:
        blocks: list[dict[str, Any]] = []
        for block in stage["blocks"]:
            at = len(blocks)
            if block["operation"] == "conv1" and block["width"] == channels:
                while at and blocks[at - 1]["operation"] == "avg":
                    at -= 1
            blocks.insert(at, block)
            channels = block.get("width", channels)
        ordered.append({"blocks": blocks, "transition": stage["transition"]})
        channels = stage["transition"].get("width", channels)
    return ordered
