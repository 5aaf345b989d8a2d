"""Repair of stages: what an operator made is brought back to what fits the images and the bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nas_core.spaces.image.canonical import NO_TRANSITION, cleaned
from nas_core.spaces.image.faults import block_fault, still_pooled
from nas_core.spaces.image.rules import CONVOLUTIONS, ImageRules, Size, halved

__all__ = ["any_of", "fitted_stages", "nearest_width", "transition_of", "usable_stages", "width_at", "with_stage"]

Block = dict[str, Any]
Stages = list[Block]


def usable_stages(rules: ImageRules) -> int:
    """Return how many stages the images have room for: one on a single place has nothing to convolve."""
    count, size = 0, rules.size
    while count < rules.blocks.max_stages and size != (1, 1):
        count, size = count + 1, halved(size)
    return count


def nearest_width(rules: ImageRules, width: int) -> int:
    """Return the width of the domain that is nearest by ratio, the smaller one of two."""
    return min(rules.blocks.widths, key=lambda w: (max(w / width, width / w), w))


def fitted_stages(rules: ImageRules, stages: Stages, rng: np.random.Generator) -> Stages:
    """Return cleaned stages inside the bounds and the domain.

    Foreign operations become a convolution of the space, blocks that make no sense where they are go, as do surplus
    blocks and stages and stages left without blocks; stages that are missing are drawn.
    """
    variable, size = rules.blocks, rules.size
    kept: Stages = []
    for stage in cleaned(stages, size):
        if len(kept) == variable.max_stages or size == (1, 1):
            break
        blocks = _fitted_blocks(rules, stage["blocks"], size, rng)
        if not blocks:
            continue
        kept.append({"blocks": blocks, "transition": _fitted_transition(rules, stage["transition"], rng)})
        if kept[-1]["transition"]["operation"] == "none":
            break
        size = halved(size)
    while len(kept) < variable.min_stages and size != (1, 1):
        if kept and kept[-1]["transition"]["operation"] == "none":
            kept[-1]["transition"] = _any_transition(rules, rng)
            size = halved(size)
            continue
        blocks = _fitted_blocks(rules, [{"operation": "identity"}] * variable.min_blocks, size, rng)
        kept.append({"blocks": blocks, "transition": dict(NO_TRANSITION)})
    return cleaned(kept, rules.size)


def with_stage(stages: Stages, s: int, **changes: Any) -> Stages:
    """Return stages with some fields of stage ``s`` replaced."""
    return [*stages[:s], {**stages[s], **changes}, *stages[s + 1 :]]


def width_at(stages: Stages, s: int, rules: ImageRules) -> int:
    """Return the width of the nearest convolution at or before stage s, else after it, else the middle one."""
    for at in [*range(min(s, len(stages) - 1), -1, -1), *range(s + 1, len(stages))]:
        found = [b["width"] for b in stages[at]["blocks"] if "width" in b]
        if found:
            width: int = found[-1]
            return width
    return rules.blocks.widths[len(rules.blocks.widths) // 2]


def any_of(choices: Sequence[str], rng: np.random.Generator) -> str | None:
    """Return one of the choices, None without any."""
    return choices[int(rng.random() * len(choices))] if choices else None


def transition_of(operation: str | None, width: int) -> Block:
    """Return a transition by its operation, None for none; a convolution gets ``width``."""
    if operation is None:
        return dict(NO_TRANSITION)
    return {"operation": operation, "width": width} if operation == "conv" else {"operation": operation}


def _fitted_blocks(rules: ImageRules, blocks: list[Block], size: Size, rng: np.random.Generator) -> list[Block]:
    variable = rules.blocks
    if len(blocks) > variable.max_blocks:
        chosen = sorted(rng.permutation(len(blocks))[: variable.max_blocks].tolist())
        blocks = [blocks[i] for i in chosen]
    fitted: list[Block] = []
    pooled = False
    for block in blocks:
        fits = _fitted_block(rules, block, size, pooled, rng)
        if fits is not None:
            fitted.append(fits)
            pooled = still_pooled(fits, pooled)
    while fitted and len(fitted) < variable.min_blocks:
        more = _fitted_block(rules, {"operation": "identity"}, size, pooled, rng)
        if more is None:
            return []
        fitted.append(more)
        pooled = still_pooled(more, pooled)
    return fitted


def _fitted_block(rules: ImageRules, block: Block, size: Size, pooled: bool, rng: np.random.Generator) -> Block | None:
    """Return the block, or what replaces it in this space at this size, or None when nothing does."""
    variable, operation = rules.blocks, block["operation"]
    if operation in CONVOLUTIONS and block["width"] not in variable.widths:
        block = {**block, "width": nearest_width(rules, block["width"])}
    if block_fault(rules, block, size, pooled) is None:
        return block
    if operation in variable.operations:
        return None  # allowed, but senseless here
    for other in variable.convolutions:
        width = block.get("width") or variable.widths[int(rng.random() * len(variable.widths))]
        changed = {"operation": other, "width": width}
        if block_fault(rules, changed, size, pooled) is None:
            return changed
    spare = [{"operation": o} for o in variable.operations if o not in CONVOLUTIONS]
    return next((b for b in spare if block_fault(rules, b, size, pooled) is None), None)


def _fitted_transition(rules: ImageRules, transition: Block, rng: np.random.Generator) -> Block:
    operation = transition["operation"]
    if operation == "none":
        return dict(NO_TRANSITION)
    if operation not in rules.blocks.transitions:
        return _any_transition(rules, rng)
    if operation == "conv":
        return {"operation": "conv", "width": nearest_width(rules, transition["width"])}
    return {"operation": operation}


def _any_transition(rules: ImageRules, rng: np.random.Generator) -> Block:
    widths = rules.blocks.widths
    return transition_of(any_of(rules.blocks.transitions, rng), widths[int(rng.random() * len(widths))])
