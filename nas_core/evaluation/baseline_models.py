"""The plain models that stand beside a search: fitted, and what is known of them because of how they are made."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from nas_core.evaluation.floors import all_classes

__all__ = ["MODELS", "FittedModel", "Model", "TrainingRows"]

# Probabilities are cut to [CUT, 1 − CUT] before their logit: a leaf of one class says no more than 1000 to 1.
CUT = 1e-3
TREES, ROUNDS, DEPTH = 100, 100, 4
BAGS, RATE, EBM_ROUNDS = 4, 0.05, 2000


@dataclass(frozen=True)
class TrainingRows:
    """What a model is fitted to.

    Attributes:
        X: (n, d) columns.
        y: (n,) class index, or the target of a regression.
        weights: (n,) how much each row counts; None when all count the same.
        outputs: Number of outputs C: 1 for two classes or a regression.
        classification: True where ``y`` is a class.
    """

    X: np.ndarray
    y: np.ndarray
    weights: np.ndarray | None
    outputs: int
    classification: bool


@dataclass(frozen=True)
class FittedModel:
    """A fitted model.

    Attributes:
        predict: Columns (n, d) to logits or regression outputs (n, C).
        used: The columns it depends on.
        groups: Sets of columns that may act together, of two or more each.
        linear: True where it is linear in its columns.
        operations: Multiply-adds, additions, comparisons and look-ups of one prediction; of trees on the longest path.
        parameters: Numbers that were fitted.
    """

    predict: Callable[[np.ndarray], np.ndarray]
    used: tuple[int, ...]
    groups: tuple[tuple[int, ...], ...] = ()
    linear: bool = False
    operations: int = 0
    parameters: int = 0


@dataclass(frozen=True)
class Model:
    """A kind of model.

    Attributes:
        name, label: In code, and for people; of a regression ``regression_label`` where it is called otherwise.
        fit: From training rows to the fitted model.
        most_numbers: Rows × columns × outputs above which it takes too long; None when never.
        library: Module that it needs and that is not always there.
    """

    name: str
    label: str
    fit: Callable[[TrainingRows], FittedModel]
    regression_label: str = ""
    most_numbers: int | None = None
    library: str = ""

    @property
    def missing(self) -> str:
        """What has to be installed; empty when nothing."""
        if not self.library or importlib.util.find_spec(self.library) is not None:
            return ""
        return f'the library {self.library} is not there; install it with: pip install "nasight[baselines]"'


def _featureless(rows: TrainingRows) -> FittedModel:
    if not rows.classification:
        level = np.array([np.average(rows.y, weights=rows.weights)])
    else:
        shares = np.bincount(rows.y, weights=rows.weights, minlength=max(2, rows.outputs)).astype(float)
        logs = np.log(np.clip(shares / shares.sum(), CUT, 1))
        level = logs if rows.outputs > 1 else logs[1:] - logs[:1]
    return FittedModel(lambda X: np.tile(level, (len(X), 1)), (), linear=True, parameters=len(level))


def _linear(rows: TrainingRows) -> FittedModel:
    """Return logistic regression, or ridge regression."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression, Ridge

    if rows.classification:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # nearly converged is good enough to compare with
            model = LogisticRegression(max_iter=500).fit(rows.X, rows.y, sample_weight=rows.weights)
        predict = _logits(model.decision_function, model.classes_, rows.outputs)
    else:
        model = Ridge().fit(rows.X, rows.y, sample_weight=rows.weights)
        predict = _column(model.predict)
    weights = np.atleast_2d(model.coef_)
    moves = np.abs(weights).max(0) * rows.X.std(0)
    used = np.flatnonzero(moves > 1e-9 * max(float(moves.max(initial=0.0)), 1e-300))
    count = len(used) * weights.shape[0]
    return FittedModel(predict, _ints(used), linear=True, operations=count, parameters=count + weights.shape[0])


def _tree(rows: TrainingRows) -> FittedModel:
    """Return a decision tree of depth 4 with 5 rows or more in a leaf."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    kind = DecisionTreeClassifier if rows.classification else DecisionTreeRegressor
    model = kind(max_depth=DEPTH, min_samples_leaf=5, random_state=0)
    model.fit(rows.X, rows.y, sample_weight=rows.weights)
    inner = model.tree_
    columns = _ints(np.unique(inner.feature[inner.children_left >= 0]))
    return FittedModel(
        _of_classes(model, rows), columns, _joint([columns]), operations=int(model.get_depth()),
        parameters=int(inner.node_count),
    )  # fmt: skip


def _forest(rows: TrainingRows) -> FittedModel:
    """Return a random forest of 100 trees."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    kind = RandomForestClassifier if rows.classification else RandomForestRegressor
    model = kind(TREES, min_samples_leaf=2, random_state=0, n_jobs=1)
    model.fit(rows.X, rows.y, sample_weight=rows.weights)
    trees = [e.tree_ for e in model.estimators_]
    sets = [_ints(np.unique(t.feature[t.children_left >= 0])) for t in trees]
    operations = sum(int(t.max_depth) + rows.outputs for t in trees)
    return FittedModel(
        _of_classes(model, rows), _union(sets), _joint(sets), operations=operations,
        parameters=sum(int(t.node_count) for t in trees),
    )  # fmt: skip


