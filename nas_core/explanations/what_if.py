"""What could be asked of a row: which values a feature can take, and whether a made-up row is like any that exists."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from nas_core.errors import ExplanationError
from nas_core.explanations.base import Candidate
from nas_core.explanations.moves import checked_table
from nas_core.records import derive_seed

if TYPE_CHECKING:
    from nas_core.data.problem import Problem

__all__ = ["Knob", "Plausibility", "RowDistance", "knobs", "otherwise", "plausibility"]

EDGES = (0.01, 0.99)
MOST_ROWS, ASKED = 5_000, 300
USUAL = 0.95
FAR_ENOUGH = 1.0
NUMBERS = 4_000_000


@dataclass(frozen=True)
class Knob:
    """One feature of a table as a person can turn it.

    Attributes:
        feature, name, kind: Which; ``numeric`` or ``categorical``.
        low, high: 1 % and 99 % quantile of the training values; 0 and 0 for a category.
        smallest, largest: The range of the training values.
        whole: Whether all training values are whole numbers.
        levels: Names of the categories by code; empty for a number.
        seen: Codes that occur in the training rows.
        missing: Whether training rows lack it.
        used: Whether the network reads it.
        direction: +1 or −1 where the architecture certifies that the output rises or falls with it; 0 = monotone, in a
            direction that was learned; None = not certified.
    """

    feature: int
    name: str
    kind: str
    low: float
    high: float
    smallest: float
    largest: float
    whole: bool
    levels: tuple[str, ...]
    seen: frozenset[int]
    missing: bool
    used: bool
    direction: int | None

    def inside(self, value: float) -> bool:
        """Return whether the training rows hold such a value: within their range, a level they have, or missing."""
        if np.isnan(value):
            return self.missing
        if self.kind == "categorical":
            return int(value) in self.seen
        return self.smallest <= value <= self.largest


def knobs(candidate: Candidate) -> tuple[Knob, ...]:
    """Return the P features of a candidate on a table as knobs, in the order of the data.

    Raises:
        ExplanationError: It reads images or sequences.
    """
    from nas_core.spaces.family import facts

    table = checked_table(candidate, "Knobs")
    raw, used = table.problem.train.raw, set(table.used)
    certified = facts(table.space, table.architecture).certified
    found = []
    for j, spec in enumerate(table.problem.dataset.features):
        column = raw[:, j]
        known = column[~np.isnan(column)]
        number = spec.kind == "numeric" and len(known) > 0
        low, high = (float(v) for v in np.quantile(known, EDGES)) if number else (0.0, 0.0)
        ends = (float(known.min()), float(known.max())) if number else (0.0, 0.0)
        seen = frozenset() if spec.kind == "numeric" else frozenset(int(v) for v in np.unique(known))
        whole = number and bool((known == np.round(known)).all())
        found.append(Knob(j, spec.name, spec.kind, low, high, *ends, whole, spec.levels, seen,
                          len(known) < len(column), j in used, certified.get(j)))  # fmt: skip
    return tuple(found)


class RowDistance:
    """How far rows are from one another; 0 for equal ones.

    Of a table it is a sum over the features: of a number |a − b| in training standard deviations, of a category 0 where
    both are the same and otherwise the chance that two training rows have the same one (a difference in what hardly
    varies says more), and 1 where one of both is missing. Of a series or an image it is the mean |a − b| over what the
    network reads, of a text the share of places whose word differs.

    Source: Wexler et al. (2019), arXiv 1907.04135, of the What-If Tool, section 5.3, with the L1 norm.
    Differs: missing values, signals, and the scale is that of the training rows.

    Args:
        problem: Whose training rows give the scale; of more than 5,000 rows an even sample is kept.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        train = problem.train
        at = np.unique(np.linspace(0, len(train) - 1, min(MOST_ROWS, len(train))).astype(int))
        self.rows: np.ndarray = train.rows[at]
        self.raw: np.ndarray = train.raw[at]
        self._signal = problem.dataset.signal
        if self._signal is None:
            self._scales(train.raw)
        self._known = self._read(self.raw)

    def _scales(self, raw: np.ndarray) -> None:
        features = self._problem.dataset.features
        self._category = np.array([f.kind == "categorical" for f in features], bool)
        weights = np.zeros(len(features))
        for j, feature in enumerate(features):
            known = raw[~np.isnan(raw[:, j]), j]
            if feature.kind == "categorical":
                shares = np.bincount(known.astype(int)) / len(known) if len(known) else np.zeros(1)
                weights[j] = float((shares**2).sum()) or 1.0
            else:
                sd = float(known.std()) if len(known) else 0.0
                weights[j] = 1.0 / sd if sd > 0 else 0.0
        self._weights = weights

    def between(self, row: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """Return the distances (n,) of one raw row to raw ``rows`` (n, …), to the kept training rows when None."""
        known = self._known if rows is None else self._read(np.asarray(rows))
        one = self._read(np.asarray(row)[None])
        step = max(1, NUMBERS // max(1, one.shape[1]))
        return np.concatenate([self._apart(one, known[a : a + step]) for a in range(0, max(1, len(known)), step)])

    def _read(self, raw: np.ndarray) -> np.ndarray:
        """Return the numbers that are compared."""
        if self._signal is None:
            return np.asarray(raw, float)
        if self._signal.vocabulary:
            return np.nan_to_num(raw)
        return np.asarray(self._problem.encode(np.asarray(raw, np.float32)))

    def _apart(self, one: np.ndarray, rows: np.ndarray) -> np.ndarray:
        if self._signal is not None:
            apart = (rows != one) if self._signal.vocabulary else np.abs(rows - one)
            return np.asarray(apart.mean(axis=1), float)
        gone, lacks = np.isnan(one), np.isnan(rows)
        with np.errstate(invalid="ignore"):
            apart = np.where(self._category, rows != one, np.abs(rows - one)) * self._weights
        apart = np.where(gone | lacks, (gone != lacks).astype(float), apart)
        return np.asarray(apart.sum(axis=1), float)

    @cached_property
    def usual(self) -> float:
        """How far 95 % of the training rows are from the nearest other one; of 300 of them."""
        if len(self.raw) < 2:
            return 0.0
        rng = np.random.default_rng(derive_seed("usual", self._problem.spec.split_seed))
        asked = rng.choice(len(self.raw), min(ASKED, len(self.raw)), replace=False)
        nearest = []
        for i in asked:
            apart = self.between(self.raw[i])
            apart[i] = np.inf
            nearest.append(apart.min())
        return float(np.quantile(nearest, USUAL))


@dataclass(frozen=True)
class Plausibility:
    """Whether a row could be one of the data.

    Attributes:
        outside: Features whose value no training row has: beyond their range, a level never seen, or missing where
            nothing was.
        nearest: Distance to the nearest training row, see :class:`RowDistance`.
        usual: Distance within which 95 % of the training rows have another one.
        row: Data-set row number of that nearest training row.
    """

    outside: tuple[int, ...]
    nearest: float
    usual: float
    row: int

    @property
    def far(self) -> bool:
        """True when the combination of values is farther from all training rows than these are from one another."""
        return self.nearest > self.usual * (1 + 1e-9)


def plausibility(distance: RowDistance, row: np.ndarray, turned: tuple[Knob, ...] = ()) -> Plausibility:
    """Return how plausible a raw row is; ``turned`` are the knobs of a table."""
    apart = distance.between(row)
    at = int(np.argmin(apart))
    outside = tuple(k.feature for k in turned if not k.inside(float(row[k.feature])))
    return Plausibility(outside, float(apart[at]), distance.usual, int(distance.rows[at]))


def otherwise(problem: Problem, reference: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Return how far outputs (n, C) are beyond being predicted otherwise than ``reference`` (C,): above 0 they are.

    For classes it is the largest logit of another class less that of the reference's; for a quantity the difference of
    the predictions in training standard deviations of the target, less one.

    Raises:
        ExplanationError: The outputs do not have the C columns of the problem.
    """
    reference, outputs = np.asarray(reference, float), np.asarray(outputs, float)
    if outputs.ndim != 2 or outputs.shape[1] != problem.C or reference.shape != (problem.C,):
        raise ExplanationError(f"Outputs of the shape {outputs.shape}", allowed=f"(n, {problem.C})",
                               fix="pass what the candidate predicts")  # fmt: skip
    if problem.task == "regression":
        return np.abs(outputs[:, 0] - reference[0]) / problem.target_sd - FAR_ENOUGH
    if problem.C == 1:
        return outputs[:, 0] if reference[0] <= 0 else -outputs[:, 0]
    own = int(np.argmax(reference))
    others = np.delete(outputs, own, axis=1)
    return others.max(axis=1) - outputs[:, own]
