"""How long and in which pieces a candidate is trained."""

from __future__ import annotations

import math

from pydantic import Field

from nas_core.records import Record

__all__ = ["Recipe"]

STEPS = 64  # gradient steps per epoch, at most


class Recipe(Record):
    """How long and in which pieces a candidate is trained.

    Attributes:
        max_epochs: Passes over the training part, at most.
        batch_size: Rows per gradient step.
        patience: Epochs without a better validation loss before a candidate stops.
        min_delta: How much smaller the validation loss must be to count as better.
    """

    max_epochs: int = Field(default=60, ge=1, le=10_000)
    batch_size: int = Field(default=64, ge=1)
    patience: int = Field(default=10, ge=1)
    min_delta: float = Field(default=1e-4, ge=0)

    @classmethod
    def for_rows(cls, n: int) -> Recipe:
        """Return the recipe for n training rows: batches of 8 to 64 rows, more where an epoch would exceed 64 steps.

        Small tables make few steps per epoch and get more epochs, large ones fewer.
        """
        small = 2 ** math.floor(math.log2(min(64, max(8, n / 5))))
        large = 2 ** math.ceil(math.log2(max(1, n / STEPS)))
        batch = max(small, large)
        steps = math.ceil(n / batch)
        epochs = 60 if steps < 40 else 40
        return cls(max_epochs=epochs, batch_size=batch, patience=10 if steps < 40 else 6)

    @classmethod
    def for_signals(cls, n: int) -> Recipe:
        """Return the recipe for n images or sequences: batches of 16 to 128, 40 epochs for few rows, 8 for many."""
        batch = 2 ** math.floor(math.log2(min(128, max(16, n / 20))))
        epochs = int(min(40, max(8, 60_000 / max(n, 1))))
        return cls(max_epochs=epochs, batch_size=batch, patience=max(3, epochs // 3))
