"""Repair: the changes that bring values of an operator back inside the constraints, before anything is rejected."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nas_core.spaces.tabular.canonical import Block
from nas_core.spaces.tabular.rules import Rules

__all__ = ["drop_features", "fit_blocks", "joinable"]

Blocks = list[Block]


def joinable(rules: Rules, one: Sequence[int], two: Sequence[int]) -> bool:
    """Return whether two sets of features may share a non-linear group."""
    if not rules.hidden_depths or len(one) + len(two) > rules.max_group_size:
        return False
    return not any(i in rules.enemies.get(j, ()) for j in two for i in one) if rules.enemies else True


def fit_blocks(rules: Rules, blocks: Blocks, rng: np.random.Generator | None = None) -> Blocks:
    """Return blocks inside every limit on features and groups that can be met.

    Forbidden and repeated features go, linear flags follow what the space allows, groups that are too large or hold a
    forbidden pair are divided, required features are added, surplus features and groups are dropped or merged. Without
    ``rng`` what is drawn depends on the blocks alone.
    """
    fitted = _divided(rules, _selected(rules, blocks))
    used = {j for features, _ in fitted for j in features}
    for j in rules.required:
        if j not in used:
            fitted.append(((j,), rules.linear and (not fitted or fitted[0][1])))
    surplus = sum(len(f) for f, _ in fitted) - rules.max_features
    if not fitted or surplus > 0 or len(fitted) > rules.max_groups:
        rng = np.random.default_rng(0) if rng is None else rng
        fitted = _reduced(rules, fitted, surplus, rng)
    if rules.depths and rules.depths[0] > 0 and all(linear for _, linear in fitted):
        fitted[0] = (fitted[0][0], False)
    return fitted


def _reduced(rules: Rules, fitted: Blocks, surplus: int, rng: np.random.Generator) -> Blocks:
    """Return blocks with one feature at least, ``surplus`` features fewer, and no more groups than may be."""
    if not fitted:
        fitted = [((rules.allowed[int(rng.random() * len(rules.allowed))],), rules.linear)]
    if surplus > 0:
        fitted = drop_features(rules, fitted, surplus, rng)
    if len(fitted) > rules.max_groups:
        fitted = _fewer_groups(rules, fitted, rng)
    return fitted


def drop_features(rules: Rules, blocks: Blocks, count: int, rng: np.random.Generator) -> Blocks:
    """Return the blocks without ``count`` random features that are not required (all such, but one feature stays)."""
    free = [j for features, _ in blocks for j in features if j not in rules.required]
    most = len(free) if rules.required else len(free) - 1
    gone = {free[i] for i in rng.permutation(len(free))[: min(count, most)]}
    left = [(tuple(j for j in features if j not in gone), linear) for features, linear in blocks]
    return [block for block in left if block[0]]


def _selected(rules: Rules, blocks: Blocks) -> Blocks:
    """Return the blocks with allowed features only, each once, linear exactly where the space can have it."""
    allowed = set(rules.allowed) if len(rules.allowed) < rules.P else None
    seen: set[int] = set()
    kept: Blocks = []
    linear_only, may_be_linear = not rules.hidden_depths, rules.linear
    for features, linear in blocks:
        linear = (linear and may_be_linear) or linear_only
        if len(features) == 1:  # most are
            if features[0] not in seen and (allowed is None or features[0] in allowed):
                seen.add(features[0])
                kept.append((features, linear))
            continue
        fresh = tuple(j for j in dict.fromkeys(features) if j not in seen and (allowed is None or j in allowed))
        seen.update(fresh)
        if linear:
            kept.extend(((j,), True) for j in fresh)
        elif fresh:
            kept.append((fresh, False))
    return kept


def _divided(rules: Rules, blocks: Blocks) -> Blocks:
    """Return the blocks with those divided that are too large or hold a forbidden pair."""
    parts: Blocks = []
    for features, linear in blocks:
        if len(features) == 1 or (len(features) <= rules.max_group_size and not rules.enemies):
            parts.append((features, linear))
            continue
        pieces: list[list[int]] = []
        for j in features:
            home = next((p for p in pieces if joinable(rules, p, (j,))), None)
            if home is None:
                pieces.append([j])
            else:
                home.append(j)
        parts.extend((tuple(p), linear) for p in pieces)
    return parts


def _fewer_groups(rules: Rules, blocks: Blocks, rng: np.random.Generator) -> Blocks:
    """Return at most ``max_groups`` blocks where possible: surplus ones join another or lose what is not required."""
    order = [blocks[i] for i in rng.permutation(len(blocks))]
    order.sort(key=lambda block: not any(j in rules.required for j in block[0]))
    kept, surplus = order[: rules.max_groups], order[rules.max_groups :]
    for features, linear in surplus:
        home = next((i for i, (others, _) in enumerate(kept) if joinable(rules, others, features)), None)
        needed = tuple(j for j in features if j in rules.required)
        if home is not None:
            kept[home] = (kept[home][0] + features, False)
        elif needed:
            kept.append((needed, linear))
    return kept
