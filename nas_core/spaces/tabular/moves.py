"""Random moves on groups of features: the operators of the EAGGA kind, and the draw of a fresh grouping.

A move takes the rules, the blocks, the hints and a generator; it returns new blocks, or None when it does not apply.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nas_core.spaces.tabular.canonical import Block
from nas_core.spaces.tabular.limits import joinable
from nas_core.spaces.tabular.rules import Rules
from nas_core.spaces.variables import Hints

__all__ = ["MOVES", "draw_blocks", "relevance_weights"]

Blocks = list[Block]
Move = Callable[[Rules, Blocks, "Hints | None", np.random.Generator], "Blocks | None"]

_UNINFORMED = 0.2
"""Share of the draws that ignore the hints, so that a hint can be wrong."""


def draw_blocks(rules: Rules, hints: Hints | None, rng: np.random.Generator) -> Blocks:
    """Return a fresh grouping: log-uniform size, then single features, pairs, a random partition, or one group."""
    lowest = max(1, len(rules.required))
    top = max(lowest, rules.max_features)
    size = min(top, int(lowest * ((top + 1) / lowest) ** float(rng.random())))
    features = _pick(rules, hints, size, rng)
    style = float(rng.random())
    if not rules.hidden_depths:
        return [((j,), True) for j in features]
    if style < 0.55 or size == 1 or rules.max_group_size == 1:
        return _single(rules, features, rng)
    if style < 0.75:
        count = size - 1 - int(rng.random() * (size // 2))
        return _linear_some(rules, _partition(rules, features, count, 2, hints, rng), rng)
    if style < 0.92:
        count = max(1, min(size, int(np.exp(rng.random() * np.log(size + 1)))))
        return _linear_some(rules, _partition(rules, features, count, rules.max_group_size, hints, rng), rng)
    return _partition(rules, features, 1, rules.max_group_size, hints, rng)


def relevance_weights(hints: Hints | None, P: int) -> np.ndarray:
    """Return sampling weights, shape (P,), largest 1.05 and never 0."""
    if hints is None:
        return np.ones(P)
    relevance = np.nan_to_num(np.asarray(hints.relevance, dtype=float), nan=0.0, posinf=0.0).clip(min=0)
    top = float(relevance.max(initial=0.0))
    return 0.05 + relevance / top if top > 0 else np.ones(P)


def _pick(rules: Rules, hints: Hints | None, size: int, rng: np.random.Generator) -> list[int]:
    """Return ``size`` allowed features in random order, the required ones among them, relevant ones more often."""
    chosen = list(rules.required)
    if len(chosen) < size:
        taken = set(chosen)
        others = np.array([j for j in rules.allowed if j not in taken])
        informed = hints if rng.random() >= _UNINFORMED else None
        keys = rng.standard_exponential(len(others)) / relevance_weights(informed, rules.P)[others]
        chosen += [int(j) for j in others[np.argsort(keys, kind="stable")[: size - len(chosen)]]]
    return [chosen[i] for i in rng.permutation(len(chosen))]


def _pick_new(rules: Rules, blocks: Blocks, hints: Hints | None, rng: np.random.Generator) -> int | None:
    used = {j for features, _ in blocks for j in features}
    others = [j for j in rules.allowed if j not in used]
    if not others:
        return None
    informed = hints if rng.random() >= _UNINFORMED else None
    if informed is None:
        return others[int(rng.random() * len(others))]
    total = np.cumsum(relevance_weights(informed, rules.P)[others])
    return others[min(int(np.searchsorted(total, rng.random() * total[-1], side="right")), len(others) - 1)]


def _single(rules: Rules, features: Sequence[int], rng: np.random.Generator) -> Blocks:
    return _linear_some(rules, [((j,), False) for j in features], rng)


def _linear_some(rules: Rules, blocks: Blocks, rng: np.random.Generator) -> Blocks:
    """Return the blocks with none, all or some of the single features linear."""
    if not rules.linear:
        return blocks
    draw = float(rng.random())
    share = 0.0 if draw < 0.35 else 1.0 if draw < 0.65 else float(rng.random())
    turns = rng.random(len(blocks))
    return [(f, linear or (len(f) == 1 and turn < share)) for (f, linear), turn in zip(blocks, turns, strict=True)]


def _partition(
    rules: Rules, features: Sequence[int], count: int, largest: int, hints: Hints | None, rng: np.random.Generator
) -> Blocks:
    """Return ``features`` in about ``count`` groups of at most ``largest``; interacting features meet more often."""
    groups = [[j] for j in features[:count]]
    for j in features[count:]:
        tries = [groups[int(rng.random() * len(groups))] for _ in range(min(4, len(groups)))]
        fitting = [g for g in tries if len(g) < largest and joinable(rules, g, (j,))]
        if not fitting:
            groups.append([j])
        elif hints is None or rng.random() < _UNINFORMED:
            fitting[0].append(j)
        else:
            max(fitting, key=lambda g: float(hints.interaction[j, g[0]])).append(j)
    return [(tuple(g), False) for g in groups]


def _index(length: int, rng: np.random.Generator) -> int:
    return int(rng.random() * length)


def _add(rules: Rules, blocks: Blocks, hints: Hints | None, rng: np.random.Generator) -> Blocks | None:
    """Add a feature, mostly on its own, sometimes to a group."""
    if sum(len(f) for f, _ in blocks) >= rules.max_features or (j := _pick_new(rules, blocks, hints, rng)) is None:
        return None
    at = _index(len(blocks), rng)
    features, linear = blocks[at]
    alone = len(blocks) < rules.max_groups and rng.random() < 0.75
    if alone or not rules.hidden_depths or not joinable(rules, features, (j,)):
        return [*blocks, ((j,), linear)]
    return [*blocks[:at], ((*features, j), False), *blocks[at + 1 :]]


def _drop(rules: Rules, blocks: Blocks, hints: Hints | None, rng: np.random.Generator) -> Blocks | None:
    """Drop a feature that is not required."""
    free = [(g, j) for g, (features, _) in enumerate(blocks) for j in features if j not in rules.required]
    if not free or sum(len(f) for f, _ in blocks) < 2:
        return None
    g, j = free[_index(len(free), rng)]
    return _replaced(blocks, g, tuple(i for i in blocks[g][0] if i != j))


def _swap(rules: Rules, blocks: Blocks, hints: Hints | None, rng: np.random.Generator) -> Blocks | None:
    """Put an unused feature in the place of one in use."""
    new = _pick_new(rules, blocks, hints, rng)
    free = [(g, j) for g, (features, _) in enumerate(blocks) for j in features if j not in rules.required]
    if new is None or not free:
        return None
    g, old = free[_index(len(free), rng)]
    rest = tuple(i for i in blocks[g][0] if i != old)
    return _replaced(blocks, g, (*rest, new)) if joinable(rules, rest, (new,)) else None


def _move(rules: Rules, blocks: Blocks, hints: Hints | None, rng: np.random.Generator) -> Blocks | None:
    """Move a feature to another group, or out on its own."""
    if not rules.hidden_depths:
        return None
    source = _index(len(blocks), rng)
    features, _ = blocks[source]
    j = features[_index(len(features), rng)]
    target = _index(len(blocks), rng)
    if target == source:
        if len(features) < 2:
            return None
        return [*_replaced(blocks, source, tuple(i for i in features if i != j)), ((j,), False)]
    if not joinable(rules, blocks[target][0], (j,)):
        return None
    blocks[target] = ((*blocks[target][0], j), False)
    return _replaced(blocks, source, tuple(i for i in features if i != j))


def _merge(rules: Rules, blocks: Blocks, hints: Hints | None, rng: np.random.Generator) -> Blocks | None:
    """Merge two groups into a non-linear one."""
    if len(blocks) < 2 or not rules.hidden_depths:
        return None
    one = _index(len(blocks), rng)
    two = (one + 1 + _index(len(blocks) - 1, rng)) % len(blocks)
    if not joinable(rules, blocks[one][0], blocks[two][0]):
        return None
    merged = (blocks[one][0] + blocks[two][0], False)
    return [b for g, b in enumerate(blocks) if g not in (one, two)] + [merged]


def _split(rules: Rules, blocks: Blocks, hints: Hints | None, rng: np.random.Generator) -> Blocks | None:
    """Split a group in two."""
    large = [g for g, (features, _) in enumerate(blocks) if len(features) > 1]
    if not large or len(blocks) >= rules.max_groups:
        return None
    g = large[_index(len(large), rng)]
    features = blocks[g][0]
    order = [features[i] for i in rng.permutation(len(features))]
    cut = 1 + _index(len(order) - 1, rng)
    return [*_replaced(blocks, g, tuple(order[:cut])), (tuple(order[cut:]), False)]


def _toggle(rules: Rules, blocks: Blocks, hints: Hints | None, rng: np.random.Generator) -> Blocks | None:
    """Make a single feature linear, or non-linear."""
    single = [g for g, (features, _) in enumerate(blocks) if len(features) == 1]
    if not single or not rules.linear or not rules.hidden_depths:
        return None
    g = single[_index(len(single), rng)]
    features, linear = blocks[g]
    return [*blocks[:g], (features, not linear), *blocks[g + 1 :]]


def _replaced(blocks: Blocks, g: int, features: tuple[int, ...]) -> Blocks:
    """Return the blocks with group ``g`` reading ``features``, gone when empty."""
    return [*blocks[:g], *([(features, blocks[g][1])] if features else []), *blocks[g + 1 :]]


MOVES: dict[str, Move] = {
    "add feature": _add,
    "drop feature": _drop,
    "swap feature": _swap,
    "move feature": _move,
    "merge groups": _merge,
    "split group": _split,
    "toggle linear": _toggle,
}
