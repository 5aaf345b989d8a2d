"""Which features a function depends on, and which of them act together: found by resampling, group by group.

A group of features that changes nothing when all of it is resampled holds no feature that is used, and two groups whose
changes add up hold no pair that acts together. So halves are looked at only where there is something to be found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nas_core.interpretability.black_box import BlackBox, Unusable
from nas_core.interpretability.intervals import resample_counts
from nas_core.interpretability.model_facts import closed_pairs
from nas_core.interpretability.usage import USE_THRESHOLD

__all__ = ["Linked", "Used", "centred", "limit_of", "linked_features", "used_features_of"]

# Draws of a group (M of Molnar et al.), second differences of a test.
DRAWS, DIFFERENCES = 50, 1000
# Numbers handed to the function, and rows, at most; rows of a single look at least.
MOST_NUMBERS, MOST_ROWS, FEWEST = 600_000_000, 2_000_000, 4
# A feature counts at first sight when what it changes is so many times what has to be exceeded.
CLEARLY = 4
# A group is searched when it changes the output by a little less than what makes a single feature count.
GROUP = 0.25


@dataclass(frozen=True)
class Used:
    """The features a function depends on.

    Attributes:
        features: Ascending.
        low, high: 95 % interval of their number over resampled rows.
    """

    features: tuple[int, ...]
    low: int
    high: int


@dataclass(frozen=True)
class Linked:
    """The features that are not additively separable, closed under transitivity.

    Attributes:
        groups: Of two features or more, each ascending; a group of k counts k(k − 1)/2 pairs.
        pairs: How many pairs that is.
        low, high: 95 % interval of the number of pairs over resampled rows.
    """

    groups: tuple[tuple[int, ...], ...]
    pairs: int
    low: int
    high: int


def limit_of(outputs: np.ndarray, precision: float) -> float:
    """Return the mean squared change that counts: (1/1000 of sd f)², or what rounding alone can do.

    ``outputs`` (N, C) are centred over several outputs.
    """
    variance = float(((outputs - outputs.mean(0)) ** 2).sum(1).mean())
    return USE_THRESHOLD**2 * variance + (8 * precision * float(np.abs(outputs).max())) ** 2


def used_features_of(
    box: BlackBox, X: np.ndarray, outputs: np.ndarray, order: Sequence[int], rng: np.random.Generator
) -> Used:
    """Return which features change ``outputs`` (N, C) of the rows ``X`` (N, P) when they are resampled.

    A feature counts when the root mean square change exceeds 1/1000 of sd(f). First each feature gets the values of
    other rows once; those that this does not settle are resampled 50 times, all together and then in halves. In data so
    wide that this would take too long, the first look decides.

    Source: Molnar et al. (2019), arXiv 1904.03867.
    Differs: a threshold relative to sd(f); groups first. ``usage.used_features`` is the same one by one.
    Costs: N predictions per feature (fewer in wide data) and 50·N for those not used; 2·50·N·log P per rare one.

    Raises:
        Unusable: A prediction fails, or there are too many features.
    """
    n, P = X.shape
    alive = [j for j in order if (X[:, j] != X[0, j]).any()]
    limit = limit_of(outputs, box.precision)
    looker = _Resampled(box, X, outputs, rng, limit)
    rows = min(n, MOST_NUMBERS // (P * max(1, len(alive))), MOST_ROWS // max(1, len(alive)))
    known = looker.single(alive, rows) if rows >= min(n, FEWEST) else {}
    settled = {j: squares for j, squares in known.items() if float(squares.mean()) > limit * CLEARLY}
    left = [j for j in alive if j not in settled]
    try:
        looker.search(left)
    except _Spent:
        if not known:
            raise Unusable(f"looking for the features used among {P:,} would take too long") from None
        looker.found |= {j: known[j] for j in left if float(known[j].mean()) > limit}
    found = settled | looker.found
    counts = np.zeros(len(resample_counts(1)))
    for length in {len(squares) for squares in found.values()}:
        squares = np.stack([squares for squares in found.values() if len(squares) == length], 1)
        counts += (resample_counts(length) @ squares / length > limit).sum(1)
    return Used(tuple(sorted(found)), min(int(np.quantile(counts, 0.025)), len(found)), len(found))


class _Spent(Exception):  # noqa: N818 - nothing is wrong
    """Enough was asked."""


class _Resampled:
    """Features that are given the values of other rows; ``found`` holds what that changes, row by row."""

    def __init__(
        self, box: BlackBox, X: np.ndarray, outputs: np.ndarray, rng: np.random.Generator, limit: float
    ) -> None:
        self.box, self.X, self.outputs, self.rng, self.limit = box, X, outputs, rng, limit
        self.found: dict[int, np.ndarray] = {}
        self.numbers = 0

    def single(self, features: Sequence[int], rows: int) -> dict[int, np.ndarray]:
        """Return the squared change (rows,) by feature when each has the values of other rows once."""
        n = len(self.X)
        mixed = self.rng.permutation(n)
        at, donors = mixed[:rows], mixed[(np.arange(rows) + self.rng.integers(1, n)) % n]
        edits = [((j,), self.X[donors, j][:, None]) for j in features]
        self.numbers += rows * self.X.shape[1] * len(edits)
        found = self.box.edited(self.X[at], edits) if edits else np.zeros((0, rows, 1))
        return {j: ((centred(f) - self.outputs[at]) ** 2).sum(1) for j, f in zip(features, found)}

    def search(self, features: Sequence[int]) -> None:
        """Find those of ``features`` that change the output, halving the groups that do."""
        if not features:
            return
        squares = self._changes(features)
        if float(squares.mean()) <= self.limit * (1 if len(features) == 1 else GROUP):
            return
        if len(features) == 1:
            self.found[features[0]] = squares
            return
        half = len(features) // 2
        self.search(features[:half])
        self.search(features[half:])

    def _changes(self, features: Sequence[int]) -> np.ndarray:
        """Return the mean squared change (rows,) over the draws, each feature resampled on its own."""
        n, P = self.X.shape
        rows = min(n, max(FEWEST, MOST_NUMBERS // (20 * DRAWS * P)))
        mixed = self.rng.permutation(n)
        at, total = mixed[:rows], np.zeros(rows)
        self.numbers += rows * P * DRAWS
        if self.numbers > MOST_NUMBERS:
            raise _Spent
        columns = list(features)
        for _ in range(DRAWS):
            shifts = self.rng.integers(1, n, len(columns))
            donors = mixed[(np.arange(rows)[:, None] + shifts) % n]
            edit = (columns, self.X[donors, columns])
            total += ((centred(self.box.edited(self.X[at], [edit])[0]) - self.outputs[at]) ** 2).sum(1)
        return total / DRAWS


def linked_features(
    box: BlackBox, X: np.ndarray, outputs: np.ndarray, used: Sequence[int], rng: np.random.Generator
) -> Linked:
    """Return the groups of ``used`` features that act together.

    Two features are additively separable when resampling both changes the output by the sum of what resampling each
    does. They are linked when the root mean square of the second difference
    f(x) − f(x with j resampled) − f(x with k resampled) + f(x with both) exceeds 1/1000 of sd(f). A group grows by
    every feature linked to one of its own; sets of features are tested at once and halved where they are not separable.

    Source: Sun, Kirley & Halgamuge (2018), doi 10.1109/TEVC.2017.2778089 (recursive differential grouping); the count
    is that of Schneider et al. (2023), doi 10.1145/3583131.3590380.
    Differs: differences between resampled rows instead of between the corners of the domain.
    Costs: 1,000 second differences per test, about P tests where nothing is linked and 2·P where everything is.

    Raises:
        Unusable: A prediction fails, or there are too many features.
    """
    if len(used) < 2:
        return Linked((), 0, 0, 0)
    tests = _SecondDifferences(box, X, outputs, used, rng)
    left, groups = list(used), []
    while left:
        group = [left.pop(0)]
        while found := tests.touching(group, left):
            group += found
            left = [j for j in left if j not in found]
        groups.append(tuple(sorted(group)))
    kept = tuple(sorted(g for g in groups if len(g) > 1))
    pairs = sum(len(g) * (len(g) - 1) // 2 for g in kept)
    low, high = tests.interval(pairs)
    return Linked(kept, pairs, low, high)


class _SecondDifferences:
    """Tests of whether two sets of features act together, all with the same resampled values."""

    def __init__(
        self, box: BlackBox, X: np.ndarray, outputs: np.ndarray, used: Sequence[int], rng: np.random.Generator
    ) -> None:
        n, P = X.shape
        afford = min(MOST_NUMBERS // P, MOST_ROWS) // (8 * len(used))
        if afford < 32:
            raise Unusable(f"looking for interactions among {len(used):,} features would take too long")
        wanted = min(DIFFERENCES, afford)
        rows = min(n, wanted)
        mixed, draws = rng.permutation(n), max(1, wanted // rows)
        at = mixed[:rows]
        self.box, self.used, self.rows = box, tuple(used), rows
        self.X = np.tile(X[at], (draws, 1))
        self.plain = np.tile(outputs[at], (draws, 1))
        self.other = self.X.copy()
        places = np.tile(np.arange(rows), draws)
        for j in used:
            self.other[:, j] = X[mixed[(places + np.repeat(rng.integers(1, n, draws), rows)) % n], j]
        self.limit = limit_of(outputs, box.precision)
        self.answers: dict[tuple[int, ...], np.ndarray] = {}
        self.tests: dict[tuple[tuple[int, ...], tuple[int, ...]], np.ndarray] = {}

    def touching(self, group: Sequence[int], others: Sequence[int]) -> list[int]:
        """Return those of ``others`` that act together with a feature of ``group``."""
        if not others:
            return []
        found = float(self._squares(group, others).mean())
        if len(others) == 1:
            return list(others) if self._linked_to_one(group, others[0], found) else []
        if found <= self.limit * GROUP:
            return []
        half = len(others) // 2
        return self.touching(group, others[:half]) + self.touching(group, others[half:])

    def _linked_to_one(self, group: Sequence[int], other: int, found: float) -> bool:
        """Return whether a single feature of ``group`` is linked to ``other``, not only all of them taken together."""
        if len(group) == 1 or found <= self.limit * GROUP:
            return found > self.limit
        return any(float(self._squares([j], [other]).mean()) > self.limit for j in group)

    def _squares(self, one: Sequence[int], other: Sequence[int]) -> np.ndarray:
        """Return the mean squared second difference (rows,) of two sets."""
        key = (tuple(sorted(one)), tuple(sorted(other)))
        if key not in self.tests:
            a, b, both = (self._answer(k) for k in (key[0], key[1], tuple(sorted((*one, *other)))))
            squares = ((self.plain - a - b + both) ** 2).sum(1)
            self.tests[key] = squares.reshape(-1, self.rows).mean(0)
        return self.tests[key]

    def _answer(self, features: tuple[int, ...]) -> np.ndarray:
        if features not in self.answers:
            if len(self.answers) > 64:
                self.answers.clear()
            columns = list(features)
            self.answers[features] = centred(self.box.edited(self.X, [(columns, self.other[:, columns])])[0])
        return self.answers[features]

    def interval(self, pairs: int) -> tuple[int, int]:
        """Return the 95 % interval of the number of pairs when the rows of all tests are drawn again.

        A pair that was linked comes apart, or two sets that were separable come together, where a resample says so.
        """
        keys = [k for k in self.tests if len(k[0]) == len(k[1]) == 1 or float(self.tests[k].mean()) <= self.limit]
        means = resample_counts(self.rows) @ np.stack([self.tests[k] for k in keys], 1) / self.rows
        kinds, inverse = np.unique(means > self.limit, axis=0, return_inverse=True)
        counts = np.array([closed_pairs([k for k, on in zip(keys, kind) if on]) for kind in kinds])[inverse.ravel()]
        low, high = np.quantile(counts, (0.025, 0.975))
        return min(pairs, int(low)), max(pairs, int(high))


def centred(outputs: np.ndarray) -> np.ndarray:
    """Return outputs (n, C), centred over several outputs."""
    return outputs - outputs.mean(1, keepdims=True) if outputs.shape[1] > 1 else outputs
