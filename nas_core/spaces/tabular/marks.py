"""Monotone marks: the features whose effect keeps one direction by construction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from nas_core.spaces.tabular.rules import Rules, rules_of
from nas_core.spaces.variables import Chooser, Context, Edit, Hints, Variable, register_variable

__all__ = ["MonotoneMarks", "used_features"]

Marks = dict[str, int]


def used_features(values: Any) -> list[int]:
    """Return the features that ``values`` reads, in the order of the groups."""
    return [j for group in values["groups"] for j in group["features"]]


class MonotoneMarks(Variable):
    """For each feature in use: increasing, decreasing, or no promise.

    Source: constrained monotone networks (Runje & Shankaranarayana 2023, arXiv 2205.11775).

    Attributes:
        signs: The directions that may be promised; empty turns marks off.
    """

    kind: Literal["monotone_marks"] = "monotone_marks"
    signs: tuple[Literal[1, -1], ...] = (1, -1)

    def sample(self, rng: np.random.Generator, context: Context) -> Marks:
        """Return marks on all, some or none of the features in use, along the hinted direction where there is one."""
        rules = rules_of(context.space)
        draw = rng.random()
        share = 1.0 if draw < 0.55 else 0.0 if draw < 0.75 else float(rng.random())
        return self.draw_for(used_features(context.values), share, rules, context.hints, rng)

    def draw_for(
        self, features: list[int], share: float, rules: Rules, hints: Hints | None, rng: np.random.Generator
    ) -> Marks:
        """Return marks for about ``share`` of ``features``; those a constraint demands are always marked."""
        if not rules.signs or (share == 0 and not rules.demanded):
            return {}
        marks: Marks = {}
        draws = rng.random((len(features), 2))
        for j, (chance, turn) in zip(features, draws, strict=True):
            if j in rules.demanded:
                marks[str(j)] = rules.demanded[j]
            elif rules.numeric[j] and chance < share:
                marks[str(j)] = _sign(rules, hints, j, turn)
        return marks

    def mutate(self, value: Any, rng: np.random.Generator, context: Context) -> Marks:
        """Return the marks with one feature's promise changed, or all promises made or withdrawn."""
        rules = rules_of(context.space)
        free = [j for j in used_features(context.values) if rules.numeric[j] and j not in rules.demanded]
        if not free or not rules.signs:
            return dict(value)
        if rng.random() < 0.2:
            return self.draw_for(used_features(context.values), float(rng.random() < 0.7), rules, context.hints, rng)
        j = free[int(rng.random() * len(free))]
        marks = {k: v for k, v in value.items() if k != str(j)}
        if str(j) in value and rng.random() < 0.7:
            return marks
        sign = _sign(rules, context.hints, j, float(rng.random()))
        flipped = -sign if -sign in rules.signs else sign
        return {**marks, str(j): flipped if value.get(str(j)) == sign else sign}

    def crossover(self, a: Any, b: Any, rng: np.random.Generator, context: Context) -> Marks:
        """Return, for each feature marked by a parent, one parent's mark at random."""
        names = sorted({*a, *b}, key=int)
        chosen = {n: (a if turn < 0.5 else b).get(n, 0) for n, turn in zip(names, rng.random(len(names)), strict=True)}
        return {n: sign for n, sign in chosen.items() if sign}

    def neighbours(self, value: Any, context: Context) -> Iterator[Marks]:
        """Yield the marks with one feature's promise changed."""
        rules = rules_of(context.space)
        for j in used_features(context.values):
            if rules.numeric[j] and j not in rules.demanded:
                rest = {k: v for k, v in value.items() if k != str(j)}
                yield from ({**rest, str(j): sign} for sign in rules.signs if value.get(str(j)) != sign)
                if str(j) in value:
                    yield rest

    def edits(self, value: Any, context: Context) -> Iterator[Edit]:
        """Yield, for each feature in use, every promise it does not have."""
        words = {1: "increasing", -1: "decreasing"}
        for j in used_features(context.values):
            name, rest = context.space.features[j].name, {k: v for k, v in value.items() if k != str(j)}
            for sign in self.signs:
                if value.get(str(j)) != sign:
                    yield Edit(name, "change", words[sign], {**rest, str(j): sign})
            if str(j) in value:
                yield Edit(name, "remove", f"the promise that it is {words[value[str(j)]]}", rest)

    def count(self, context: Context) -> int:
        """Return how many mark patterns all numeric features together have."""
        rules = rules_of(context.space)
        return (1 + len(rules.signs)) ** sum(rules.numeric)

    def encode(self, value: Any, context: Context) -> np.ndarray:
        """Return the sign per feature, 0 without a mark; shape (P,), in {−1, 0, 1}."""
        vector = np.zeros(len(context.space.features))
        for name, sign in value.items():
            vector[int(name)] = sign
        return vector

    def encode_names(self, context: Context) -> list[str]:
        """Return the name of each entry."""
        return [f"mark: {f.name}" for f in context.space.features]

    def validate_value(self, value: Any, context: Context) -> str | None:
        """Return why ``value`` is no mapping from feature index (as text) to an allowed sign, or None."""
        P = len(context.space.features)
        if not isinstance(value, dict):
            return f"marks is {value!r}; allowed: a mapping from feature index to +1 or -1"
        for name, sign in value.items():
            if not (isinstance(name, str) and name.isdecimal() and str(int(name)) == name and int(name) < P):
                return f"marks has the key {name!r}; allowed: a feature index from 0 to {P - 1}, as text"
            if sign not in self.signs or isinstance(sign, bool | float):
                allowed = ", ".join(f"{s:+d}" for s in self.signs) or "no marks"
                return f"the mark of feature {name} is {sign!r}; allowed: {allowed}"
        return None

    def decide(self, chooser: Chooser, context: Context, like: Any = None) -> Marks:
        """Return marks: one decision for each numeric feature in use; a demanded one is no decision."""
        rules = rules_of(context.space)
        options = (0, *rules.signs)
        marks: Marks = {}
        for j in used_features(context.values):
            sign = rules.demanded.get(j, 0)
            if not sign and rules.signs and rules.numeric[j]:
                known = None if like is None else options.index(like.get(str(j), 0))
                sign = options[chooser.pick(f"mark of {rules.names[j]}", options, known)]
            if sign:
                marks[str(j)] = sign
        return marks

    def tidy(self, value: Any) -> Marks:
        """Return the marks ordered by feature."""
        return {name: int(value[name]) for name in sorted(value, key=int)}


def _sign(rules: Rules, hints: Hints | None, j: int, turn: float) -> int:
    """Return a sign of the space; the hinted one with a probability that grows with the strength of the hint."""
    if len(rules.signs) == 1:
        return rules.signs[0]
    lean = 0.0 if hints is None else float(hints.direction[j])
    if not np.isfinite(lean):
        lean = 0.0
    positive = 0.5 + 0.48 * np.sign(lean) * min(1.0, abs(lean) / 0.1)
    return 1 if turn < positive else -1


register_variable("monotone_marks", MonotoneMarks)
