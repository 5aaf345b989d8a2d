"""How the hypervolume of a search grows, candidate by candidate."""

from __future__ import annotations

import numpy as np

from nas_core.search.fronts import exclusive_volume

__all__ = ["GrowingFront"]


class GrowingFront:
    """The non-dominated losses seen so far and their hypervolume below the reference point (1, …, 1).

    The reference is fixed, so the volume never falls. Adding a row costs one comparison with the front, and a
    hypervolume of the front seen from that row only when it enters.

    Args:
        dimensions: m, the number of losses.
        floor: A row (m,) that counts from the start, such as the model without features; None for nothing.
    """

    def __init__(self, dimensions: int, floor: np.ndarray | None = None) -> None:
        self._reference = np.ones(dimensions)
        self.front = np.empty((0, dimensions))
        self.volume = 0.0
        if floor is not None:
            self.add(floor)

    def add(self, row: np.ndarray) -> float:
        """Add the losses ``row`` (m,) and return the new volume; NaN or a loss of 1 and more changes nothing."""
        if not (row < self._reference).all() or (self.front <= row).all(axis=1).any():
            return self.volume
        self.volume += exclusive_volume(row, self.front, self._reference)
        self.front = np.concatenate([self.front[~(self.front >= row).all(axis=1)], row[None, :]])
        return self.volume
