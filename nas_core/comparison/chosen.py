"""Which candidates of a run are worth comparing when nobody has said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from nas_core.search.ranking import front_scale

if TYPE_CHECKING:
    from nas_core.search.ranking import Ranking

__all__ = ["WEIGHTS", "Pick", "picked", "suggested"]

WEIGHTS = (0.2, 0.5, 0.8)
Reason = Literal["weights", "accurate", "knee", "interpretable"]


@dataclass(frozen=True)
class Pick:
    """A candidate worth looking at.

    Attributes:
        position: In the snapshot.
        reason: It ranks first at some λ, or it is an end or the knee of the front.
        weights: At which λ it ranks first.
    """

    position: int
    reason: Reason
    weights: tuple[float, ...] = ()


def suggested(ranking: Ranking) -> tuple[Pick, ...]:
    """Return the candidates that rank first at λ = .2, .5 and .8; where these are one, the ends and knee of the front.

    Fewer than two where the run has no more. Goals count as in the ranking.
    """
    best = picked(ranking)
    if len(best) > 1:
        return best
    losses = ranking.losses
    front = np.flatnonzero(ranking.leaders)
    if not len(front):
        return ()
    front = front[np.lexsort((front, losses[front, 1], losses[front, 0]))]
    ends: list[tuple[int, Reason]] = [(int(front[0]), "accurate"), (_knee(losses, front), "knee"),
                                      (int(front[-1]), "interpretable")]  # fmt: skip
    found: dict[int, Pick] = {}
    for position, reason in ends:
        found.setdefault(position, Pick(position, reason))
    return tuple(found.values())


def picked(ranking: Ranking) -> tuple[Pick, ...]:
    """Return who ranks first at λ = .2, .5 and .8, each candidate once."""
    intervals = ranking.winners()
    winners: dict[int, list[float]] = {}
    for weight in WEIGHTS:
        at = next((i.position for i in intervals if i.low <= weight <= i.high), None)
        if at is not None:
            winners.setdefault(at, []).append(weight)
    return tuple(Pick(position, "weights", tuple(weights)) for position, weights in winners.items())


def _knee(losses: np.ndarray, front: np.ndarray) -> int:
    """Return the candidate farthest below the line between the ends, on the scale of the front (Das 1999)."""
    ideal, span = front_scale(losses[front])
    scaled = (losses[front] - ideal) / span
    return int(front[np.argmin(scaled.sum(axis=1))])
