"""Many candidates chosen at once on the front: how they are written down, and what they have in common.

n candidates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.views.front_axes import axis_of

if TYPE_CHECKING:
    from nas_core.search import Ranking, Snapshot

__all__ = ["ChosenView", "chosen_view", "readable", "spelled", "within_spelled"]

PART = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")
COST = "parameters"


def spelled(numbers: Iterable[int]) -> str:
    """Return candidates' numbers as short text: ``3.7-12.40`` is 3, 7 to 12 and 40."""
    parts: list[list[int]] = []
    for number in sorted(set(numbers)):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ".".join(str(low) if low == high else f"{low}-{high}" for low, high in parts)


def readable(told: str) -> bool:
    """Return whether ``told`` is what :func:`spelled` writes; numbers have at most nine digits."""
    return not told or all(PART.fullmatch(part) for part in told.split("."))


def within_spelled(told: str, numbers: np.ndarray) -> np.ndarray:
    """Return which of ``numbers`` (n,) are named by ``told``; a stretch of a billion costs no more than one number.

    Args:
        told: As :func:`spelled` writes it; none are named where it is not :func:`readable`.
        numbers: (n,) candidates' numbers.
    """
    kept = np.zeros(len(numbers), dtype=bool)
    if not told or not readable(told):
        return kept
    found = [PART.fullmatch(part) for part in told.split(".")]
    ends = np.array([[int(m[1]), int(m[2] or m[1])] for m in found if m], dtype=np.int64)
    ends = ends[np.argsort(ends[:, 0], kind="stable")]
    reach = np.maximum.accumulate(ends[:, 1])  # of all stretches that begin before
    at = np.searchsorted(ends[:, 0], numbers, side="right") - 1
    return np.asarray((at >= 0) & (np.asarray(numbers) <= reach[np.maximum(at, 0)]))


@dataclass(frozen=True)
class ChosenView:
    """What is chosen, of the candidates there are.

    Attributes:
        ids: Their identities, the eligible ones, the best under the preference in force first.
        ranges: Name of a quantity, its lowest and its highest value among them; NaN where none has one.
    """

    ids: tuple[str, ...]
    ranges: tuple[tuple[str, float, float], ...]


def chosen_view(archive: Snapshot, ranking: Ranking, keys: Sequence[str], told: str) -> ChosenView:
    """Return what the candidates named by ``told`` have in common.

    Args:
        archive, ranking: The candidates under the preference in force.
        keys: Quantities on the axes of the front; parameters are told besides.
        told: As :func:`spelled` writes it.
    """
    at = np.flatnonzero(within_spelled(told, archive.index) & ~np.isnan(ranking.interpretability))
    ranges = []
    for key in dict.fromkeys((*keys, COST)):
        axis = axis_of(key, archive, ranking)
        known = axis.values[at][np.isfinite(axis.values[at])]
        ends = (float(known.min()), float(known.max())) if len(known) else (np.nan, np.nan)
        ranges.append((axis.name, *ends))
    place = np.full(len(archive), len(archive))
    place[ranking.order] = np.arange(len(ranking.order))
    ordered = at[np.argsort(place[at], kind="stable")]
    return ChosenView(tuple(archive.ids[k] for k in ordered), tuple(ranges))
