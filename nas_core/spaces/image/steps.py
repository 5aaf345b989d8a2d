"""Every single change of a list of stages, in a fixed order: what a local search tries and a person is offered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nas_core.spaces.image.canonical import NO_TRANSITION
from nas_core.spaces.image.rules import CONVOLUTIONS, WORDS, ImageRules
from nas_core.spaces.image.stages import transition_of, width_at, with_stage
from nas_core.spaces.variables import Edit

__all__ = ["steps", "words_of"]

Block = dict[str, Any]
Stages = list[dict[str, Any]]

_HALVING = {
    "max": "2×2 max pooling",
    "avg": "2×2 average pooling",
    "conv": "3×3 convolution of stride 2",
}


def words_of(block: Block) -> str:
    """Return what a person calls a block."""
    width = f" of width {block['width']}" if "width" in block else ""
    return WORDS[block["operation"]] + width


def steps(rules: ImageRules, stages: Stages, *, thorough: bool) -> Iterator[Edit]:
    """Yield every single change of ``stages`` in a fixed order; widths to the next one only unless ``thorough``."""
    for s, stage in enumerate(stages):
        for b in range(len(stage["blocks"])):
            yield from _block_steps(rules, stages, s, b, thorough)
        yield from _added(rules, stages, s)
        yield from _transition_steps(rules, stages, s, thorough)
        yield from _border_steps(rules, stages, s)
    if not stages or stages[-1]["transition"]["operation"] != "none":
        for block in _offers(rules, None, width_at(stages, len(stages) - 1, rules)):
            fresh = {"blocks": [dict(block) for _ in range(rules.blocks.min_blocks)], "transition": NO_TRANSITION}
            yield Edit("", "add", f"a stage with a {words_of(block)}", [*stages, fresh])


def _block_steps(rules: ImageRules, stages: Stages, s: int, b: int, thorough: bool) -> Iterator[Edit]:
    blocks = stages[s]["blocks"]
    block, place = blocks[b], f"stage {s + 1}, block {b + 1}"
    rest = [*blocks[:b], *blocks[b + 1 :]]
    if rest:
        yield Edit(place, "remove", words_of(block), with_stage(stages, s, blocks=rest))
    else:
        yield Edit(place, "remove", f"{words_of(block)} and its stage", stages[:s] + stages[s + 1 :])
    for width in _widths(rules, block, thorough):
        other = {**block, "width": width}
        yield Edit(
            place, "change", f"width {width}", with_stage(stages, s, blocks=[*blocks[:b], other, *blocks[b + 1 :]])
        )
    for other in _offers(rules, block, block.get("width") or width_at(stages, s, rules)):
        changed = [*blocks[:b], other, *blocks[b + 1 :]]
        yield Edit(place, "change", words_of(other), with_stage(stages, s, blocks=changed))
    if b + 1 < len(blocks) and blocks[b + 1] != block:
        swapped = [*blocks[:b], blocks[b + 1], block, *blocks[b + 2 :]]
        yield Edit(place, "rewire", f"after the {words_of(blocks[b + 1])}", with_stage(stages, s, blocks=swapped))


def _added(rules: ImageRules, stages: Stages, s: int) -> Iterator[Edit]:
    """Yield the stage with one more block at each place; before an equal block it would be the same one twice."""
    blocks = stages[s]["blocks"]
    for block in _offers(rules, None, width_at(stages, s, rules)):
        for b in range(len(blocks) + 1):
            if b < len(blocks) and blocks[b] == block:
                continue
            where = "first" if b == 0 else f"after block {b}"
            more = [*blocks[:b], block, *blocks[b:]]
            yield Edit(f"stage {s + 1}", "add", f"a {words_of(block)} {where}", with_stage(stages, s, blocks=more))


def _transition_steps(rules: ImageRules, stages: Stages, s: int, thorough: bool) -> Iterator[Edit]:
    transition, place = stages[s]["transition"], f"stage {s + 1}, transition"
    for width in _widths(rules, transition, thorough):
        yield Edit(place, "change", f"width {width}", with_stage(stages, s, transition={**transition, "width": width}))
    for operation in rules.blocks.transitions:
        if operation != transition["operation"]:
            other = transition_of(operation, width_at(stages, s, rules))
            yield Edit(place, "change", _HALVING[operation], with_stage(stages, s, transition=other))
    if transition["operation"] == "none":
        return
    if s == len(stages) - 1:
        yield Edit(place, "remove", _HALVING[transition["operation"]], with_stage(stages, s, transition=NO_TRANSITION))
    else:
        joined = {"blocks": stages[s]["blocks"] + stages[s + 1]["blocks"], "transition": stages[s + 1]["transition"]}
        words = f"{_HALVING[transition['operation']]}, which joins stages {s + 1} and {s + 2}"
        yield Edit(place, "remove", words, [*stages[:s], joined, *stages[s + 2 :]])


def _border_steps(rules: ImageRules, stages: Stages, s: int) -> Iterator[Edit]:
    """Yield the stage divided at each place, and its last or the next one's first block on the other side."""
    blocks, place = stages[s]["blocks"], f"stage {s + 1}"
    for b in range(1, len(blocks)):
        for operation in rules.blocks.transitions:
            first = {"blocks": blocks[:b], "transition": transition_of(operation, width_at(stages, s, rules))}
            second = {"blocks": blocks[b:], "transition": stages[s]["transition"]}
            words = f"{_HALVING[operation]} after block {b}, which divides the stage"
            yield Edit(place, "add", words, [*stages[:s], first, second, *stages[s + 1 :]])
    if s + 1 == len(stages):
        return
    following = stages[s + 1]["blocks"]
    if len(blocks) > 1:
        moved = with_stage(with_stage(stages, s, blocks=blocks[:-1]), s + 1, blocks=[blocks[-1], *following])
        yield Edit(place, "rewire", f"last block to stage {s + 2}", moved)
    if len(following) > 1:
        moved = with_stage(with_stage(stages, s, blocks=[*blocks, following[0]]), s + 1, blocks=following[1:])
        yield Edit(place, "rewire", f"first block of stage {s + 2} to this stage", moved)


def _offers(rules: ImageRules, current: Block | None, width: int) -> Iterator[Block]:
    """Yield a block of every operation but the current one's, convolutions with ``width``."""
    for operation in rules.blocks.operations:
        if current is None or operation != current["operation"]:
            yield {"operation": operation, "width": width} if operation in CONVOLUTIONS else {"operation": operation}


def _widths(rules: ImageRules, block: Block, thorough: bool) -> Iterator[int]:
    if "width" not in block:
        return
    widths = rules.blocks.widths
    at = widths.index(block["width"]) if block["width"] in widths else 0
    yield from (w for i, w in enumerate(widths) if w != block["width"] and (thorough or abs(i - at) == 1))
