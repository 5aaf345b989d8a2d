"""What differs between two lists of blocks or layers, or between two cells: an alignment with the fewest edits."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

from nas_core.comparison.edits import Edit, Part

__all__ = ["CellPart", "LayersPart", "StagesPart", "align"]

Token = dict[str, Any]
Cost = tuple[int, int, int]
"""Edits; how many of them replace; how many add or remove. Of as many edits changing comes first, replacing last."""
Item = TypeVar("Item")

NOTHING: Cost = (0, 0, 0)
REPLACED: Cost = (1, 1, 0)
ONE_SIDED: Cost = (1, 0, 1)


def align(
    one: Sequence[Item], two: Sequence[Item], cost: Callable[[Item, Item], Cost | None]
) -> list[tuple[Item | None, Item | None]]:
    """Return the cheapest alignment of two sequences, None where one of them has nothing.

    Source: Needleman & Wunsch (1970). O(n·m).

    Args:
        one: n items.
        two: m items.
        cost: Of turning an item of ``one`` into one of ``two``; None where that is not possible. Leaving one out or
            adding one is one edit.
    """
    n, m = len(one), len(two)
    best: list[list[Cost]] = [[(i + k, 0, i + k) for k in range(m + 1)] for i in range(n + 1)]
    turned = [[cost(a, b) for b in two] for a in one]
    for i in range(1, n + 1):
        for k in range(1, m + 1):
            options = [_plus(best[i - 1][k], ONE_SIDED), _plus(best[i][k - 1], ONE_SIDED)]
            if (c := turned[i - 1][k - 1]) is not None:
                options.append(_plus(best[i - 1][k - 1], c))
            best[i][k] = min(options)
    found: list[tuple[Item | None, Item | None]] = []
    i, k = n, m
    while i or k:
        c = turned[i - 1][k - 1] if i and k else None
        if c is not None and best[i][k] == _plus(best[i - 1][k - 1], c):
            i, k = i - 1, k - 1
            found.append((one[i], two[k]))
        elif i and best[i][k] == _plus(best[i - 1][k], ONE_SIDED):
            i -= 1
            found.append((one[i], None))
        else:
            k -= 1
            found.append((None, two[k]))
    return found[::-1]


class LayersPart(Part):
    """A list of layers, each a mapping of fields.

    A layer of the same kind changes field by field, one edit each; one of another kind is replaced in one edit.
    """

    def __init__(self, name: str, before: list[Token], after: list[Token], *, kind: Callable[[Token], Any]) -> None:
        self._name = name
        self._columns = align(before, after, lambda a, b: _token_cost(a, b, kind))
        self._edits: list[tuple[Edit, ...]] = []
        old = new = 0
        for a, b in self._columns:
            old, new = old + (a is not None), new + (b is not None)
            self._edits.append(tuple(self._column_edits(a, b, old if a is not None else new, kind)))
        self.edits = tuple(e for edits in self._edits for e in edits)

    def tokens(self, applied: Collection[Edit]) -> list[Token]:
        """Return the list after some of the edits."""
        found = []
        for (a, b), edits in zip(self._columns, self._edits):
            token = a
            for edit in edits:
                if edit in applied:
                    token = {**(token or {}), edit.field: edit.after} if edit.field else b
            if token is not None:
                found.append(dict(token))
        return found

    def values(self, applied: Collection[Edit]) -> dict[str, Any]:
        """Return the list after some of the edits, by the variable's name."""
        return {self._name: self.tokens(applied)}

    def _column_edits(self, a: Token | None, b: Token | None, place: int, kind: Callable[[Token], Any]) -> list[Edit]:
        if a is None or b is None:
            return [Edit(self._name, "block", "add" if a is None else "remove", place, a, b)]
        if kind(a) != kind(b):
            return [Edit(self._name, "block", "replace", place, a, b)]
        return [
            Edit(self._name, "block", "change", place, a[f], b[f], field=f) for f in sorted(a) if a[f] != b[f]
        ]  # fmt: skip


class StagesPart(LayersPart):
    """Stages of blocks, as one list in which what ends a stage is an element too."""

    def __init__(self, name: str, before: list[Token], after: list[Token]) -> None:
        super().__init__(name, _flat(before), _flat(after), kind=_stage_kind)

    def values(self, applied: Collection[Edit]) -> dict[str, Any]:
        """Return the stages after some of the edits."""
        stages: list[Token] = []
        blocks: list[Token] = []
        for token in self.tokens(applied):
            own = {k: v for k, v in token.items() if k != "halves"}
            if token["halves"]:
                stages.append({"blocks": blocks, "transition": own})
                blocks = []
            else:
                blocks.append(own)
        if blocks:
            stages.append({"blocks": blocks, "transition": {"operation": "none"}})
        return {self._name: stages}


class CellPart(Part):
    """The operations on the edges of a cell, one edit each."""

    def __init__(self, name: str, before: list[str], after: list[str]) -> None:
        self._name, self._before, self._after = name, before, after
        self._by_edge = {
            at: Edit(name, "edge", "add" if a == "none" else "remove" if b == "none" else "replace", at, a, b)
            for at, (a, b) in enumerate(zip(before, after, strict=True))
            if a != b
        }
        self.edits = tuple(self._by_edge.values())

    def values(self, applied: Collection[Edit]) -> dict[str, Any]:
        """Return the operations after some of the edits."""
        chosen = [
            self._after[at] if at in self._by_edge and self._by_edge[at] in applied else self._before[at]
            for at in range(len(self._before))
        ]
        return {self._name: chosen}


def _plus(a: Cost, b: Cost) -> Cost:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


def _token_cost(a: Token, b: Token, kind: Callable[[Token], Any]) -> Cost | None:
    if a == b:
        return NOTHING
    if kind(a) == kind(b):
        return sum(a[f] != b[f] for f in a), 0, 0
    if a.get("halves") != b.get("halves"):
        return None  # what ends a stage is no block
    return REPLACED


def _flat(stages: list[Token]) -> list[Token]:
    """Return the blocks and what halves the size after them, in order."""
    found = []
    for stage in stages:
        found += [{**block, "halves": False} for block in stage["blocks"]]
        if stage["transition"]["operation"] != "none":
            found.append({**stage["transition"], "halves": True})
    return found


def _stage_kind(token: Token) -> tuple[bool, tuple[str, ...]]:
    """Return what may not differ for a block to be changed and not replaced: the fields it has."""
    return token["halves"], tuple(sorted(token))
