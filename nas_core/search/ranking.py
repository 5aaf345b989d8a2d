"""From an archive and a preference to an order of its candidates, and to who wins at which λ.

Two losses matter here: the performance loss and the interpretability loss (1 − the weighted geometric mean). Both are
measured against the *current front*: 0 at its best value, 1 at its worst. Without that, λ would be useless, as AUC
losses of .01 and interpretability losses of .3 meet at λ = .03 and everything above would give the same answer.
So λ = .5 asks for the middle of what the front offers. The hypervolume does not use this scale, it has a fixed one.

Goals come before λ (feasibility first, Deb 2000): λ chooses among the candidates that miss them by least. Where some
meet them all, those are the ones that meet them; while none does, they are the nearest that can be reached.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nas_core.preferences import AUGMENTATION, Preference, interpretability, tchebycheff
from nas_core.search.fronts import non_dominated
from nas_core.search.limits import NO_LIMITS, Limits

__all__ = ["Interval", "Ranking", "front_scale", "rank_candidates", "steering_scores", "winners"]

NEGLIGIBLE = 1e-9
"""A range of a loss below this is rounding, and dividing by it could overflow."""


@dataclass(frozen=True)
class Ranking:
    """Candidates ranked under one preference; every array is in the archive's order.

    Attributes:
        preference: What was asked for.
        interpretability: (n,) weighted geometric mean in [0, 1]; NaN for an ineligible candidate.
        losses: (n, 2) performance loss and interpretability loss; NaN for an ineligible candidate.
        on_front: (n,) bool, not dominated in ``losses`` by a candidate that counts, whatever the goals.
        meets: (n,) bool, eligible and meets all goals.
        violation: (n,) by how much loss the goals are missed together, 0 where all are met; inf when ineligible.
        leaders: (n,) bool, the front that λ chooses on: of the candidates that count and miss the goals by least. That
            is the front of those that meet all goals; while none does, of the nearest. Without goals as ``on_front``.
        score: (n,) augmented Tchebycheff scalar at λ on the scale of ``leaders``, smaller is better; inf when
            ineligible.
        order: (n,) positions from best to worst: what counts before what does not, then by violation, then by score.
        best: Position of the best candidate, always one of ``leaders``; None when no candidate is eligible.
    """

    preference: Preference
    interpretability: np.ndarray
    losses: np.ndarray
    on_front: np.ndarray
    meets: np.ndarray
    violation: np.ndarray
    leaders: np.ndarray
    score: np.ndarray
    order: np.ndarray
    best: int | None

    def winners(self) -> list[Interval]:
        """Return who ranks first at which λ under these goals; see :func:`winners`."""
        return winners(np.where(self.leaders[:, None], self.losses, np.nan))


@dataclass(frozen=True)
class Interval:
    """The candidate at ``position`` ranks first for every λ in [``low``, ``high``]."""

    position: int
    low: float
    high: float


def rank_candidates(
    performance_loss: np.ndarray,
    measures: np.ndarray,
    eligible: np.ndarray,
    names: tuple[str, ...],
    wish: Preference,
    *,
    limits: Limits = NO_LIMITS,
    among: np.ndarray | None = None,
) -> Ranking:
    """Return the ranking of n candidates under the preference ``wish``.

    Args:
        performance_loss: (n,) in [0, 1].
        measures: (n, M) scores in [0, 1] or NaN, columns ``names``.
        eligible: (n,) bool; the others are ranked last and are on no front.
        limits: The goals of ``wish``.
        among: (n,) bool, the candidates that count, all when None; others come after them and are on no front. Where no
            eligible one is among them, all count.

    Raises:
        SettingsError: The preference weighs a measure that is not among ``names``.
    """
    mean = np.where(eligible, interpretability(measures, wish.vector(names)), np.nan)
    losses = np.stack([np.where(np.isnan(mean), np.nan, performance_loss), 1.0 - mean], axis=1)
    ranked = ~np.isnan(losses).any(axis=1)
    violation = np.where(ranked, limits.violation(losses, measures, names), np.inf)
    counts = ranked if among is None or not (ranked & among).any() else ranked & among
    on_front = non_dominated(np.where(counts[:, None], losses, np.nan))
    nearest = counts & (violation <= violation[counts].min(initial=np.inf))
    leaders = on_front if (nearest == counts).all() else non_dominated(np.where(nearest[:, None], losses, np.nan))
    score = np.where(ranked, steering_scores(losses, leaders, wish.weight), np.inf)
    # At λ = 0 or 1 one loss does not count at all: among equals the smaller sum, then the front, comes first.
    order = np.lexsort((~leaders, losses.sum(axis=1), score, violation, ~counts, ~ranked))
    best = int(order[0]) if leaders.any() else None
    return Ranking(
        wish, mean, losses, on_front, ranked & (violation == 0.0), violation, leaders, score, order, best
    )  # fmt: skip


def steering_scores(losses: np.ndarray, on_front: np.ndarray, weight: float) -> np.ndarray:
    """Return the Tchebycheff scalar (n,) of ``losses`` (n, 2) at λ = ``weight``, on the scale of the front."""
    if not on_front.any():
        return np.full(len(losses), np.nan)
    ideal, span = front_scale(losses[on_front])
    return tchebycheff((losses - ideal) / span, weight)


def front_scale(front: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the best value and the range of each loss on ``front`` (k, 2); a range of nothing counts as one."""
    ideal = front.min(axis=0)
    span = front.max(axis=0) - ideal
    return ideal, np.where(span > NEGLIGIBLE, span, 1.0)


