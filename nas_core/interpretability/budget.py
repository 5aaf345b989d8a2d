"""How many predictions a measure may ask of one candidate, so that measuring stays cheap beside training.

The bound depends on the problem and on the candidate's operations only, never on the clock: the same candidate is
measured on the same rows everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nas_core.data.problem import Problem

__all__ = ["MOST_PREDICTIONS", "affordable"]

MOST_PREDICTIONS = 12_000
"""Of one measure, at most."""
# Operations that are always allowed (some tenths of a second) and never exceeded (some seconds).
CHEAP, DEAR = 500_000_000, 40_000_000_000


def affordable(problem: Problem, operations: int, share: float) -> int:
    """Return how many predictions of a network with so many operations cost at most ``share`` of its training.

    A gradient step costs about three predictions per row, and training ends after a third of the epochs at the
    earliest, so training costs at least epochs × rows predictions.
    """
    training = share * problem.spec.recipe.max_epochs * len(problem.train)
    cost = max(1, operations)
    return int(min(MOST_PREDICTIONS, max(training, CHEAP / cost), DEAR / cost))
