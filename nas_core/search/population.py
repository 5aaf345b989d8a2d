"""The evaluated candidates that an evolutionary strategy breeds from: who survives, and who wins a tournament."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nas_core.objectives import Objective
from nas_core.preferences import Preference, interpretability
from nas_core.records import Architecture, Evaluation
from nas_core.search.fronts import crowding, non_dominated, ranks
from nas_core.search.limits import NO_LIMITS, Limits
from nas_core.search.ranking import steering_scores

__all__ = ["Member", "Population"]


@dataclass(frozen=True)
class Member:
    """One evaluated candidate as selection sees it.

    Attributes:
        losses: Performance loss, then 1 − each search measure; an undefined measure counts as the worst.
        scores: The defined measures by name, for the preference.
        feasible: False for a failed or ineligible candidate.
        violation: How bad an infeasible one is: its performance loss, or infinity when it has no performance.
        measured: Names of all measures, those without a value too: the share of a family depends on them.
    """

    architecture: Architecture
    losses: tuple[float, ...]
    scores: Mapping[str, float]
    feasible: bool
    violation: float
    measured: tuple[str, ...] = ()

    @staticmethod
    def of(evaluation: Evaluation, objective: Objective, measures: Sequence[str]) -> Member:
        """Return what selection needs of ``evaluation``."""
        scores = {
            name: m.value for name, m in evaluation.measures.items() if m.value is not None and m.value == m.value
        }
        value = evaluation.performance.value if evaluation.performance is not None else float("nan")
        loss = objective.loss(value)
        losses = (loss, *(1.0 - scores.get(name, 0.0) for name in measures))
        feasible = evaluation.eligible and value == value
        violation = loss if value == value else float("inf")
        return Member(evaluation.architecture, losses, scores, feasible, violation, tuple(evaluation.measures))


@dataclass(frozen=True)
class Population:
    """The best members and how they compare, best front first.

    Attributes:
        members: n of them.
        rank: (n,) front number in the search losses; members that miss a goal come after all fronts, by how much they
            miss, and infeasible ones after those, by violation.
        distance: (n,) crowding distance within the front, larger is better.
        score: (n,) Tchebycheff scalar at λ on the scale of the front of those that miss the goals by least, smaller is
            better; inf when infeasible.
        pull: |2λ − 1|: how strongly λ decides, 0 in the middle, 1 at either end.
    """

    members: tuple[Member, ...]
    rank: np.ndarray
    distance: np.ndarray
    score: np.ndarray
    pull: float

    @staticmethod
    def select(
        candidates: Sequence[Member], size: int, preference: Preference, limits: Limits = NO_LIMITS
    ) -> Population:
        """Return the best ``size`` of ``candidates``; their order does not matter.

        Those within the ``limits`` of the goals come first (Deb 2000), then by front (Deb et al. 2002). On the front
        that does not fit, the share |2λ − 1| / 2 of the places goes to the best Tchebycheff scalars at λ and the others
        to the least crowded: so λ pulls, and half of the population always keeps the whole front open for the next
        change of λ.
        """
        everyone = Population.of(candidates, preference, limits)
        if len(everyone.members) <= size:
            return everyone
        last = everyone.rank[size - 1]
        sure = np.flatnonzero(everyone.rank < last)
        chosen = np.concatenate([sure, everyone._fill(np.flatnonzero(everyone.rank == last), size - len(sure))])
        # Compared anew among themselves, so that a population depends on who is in it and on nothing else.
        return Population.of([everyone.members[at] for at in chosen], preference, limits)

    @staticmethod
    def of(members: Sequence[Member], preference: Preference, limits: Limits = NO_LIMITS) -> Population:
        """Return all ``members`` compared with each other; their order does not matter."""
        everyone = sorted(members, key=lambda member: member.architecture.id)
        steering = _steering_losses(everyone, preference)
        missed = _missed(everyone, steering, limits)
        rank, distance = _compare(everyone, missed)
        order = np.argsort(rank, kind="stable")
        score = _scores(steering, missed, preference.weight)[order]
        pull = abs(2.0 * preference.weight - 1.0)
        return Population(tuple(everyone[at] for at in order), rank[order], distance[order], score, pull)

    @property
    def front(self) -> int:
        """How many members the first front has; they are the first ones."""
        return int((self.rank == self.rank[0]).sum()) if self.members else 0

    def tournament(self, rng: np.random.Generator) -> Member:
        """Return the better of two random members: by front, then with probability |2λ − 1| by λ, else by crowding."""
        a, b = (int(at) for at in rng.integers(len(self.members), size=2))
        by_preference = rng.random() < self.pull
        if self.rank[a] != self.rank[b]:
            return self.members[a if self.rank[a] < self.rank[b] else b]
        if by_preference:
            return self.members[a if self.score[a] <= self.score[b] else b]
        return self.members[a if self.distance[a] >= self.distance[b] else b]

    def _fill(self, front: np.ndarray, places: int) -> np.ndarray:
        """Return ``places`` positions of ``front``: some by λ, the others by crowding."""
        by_score = front[np.argsort(self.score[front], kind="stable")][: round(places * self.pull / 2)]
        rest = np.setdiff1d(front, by_score)
        by_distance = rest[np.argsort(-self.distance[rest], kind="stable")][: places - len(by_score)]
        return np.concatenate([by_score, by_distance])


def _compare(members: Sequence[Member], missed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return front numbers and crowding distances (n,); behind all fronts who misses a goal, then the infeasible.

    Args:
        members: n of them.
        missed: (n,) by how much each misses the goals, inf when infeasible.
    """
    if not members:
        return np.empty(0, dtype=np.int64), np.empty(0)
    feasible = np.array([member.feasible for member in members])
    losses = np.array([member.losses for member in members])
    meets, violates = missed == 0.0, feasible & (missed > 0.0)
    within = np.where(meets[:, None], losses, np.nan)
    distinct = within.copy()
    distinct[_repeats(within)] = np.nan
    rank = ranks(distinct)
    distance = crowding(distinct, rank)
    # Different networks with equal losses (AUC often ties) would crowd the front out: one of them stands for all.
    rank[meets & (rank < 0)] = rank.max(initial=-1) + 1
    # Of those that miss the goals by the same, one that dominates is better.
    behind = np.stack([missed, ranks(np.where(violates[:, None], losses, np.nan))], axis=1)[violates]
    rank[violates] = rank.max(initial=-1) + 1 + np.unique(behind, axis=0, return_inverse=True)[1].ravel()
    violations = np.array([member.violation for member in members])
    last = np.unique(violations[~feasible], return_inverse=True)[1]
    rank[~feasible] = rank.max(initial=-1) + 1 + last
    return rank, distance


