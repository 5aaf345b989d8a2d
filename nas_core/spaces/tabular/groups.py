"""The selection and grouping of features: the variable that spans transparent to opaque networks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any, Literal

import numpy as np

from nas_core.spaces.tabular.canonical import Block, as_blocks, as_groups
from nas_core.spaces.tabular.count import partition_table
from nas_core.spaces.tabular.limits import fit_blocks, joinable
from nas_core.spaces.tabular.moves import MOVES, draw_blocks
from nas_core.spaces.tabular.rules import rules_of
from nas_core.spaces.variables import Chooser, Context, Edit, Hints, Variable, register_variable

__all__ = ["FeatureGroups"]

Groups = list[dict[str, Any]]

ASKED, SHARED = 64, 8
"""Features, and groups of several of them, that named decisions tell apart at most."""


class FeatureGroups(Variable):
    """Which features are read, and which of them share a sub-network.

    Source: the group structure of EAGGA (Schneider et al. 2023, 10.1145/3583131.3590380) with its crossover (inject a
    group, drop duplicates) and mutations (move, merge, split, drop, add).
    Differs: a group may be linear, and then it counts no interactions; swapping a feature is one step.

    Attributes:
        linear: Whether linear groups are allowed.
    """

    kind: Literal["feature_groups"] = "feature_groups"
    linear: bool = True

    def sample(self, rng: np.random.Generator, context: Context) -> Groups:
        """Return groups whose number of features is log-uniform; hints favour relevant and interacting ones."""
        rules = rules_of(context.space)
        return as_groups(fit_blocks(rules, draw_blocks(rules, context.hints, rng), rng))

    def mutate(self, value: Any, rng: np.random.Generator, context: Context) -> Groups:
        """Return groups one operator away."""
        return self.operate(value, rng, context)[0]

    def operate(self, value: Any, rng: np.random.Generator, context: Context) -> tuple[Groups, str]:
        """Return groups one operator away, and its name; unchanged when no operator applies."""
        rules = rules_of(context.space)
        blocks = as_blocks(value)
        names = list(MOVES)
        for at in rng.permutation(len(names)):
            moved = MOVES[names[at]](rules, list(blocks), context.hints, rng)
            if moved is not None:
                changed = as_groups(fit_blocks(rules, moved, rng))
                if changed != value:
                    return changed, names[at]
        return value, "unchanged"

    def crossover(self, a: Any, b: Any, rng: np.random.Generator, context: Context) -> Groups:
        """Return the groups of ``a`` with some groups of ``b`` injected and their features dropped elsewhere."""
        ours, theirs = as_blocks(a), as_blocks(b)
        count = 1 + int(rng.random() * rng.random() * len(theirs))
        injected = [theirs[i] for i in rng.permutation(len(theirs))[:count]]
        taken = {j for features, _ in injected for j in features}
        kept = [(tuple(j for j in features if j not in taken), linear) for features, linear in ours]
        merged = [block for block in kept if block[0]] + injected
        return as_groups(fit_blocks(rules_of(context.space), merged, rng))

    def neighbours(self, value: Any, context: Context) -> Iterator[Groups]:
        """Yield groups one smallest step away: drop, toggle, add, swap, split off, merge, in this order."""
        rules = rules_of(context.space)
        blocks = as_blocks(value)
        used = {j for features, _ in blocks for j in features}
        unused = [j for j in rules.allowed if j not in used]
        for g, (features, linear) in enumerate(blocks):
            rest = blocks[:g] + blocks[g + 1 :]
            yield from (as_groups([*rest, (_without(features, j), linear)]) for j in features if len(used) > 1)
            if len(features) == 1 and rules.linear and rules.hidden_depths:
                yield as_groups([*rest, (features, not linear)])
            if len(features) > 1:
                yield from (as_groups([*rest, (_without(features, j), False), ((j,), False)]) for j in features)
        for j in unused:
            yield from (as_groups([*blocks, ((j,), flag)]) for flag in (True, False) if rules.linear or not flag)
        for j in unused:
            for g, (features, linear) in enumerate(blocks):
                rest = blocks[:g] + blocks[g + 1 :]
                yield from (as_groups([*rest, ((*_without(features, old), j), linear)]) for old in features)
        if rules.hidden_depths:
            for one, two in combinations(range(len(blocks)), 2):
                if joinable(rules, blocks[one][0], blocks[two][0]):
                    rest = [b for g, b in enumerate(blocks) if g not in (one, two)]
                    yield as_groups([*rest, (blocks[one][0] + blocks[two][0], False)])

    def edits(self, value: Any, context: Context) -> Iterator[Edit]:
        """Yield, group by group: features removed, moved, added, joined with another group, made linear or not."""
        names = [f.name for f in context.space.features]
        blocks = as_blocks(value)
        used = {j for features, _ in blocks for j in features}
        for g, (features, linear) in enumerate(blocks):
            place, rest = _place(features, names), blocks[:g] + blocks[g + 1 :]
            for j in features:
                kept = [(_without(features, j), linear)] if len(features) > 1 else []
                yield Edit(place, "remove", names[j], as_groups([*rest, *kept]))
                if len(features) > 1:
                    alone = as_groups([*rest, *kept, ((j,), False)])
                    yield Edit(place, "rewire", f"{names[j]} to a group of its own", alone)
            for other in rest:
                joined = as_groups([*(b for b in rest if b is not other), (features + other[0], False)])
                yield Edit(place, "rewire", f"together with {_place(other[0], names)}", joined)
            for j in (j for j in range(len(names)) if j not in used):
                yield Edit(place, "add", names[j], as_groups([*rest, ((*features, j), False)]))
            words = "a small network" if linear else "linear"
            yield Edit(place, "change", words, as_groups([*rest, (features, not linear)]))
        for j in (j for j in range(len(names)) if j not in used):
            yield Edit("", "add", f"{names[j]} in a group of its own", as_groups([*blocks, ((j,), False)]))

    def count(self, context: Context) -> int:
        """Return how many groupings there are under the limits, forbidden pairs aside (exact big integer)."""
        rules = rules_of(context.space)
        free = len(rules.allowed) - len(rules.required)
        return sum(partition_table(rules, {(int(rules.linear), 1): (free, len(rules.required))}).values())

    def encode(self, value: Any, context: Context) -> np.ndarray:
        """Return, per feature, whether it is used, whether non-linearly, and with what share it interacts."""
        P = len(context.space.features)
        vector = np.zeros((3, P))
        for group in value:
            features = group["features"]
            vector[0, features] = 1.0
            if not group["linear"]:
                vector[1, features] = 1.0
                vector[2, features] = (len(features) - 1) / max(1, P - 1)
        return vector.ravel()

    def encode_names(self, context: Context) -> list[str]:
        """Return the name of each entry."""
        return [f"{what}: {f.name}" for what in ("used", "non-linear", "interacts") for f in context.space.features]

    def validate_value(self, value: Any, context: Context) -> str | None:
        """Return why ``value`` is no selection and grouping of the space's features, or None."""
        if not isinstance(value, list) or not value:
            return f"groups is {value!r}; allowed: a list with at least one group"
        seen: set[int] = set()
        for group in value:
            if reason := self._group_fault(group, len(context.space.features)):
                return reason
            if seen & set(group["features"]):
                return f"feature {min(seen & set(group['features']))} is in two groups; allowed: one"
            seen |= set(group["features"])
        return None

    def decide(self, chooser: Chooser, context: Context, like: Any = None) -> Groups:
        """Return groups: one decision for each feature, whether it is left out, alone, linear, or in which group.

        Of more than 64 features those are asked that the data hint at most, the others are left out. Groups of several
        features are numbered in the order of their first; of a value with more than 8 the last fall apart.
        """
        rules = rules_of(context.space)
        shared = min(SHARED, rules.max_groups, len(rules.allowed) // 2) if rules.hidden_depths else 0
        own = [*(["linear"] if rules.linear else []), *(["alone"] if rules.hidden_depths else [])]
        places = [*own, *(range(1, shared + 1) if rules.max_group_size > 1 else ())]
        free = ["unused", *places]
        known = None if like is None else _places(as_blocks(like), shared)
        blocks: list[Block] = []
        together: dict[Any, list[int]] = {}
        for j in _asked(rules.allowed, rules.required, context.hints):
            options = places if j in rules.required else free
            wanted = None if known is None else known.get(j, "unused")
            at = chooser.pick(
                f"place of {rules.names[j]}", options, options.index(wanted) if wanted in options else None
            )
            if options[at] in ("linear", "alone"):
                blocks.append(((j,), options[at] == "linear"))
            elif options[at] != "unused":
                together.setdefault(options[at], []).append(j)
        blocks += [(tuple(features), False) for features in together.values()]
        return as_groups(fit_blocks(rules, blocks))

    def tidy(self, value: Any) -> Groups:
        """Return sorted groups, linear ones split to single features."""
        return as_groups(as_blocks(value))

    def _group_fault(self, group: Any, P: int) -> str | None:
        if not isinstance(group, dict) or set(group) != {"features", "linear"}:
            return f'a group is {group!r}; allowed: {{"features": [indices], "linear": true or false}}'
        features, linear = group["features"], group["linear"]
        if not isinstance(linear, bool):
            return f"linear is {linear!r}; allowed: true or false"
        if not isinstance(features, list) or not features or len(set(map(str, features))) != len(features):
            return f"the features of a group are {features!r}; allowed: a list of different indices, not empty"
        for j in features:
            if not isinstance(j, int) or isinstance(j, bool) or not 0 <= j < P:
                return f"a group reads feature {j!r}; allowed: an index from 0 to {P - 1}"
        return None


def _place(features: tuple[int, ...], names: list[str]) -> str:
    """Return what a person calls the group of these features."""
    more = f" and {len(features) - 3} more" if len(features) > 3 else ""
    return "group of " + ", ".join(names[j] for j in features[:3]) + more


def _without(features: tuple[int, ...], j: int) -> tuple[int, ...]:
    return tuple(i for i in features if i != j)


def _asked(allowed: Sequence[int], required: Sequence[int], hints: Hints | None) -> list[int]:
    """Return the features that are decided one by one, ascending: the required and the most relevant ones."""
    if len(allowed) <= ASKED:
        return list(allowed)
    weight = np.zeros(max(allowed) + 1) if hints is None else np.asarray(hints.relevance, float)
    ordered = sorted(allowed, key=lambda j: (j not in required, -weight[j], j))
    return sorted(ordered[: max(ASKED, len(required))])


def _places(blocks: Sequence[Block], shared: int) -> dict[int, Any]:
    """Return the place of every feature in use, as it is named in decisions."""
    joint = sorted(features for features, linear in blocks if not linear and len(features) > 1)
    number = {features: at for at, features in enumerate(joint, start=1) if at <= shared}
    return {j: "linear" if linear else number.get(features, "alone") for features, linear in blocks for j in features}


register_variable("feature_groups", FeatureGroups)
