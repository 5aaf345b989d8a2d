"""The trivial models that a search has to beat, judged on the same rows with the same losses.

On some data a linear model on a few features is hard to beat (Schneider et al. 2023 report hypervolumes that greedy
logistic regression reaches as well), so no result is printed without them.
"""

from __future__ import annotations

import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nas_core.evaluation.performance import metric_values
from nas_core.records import Record

if TYPE_CHECKING:
    from nas_core.data.problem import Part, Problem
    from nas_core.spaces import SearchSpace

__all__ = ["Floor", "all_classes", "floor_losses", "spread", "trivial_floors", "word_counts"]

_MAX_ROWS = 20_000
_MAX_NUMBERS = 8_000_000  # of a design matrix of a signal: some ten seconds of logistic regression
_FEWEST_ROWS = 2_000
_GREEDY_STEPS = 8
_POOL = 40
_TRIED_CELLS = 3


class Floor(Record):
    """One trivial model.

    Attributes:
        name: featureless, best_single_feature or best_single_cell, logistic_regression or linear_regression, greedy_2,
            greedy_3 …
        label: For people.
        features: Names of the features it uses.
        performance: Value of the problem's metric on the validation rows.
        losses: In [0, 1], in the order of :func:`floor_losses`.
    """

    name: str
    label: str
    features: tuple[str, ...]
    performance: float
    losses: tuple[float, ...]


def floor_losses(problem: Problem) -> tuple[str, ...]:
    """Return the names of a floor's losses: performance, then the measures that the search optimises."""
    return ("performance", *problem.spec.search_measures)


def trivial_floors(problem: Problem, space: SearchSpace | None = None) -> list[Floor]:
    """Return the models that a search has to beat.

    Of a table: the featureless model, the best linear model of one feature, greedy ones of 2 to 8, and that of all. The
    greedy selection ends when a further feature does not help; in wide tables it chooses among the 40 most relevant
    features. Of images and sequences: the featureless model, the best linear model of one cell, and that of all columns
    (of a text: of how often each word occurs). Models are fitted on the training rows (20,000 at most, fewer of large
    signals) and judged on the validation rows.

    Args:
        problem: The problem.
        space: The space searched, for measures that depend on what is possible in it; the default one when None.
    """
    fitted = _Signals(problem, space) if problem.dataset.signal is not None else _Tables(problem, space)
    return [fitted.floor("featureless", "No feature at all", (), problem.baseline), *fitted.floors()]


