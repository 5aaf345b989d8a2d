"""What is wrong with a list of stages, in words a person can act on."""

from __future__ import annotations

from typing import Any

from nas_core.spaces.image.rules import CONVOLUTIONS, OPERATIONS, POOLS, TRANSITIONS, WORDS, ImageRules, Size, halved

__all__ = ["block_fault", "form_fault", "stages_fault", "still_pooled"]

Stages = list[dict[str, Any]]


def form_fault(value: Any) -> str | None:
    """Return why ``value`` does not have the form of a list of stages, or None; bounds and domains aside."""
    if not isinstance(value, list):
        return f"stages is {value!r}; allowed: a list of stages"
    for s, stage in enumerate(value, start=1):
        if not isinstance(stage, dict) or set(stage) != {"blocks", "transition"}:
            return f'stage {s} is {stage!r}; allowed: {{"blocks": [...], "transition": {{"operation": ...}}}}'
        if not isinstance(stage["blocks"], list):
            return f"the blocks of stage {s} are {stage['blocks']!r}; allowed: a list"
        for b, block in enumerate(stage["blocks"], start=1):
            if reason := _part_fault(block, OPERATIONS, CONVOLUTIONS):
                return f"block {b} of stage {s} {reason}"
        if reason := _part_fault(stage["transition"], TRANSITIONS, ("conv",)):
            return f"the transition of stage {s} {reason}"
    return None


def stages_fault(rules: ImageRules, stages: Stages) -> str | None:
    """Return why cleaned ``stages`` are outside the bounds and the domain, or do not fit the images; or None."""
    variable, size = rules.blocks, rules.size
    if not variable.min_stages <= len(stages) <= variable.max_stages:
        return f"there are {len(stages)} stages; allowed: {variable.min_stages} to {variable.max_stages}"
    for s, stage in enumerate(stages, start=1):
        if not variable.min_blocks <= len(stage["blocks"]) <= variable.max_blocks:
            return (
                f"stage {s} has {len(stage['blocks'])} blocks that compute something; "
                f"allowed: {variable.min_blocks} to {variable.max_blocks}"
            )
        pooled = False
        for b, block in enumerate(stage["blocks"], start=1):
            if reason := block_fault(rules, block, size, pooled):
                return f"block {b} of stage {s} {reason}"
            pooled = still_pooled(block, pooled)
        operation = stage["transition"]["operation"]
        if operation == "none":
            continue  # only the last one is left without a transition
        if operation not in variable.transitions:
            return (
                f"the transition of stage {s} is {operation!r}; allowed: {', '.join(('none', *variable.transitions))}"
            )
        if size == (1, 1):
            return f"the transition of stage {s} meets a single place; allowed: none"
        if operation == "conv" and stage["transition"]["width"] not in variable.widths:
            return f"the transition of stage {s} {_width_words(rules, stage['transition']['width'])}"
        size = halved(size)
    return None


def still_pooled(block: dict[str, Any], pooled: bool) -> bool:
    """Return whether maps are largest values, at most scaled, after a block; ``pooled`` says so of those before it."""
    return block["operation"] == "max" or (pooled and block["operation"] == "se")


def block_fault(rules: ImageRules, block: dict[str, Any], size: Size, pooled: bool) -> str | None:
    """Return why a block is not in the domain or makes no sense on maps of this size, or None.

    Args:
        pooled: Whether the maps are largest values already. Maxima of maxima soon see the whole map and leave one
            number everywhere, after which different layers would be the same network.
    """
    operation, variable = block["operation"], rules.blocks
    allowed = operation in variable.operations
    if not allowed and max(size) <= 2 and operation in ("conv3", "sep3"):
        allowed = operation.replace("3", "5") in variable.operations  # what a 5×5 kernel becomes on 2×2 places
    if not allowed:
        return f"is {operation!r}; allowed: {', '.join(variable.operations)}"
    if size == (1, 1):
        return f"is a {WORDS[operation]} of a single place; use a dense head there, or fewer transitions"
    if operation in POOLS and max(size) <= 2:
        return f"is {WORDS[operation]} of {size[0]}×{size[1]} places, which gives one number; use a transition"
    if operation == "max" and pooled:
        return f"is a second {WORDS[operation]} in a row; use a transition, or a convolution between them"
    if operation in CONVOLUTIONS and block["width"] not in variable.widths:
        return _width_words(rules, block["width"])
    return None


def _width_words(rules: ImageRules, width: Any) -> str:
    return f"has width {width!r}; allowed: {', '.join(map(str, rules.blocks.widths))}"


def _part_fault(part: Any, operations: tuple[str, ...], wide: tuple[str, ...]) -> str | None:
    if not isinstance(part, dict) or not isinstance(part.get("operation"), str):
        return f'is {part!r}; allowed: {{"operation": ..., "width": ...}}'
    operation = part["operation"]
    if operation not in operations:
        return f"is {operation!r}; allowed: {', '.join(operations)}"
    if extra := set(part) - {"operation", "width"}:
        return f"has the field {min(map(str, extra))!r}; allowed: operation, width"
    width = part.get("width")
    if operation in wide and (not isinstance(width, int) or isinstance(width, bool) or width < 1):
        return f"has width {width!r}; allowed: a whole number of channels"
    if operation not in wide and "width" in part:
        return f"is {operation!r} and has a width; allowed: no width, it keeps its channels"
    return None
