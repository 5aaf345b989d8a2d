"""Counting: how many tabular architectures there are, exactly where every limit can be counted.

A used feature is linear or in a non-linear group; each state has a number of mark patterns. The number of ways to use
l features linearly and s non-linearly is a coefficient of a product of one small polynomial per feature; the s are then
divided into g groups of limited size, which is a restricted Stirling number of the second kind.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache

from nas_core.spaces.family import SpaceSize
from nas_core.spaces.tabular.rules import NON_DECREASING, PLAIN_ENCODING, Rules
from nas_core.spaces.variables import Context

__all__ = ["limited_stirling", "partition_table", "space_size"]

EXACT_FEATURES = 64
"""Up to this many features the count is exact; the big integers beyond would take longer than a person waits."""

States = tuple[int, int]
"""Mark patterns of a feature when it is (linear, non-linear); 0 when it cannot be used so."""


@lru_cache(maxsize=64)
def limited_stirling(n: int, largest: int) -> tuple[tuple[int, ...], ...]:
    """Return S where S[s][g] counts the partitions of s labelled things into g groups of 1 … ``largest``, s ≤ n."""
    rows = [(1, *([0] * n))]
    for s in range(1, n + 1):
        row = [0] * (n + 1)
        for size in range(1, min(s, largest) + 1):
            ways = math.comb(s - 1, size - 1)
            below = rows[s - size]
            for g in range(1, s - size + 2):
                row[g] += ways * below[g - 1]
        rows.append(tuple(row))
    return tuple(rows)


def partition_table(rules: Rules, kinds: Mapping[States, tuple[int, int]]) -> dict[bool, int]:
    """Return how many groupings (with marks) there are, apart for those without and with a non-linear group.

    Args:
        kinds: States → (number of free features, number of required features) of that kind.
    """
    usable = sum(free + needed for free, needed in kinds.values())
    most = min(usable, rules.max_features)
    ways = _selections(kinds, most)
    stirling = limited_stirling(most, rules.max_group_size)
    table = {False: 0, True: 0}
    for (flat, mixed), number in ways.items():
        if flat + mixed:
            table[mixed > 0] += number * sum(stirling[mixed][: max(0, rules.max_groups - flat + 1)])
    return table


def _selections(kinds: Mapping[States, tuple[int, int]], most: int) -> dict[tuple[int, int], int]:
    """Return (l, s) → ways to use l features linearly and s non-linearly, at most ``most`` in all."""
    ways = {(0, 0): 1}
    for (linear, mixed), (free, needed) in kinds.items():
        total = free + needed
        step: Counter[tuple[int, int]] = Counter()
        for (l0, s0), number in ways.items():
            for k in range(needed, min(total, most - l0 - s0) + 1):
                chosen = number * math.comb(free, k - needed)
                for s in range(k + 1):
                    factor = math.comb(k, s) * mixed**s * linear ** (k - s)
                    if factor:
                        step[l0 + k - s, s0 + s] += chosen * factor
        ways = dict(step)
    return ways


def space_size(rules: Rules, context: Context) -> SpaceSize:
    """Return the size of a tabular space: exact up to 64 features without budgets and forbidden pairs, else a bound."""
    if len(rules.allowed) > EXACT_FEATURES:
        return _bound(rules, context)
    count = _count(rules, context)
    unlimited = not rules.enemies and rules.max_parameters is None and rules.max_operations is None
    log10 = _log10(count)
    number = f"{count:,}" if count < 10**9 else _scientific(log10)
    prefix = "at most " if not unlimited else "about " if count >= 10**9 else ""
    return SpaceSize(log10, unlimited, f"{prefix}{number} architectures")


def _count(rules: Rules, context: Context) -> int:
    encodings = [str(e) for e in rules.choices["encoding"].choices]
    free_of_numeric = _structures(rules, context, PLAIN_ENCODING, [not n for n in rules.numeric])
    everything = [True] * rules.P
    structures = free_of_numeric + sum(
        _structures(rules, context, e, everything) - _structures(rules, context, e, [not n for n in rules.numeric])
        for e in encodings
    )
    shared = (space := context.space).by_name["optimiser"].count(context)
    return structures * shared * math.prod(space.by_name[n].count(context) for n in ("learning_rate", "weight_decay"))


def _structures(rules: Rules, context: Context, encoding: str, usable: list[bool]) -> int:
    """Return the number of groupings, marks and hidden variables under one encoding, over the usable features."""
    if any(not usable[j] for j in rules.required):
        return 0
    total = 0
    if 0 in rules.depths:
        total += partition_table(rules, _kinds(rules, encoding, usable, False))[False]
    for keeps, shapes in _hidden_shapes(rules, context).items():
        total += shapes * partition_table(rules, _kinds(rules, encoding, usable, keeps))[True]
    return total


def _kinds(rules: Rules, encoding: str, usable: Iterable[bool], keeps: bool) -> dict[States, tuple[int, int]]:
    """Return how many features there are of each kind; ``keeps`` tells whether non-linear groups can carry marks."""
    allowed, required = set(rules.allowed), set(rules.required)
    kinds: dict[States, list[int]] = {}
    for j, use in enumerate(usable):
        if j in allowed and use:
            markable = rules.markable[encoding][j]
            states = (_patterns(rules, j, markable) if rules.linear else 0, _patterns(rules, j, markable and keeps))
            kinds.setdefault(states, [0, 0])[j in required] += 1
    return {states: (free, needed) for states, (free, needed) in kinds.items()}


def _patterns(rules: Rules, j: int, markable: bool) -> int:
    if j in rules.demanded:
        return int(markable)
    return 1 + len(rules.signs) * markable


def _hidden_shapes(rules: Rules, context: Context) -> dict[bool, int]:
    """Return the number of settings of the hidden variables, apart for those that keep marks and those that do not."""
    connections = [str(c) for c in rules.choices["connections"].choices]
    shallow = {c if c == "dense" else "full" for c in connections}
    layered = sum(len(connections) if d > 1 else len(shallow) for d in rules.hidden_depths)
    rest = rules.choices["width"].count(context) * rules.reals["dropout"].count(context)
    shapes = {True: 0, False: 0}
    for activation in rules.choices["activation"].choices:
        for norm in rules.choices["normalisation"].choices:
            shapes[activation in NON_DECREASING and norm != "layer"] += layered * rest
    return shapes


def _bound(rules: Rules, context: Context) -> SpaceSize:
    """Return an upper bound: every feature unused, linear or in some group, with every mark pattern."""
    P, most = len(rules.allowed), rules.max_features
    marks = 1 + len(rules.signs)
    logs = []
    for k in range(1, most + 1):
        choose = math.lgamma(P + 1) - math.lgamma(k + 1) - math.lgamma(P - k + 1)
        logs.append(choose + k * math.log(marks * (2 if rules.linear else 1)) + k * math.log(min(k, rules.max_groups)))
    top = max(logs)
    total = (top + math.log(sum(math.exp(x - top) for x in logs))) / math.log(10)
    shapes = sum(_hidden_shapes(rules, context).values()) + 1
    for name in ("encoding", "optimiser", "learning_rate", "weight_decay"):
        shapes *= context.space.by_name[name].count(context)
    log10 = total + math.log10(shapes)
    return SpaceSize(log10, False, f"at most {_scientific(log10)} architectures")


def _log10(count: int) -> float:
    if count <= 0:
        return -math.inf
    digits = max(0, count.bit_length() - 60)
    return math.log10(count >> digits) + digits * math.log10(2)


def _scientific(log10: float) -> str:
    exponent = math.floor(log10)
    return f"{10 ** (log10 - exponent):.2g} × 10^{exponent}"