class _Floors(ABC):
    """What the floors of all modalities share."""

    def __init__(self, problem: Problem, space: SearchSpace | None) -> None:
        self.problem, self.space = problem, space

    def floor(self, name: str, label: str, features: Sequence[int], performance: float, columns: int = 0) -> Floor:
        """Return a linear model of ``features`` with its losses.

        A linear model has no interacting pairs and is additive everywhere. What is not known of it counts as perfect,
        so that no floor is shown too low.
        """
        problem = self.problem
        known = {
            "performance": problem.objective.loss(performance),
            "feature_parsimony": len(features) / problem.P,
            "monotone_share": self.turning(features) / problem.P,
        }
        if "operation_economy" in problem.spec.search_measures:
            known["operation_economy"] = self._effort(columns * problem.C)
        losses = tuple(float(known.get(measure, 0.0)) for measure in floor_losses(problem))
        names = tuple(problem.feature_names[j] for j in features)
        return Floor(name=name, label=label, features=names, performance=float(performance), losses=losses)

    @abstractmethod
    def floors(self) -> Iterable[Floor]:
        """Yield the fitted models, the one of everything last."""

    @abstractmethod
    def turning(self, features: Sequence[int]) -> int:
        """Return how many features need not act in one direction."""

    def _effort(self, operations: int) -> float:
        """Return the loss of so many multiply-adds, relative to the most that the space allows."""
        if operations <= 1:
            return 0.0
        from nas_core.spaces import SearchSpace, facts

        if self.space is None:
            self.space = SearchSpace.for_problem(self.problem)
        most = facts(self.space, self.space.sample(np.random.default_rng(0))).max_operations
        return min(1.0, math.log(operations) / math.log(max(most, operations)))

    def judged(self, outputs: np.ndarray) -> float:
        """Return the performance of outputs (n,) or (n, C) for the validation rows."""
        valid = self.problem.valid
        stacked = self.problem.judged(outputs.reshape(1, len(valid), -1))
        return float(metric_values(self.problem.objective.name, valid.target, stacked, np.ones((1, len(valid))))[0, 0])

    def fitted(self, X: np.ndarray, shown: np.ndarray, rows: np.ndarray) -> float:
        """Return the performance for validation rows ``shown`` of a linear model of training ``rows`` X (r, d)."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression, Ridge

        train = self.problem.train
        y, weights = train.y[rows], None if train.weights is None else train.weights[rows]
        if self.problem.task == "regression":
            return self.judged(Ridge(alpha=1e-6).fit(X, y).predict(shown))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a floor that is nearly converged is a floor
            model = LogisticRegression(max_iter=300).fit(X, y, sample_weight=weights)
        return self.judged(all_classes(model.decision_function(shown), model.classes_, self.problem.C))


class _Tables(_Floors):
    """Greedy linear models of a table."""

    def floors(self) -> Iterable[Floor]:
        problem, pool = self.problem, self._pool()
        chosen: tuple[int, ...] = ()
        sign = 1.0 if problem.objective.maximise else -1.0
        best = -np.inf
        while len(chosen) < min(_GREEDY_STEPS, len(pool)):
            scored = [(sign * self._linear((*chosen, j)), -j) for j in pool if j not in chosen]
            if max(scored)[0] <= best:
                break
            best, chosen = max(scored)[0], (*chosen, -max(scored)[1])
            yield self.floor(*self._greedy_name(chosen), chosen, sign * best, len(self._columns(chosen)))
        everything = tuple(range(problem.P))
        value = self._linear(everything)
        yield self.floor(*_linear_name(problem, "features"), everything, value, len(self._columns(everything)))

    def turning(self, features: Sequence[int]) -> int:
        return sum(not self.problem.encoder.monotone[self._columns([j])].all() for j in features)

    def _pool(self) -> list[int]:
        hints = self.problem.hints
        if self.problem.P <= _POOL or hints is None:
            return list(range(self.problem.P))
        return sorted(np.argsort(-np.asarray(hints.relevance), kind="stable")[:_POOL].tolist())

    def _greedy_name(self, chosen: Sequence[int]) -> tuple[str, str]:
        if len(chosen) == 1:
            return "best_single_feature", f"Linear in {self.problem.feature_names[chosen[0]]} alone"
        return f"greedy_{len(chosen)}", f"Linear in {len(chosen)} features, chosen greedily"

    def _columns(self, features: Sequence[int]) -> np.ndarray:
        encoder = self.problem.encoder
        return np.concatenate([np.asarray(encoder.columns("standardised", j)) for j in features])

    def _linear(self, features: Sequence[int]) -> float:
        columns, train = self._columns(features), self.problem.train
        rows = spread(len(train), _MAX_ROWS)
        X = train.E[np.ix_(rows, columns)].astype(np.float64)
        return self.fitted(X, self.problem.valid.E[:, columns].astype(np.float64), rows)


class _Signals(_Floors):
    """Linear models of images and sequences: of one cell, and of everything."""

    def floors(self) -> Iterable[Floor]:
        problem = self.problem
        sign = 1.0 if problem.objective.maximise else -1.0
        cells = self._promising()
        scored = [(sign * self._linear(self._cell(j)), -j) for j in cells]
        best, j = max(scored)[0], -max(scored)[1]
        label = f"Linear in {problem.feature_names[j]} alone"
        yield self.floor("best_single_cell", label, (j,), sign * best, len(self._cell(j)))
        everything, columns = tuple(range(problem.P)), np.arange(self._owner().size)
        words = problem.dataset.signal is not None and bool(problem.dataset.signal.vocabulary)
        name = _linear_name(problem, "word counts" if words else "columns")
        value = self._linear(columns)
        yield self.floor(*name, everything, value, len(columns))

    def turning(self, features: Sequence[int]) -> int:
        return 0 if self.problem.C == 1 else len(features)

    def _owner(self) -> np.ndarray:
        """Return the cell (D,) of each column of the bank."""
        signal = self.problem.signal_encoder.signal
        cells = signal.owner[: signal.owner.size // signal.channels]
        return np.tile(cells, signal.encoded_shape[0])

    def _cell(self, j: int) -> np.ndarray:
        return np.flatnonzero(self._owner() == j)

    def _design(self, part: Part, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return the matrix (r, d) that a linear model reads; the words of a text become one column each."""
        values = part.E[np.ix_(rows, columns)]
        signal = self.problem.signal_encoder.signal
        if not signal.vocabulary:
            return values.astype(np.float64)
        return word_counts(values, signal.vocabulary)

    def _linear(self, columns: np.ndarray) -> float:
        train, valid = self.problem.train, self.problem.valid
        vocabulary = self.problem.signal_encoder.signal.vocabulary
        rows = spread(
            len(train), int(np.clip(_MAX_NUMBERS // max(1, len(columns), vocabulary), _FEWEST_ROWS, _MAX_ROWS))
        )
        shown = self._design(valid, columns, np.arange(len(valid)))
        return self.fitted(self._design(train, columns, rows), shown, rows)

    def _promising(self) -> list[int]:
        """Return the cells whose columns explain most of the target by least squares, best first."""
        train = self.problem.train
        rows = spread(len(train), _FEWEST_ROWS)
        y = train.y[rows]
        T = (
            np.eye(len(self.problem.dataset.classes))[y.astype(int)]
            if self.problem.task == "classification"
            else y[:, None]
        )
        T = T - T.mean(axis=0)
        explain = _explained_by_words if self.problem.signal_encoder.signal.vocabulary else _explained
        explained = [explain(train.E[np.ix_(rows, self._cell(j))], T) for j in range(self.problem.P)]
        return np.argsort(-np.array(explained), kind="stable")[:_TRIED_CELLS].tolist()


def _explained(X: np.ndarray, T: np.ndarray) -> float:
    """Return the part of the squares of centred targets T (n, C) that least squares on X (n, d) explains."""
    centred = X.astype(np.float64) - X.mean(axis=0, dtype=np.float64)
    basis, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    kept = sizes > 1e-8 * max(sizes.max(initial=0.0), 1e-12)
    return float(((basis[:, kept].T @ T) ** 2).sum())


def _explained_by_words(ids: np.ndarray, T: np.ndarray) -> float:
    """Return what the means per word of token ids (n, steps) explain, the steps added up."""
    total = 0.0
    for step in ids.astype(np.int64).T:
        sums = np.stack([np.bincount(step, weights=column) for column in T.T])
        total += float((sums**2 / np.maximum(np.bincount(step), 1)).sum())
    return total


def _linear_name(problem: Problem, what: str) -> tuple[str, str]:
    if problem.task == "regression":
        return "linear_regression", f"Linear regression on all {what}"
    return "logistic_regression", f"Logistic regression on all {what}"


def spread(count: int, most: int) -> np.ndarray:
    """Return at most ``most`` of ``count`` row numbers, evenly spaced."""
    return np.linspace(0, count - 1, min(count, most)).astype(int)


def word_counts(ids: np.ndarray, vocabulary: int) -> np.ndarray:
    """Return how often each word occurs (r, vocabulary) in token ids (r, length); padding does not count."""
    counts = np.zeros((len(ids), vocabulary))
    rows = np.repeat(np.arange(len(ids)), ids.shape[1])
    np.add.at(counts, (rows, ids.astype(np.int64).reshape(-1)), 1.0)
    counts[:, 0] = 0.0
    return counts


def all_classes(outputs: np.ndarray, known: np.ndarray, outputs_wanted: int) -> np.ndarray:
    """Return outputs with a column for each class; a class that the fitted rows lacked is never predicted."""
    if outputs_wanted == 1 or (outputs.ndim == 2 and outputs.shape[1] == outputs_wanted):
        return outputs
    if outputs.ndim == 1:
        outputs = np.stack([-outputs, outputs], axis=1)
    whole = np.full((len(outputs), outputs_wanted), outputs.min() - 20.0)
    whole[:, known.astype(int)] = outputs
    return whole
