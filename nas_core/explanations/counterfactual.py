"""Counterfactuals: the nearest row that is predicted otherwise, and the fewest changes that would do it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from nas_core.errors import ExplanationError
from nas_core.explanations.base import Candidate
from nas_core.explanations.candidate import TrainedCandidate
from nas_core.explanations.moves import checked_table
from nas_core.explanations.what_if import Knob, Plausibility, RowDistance, knobs, otherwise, plausibility

__all__ = ["Change", "NearestRow", "SparseChange", "nearest_otherwise", "sparse_counterfactual"]

VALUES, MOST_CHANGES = 15, 6


@dataclass(frozen=True)
class NearestRow:
    """A row of the data that is predicted otherwise.

    Attributes:
        position: Where it stands among the rows that were asked.
        distance: How far it is, see ``RowDistance``.
        differs: Features whose values differ, those that the network reads first, each in the order of the data;
            empty for a signal.
    """

    position: int
    distance: float
    differs: tuple[int, ...]


def nearest_otherwise(
    candidate: Candidate, row: np.ndarray, rows: np.ndarray, distance: RowDistance, *, outputs: np.ndarray | None = None
) -> NearestRow | None:
    """Return the nearest of raw ``rows`` (n, …) that is predicted otherwise than ``row``; None where none is.

    A class is predicted otherwise where another one is predicted, a quantity where the prediction differs by a training
    standard deviation of the target. Of equally near rows it is the first.

    Source: Wexler et al. (2019), arXiv 1907.04135: the nearest counterfactual of the What-If Tool.
    Costs: n distances, and n predictions where they are not passed.

    Args:
        candidate: The network.
        row: A raw row.
        rows: Raw rows to look among.
        distance: How far rows are from one another.
        outputs: (n, C) what the candidate predicts for them, where that is known.
    """
    found = candidate.predict(rows) if outputs is None else outputs
    reference = candidate.predict(np.asarray(row)[None])[0]
    apart = np.where(otherwise(candidate.problem, reference, found) > 0, distance.between(row, rows), np.inf)
    if not len(apart) or not np.isfinite(apart).any():
        return None
    at = int(np.argmin(apart))
    differs: tuple[int, ...] = ()
    if isinstance(candidate, TrainedCandidate):
        one, other = np.asarray(row, float), np.asarray(rows[at], float)
        same = (one == other) | (np.isnan(one) & np.isnan(other))
        used = set(candidate.used)
        differs = tuple(sorted((int(j) for j in np.flatnonzero(~same)), key=lambda j: (j not in used, j)))
    return NearestRow(at, float(apart[at]), differs)


@dataclass(frozen=True)
class Change:
    """One feature moved from a raw value to another; NaN = missing."""

    feature: int
    before: float
    after: float


@dataclass(frozen=True, eq=False)
class SparseChange:
    """A row with a few features changed.

    Attributes:
        row: (P,) the changed raw row.
        changes: What was changed, in the order in which it was found.
        outputs: (C,) what is predicted for it.
        reached: Whether it is predicted otherwise.
        plausible: Whether such a row could exist.
        reason: Why it was not reached; empty where it was.
    """

    row: np.ndarray
    changes: tuple[Change, ...]
    outputs: np.ndarray
    reached: bool
    plausible: Plausibility
    reason: str = ""


def sparse_counterfactual(
    candidate: Candidate,
    row: np.ndarray,
    distance: RowDistance,
    *,
    fixed: Collection[int] = (),
    most: int = MOST_CHANGES,
) -> SparseChange:
    """Return a row with few features changed that is predicted otherwise, found greedily.

    Each step moves the one feature to the one value that takes the prediction farthest, until it is another one. Then
    changes that are not needed are taken back, and numbers go back as far as they can. Values are those of training
    rows (levels, or 15 quantiles between 1 % and 99 %), so no single one is out of range; whether the combination could
    exist is told by ``plausible``, not forced. Taking any one change back undoes the result. Fewest is not promised:
    that is a search over all subsets; where one change suffices, one is found.

    Source: Martens & Provost (2014), best-first evidence counterfactuals, with values instead of removals; sparsity
    after Wachter et al. (2017), arXiv 1711.00399.
    Costs: ``most`` · (features that are read) · 15 predictions.

    Args:
        candidate: Of a table.
        row: (P,) raw row.
        distance: How far rows are from one another.
        fixed: Features that stay as they are.
        most: Changes at most.

    Raises:
        ExplanationError: It reads no table, the row has the wrong shape, or ``most`` is below 1.
    """
    table = checked_table(candidate, "Sparse counterfactuals")
    if most < 1:
        raise ExplanationError(f"{most} changes", allowed="1 or more", fix="allow one change at least")
    start = table.checked(np.asarray(row)[None])[0]
    turned = knobs(table)
    values = {k.feature: v for k in turned if k.used and k.feature not in fixed and len(v := _values(table, k))}
    search = _Search(table, start)
    now = start.copy()
    while (best := search.step(now, values, most)) is not None:
        now = best
        if search.score(now[None])[0] > 0:
            break
    reached = bool(search.score(now[None])[0] > 0)
    if reached:
        now = search.shrunk(search.pruned(now), values)
    changes = tuple(Change(j, float(start[j]), float(now[j])) for j in search.changed(now))
    return SparseChange(now, changes, table.predict(now[None])[0], reached, plausibility(distance, now, turned),
                        "" if reached else _reason(values, most))  # fmt: skip


def _reason(values: dict[int, np.ndarray], most: int) -> str:
    if not values:
        return "the network reads no feature that may be changed"
    return f"no {most} changes, each the best at its turn, lead to another prediction"


def _values(candidate: TrainedCandidate, knob: Knob) -> np.ndarray:
    """Return the training values that a feature may move to."""
    if knob.kind == "categorical":
        return np.array(sorted(knob.seen), float)
    column = candidate.problem.train.raw[:, knob.feature]
    known = column[~np.isnan(column)]
    if not len(known):
        return known
    return np.unique(np.quantile(known, np.linspace(0.01, 0.99, VALUES), method="nearest"))


class _Search:
    """The greedy search from one row of a table; scores are those of ``otherwise``."""

    def __init__(self, candidate: TrainedCandidate, start: np.ndarray) -> None:
        self._candidate, self._start = candidate, start
        self._reference = candidate.predict(start[None])[0]

    def score(self, rows: np.ndarray) -> np.ndarray:
        return otherwise(self._candidate.problem, self._reference, self._candidate.predict(rows))

    def changed(self, row: np.ndarray) -> list[int]:
        same = (row == self._start) | (np.isnan(row) & np.isnan(self._start))
        return [int(j) for j in np.flatnonzero(~same)]

    def step(self, now: np.ndarray, values: dict[int, np.ndarray], most: int) -> np.ndarray | None:
        """Return the row after the best single move, None where no move takes the prediction any farther."""
        moved = self.changed(now)
        free = values if len(moved) < most else {j: values[j] for j in moved}
        moves = [(j, float(v)) for j, own in free.items() for v in own if v != now[j]]
        if not moves:
            return None
        rows = np.repeat(now[None], len(moves), axis=0)
        rows[np.arange(len(moves)), [j for j, _ in moves]] = [v for _, v in moves]
        scores = self.score(rows)
        at = int(np.argmax(scores))
        return rows[at] if scores[at] > self.score(now[None])[0] + 1e-12 else None

    def pruned(self, now: np.ndarray) -> np.ndarray:
        """Return the row without the changes that it does not need."""
        again = True
        while again:
            again = False
            for j in self.changed(now):
                less = now.copy()
                less[j] = self._start[j]
                if self.score(less[None])[0] > 0:
                    now, again = less, True
                    break
        return now

    def shrunk(self, now: np.ndarray, values: dict[int, np.ndarray]) -> np.ndarray:
        """Return the row with each number moved back towards where it was, as far as the prediction stays."""
        features = self._candidate.problem.dataset.features
        for j in self.changed(now):
            if features[j].kind == "categorical" or np.isnan(self._start[j]):
                continue
            between = values[j][np.abs(values[j] - self._start[j]) < abs(now[j] - self._start[j])]
            between = between[(between - self._start[j]) * (now[j] - self._start[j]) > 0]
            between = between[np.argsort(np.abs(between - self._start[j]), kind="stable")]
            if len(between):
                rows = np.repeat(now[None], len(between), axis=0)
                rows[:, j] = between
                enough = np.flatnonzero(self.score(rows) > 0)
                now = rows[enough[0]] if len(enough) else now
        return self.pruned(now)
