"""Moves on stages: the draw of fresh ones and the random operators.

A random move takes the rules, the stages and a generator; it returns new stages, or None when it does not apply. It
need not stay inside the bounds: its result is repaired.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nas_core.spaces.image.rules import CONVOLUTIONS, ImageRules
from nas_core.spaces.image.stages import any_of, transition_of, usable_stages, width_at, with_stage

__all__ = ["MOVES", "divided", "draw_stages"]

Block = dict[str, Any]
Stages = list[dict[str, Any]]
Move = Callable[[ImageRules, Stages, np.random.Generator], "Stages | None"]

_FREQUENCY = {"conv3": 5.0, "conv5": 1.5, "sep3": 2.0, "sep5": 1.0, "conv1": 1.5}
"""How often a convolution is the main operation of a fresh network, beside the others."""

_EMPTY = 0.1
"""Share of fresh networks without a stage, where the space has them."""

_GROWTH = (0, 1, 1, 1, 2)
"""By how many steps the width grows from stage to stage."""


def draw_stages(rules: ImageRules, rng: np.random.Generator) -> Stages:
    """Return fresh stages: a main convolution, a first width uniform over the widths, growth from stage to stage."""
    variable, most = rules.blocks, usable_stages(rules)
    lowest = max(1, variable.min_stages)
    if most < lowest or (variable.min_stages == 0 and rng.random() < _EMPTY):
        return []
    count = lowest + int(rng.random() * (most - lowest + 1))
    top = len(variable.widths) - 1
    at = int(rng.random() * (top + 1))
    growth = _GROWTH[int(rng.random() * len(_GROWTH))]
    at = max(0, at - growth * (count - 1) // 2)
    main, halving = _main_convolution(rules, rng), any_of(variable.transitions, rng)
    stages: Stages = []
    for s in range(count):
        size = variable.min_blocks + int(rng.random() ** 1.5 * (variable.max_blocks - variable.min_blocks + 1))
        width = variable.widths[min(top, at + s * growth)]
        blocks = [_fresh_block(rules, main, width, rng, first=s == b == 0) for b in range(size)]
        halves = s < count - 1 or rng.random() < 0.3
        stages.append({"blocks": blocks, "transition": transition_of(halving if halves else None, width)})
    return stages


def divided(rules: ImageRules, stages: Stages, rng: np.random.Generator) -> Stages:
    """Return stages in which every one but the last ends in a transition."""
    fresh = []
    for at, stage in enumerate(stages):
        transition = stage["transition"]
        if at < len(stages) - 1 and transition["operation"] == "none":
            transition = transition_of(any_of(rules.blocks.transitions, rng), width_at(stages, at, rules))
        fresh.append({"blocks": stage["blocks"], "transition": transition})
    return fresh


def _main_convolution(rules: ImageRules, rng: np.random.Generator) -> str | None:
    offered = rules.blocks.convolutions
    if not offered:
        return None
    turn = float(rng.random()) * sum(_FREQUENCY[o] for o in offered)
    for operation in offered:
        turn -= _FREQUENCY[operation]
        if turn < 0:
            return operation
    return offered[-1]


def _fresh_block(rules: ImageRules, main: str | None, width: int, rng: np.random.Generator, first: bool) -> Block:
    """Return mostly the main convolution, else any other operation; a network begins with a convolution."""
    variable = rules.blocks
    operation = main
    turn = rng.random()
    if operation is None or (turn < 0.25 and not first):
        operation = variable.operations[int(rng.random() * len(variable.operations))]
    elif turn < 0.25:
        operation = variable.convolutions[int(rng.random() * len(variable.convolutions))]
    if operation not in CONVOLUTIONS:
        return {"operation": operation}
    if rng.random() < 0.15:
        width = variable.widths[int(rng.random() * len(variable.widths))]
    return {"operation": operation, "width": width}


def _spot(stages: Stages, rng: np.random.Generator) -> tuple[int, int] | None:
    """Return stage and block of a random block, or None without any."""
    spots = [(s, b) for s, stage in enumerate(stages) for b in range(len(stage["blocks"]))]
    return spots[int(rng.random() * len(spots))] if spots else None


def _add_block(rules: ImageRules, stages: Stages, rng: np.random.Generator) -> Stages | None:
    if not stages:
        return [{"blocks": [_any_block(rules, stages, 0, rng)], "transition": transition_of(None, 0)}]
    s = int(rng.random() * len(stages))
    blocks = stages[s]["blocks"]
    if len(blocks) >= rules.blocks.max_blocks:
        return None
    at = int(rng.random() * (len(blocks) + 1))
    return with_stage(stages, s, blocks=[*blocks[:at], _any_block(rules, stages, s, rng), *blocks[at:]])


def _remove_block(rules: ImageRules, stages: Stages, rng: np.random.Generator) -> Stages | None:
    spot = _spot(stages, rng)
    if spot is None:
        return None
    s, b = spot
    blocks = stages[s]["blocks"]
    return with_stage(stages, s, blocks=[*blocks[:b], *blocks[b + 1 :]])


def _change_operation(rules: ImageRules, stages: Stages, rng: np.random.Generator) -> Stages | None:
    spot = _spot(stages, rng)
    if spot is None:
        return None
    s, b = spot
    blocks = stages[s]["blocks"]
    fresh = _any_block(rules, stages, s, rng)
    if "width" in fresh and "width" in blocks[b]:
        fresh = {**fresh, "width": blocks[b]["width"]}
    return with_stage(stages, s, blocks=[*blocks[:b], fresh, *blocks[b + 1 :]])


def _scaled(step: int) -> Move:
    def move(rules: ImageRules, stages: Stages, rng: np.random.Generator) -> Stages | None:
        """Change the width of one block, of a whole stage or of the whole network by one step."""
        scope = rng.random()
        spot = _spot(stages, rng)
        if spot is None:
            return None
        s, b = spot
        blocks = stages[s]["blocks"]
        if scope < 0.5 and "width" in blocks[b]:
            return with_stage(stages, s, blocks=[*blocks[:b], _stepped(rules, blocks[b], step), *blocks[b + 1 :]])
        chosen = range(len(stages)) if scope > 0.8 else (s,)
        return [_all_stepped(rules, t, step) if at in chosen else t for at, t in enumerate(stages)]

    return move


def _move_border(rules: ImageRules, stages: Stages, rng: np.random.Generator) -> Stages | None:
    """Hand the block next to a border over to the other side."""
    if len(stages) < 2:
        return None
    s = int(rng.random() * (len(stages) - 1))
    first, second = stages[s]["blocks"], stages[s + 1]["blocks"]
    if rng.random() < 0.5:
        return with_stage(with_stage(stages, s, blocks=first[:-1]), s + 1, blocks=[first[-1], *second])
    return with_stage(with_stage(stages, s, blocks=[*first, second[0]]), s + 1, blocks=second[1:])


def _swap_blocks(rules: ImageRules, stages: Stages, rng: np.random.Generator) -> Stages | None:
    s = int(rng.random() * len(stages)) if stages else 0
    if not stages or len(stages[s]["blocks"]) < 2:
        return None
    blocks = list(stages[s]["blocks"])
    b = int(rng.random() * (len(blocks) - 1))
    blocks[b], blocks[b + 1] = blocks[b + 1], blocks[b]
    return with_stage(stages, s, blocks=blocks)


def _change_transition(rules: ImageRules, stages: Stages, rng: np.random.Generator) -> Stages | None:
    if not stages:
        return None
    s = int(rng.random() * len(stages))
    offered = [*rules.blocks.transitions, *([None] if s == len(stages) - 1 else [])]
    operation = offered[int(rng.random() * len(offered))]
    return with_stage(stages, s, transition=transition_of(operation, width_at(stages, s, rules)))


def _add_stage(rules: ImageRules, stages: Stages, rng: np.random.Generator) -> Stages | None:
    """Divide a stage by a transition, or repeat the last one, wider, after a transition."""
    if not stages or len(stages) >= usable_stages(rules):
        return None
    s = int(rng.random() * len(stages))
    blocks, fresh = (
        stages[s]["blocks"],
        transition_of(any_of(rules.blocks.transitions, rng), width_at(stages, s, rules)),
    )
    if len(blocks) > 1 and rng.random() < 0.5:
        at = 1 + int(rng.random() * (len(blocks) - 1))
        return [
            *stages[:s], {"blocks": blocks[:at], "transition": fresh},
            {"blocks": blocks[at:], "transition": stages[s]["transition"]}, *stages[s + 1 :],
        ]  # fmt: skip
    last = {**_all_stepped(rules, stages[-1], 1), "transition": transition_of(None, 0)}
    return divided(rules, [*stages, last], rng)


def _remove_stage(rules: ImageRules, stages: Stages, rng: np.random.Generator) -> Stages | None:
    """Leave a stage out, or only the transition to the next one."""
    if not stages:
        return None
    s = int(rng.random() * len(stages))
    if s + 1 < len(stages) and rng.random() < 0.5:
        return with_stage(stages, s, transition=transition_of(None, 0))
    return stages[:s] + stages[s + 1 :]


def _any_block(rules: ImageRules, stages: Stages, s: int, rng: np.random.Generator) -> Block:
    """Return half of the time a convolution by its frequency, else any operation."""
    main = _main_convolution(rules, rng) if rng.random() < 0.5 else None
    return _fresh_block(rules, main, width_at(stages, s, rules), rng, first=False)


def _stepped(rules: ImageRules, block: Block, step: int) -> Block:
    if "width" not in block:
        return block
    widths = rules.blocks.widths
    at = widths.index(block["width"]) if block["width"] in widths else 0
    return {**block, "width": widths[min(len(widths) - 1, max(0, at + step))]}


def _all_stepped(rules: ImageRules, stage: Block, step: int) -> Block:
    blocks = [_stepped(rules, block, step) for block in stage["blocks"]]
    return {"blocks": blocks, "transition": _stepped(rules, stage["transition"], step)}


MOVES: dict[str, Move] = {
    "add block": _add_block,
    "remove block": _remove_block,
    "change operation": _change_operation,
    "widen": _scaled(1),
    "narrow": _scaled(-1),
    "move border": _move_border,
    "swap blocks": _swap_blocks,
    "change transition": _change_transition,
    "add stage": _add_stage,
    "remove stage": _remove_stage,
}
