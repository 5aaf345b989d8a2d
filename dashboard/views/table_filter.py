"""Which candidates of a run a person wants to see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.views.axes import Axis
from dashboard.views.front_chosen import within_spelled

if TYPE_CHECKING:
    from nas_core.search import Ranking, Snapshot
    from nas_core.spaces import Choice
    from nas_core.store import Mark

__all__ = ["TableFilter", "wanted", "within"]


@dataclass(frozen=True)
class TableFilter:
    """What a candidate must be; everything that is empty asks for nothing.

    Attributes:
        words: Each of them stands in its number, identity, operator, status, tags or note; ``#12`` is number 12.
        statuses: It ended with one of these.
        on_front, starred, noted: It is on the front, has a star, has a note.
        tags: It has all of these.
        ranges: Name of an axis, lowest and highest value; a candidate without a value there is left out.
        choices: It decided for all of these.
        chosen: It is one of these numbers, see :func:`dashboard.views.front_chosen.spelled`.
    """

    words: str = ""
    statuses: tuple[str, ...] = ()
    on_front: bool = False
    starred: bool = False
    noted: bool = False
    tags: tuple[str, ...] = ()
    ranges: tuple[tuple[str, float, float], ...] = ()
    choices: tuple[Choice, ...] = ()
    chosen: str = ""

    @property
    def count(self) -> int:
        """How many conditions there are."""
        simple = (bool(self.words.strip()), bool(self.statuses), self.on_front, self.starred, self.noted,
                  bool(self.chosen))  # fmt: skip
        return sum(simple) + len(self.tags) + len(self.ranges) + len(self.choices)


def wanted(
    snapshot: Snapshot, ranked: Ranking, marks: Mapping[str, Mark], axes: Sequence[Axis],
    holding: Callable[[Choice], np.ndarray], wish: TableFilter,
) -> np.ndarray:  # fmt: skip
    """Return which candidates (n,) of ``snapshot`` meet every condition of ``wish``.

    Args:
        snapshot: The candidates.
        ranked: Them, under a preference.
        marks: What people said, by candidate.
        axes: What ranges are about; a range of an axis that is not there is passed over.
        holding: Which candidates (n,) decided for a choice.
        wish: The conditions.
    """
    kept = np.ones(len(snapshot), dtype=bool)
    if wish.statuses:
        kept &= np.array([str(status) in wish.statuses for status in snapshot.status], dtype=bool)
    if wish.on_front:
        kept &= ranked.on_front
    for choice in wish.choices:
        kept &= holding(choice)
    kept &= within(axes, wish.ranges, len(snapshot))
    if wish.chosen:
        kept &= within_spelled(wish.chosen, snapshot.index)
    if wish.starred or wish.noted or wish.tags:
        kept &= np.array([_marked(marks.get(key), wish) for key in snapshot.ids], dtype=bool)
    if wish.words.strip():
        told = wish.words.casefold().split()
        at = [i for i in np.flatnonzero(kept) if not _says(snapshot, marks, int(i), told)]
        kept[at] = False
    return kept


def within(axes: Sequence[Axis], ranges: Sequence[tuple[str, float, float]], count: int) -> np.ndarray:
    """Return which of ``count`` candidates lie in all ``ranges`` of the axes."""
    by_name = {axis.name: axis for axis in axes}
    kept = np.ones(count, dtype=bool)
    for name, low, high in ranges:
        if (axis := by_name.get(name)) is not None:
            kept &= (axis.values >= low) & (axis.values <= high)  # NaN is neither
    return kept


def _marked(mark: Mark | None, wish: TableFilter) -> bool:
    if mark is None:
        return False
    starred, noted = mark.star or not wish.starred, bool(mark.note) or not wish.noted
    return starred and noted and set(wish.tags) <= set(mark.tags)


def _says(snapshot: Snapshot, marks: Mapping[str, Mark], at: int, words: Sequence[str]) -> bool:
    mark = marks.get(snapshot.ids[at])
    said = f"{mark.note} {' '.join(mark.tags)}" if mark else ""
    operator = snapshot.operator[at].replace("_", " ")
    about = f"{snapshot.ids[at]} {operator} {snapshot.status[at]} {said}".casefold()
    number = str(int(snapshot.index[at]))

    def found(word: str) -> bool:
        if word.removeprefix("#").isdigit():  # 12 is a candidate or a word of a note, not a part of an identity
            return word.removeprefix("#") == number or word in said.casefold()
        return word in about

    return all(found(word) for word in words)
