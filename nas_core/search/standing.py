"""How candidates compare under a preference, one number each: what strategies with a single objective search by."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from heapq import nsmallest
from itertools import compress
from typing import NamedTuple

import numpy as np

from nas_core.objectives import Objective
from nas_core.preferences import AUGMENTATION, Preference, interpretability
from nas_core.records import Architecture, Evaluation, Status
from nas_core.search.limits import Limits
from nas_core.search.ranking import NEGLIGIBLE

__all__ = ["INELIGIBLE", "MEETS", "Key", "Standing", "best_and_others", "from_best"]

UNFINISHED = (Status.PRUNED, Status.CANCELLED)
"""What may still be trained to the end."""

MEETS, VIOLATES, INELIGIBLE, FAILED = 0, 1, 2, 3


class Key(NamedTuple):
    """What candidates are compared by, smaller is better.

    Attributes:
        kind: 0 where all goals are met, 1 where some are missed, 2 for an ineligible candidate, 3 for a failed one.
        scalar: Of these kinds: the Tchebycheff scalar, the violation, the performance loss, nothing.
        tie: The Tchebycheff scalar of those that miss the goals by the same.
    """

    kind: int
    scalar: float
    tie: float = 0.0


class Standing:
    """Everything told so far, comparable under the present preference.

    A feasible candidate has the augmented Tchebycheff scalar of its performance loss and its interpretability loss on
    the scale of the present front, as the ranking a person sees (Steuer and Choo 1983). Those that miss a goal come
    after all that meet them, by how much they miss; failed and ineligible ones come after all feasible ones (Deb 2000).
    Where nothing is measured beside performance, performance alone counts.

    Adding costs O(log k) for a front of k and a shift of its tail, asking for a key O(1); :meth:`scalars` and
    :meth:`ranked` look at everybody, in some milliseconds for ten thousand.

    Args:
        objective: The performance objective.
        preference: λ, measure weights and goals.

    Raises:
        SettingsError: No model can reach the goal for performance; so does :meth:`prefer`.
    """

    def __init__(self, objective: Objective, preference: Preference) -> None:
        self._objective = objective
        self.preference = preference
        self.architectures: dict[str, Architecture] = {}
        self._told: dict[str, tuple[float, Mapping[str, float], bool]] = {}  # of measures without a value NaN
        self._unfinished: set[str] = set()
        self._shares: dict[tuple[str, ...], np.ndarray] = {}
        self._limits = Limits.of(preference.goals, objective)
        self._losses: dict[str, tuple[float, float]] = {}
        self._violations: dict[str, float] = {}
        self._table = np.empty((64, 3))  # both losses and the violation of the feasible, as the dictionaries have them
        self._rows: dict[str, int] = {}
        self._least = float("inf")  # the smallest violation: the front is that of the candidates that have it
        self._front: list[tuple[float, float]] = []  # ascending in the first loss, descending in the second
        self._holders: list[str] = []  # who is where on the front

    def __contains__(self, candidate: str) -> bool:
        return candidate in self._told

    def __len__(self) -> int:
        return len(self._told)

    def add(self, evaluations: Sequence[Evaluation]) -> list[str]:
        """Take in evaluations; return the identities of those that say something new, each once, in order.

        New is a candidate that was not known, or one trained to the end that was pruned or cancelled before.
        """
        fresh = {e.id: e for e in evaluations if e.id not in self._told or self._finishes(e)}
        for key in sorted(fresh):
            evaluation = fresh[key]
            self.architectures[key] = evaluation.architecture
            value = evaluation.performance.value if evaluation.performance is not None else float("nan")
            scores = {name: float("nan") if m.value is None else m.value for name, m in evaluation.measures.items()}
            feasible = evaluation.eligible and value == value
            loss = self._objective.loss(value) if value == value else float("inf")
            self._told[key] = (loss, scores, feasible)
            if evaluation.status in UNFINISHED:
                self._unfinished.add(key)
            else:
                self._unfinished.discard(key)
            self._place(key)
        return sorted(fresh)

    def prefer(self, preference: Preference) -> None:
        """Compare under another preference from now on."""
        self._limits = Limits.of(preference.goals, self._objective)
        self.preference = preference
        self._losses, self._front, self._holders, self._shares = {}, [], [], {}
        self._violations, self._rows, self._least = {}, {}, float("inf")
        for key in self._told:
            self._place(key)

    def key(self, candidate: str) -> Key:
        """Return what candidates are compared by, smaller is better."""
        if candidate not in self._losses:
            loss = self._told[candidate][0]
            return Key(INELIGIBLE, loss) if loss < float("inf") else Key(FAILED, 0.0)
        one, two = self._losses[candidate]
        (low_one, high_two), (high_one, low_two) = self._front[0], self._front[-1]
        weight = self.preference.weight
        a = (1.0 - weight) * (one - low_one) / _span(high_one - low_one)
        b = weight * (two - low_two) / _span(high_two - low_two)
        scalar = max(a, b) + AUGMENTATION * (a + b)
        violation = self._violations[candidate]
        return Key(MEETS, scalar) if violation == 0.0 else Key(VIOLATES, violation, scalar)

    def scalars(self) -> dict[str, float]:
        """Return the scalar of every candidate that meets all goals, as :meth:`key` has it, all at once."""
        names, scalar, missed = self._columns()
        meets = missed == 0.0
        return dict(zip(compress(names, meets.tolist()), scalar[meets].tolist()))

    def ranked(self) -> list[str]:
        """Return the feasible candidates from the best, by :meth:`key` and of equal ones by identity."""
        names, scalar, missed = self._columns()
        first = np.where(missed == 0.0, scalar, missed)
        tie = np.where(missed == 0.0, 0.0, scalar)
        return from_best(names, missed != 0.0, first, tie)

    def _columns(self) -> tuple[list[str], np.ndarray, np.ndarray]:
        """Return the n feasible candidates, their scalars (n,), and by how much they miss the goals (n,)."""
        names = list(self._rows)
        if not names:
            return names, np.empty(0), np.empty(0)
        losses = self._table[: len(names)]
        (low_one, high_two), (high_one, low_two) = self._front[0], self._front[-1]
        weight = self.preference.weight
        a = (1.0 - weight) * (losses[:, 0] - low_one) / _span(high_one - low_one)
        b = weight * (losses[:, 1] - low_two) / _span(high_two - low_two)
        return names, np.maximum(a, b) + AUGMENTATION * (a + b), losses[:, 2]

    @property
    def feasible(self) -> tuple[str, ...]:
        """The candidates that may enter a front."""
        return tuple(self._losses)

    @property
    def front(self) -> tuple[str, ...]:
        """The front of performance and interpretability that λ chooses on, the most accurate first.

        Of the candidates that meet all goals; while none does, of those that miss them by least.
        """
        return tuple(self._holders)

    @property
    def limits(self) -> Limits:
        """The goals, as limits on losses."""
        return self._limits

    def meets(self, candidate: str) -> bool:
        """Return whether a candidate is feasible and meets all goals."""
        return self._violations.get(candidate) == 0.0

    def goal_losses(self, candidate: str) -> list[float]:
        """Return the losses of a feasible candidate that the goals look at, one for each goal."""
        found: list[float] = self._limits.reached(*self._row(candidate))[0].tolist()
        return found

    def losses(self, candidate: str) -> tuple[float, float]:
        """Return the performance loss and the interpretability loss of a feasible candidate."""
        return self._losses[candidate]

    def best(self, candidates: Sequence[str]) -> str:
        """Return the best of some candidates; of equal ones that with the smallest identity."""
        return min(candidates, key=lambda c: (self.key(c), c))

    def _finishes(self, evaluation: Evaluation) -> bool:
        return evaluation.id in self._unfinished and evaluation.status not in UNFINISHED

    def _place(self, key: str) -> None:
        """Note the two losses of a feasible candidate, and keep the front."""
        loss, scores, feasible = self._told[key]
        if not feasible:
            return
        point = (loss, 1.0 - self._interpretability(scores))
        self._losses[key] = point
        missed = float(self._limits.violation(*self._row(key)).item()) if self._limits.goals else 0.0
        violation = self._violations[key] = missed
        row = self._rows.setdefault(key, len(self._rows))
        if row == len(self._table):
            self._table = np.concatenate([self._table, np.empty_like(self._table)])
        self._table[row] = *point, missed
        if violation > self._least:
            return
        if violation < self._least:
            self._least, self._front, self._holders = violation, [], []
        at = bisect_left(self._front, point)
        if at < len(self._front) and self._front[at] == point:  # of equals the same one, in whatever order they came
            self._holders[at] = min(key, self._holders[at])
            return
        if at > 0 and self._front[at - 1][1] <= point[1]:
            return
        end = at
        while end < len(self._front) and self._front[end][1] >= point[1]:
            end += 1
        self._front[at:end] = [point]
        self._holders[at:end] = [key]

    def _row(self, candidate: str) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
        """Return losses (1, 2), measures (1, M) and their names, of a feasible candidate, as goals are compared."""
        scores = self._told[candidate][1]
        one, two = self._losses[candidate]
        defined = any(value == value for value in scores.values())
        return np.array([[one, two if defined else np.nan]]), np.array([list(scores.values())]), tuple(scores)

    def _interpretability(self, scores: Mapping[str, float]) -> float:
        """Return the weighted mean of a candidate's measures as the ranking a person sees has it."""
        if all(value != value for value in scores.values()):
            return 1.0
        names = tuple(scores)
        if names not in self._shares:
            self._shares[names] = self.preference.shares(names)
        mean = float(interpretability(np.array([list(scores.values())]), self._shares[names])[0])
        return mean if mean == mean else 0.0


def from_best(names: Sequence[str], *values: np.ndarray) -> list[str]:
    """Return ``names`` by the first of the ``values`` (n,) each, then by the next, and of equal ones by the name."""
    order = np.lexsort(values[::-1])
    found = [names[at] for at in order.tolist()]
    same = np.ones(max(0, len(names) - 1), dtype=bool)
    for value in values:
        same &= value[order][1:] == value[order][:-1]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], same, [0]])))  # of runs of equals, begin and end in turn
    for begin, end in edges.reshape(-1, 2).tolist():
        found[begin : end + 1] = sorted(found[begin : end + 1])
    return found


def best_and_others(ordered: Sequence[str], most: int) -> list[str]:
    """Return at most ``most`` of the candidates ``ordered`` from the best: the best half, and others as good as random.

    The others are those with the smallest identities, which are hashes. So they hardly change from one time to the
    next, and what was worked out about them is not worked out again.
    """
    if len(ordered) <= most:
        return list(ordered)
    half = most // 2
    return [*ordered[:half], *nsmallest(most - half, ordered[half:])]


def _span(width: float) -> float:
    return width if width > NEGLIGIBLE else 1.0
