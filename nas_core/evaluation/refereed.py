"""What training asks on the way, answered by the judge and the referee of an evaluation."""

from __future__ import annotations

import numpy as np

from nas_core.evaluation.base import Referee
from nas_core.evaluation.performance import Judge
from nas_core.records import Halt

__all__ = ["Refereed"]


class Refereed:
    """The watch over a training: performance by the judge, decisions by the referee.

    Each candidate is judged by itself, so that its number does not depend on the company to the last digit.

    Args:
        referee: Decides.
        judge: Computes the metric of the problem on the validation rows.
        epochs: How long a candidate is trained at most.
    """

    def __init__(self, referee: Referee, judge: Judge, epochs: int) -> None:
        self._referee, self._judge, self._epochs = referee, judge, epochs

    def looks_at(self, epoch: int) -> bool:
        """Return whether the performance after this many epochs is wanted."""
        return self._referee.looks_at(epoch)

    def performance(self, outputs: np.ndarray) -> float:
        """Return the metric of the outputs (n, C) of one candidate; NaN when they are not finite."""
        return self._judge.value(outputs) if np.isfinite(outputs).all() else float("nan")

    def halt(self, candidate: str, epoch: int, performance: float | None) -> Halt | None:
        """Return what the referee says; a performance that is no number is none."""
        if performance is not None and not np.isfinite(performance):
            performance = None
        return self._referee.halt(candidate, epoch, self._epochs, performance)
