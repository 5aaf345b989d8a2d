"""What all candidates among tables learn from: rows as kernels read them, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from nas_core.spaces.tabular.noise import row_keys
from nas_core.training.batches import batch_slices, epoch_order
from nas_core.training.candidate import Schedule
from nas_core.training.compiled.lanes import LANES
from nas_core.training.compiled.losses import TASKS
from nas_core.training.progress import Watch

if TYPE_CHECKING:
    from nas_core.data.problem import Part

__all__ = ["Rows", "TableLesson"]

KEPT_BYTES = 64e6
"""Of the orders of rows that are kept for other candidates."""


@dataclass(frozen=True)
class Rows:
    """Encoded rows as kernels read them: E (n, D), y (n,) class numbers or targets, counts (n,), all float32."""

    E: np.ndarray
    y: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, part: Part) -> Rows:
        """Return the rows of a part of the data."""
        counts = np.ones(len(part)) if part.weights is None else part.weights
        # copies: for numba an array that may not be written to is of another type, and compiled for anew
        return cls(np.ascontiguousarray(part.E, dtype=np.float32), *(np.array(v, np.float32) for v in (part.y, counts)))


class TableLesson:
    """What all candidates learn from, and in which order.

    Args:
        schedule: The recipe.
        rows, valid: To learn from and to validate with.
        watch: Who looks on and may end single candidates; asked from any thread.

    Attributes:
        edges: int64, where batches begin in an epoch, and where the last one ends.
        N: Numbers in a row of a value: the largest batch, in whole registers.
        task: Its number in :data:`nas_core.training.compiled.losses.TASKS`.
        order: Returns the order (n,) of the training rows in an epoch.
        keys: Returns the int32 keys (n,) of the rows in that order, by which dropout decides.
    """

    def __init__(self, schedule: Schedule, rows: Rows, valid: Rows, watch: Watch | None) -> None:
        self.schedule, self.rows, self.valid, self.watch = schedule, rows, valid, watch
        n = len(rows.y)
        slices = batch_slices(n, schedule.batch_size)
        self.edges = np.array([*(part.start for part in slices), n], dtype=np.int64)
        self.N = -(-int(np.diff(self.edges).max()) // LANES) * LANES
        classes = "binary" if schedule.outputs == 1 else "classes"
        self.task = TASKS.index("regression" if schedule.task == "regression" else classes)
        kept = max(1, int(KEPT_BYTES / (12 * n)))
        self.order: Callable[[int], np.ndarray] = lru_cache(kept)(self._order)
        self.keys: Callable[[int], np.ndarray] = lru_cache(kept)(self._keys)

    def _order(self, epoch: int) -> np.ndarray:
        return epoch_order(self.schedule.split_seed, epoch, len(self.rows.y)).numpy()

    def _keys(self, epoch: int) -> np.ndarray:
        return np.concatenate([row_keys(epoch, number, size) for number, size in enumerate(np.diff(self.edges))])