def _repeats(losses: np.ndarray) -> np.ndarray:
    """Return the mask (n,) of the rows that are equal to an earlier one."""
    first = np.unique(losses, axis=0, return_index=True)[1]
    mask = np.ones(len(losses), dtype=bool)
    mask[first] = False
    return mask


def _steering_losses(members: Sequence[Member], preference: Preference) -> np.ndarray:
    """Return the losses (n, 2) of performance and interpretability under ``preference``, NaN where infeasible."""
    if not members:
        return np.empty((0, 2))
    names = list(preference.measures) or sorted({name for member in members for name in member.scores})
    if preference.families:
        names = sorted({name for member in members for name in member.measured})
    simplicity = interpretability(_measures(members, names), preference.shares(names))
    losses = np.stack([[member.losses[0] for member in members], 1.0 - simplicity], axis=1)
    losses[[not member.feasible for member in members]] = np.nan
    return losses


def _missed(members: Sequence[Member], steering: np.ndarray, limits: Limits) -> np.ndarray:
    """Return by how much each member misses the goals (n,), inf when it is infeasible."""
    feasible = np.array([member.feasible for member in members], dtype=bool)
    found = limits.violation(steering, _measures(members, limits.measures), limits.measures)
    return np.where(feasible, found, np.inf)


def _scores(steering: np.ndarray, missed: np.ndarray, weight: float) -> np.ndarray:
    """Return the Tchebycheff scalar (n,) of each member at λ, inf when infeasible."""
    nearest = np.isfinite(missed) & (missed <= missed.min(initial=np.inf))
    front = non_dominated(np.where(nearest[:, None], steering, np.nan))
    score = steering_scores(steering, front, weight)
    return np.where(np.isnan(score), np.inf, score)


def _measures(members: Sequence[Member], names: Sequence[str]) -> np.ndarray:
    """Return the scores (n, M) of measures by name, NaN where undefined."""
    scores = [[member.scores.get(name, np.nan) for name in names] for member in members]
    return np.array(scores, dtype=np.float64).reshape(len(members), len(names))