def _boosting(rows: TrainingRows) -> FittedModel:
    """Return gradient boosting of 100 rounds."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingClassifier if rows.classification else HistGradientBoostingRegressor
    model = kind(max_iter=ROUNDS, early_stopping=False, random_state=0)
    model.fit(rows.X, rows.y, sample_weight=rows.weights)
    if rows.classification:
        predict = _logits(model.decision_function, model.classes_, rows.outputs)
    else:
        predict = _column(model.predict)
    nodes = [tree.nodes for rounds in model._predictors for tree in rounds]
    sets = [_ints(np.unique(n["feature_idx"][n["is_leaf"] == 0])) for n in nodes]
    return FittedModel(
        predict, _union(sets), _joint(sets), operations=sum(int(n["depth"].max()) + 1 for n in nodes),
        parameters=sum(len(n) for n in nodes),
    )  # fmt: skip


def _explainable_boosting(rows: TrainingRows) -> FittedModel:
    """Return an explainable boosting machine: curves of single features, and of some pairs where there is one output.

    Source: Nori et al. (2019), arXiv 1909.09223.
    """
    from interpret.glassbox import ExplainableBoostingClassifier, ExplainableBoostingRegressor

    kind = ExplainableBoostingClassifier if rows.classification else ExplainableBoostingRegressor
    pairs = 0 if rows.outputs > 1 else min(10, rows.X.shape[1])
    with _interpret_warnings():
        model = kind(
            feature_types=["continuous"] * rows.X.shape[1],
            interactions=pairs,
            outer_bags=BAGS,
            n_jobs=1,
            random_state=0,
        )
        model.fit(rows.X, rows.y, sample_weight=rows.weights)
    found = [
        (tuple(int(j) for j in term), scores)
        for term, scores in zip(model.term_features_, model.term_scores_)
        if np.abs(scores).max() > 0
    ]
    terms = [term for term, _ in found]
    raw = model.decision_function if rows.classification else model.predict

    def outputs(X: np.ndarray) -> np.ndarray:
        with _interpret_warnings():
            return np.asarray(raw(X))

    predict = _logits(outputs, model.classes_, rows.outputs) if rows.classification else _column(outputs)
    return FittedModel(
        predict, _union(terms), _joint(terms), operations=2 * len(terms) * rows.outputs,
        parameters=sum(int(np.size(scores)) for _, scores in found),
    )  # fmt: skip


MODELS: tuple[Model, ...] = (
    Model("featureless", "No feature at all", _featureless),
    Model("linear", "Logistic regression", _linear, "Ridge regression"),
    Model("decision_tree", f"Decision tree of depth {DEPTH}", _tree),
    Model("random_forest", f"Random forest of {TREES} trees", _forest),
    Model("gradient_boosting", f"Gradient boosting of {ROUNDS} rounds", _boosting, most_numbers=20_000_000),
    Model(
        "explainable_boosting",
        "Explainable boosting machine",
        _explainable_boosting,
        most_numbers=5_000_000,
        library="interpret",
    ),
)
"""The kinds of model, the simplest first."""


@contextmanager
def _interpret_warnings() -> Iterator[None]:
    """Keep interpret's advice to itself: about columns with few values, and about what it imports."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _of_classes(model: Any, rows: TrainingRows) -> Callable[[np.ndarray], np.ndarray]:
    """Return the outputs of a model of trees: regression outputs, or logits of its probabilities."""
    if not rows.classification:
        return _column(model.predict)

    def logs(X: np.ndarray) -> np.ndarray:
        chances = np.log(np.clip(model.predict_proba(X), CUT, 1 - CUT))
        if rows.outputs > 1:
            return np.asarray(chances)
        if chances.shape[1] == 1:  # the training rows hold one class
            return np.zeros(len(X))
        return np.asarray(chances[:, 1] - chances[:, 0])

    return _logits(logs, model.classes_, rows.outputs)


def _logits(function: Callable[[np.ndarray], Any], classes: Any, outputs: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that gives a column (n, C) for each class, also for those that the rows lacked."""

    def predict(X: np.ndarray) -> np.ndarray:
        found = all_classes(np.asarray(function(X), float), np.asarray(classes), outputs)
        return found.reshape(len(X), outputs)

    return predict


def _column(function: Callable[[np.ndarray], Any]) -> Callable[[np.ndarray], np.ndarray]:
    return lambda X: np.asarray(function(X), float).reshape(len(X), 1)


def _joint(sets: Sequence[tuple[int, ...]]) -> tuple[tuple[int, ...], ...]:
    """Return the different sets of two columns or more: what one tree, or one term, reads may act together."""
    return tuple(sorted({s for s in sets if len(s) > 1}))


def _union(sets: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(sorted({j for s in sets for j in s}))


def _ints(values: np.ndarray) -> tuple[int, ...]:
    return tuple(int(v) for v in values)
