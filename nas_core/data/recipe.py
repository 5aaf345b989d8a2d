"""How long and in which pieces a candidate is trained."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field

from nas_core.records import Record

__all__ = ["Recipe"]

STEPS = 64  # gradient steps per epoch of a table, at most
CYCLE_STEPS = 1400


class Recipe(Record):
    """How long and in which pieces a candidate is trained.

    Attributes:
        max_epochs: Passes over the training part, at most.
        batch_size: Rows per gradient step.
        patience: Epochs without a better validation loss before a candidate stops.
        min_delta: How much smaller the validation loss must be to count as better.
        schedule: How the learning rate goes over the epochs: ``constant``, or for images and sequences ``one_cycle``
            (up at first, then along a cosine to 0, see ``nas_core.training.rates``).
    """

    max_epochs: int = Field(default=60, ge=1, le=10_000)
    batch_size: int = Field(default=64, ge=1)
    patience: int = Field(default=10, ge=1)
    min_delta: float = Field(default=1e-4, ge=0)
    schedule: Literal["constant", "one_cycle"] = "constant"

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
        """Return the recipe for n images or sequences: about 1,400 gradient steps along one cycle.

        Batches of 16 to 128 rows, about √n; 6 to 80 epochs. Nothing stops before the end, because a cycle is only good
        at its end. Measured with three small convolutional networks on digits (8 × 8): at a rate of 0.01 the cycle is
        0.6 points of test accuracy better than a constant rate, at 0.003 no better; but its last weights are about as
        good as its best ones, which matters where few validation rows choose. Batches of 128 instead of 64 cost two
        points on 7,500 images of Fashion-MNIST in 8 epochs.
        """
        batch = 2 ** math.floor(math.log2(min(128, max(16, math.sqrt(n)))))
        epochs = round(min(80, max(6, CYCLE_STEPS / math.ceil(max(n, 1) / batch))))
        return cls(max_epochs=epochs, batch_size=batch, patience=epochs, schedule="one_cycle")
