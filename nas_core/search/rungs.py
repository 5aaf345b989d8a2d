"""What earlier candidates had at the rungs of successive halving, and where they ended.

Letters: n candidates, m measures. Every loss lies in [0, 1], smaller is better.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from nas_core.objectives import Objective
from nas_core.records import Evaluation, Status
from nas_core.search.fronts import crowding, non_dominated, ranks

__all__ = ["History", "Rung", "Witnesses"]

LATEST = 1000
"""Candidates that one is compared with at a rung: ranks of more would cost seconds, and the latest are the rivals."""


@dataclass(frozen=True)
class History:
    """The candidates told so far that say something about learning, in the order of their identities.

    Failed and ineligible candidates are left out: they are on no front, and their curves are those of other things.

    Attributes:
        index: (n,) their running numbers.
        final: (n,) performance loss at the end; NaN for one that was ended early.
        measures: (n, m) losses of the measures; NaN where one that was ended early has none.
        front: Positions of those that no finished one dominates.
        rungs: What they had after so many epochs.
    """

    index: np.ndarray
    final: np.ndarray
    measures: np.ndarray
    front: np.ndarray
    rungs: Mapping[int, Rung]

    @classmethod
    def of(
        cls, told: Sequence[Evaluation], objective: Objective, measures: Sequence[str], rungs: Sequence[int]
    ) -> History:
        """Return the history of ``told``, whose order does not matter; of one identity the last entry counts."""
        witnesses = Witnesses(objective, measures, rungs)
        witnesses.add(told)
        return witnesses.history()

    def most(self) -> int:
        """Return the largest number of candidates that were seen at one rung and finished."""
        return max((int(rung.learners.sum()) for rung in self.rungs.values()), default=0)


class Witnesses:
    """What a history is made of, a few numbers of each candidate: so one that grows costs little.

    Args:
        objective: The performance objective.
        measures: Those that are losses of the search.
        rungs: After how many epochs candidates are looked at.
    """

    def __init__(self, objective: Objective, measures: Sequence[str], rungs: Sequence[int]) -> None:
        self._objective, self._measures, self._rungs = objective, tuple(measures), tuple(rungs)
        self._rows: dict[str, tuple[float, ...]] = {}  # number, whether eligible, epochs, loss, measures, at the rungs
        self.known: set[str] = set()

    def add(self, told: Iterable[Evaluation]) -> None:
        """Take in evaluations; a later one of the same identity replaces what was known."""
        for e in told:
            self.known.add(e.id)
            self._rows.pop(e.id, None)
            if _tells(e) and e.performance is not None:
                end = self._objective.loss(e.performance.value)
                losses = (_loss(e, name) for name in self._measures)
                seen = (_seen(e, rung, self._objective) for rung in self._rungs)
                self._rows[e.id] = (e.index, e.eligible, len(e.curves.get("valid_loss", ())), end, *losses, *seen)

    def history(self) -> History:
        """Return the history of all that were taken in."""
        m = len(self._measures)
        rows = [self._rows[key] for key in sorted(self._rows)]
        table = np.array(rows, dtype=np.float64).reshape(len(rows), 4 + m + len(self._rungs))
        index, lasted = table[:, 0].astype(np.int64), table[:, 2]
        done, scores = table[:, 1] > 0.0, table[:, 4 : 4 + m]
        final = np.where(done, table[:, 3], np.nan)
        front = np.flatnonzero(non_dominated(np.column_stack([final, scores])))
        found = {
            rung: Rung(index, at, final, scores, done & ~np.isnan(at) & (lasted >= rung))
            for rung, at in zip(self._rungs, table[:, 4 + m :].T)
        }
        return History(index, final, scores, front, found)


@dataclass(frozen=True)
class Rung:
    """What n candidates had at one rung.

    Attributes:
        index, final, measures: As in :class:`History`.
        at: (n,) performance loss there; the final one of a candidate that had finished before; NaN where unknown.
        learners: (n,) bool, those whose later way is known: seen here, trained on, and finished.
    """

    index: np.ndarray
    at: np.ndarray
    final: np.ndarray
    measures: np.ndarray
    learners: np.ndarray
    _ranked: dict[bytes, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict, repr=False)

    def nearest(self, loss: float, most: int) -> np.ndarray:
        """Return the positions of at most ``most`` learners whose loss at the rung was nearest to ``loss``.

        Of equally near ones those count first that fell most: a tie is decided in favour of going on.
        """
        learners = np.flatnonzero(self.learners)
        distance, fall = np.abs(self.at[learners] - loss), self.at[learners] - self.final[learners]
        return learners[np.lexsort((learners, -fall, distance))[:most]]

    def among_best(self, loss: float, structure: np.ndarray, share: float) -> bool:
        """Return whether a candidate is among the best ``share`` of the latest seen at the rung, itself included.

        Compared by non-dominated rank, then crowding, of the loss at the rung and the structural losses that are known
        before training; the order in which these others came does not matter.

        Args:
            loss: Of the candidate at the rung.
            structure: (m,) its losses, NaN where training will tell.
            share: From 0 to 1.
        """
        columns = ~np.isnan(structure)
        rows, rank = self._ranks(columns)
        own = np.array([loss, *structure[columns]])
        above = (rows <= own).all(axis=1) & (rows < own).any(axis=1)
        place = int(rank[above].max(initial=-1)) + 1
        below = (rows >= own).all(axis=1) & (rows > own).any(axis=1)
        peers = rows[(rank == place) & ~below]  # those below it would move to the next rank
        better, allowed = int((rank < place).sum()), share * (len(rows) + 1)
        if better >= allowed or better + len(peers) < allowed:
            return better < allowed
        space = crowding(np.vstack([peers, own]), np.zeros(len(peers) + 1, dtype=np.int64))
        return better + int((space[:-1] > space[-1]).sum()) < allowed

    def _ranks(self, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the losses of the latest that were seen here, in these columns of the measures, and their ranks."""
        key = columns.tobytes()
        if key not in self._ranked:
            rows = np.column_stack([self.at, self.measures[:, columns]])
            known = np.flatnonzero(~np.isnan(rows).any(axis=1))
            rows = rows[known[np.argsort(self.index[known], kind="stable")[-LATEST:]]]
            self._ranked[key] = rows, ranks(rows)
        return self._ranked[key]


def _tells(evaluation: Evaluation) -> bool:
    """Return whether the candidate finished well, or was ended early because of its numbers."""
    return evaluation.eligible or (evaluation.status is Status.PRUNED and evaluation.performance is not None)


def _loss(evaluation: Evaluation, name: str) -> float:
    """Return the loss of a measure; an undefined one of a finished candidate counts as the worst."""
    found = evaluation.measures.get(name)
    if found is not None and found.value is not None:
        return 1.0 - found.value
    return 1.0 if evaluation.eligible else float("nan")


def _seen(evaluation: Evaluation, epoch: int, objective: Objective) -> float:
    """Return the performance loss after so many epochs; NaN when nobody looked."""
    curves = evaluation.curves
    for at, performance in zip(curves.get("performance_epoch", ()), curves.get("performance", ())):
        if round(at) == epoch:
            return objective.loss(performance)
    ended = evaluation.eligible and len(curves.get("valid_loss", ())) < epoch
    return objective.loss(evaluation.performance.value) if ended and evaluation.performance else float("nan")
