"""Goals as limits on losses: by how much a candidate misses what a person asked for.

The one place that compares candidates with goal lines: the ranking, every strategy and the report ask here, so they
cannot disagree about who meets a goal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nas_core.errors import SettingsError
from nas_core.objectives import Objective
from nas_core.preferences import INTERPRETABILITY, PERFORMANCE, Goal

__all__ = ["NO_LIMITS", "Limits"]


@dataclass(frozen=True)
class Limits:
    """The largest loss in [0, 1] that each of G goals allows.

    Attributes:
        goals: What was asked for, G of them.
        losses: The limit of each; a score s becomes the loss 1 − s.
    """

    goals: tuple[Goal, ...] = ()
    losses: tuple[float, ...] = ()

    @staticmethod
    def of(goals: Sequence[Goal], objective: Objective, measured: Sequence[str] | None = None) -> Limits:
        """Return the limits of some goals.

        Args:
            goals: What is asked for.
            objective: The performance objective.
            measured: The measures there are; None where that is not known.

        Raises:
            SettingsError: No model can reach a goal for performance; a goal is for a measure that is not among
                ``measured``.
        """
        known = None if measured is None else (PERFORMANCE, INTERPRETABILITY, *measured)
        for goal in goals:
            if known is not None and goal.name not in known:
                raise SettingsError(
                    f"There is a goal for {goal.name!r}, which is not measured here",
                    allowed=", ".join(known),
                    fix="set a goal for one of these, or add the measure to the problem",
                )
        losses = [objective.limit(g.value) if g.name == PERFORMANCE else 1.0 - g.value for g in goals]
        return Limits(tuple(goals), tuple(losses))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What each goal is for."""
        return tuple(goal.name for goal in self.goals)

    @cached_property
    def measures(self) -> tuple[str, ...]:
        """The single measures among :attr:`names`."""
        return tuple(name for name in self.names if name not in (PERFORMANCE, INTERPRETABILITY))

    def reached(self, losses: np.ndarray, measures: np.ndarray, names: Sequence[str]) -> np.ndarray:
        """Return the losses (n, G) that the goals look at; what is undefined or not measured is the worst, 1.

        Args:
            losses: (n, 2) performance loss and interpretability loss, or NaN.
            measures: (n, M) scores in [0, 1] or NaN, columns ``names``.
        """
        found = np.ones((len(losses), len(self.goals)))
        for at, name in enumerate(self.names):
            if name in (PERFORMANCE, INTERPRETABILITY):
                found[:, at] = losses[:, int(name == INTERPRETABILITY)]
            elif name in names:
                found[:, at] = 1.0 - measures[:, list(names).index(name)]
        return np.where(np.isnan(found), 1.0, found)

    def misses(self, losses: np.ndarray, measures: np.ndarray, names: Sequence[str]) -> np.ndarray:
        """Return by how much loss (n, G) each goal is missed, 0 where it is met; arguments as of :meth:`reached`."""
        return np.maximum(0.0, self.reached(losses, measures, names) - np.array(self.losses))

    def violation(self, losses: np.ndarray, measures: np.ndarray, names: Sequence[str]) -> np.ndarray:
        """Return the sum (n,) of what :meth:`misses` returns: 0 where all goals are met."""
        total: np.ndarray = self.misses(losses, measures, names).sum(axis=1)
        return total


NO_LIMITS = Limits()
"""What every candidate keeps."""
