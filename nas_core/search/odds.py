"""How likely an architecture is to meet the goals, by what a surrogate believes of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr, ndtri

from nas_core.preferences import INTERPRETABILITY, PERFORMANCE
from nas_core.search.limits import Limits
from nas_core.search.standing import Standing

__all__ = ["NO_GOALS", "GoalOdds", "surrogate_losses"]


def surrogate_losses(standing: Standing, known: list[str]) -> np.ndarray:
    """Return the losses (k, 2 + G') to learn: performance, interpretability, and each single measure with a goal."""
    limits = standing.limits
    extra = [at for at, name in enumerate(limits.names) if name in limits.measures]
    rows = [[*standing.losses(c), *([standing.goal_losses(c)[at] for at in extra] if extra else ())] for c in known]
    return np.array(rows, dtype=np.float64)


@dataclass(frozen=True)
class GoalOdds:
    """Which columns of a surrogate the goals are about, and the largest normal score that meets each.

    Attributes:
        columns: (G,) positions among the columns of :func:`surrogate_losses`.
        bounds: (G,) normal scores.
    """

    columns: np.ndarray
    bounds: np.ndarray

    @staticmethod
    def of(limits: Limits, losses: np.ndarray) -> GoalOdds:
        """Return the odds of meeting ``limits``, where ``losses`` (k, 2 + G') are known.

        A surrogate knows ranks. A limit that c of k known losses keep lies between the c-th and the next normal score;
        beyond the best or the worst known loss, a quarter of a rank outside.
        """
        places = {PERFORMANCE: 0, INTERPRETABILITY: 1} | {name: 2 + at for at, name in enumerate(limits.measures)}
        columns = np.array([places[name] for name in limits.names], dtype=np.int64)
        kept = (losses[:, columns] <= np.array(limits.losses)).sum(axis=0)
        count = len(losses)
        return GoalOdds(columns, ndtri(np.clip(kept, 0.25, count - 0.25) / count))

    def log_probability(self, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
        """Return the logarithm (s,) of the chance that all goals are met; losses are independent given the data.

        Args:
            mean: (s, m) of the normal scores.
            sd: (s, m) of the next measurement.
        """
        z = (self.bounds - mean[:, self.columns]) / sd[:, self.columns]
        found: np.ndarray = log_ndtr(z).sum(axis=1)  # a product of many small chances would be zero
        return found

    def meets(self, score: np.ndarray) -> bool:
        """Return whether normal scores (m,) meet all goals."""
        return bool((score[self.columns] <= self.bounds).all())


NO_GOALS = GoalOdds(np.empty(0, dtype=np.int64), np.empty(0))
"""What every architecture meets."""
