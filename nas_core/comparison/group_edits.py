"""What differs between two groupings of features: the fewest features that have to be added, removed or moved."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from nas_core.comparison.edits import Edit, Part, Verb

__all__ = ["GroupsPart"]

Group = dict[str, Any]
Place = tuple[str, int]
"""A group that a feature may be in: ("both", n) for the n-th pair of groups that are the same one, else whose it is."""


class GroupsPart(Part):
    """Groups of features with the directions they are held to.

    Groups of the two sides are paired so that as many features as possible stay where they are (an assignment problem;
    Kuhn 1955); a linear group is no pair of one that is not. Each feature whose group is another one is one edit, with
    its direction; so is each direction of a feature that stays in use. The count is the same in both directions, as the
    best assignment is.
    """

    def __init__(
        self, names: tuple[str, str], before: tuple[list[Group], Mapping[str, int]],
        after: tuple[list[Group], Mapping[str, int]],
    ) -> None:  # fmt: skip
        self._names = names
        self._old, self._new = _places(before[0], after[0])
        self._linear = _linear_places(before[0], after[0])
        self._marks = dict(before[1]), dict(after[1])
        groups = _groups_by_feature(before[0]), _groups_by_feature(after[0])
        self._moves = {j: self._moved(j, groups) for j in sorted({*self._old, *self._new}) if self._moves_at(j)}
        both = sorted(self._old.keys() & self._new.keys())
        marks = ((j, self._marks[0].get(str(j), 0), self._marks[1].get(str(j), 0)) for j in both)
        self._turns = {j: Edit(names[1], "mark", "change", j, old, new) for j, old, new in marks if old != new}
        self.edits = (*self._moves.values(), *self._turns.values())

    def values(self, applied: Collection[Edit]) -> dict[str, Any]:
        """Return groups and marks after some of the edits."""
        members: dict[Place, list[int]] = {}
        marks: dict[str, int] = {}
        for j in sorted({*self._old, *self._new}):
            moved = j not in self._moves or self._moves[j] in applied
            place = (self._new if moved else self._old).get(j)
            if place is None:
                continue
            members.setdefault(place, []).append(j)
            if mark := self._marks[self._side(j, applied)].get(str(j), 0):
                marks[str(j)] = mark
        found = sorted((features, place in self._linear) for place, features in members.items())
        groups = [{"features": features, "linear": linear} for features, linear in found]
        return {self._names[0]: groups, self._names[1]: marks}

    def _side(self, j: int, applied: Collection[Edit]) -> int:
        """Return whose direction feature j has now: 0 the first's, 1 the second's."""
        if j in self._old and j in self._new:
            return int(j in self._turns and self._turns[j] in applied)
        return int(j in self._new)

    def _moves_at(self, j: int) -> bool:
        return self._old.get(j) != self._new.get(j)

    def _moved(self, j: int, groups: tuple[dict[int, Group], dict[int, Group]]) -> Edit:
        old, new = (
            None if j not in side else {**side[j], "mark": marks.get(str(j), 0)}
            for side, marks in zip(groups, self._marks)
        )
        verb: Verb = "add" if old is None else "remove" if new is None else "move"
        return Edit(self._names[0], "feature", verb, j, old, new)


def _places(before: list[Group], after: list[Group]) -> tuple[dict[int, Place], dict[int, Place]]:
    """Return the place of every feature on both sides, the same one for groups that are paired."""
    shared = np.zeros((len(before), len(after)))
    for i, one in enumerate(before):
        for k, two in enumerate(after):
            if one["linear"] == two["linear"]:
                shared[i, k] = len(set(one["features"]) & set(two["features"]))
    pairs = [(i, k) for i, k in zip(*linear_sum_assignment(shared, maximize=True)) if shared[i, k]]
    old: dict[int, Place] = {int(i): ("both", n) for n, (i, _) in enumerate(pairs)}
    new: dict[int, Place] = {int(k): ("both", n) for n, (_, k) in enumerate(pairs)}
    return (
        {j: old.get(i, ("before", i)) for i, g in enumerate(before) for j in g["features"]},
        {j: new.get(k, ("after", k)) for k, g in enumerate(after) for j in g["features"]},
    )


def _linear_places(before: list[Group], after: list[Group]) -> set[Place]:
    """Return the places whose group is linear."""
    old, new = _places(before, after)
    sides = ((before, old), (after, new))
    return {places[j] for groups, places in sides for g in groups if g["linear"] for j in g["features"]}


def _groups_by_feature(groups: list[Group]) -> dict[int, Group]:
    return {j: g for g in groups for j in g["features"]}