def winners(losses: np.ndarray) -> list[Interval]:
    """Return who ranks first at which λ, exactly, as intervals that tile [0, 1] from accuracy to interpretability.

    On a front sorted by performance loss, the difference of the scores of two candidates grows strictly with λ, so a
    pair changes order at most once, a candidate wins on at most one interval, and the lower envelope is found by one
    pass over the front with a stack. Costs O(k log k) for a front of k.

    Args:
        losses: (n, 2) as in :class:`Ranking`; rows with NaN cannot win.
    """
    front = np.flatnonzero(non_dominated(losses))
    if front.size == 0:
        return []
    front = front[np.lexsort((front, losses[front, 0]))]
    front = front[np.diff(losses[front, 0], prepend=-np.inf) > 0.0]  # of equal candidates the first one wins
    ideal, span = front_scale(losses[front])
    scaled = ((losses[front] - ideal) / span).tolist()
    stack: list[tuple[int, float]] = []  # who wins from which λ on
    for at in range(len(front)):
        start = 0.0
        while stack and (start := _takeover(scaled[stack[-1][0]], scaled[at])) <= stack[-1][1]:
            stack.pop()
        stack.append((at, start))
    ends = [start for _, start in stack[1:]] + [1.0]
    return [Interval(int(front[at]), low, high) for (at, low), high in zip(stack, ends)]


def _takeover(accurate: list[float], simple: list[float]) -> float:
    """Return the λ at which ``simple`` (larger performance loss) draws level with ``accurate``, in [0, 1]."""
    knots = sorted({0.0, 1.0, *(a / (a + b) for a, b in (accurate, simple) if a + b > 0.0)})
    before, lead = 0.0, _score(accurate, 0.0) - _score(simple, 0.0)
    for knot in knots[1:]:
        gap = _score(accurate, knot) - _score(simple, knot)
        if gap >= 0.0:  # linear between knots
            return before + (knot - before) * (-lead / (gap - lead)) if gap > lead else knot
        before, lead = knot, gap
    return 1.0


def _score(losses: list[float], weight: float) -> float:
    accuracy, simplicity = (1.0 - weight) * losses[0], weight * losses[1]
    return max(accuracy, simplicity) + AUGMENTATION * (accuracy + simplicity)
