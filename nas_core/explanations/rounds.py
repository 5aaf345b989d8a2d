"""Values that are the mean of independent rounds, with the standard error that the rounds' differences tell."""

from __future__ import annotations

import numpy as np

__all__ = ["Rounds"]


class Rounds:
    """The running mean of equally good, independent estimates, and its standard error.

    Args:
        shape: Of an estimate.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.count = 0
        self.values, self._squares = np.zeros(shape), np.zeros(shape)

    def add(self, estimate: np.ndarray) -> None:
        """Take one more estimate in (Welford's update, which loses no digits to a large mean)."""
        self.count += 1
        apart = estimate - self.values
        self.values = self.values + apart / self.count
        self._squares = self._squares + apart * (estimate - self.values)

    @property
    def errors(self) -> np.ndarray:
        """Standard errors of the mean; infinite before the second round."""
        if self.count < 2:
            return np.full(self.values.shape, np.inf)
        return np.sqrt(np.maximum(self._squares, 0) / (self.count - 1) / self.count)
