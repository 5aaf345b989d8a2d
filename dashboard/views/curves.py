"""Training curves as a picture needs them: one loss per epoch and part, and the epoch whose weights were kept."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["CurvesView", "curves_view"]


@dataclass(frozen=True)
class CurvesView:
    """Losses per epoch, the first is 1; ``best`` is the epoch of the smallest validation loss, None without one."""

    epochs: tuple[int, ...]
    train: tuple[float, ...]
    valid: tuple[float, ...]
    best: int | None

    @property
    def best_loss(self) -> float | None:
        """Validation loss at the best epoch."""
        return None if self.best is None else self.valid[self.best - 1]


def curves_view(curves: Mapping[str, Sequence[float]]) -> CurvesView | None:
    """Return the view of an evaluation's curves, or None when it has none (it failed before its first epoch)."""
    train = tuple(curves.get("train_loss", ()))
    valid = tuple(curves.get("valid_loss", ()))
    count = max(len(train), len(valid))
    if count == 0:
        return None
    finite = [(value, epoch) for epoch, value in enumerate(valid, start=1) if math.isfinite(value)]
    return CurvesView(tuple(range(1, count + 1)), train, valid, min(finite)[1] if finite else None)
