"""The trivial models that a search has to beat, judged on the same rows with the same losses.

On some data a linear model on a few features is hard to beat (Schneider et al. 2023 report hypervolumes that greedy
logistic regression reaches as well), so no result is printed without them.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nas_core.evaluation.performance import metric_values
from nas_core.records import Record

if TYPE_CHECKING:
    from nas_core.data.problem import Problem

__all__ = ["FLOOR_LOSSES", "Floor", "trivial_floors"]

FLOOR_LOSSES = ("performance", "feature_parsimony", "interaction_sparsity", "monotone_share")
_MAX_ROWS = 20_000
_GREEDY_STEPS = 8
_POOL = 40


class Floor(Record):
    """One trivial model.

    Attributes:
        name: featureless, best_single_feature, logistic_regression or linear_regression, greedy_2, greedy_3 …
        label: For people.
        features: Names of the features it uses.
        performance: Value of the problem's metric on the validation rows.
        losses: In [0, 1], in the order of ``FLOOR_LOSSES``.
    """

    name: str
    label: str
    features: tuple[str, ...]
    performance: float
    losses: tuple[float, ...]


def trivial_floors(problem: Problem) -> list[Floor]:
    """Return the featureless model, the best linear model of one feature, greedy ones of 2 to 8, and that of all.

    Models are fitted on the training rows (20,000 at most) and judged on the validation rows. The greedy selection ends
    when a further feature does not help; in wide tables it chooses among the 40 most relevant features.
    """
    pool = _pool(problem)
    chosen: tuple[int, ...] = ()
    best, path = -np.inf, []
    while len(chosen) < min(_GREEDY_STEPS, len(pool)):
        scored = [(_fitted(problem, (*chosen, j)), -j) for j in pool if j not in chosen]
        if max(scored)[0] <= best:
            break
        best, chosen = max(scored)[0], (*chosen, -max(scored)[1])
        path.append(_floor(problem, *_greedy_name(chosen, problem), chosen, best))
    everything = tuple(range(problem.P))
    featureless = _floor(problem, "featureless", "No feature at all", (), problem.baseline)
    return [featureless, *path, _floor(problem, *_linear_name(problem), everything, _fitted(problem, everything))]


def _pool(problem: Problem) -> list[int]:
    hints = problem.hints
    if problem.P <= _POOL or hints is None:
        return list(range(problem.P))
    return sorted(np.argsort(-np.asarray(hints.relevance), kind="stable")[:_POOL].tolist())


def _greedy_name(chosen: Sequence[int], problem: Problem) -> tuple[str, str]:
    if len(chosen) == 1:
        return "best_single_feature", f"Linear in {problem.feature_names[chosen[0]]} alone"
    return f"greedy_{len(chosen)}", f"Linear in {len(chosen)} features, chosen greedily"


def _linear_name(problem: Problem) -> tuple[str, str]:
    if problem.task == "regression":
        return "linear_regression", "Linear regression on all features"
    return "logistic_regression", "Logistic regression on all features"


def _floor(problem: Problem, name: str, label: str, features: Sequence[int], performance: float) -> Floor:
    turning = sum(not problem.encoder.monotone[_columns(problem, [j])].all() for j in features)
    losses = (problem.objective.loss(performance), len(features) / problem.P, 0.0, turning / problem.P)
    names = tuple(problem.feature_names[j] for j in features)
    return Floor(name=name, label=label, features=names, performance=float(performance), losses=losses)


def _columns(problem: Problem, features: Sequence[int]) -> np.ndarray:
    return np.concatenate([np.asarray(problem.encoder.columns("standardised", j)) for j in features])


def _fitted(problem: Problem, features: Sequence[int]) -> float:
    """Return the performance of a linear model of these features."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression, Ridge

    columns = _columns(problem, features)
    rows = np.linspace(0, len(problem.train) - 1, min(len(problem.train), _MAX_ROWS)).astype(int)
    X, y = problem.train.E[np.ix_(rows, columns)].astype(np.float64), problem.train.y[rows]
    shown = problem.valid.E[:, columns].astype(np.float64)
    if problem.task == "regression":
        outputs = Ridge(alpha=1e-6).fit(X, y).predict(shown)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a floor that is nearly converged is a floor
            outputs = LogisticRegression(max_iter=300).fit(X, y).decision_function(shown)
    stacked = outputs.reshape(1, len(shown), -1)
    return float(metric_values(problem.objective.name, problem.valid.y, stacked, np.ones((1, len(shown))))[0, 0])
