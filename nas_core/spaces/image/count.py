"""Counting: how many image architectures there are, exactly where no limit on cost or sight has to be checked.

Lists of stages are counted by dynamic programming over blocks; what is kept of a list is what decides which choices of
the other variables mean something with it.
"""

from __future__ import annotations

import math
from collections import Counter
from functools import lru_cache
from typing import NamedTuple

from nas_core.spaces.family import SpaceSize
from nas_core.spaces.image.plan import keeps_width
from nas_core.spaces.image.rules import CONVOLUTIONS, POOLS, ImageRules, Size, halved
from nas_core.spaces.variables import Context

__all__ = ["space_size", "stage_lists"]


class _Kind(NamedTuple):
    """What is kept of a list of stages.

    Attributes:
        channels: Of its last maps.
        convolutions, keeps, weighted: As in ``canonical.forced``.
        ordered: No convolution that commutes with the mean pooling before it.
        mean, pooled: Whether its last block is a mean pooling, its last maps largest values (``faults.still_pooled``).
    """

    channels: int
    convolutions: bool = False
    keeps: bool = False
    weighted: bool = False
    ordered: bool = True
    mean: bool = False
    pooled: bool = False


class _End(NamedTuple):
    """Where a list of stages ends: whether it has a stage, on a single place, with a mean that the head repeats."""

    staged: bool
    single: bool
    repeated: bool


Lists = dict[_End, Counter[_Kind]]


def stage_lists(rules: ImageRules) -> int:
    """Return how many lists of stages the variable has for these images (exact big integer)."""
    return sum(kinds.total() for kinds in _lists(rules).values())


def space_size(rules: ImageRules, context: Context) -> SpaceSize:
    """Return how many architectures the space has: exact without constraints, else an upper bound."""
    known = context.space.by_name
    total = sum(
        number * _settings(rules, end, kind, known["dropout"].count(context))
        for end, kinds in _lists(rules).items()
        for kind, number in kinds.items()
    )
    for name in ("optimiser", "learning_rate", "weight_decay"):
        total *= known[name].count(context)
    if total == 0:
        return SpaceSize(-math.inf, not rules.limited, "no architecture")
    log10 = math.log10(total)
    exponent = math.floor(log10)
    words = f"{total:,}" if total < 10**6 else f"{10 ** (log10 - exponent):.2g} × 10^{exponent}"
    return SpaceSize(log10, not rules.limited, f"{'at most ' if rules.limited else ''}{words} architectures")


def _settings(rules: ImageRules, end: _End, kind: _Kind, dropouts: int) -> int:
    """Return how many canonical choices of head, functions and connections go with one list of stages."""
    total = 0
    for depth, heads in _heads(rules, end):
        functions = 1
        if kind.weighted or depth:
            functions = len(rules.choices["activation"].choices) * len(rules.choices["normalisation"].choices)
        ways = functions * len(_connections(rules, kind))
        if not kind.ordered and rules.offers("activation", "identity") and rules.offers("normalisation", "none"):
            ways -= len(_connections(rules, kind) & {"plain", "residual"})
        total += heads * ways * (dropouts if end.staged or depth else 1)
    return total


def _heads(rules: ImageRules, end: _End) -> list[tuple[int, int]]:
    """Return (hidden layers, number of heads with so many) that are canonical at this end."""
    found = [(0, 1)] if rules.offers("head", "gap_linear") and not end.repeated else []
    if rules.offers("head", "dense"):
        widths = len(rules.choices["hidden_width"].choices)
        found += [(d, widths if d else 1) for d in rules.hidden_depths if d or not end.single]
    return found


def _connections(rules: ImageRules, kind: _Kind) -> set[str]:
    if not kind.convolutions:
        return {"plain"}
    offered = {str(c) for c in rules.choices["connections"].choices}
    return offered if kind.keeps else {"plain" if c == "residual" else c for c in offered}


def _lists(rules: ImageRules) -> Lists:
    variable = rules.blocks
    return _count(
        rules.channels, rules.size, variable.operations, variable.widths, variable.transitions,
        (variable.min_stages, variable.max_stages), (variable.min_blocks, variable.max_blocks),
    )  # fmt: skip


@lru_cache(maxsize=64)
def _count(
    channels: int, size: Size, operations: tuple[str, ...], widths: tuple[int, ...], transitions: tuple[str, ...],
    stages: tuple[int, int], blocks: tuple[int, int],
) -> Lists:  # fmt: skip
    """Return the number of lists of stages of each kind, by their end."""
    found: Lists = {}
    going = Counter({_Kind(channels): 1})
    if stages[0] == 0:
        found[_End(False, size == (1, 1), False)] = going.copy()
    for s in range(1, stages[1] + 1):
        if size == (1, 1):
            break
        full = _stage(going, _offered(operations, widths, size), blocks)
        after = halved(size)
        going = Counter()
        for transition in transitions:
            moved = _transitioned(full, transition, widths)
            going.update(moved)
            repeated = transition == "avg" and all(side == 1 or side % 2 == 0 for side in size)
            if s >= stages[0]:
                found.setdefault(_End(True, after == (1, 1), repeated), Counter()).update(moved)
        if s >= stages[0]:
            found.setdefault(_End(True, False, False), Counter()).update(full)
        size = after
    return found


def _stage(going: Counter[_Kind], offered: list[tuple[str, int]], blocks: tuple[int, int]) -> Counter[_Kind]:
    """Return the lists with one more stage, its transition aside."""
    full: Counter[_Kind] = Counter()
    going = _afresh(going)
    for b in range(1, blocks[1] + 1):
        longer: Counter[_Kind] = Counter()
        for kind, number in going.items():
            for operation, width in offered:
                if not (kind.pooled and operation == "max"):
                    longer[_extended(kind, operation, width)] += number
        going = longer
        if b >= blocks[0]:
            full.update(going)
    return full


def _afresh(kinds: Counter[_Kind]) -> Counter[_Kind]:
    fresh: Counter[_Kind] = Counter()
    for kind, number in kinds.items():
        fresh[kind._replace(mean=False, pooled=False)] += number
    return fresh


def _extended(kind: _Kind, operation: str, width: int) -> _Kind:
    if operation not in CONVOLUTIONS:
        pooled = operation == "max" or (kind.pooled and operation == "se")
        return kind._replace(mean=operation == "avg", pooled=pooled)
    keeps = keeps_width(operation, kind.channels, width)
    commutes = kind.mean and operation == "conv1" and keeps
    return _Kind(width, True, kind.keeps or keeps, True, kind.ordered and not commutes, False)


def _transitioned(full: Counter[_Kind], transition: str, widths: tuple[int, ...]) -> Counter[_Kind]:
    if transition != "conv":
        return full
    moved: Counter[_Kind] = Counter()
    for kind, number in full.items():
        for width in widths:
            moved[kind._replace(channels=width, weighted=True)] += number
    return moved


def _offered(operations: tuple[str, ...], widths: tuple[int, ...], size: Size) -> list[tuple[str, int]]:
    """Return the blocks of the domain on maps of this size, with their widths; see ``faults.block_fault``."""
    if max(size) <= 2:
        smaller = (o.replace("5", "3") for o in operations if o not in POOLS)
        operations = tuple(dict.fromkeys(smaller))
    wide = [(o, w) for o in operations if o in CONVOLUTIONS for w in widths]
    return wide + [(o, 0) for o in operations if o not in CONVOLUTIONS]
