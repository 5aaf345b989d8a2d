"""Which kind of operation comes next, of those that some network is ready for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Protocol

__all__ = ["ByDepth", "ByHeight", "Order"]

Place = tuple[int, int]
"""A network and the number of its operation."""


class Order(Protocol):
    """Knows what is still to be computed of each kind; the kind of the lowest rank comes first."""

    def enter(self, key: Hashable, at: Place, depth: int, height: int) -> None:
        """Note an operation: how many lie before it on the longest way from the rows, and behind it to the outputs."""

    def done(self, key: Hashable, places: Sequence[Place]) -> None:
        """Note that these are computed."""

    def rank(self, key: Hashable, ready: int) -> tuple[float, float]:
        """Return the rank of a kind, of which so many operations are ready."""


class ByDepth:
    """First the kind whose operations that are still to be computed, ready or not, lie least deep on average.

    Source: Neubig, Goldberg & Dyer (2017), On-the-fly operation batching, arXiv 1705.07860.
    """

    def __init__(self) -> None:
        self._depths: dict[Hashable, dict[Place, int]] = defaultdict(dict)
        self._sums: dict[Hashable, int] = defaultdict(int)

    def enter(self, key: Hashable, at: Place, depth: int, height: int) -> None:
        self._depths[key][at] = depth
        self._sums[key] += depth

    def done(self, key: Hashable, places: Sequence[Place]) -> None:
        self._sums[key] -= sum(self._depths[key].pop(at) for at in places)

    def rank(self, key: Hashable, ready: int) -> tuple[float, float]:
        return self._sums[key] / len(self._depths[key]), -ready


class ByHeight:
    """First the kind with the operation that is still to be computed, ready or not, that most others wait behind.

    Networks of few layers wait for those of many, so that all of them end together: what is dear, such as the loop of
    recurrent layers over the steps, finds more company than by depth.
    """

    def __init__(self) -> None:
        self._heights: dict[Hashable, dict[Place, int]] = defaultdict(dict)

    def enter(self, key: Hashable, at: Place, depth: int, height: int) -> None:
        self._heights[key][at] = height

    def done(self, key: Hashable, places: Sequence[Place]) -> None:
        for at in places:
            del self._heights[key][at]

    def rank(self, key: Hashable, ready: int) -> tuple[float, float]:
        heights = self._heights[key].values()
        return -max(heights), -sum(heights) / len(heights)
