"""Decision trees that imitate a model: one that is shown and judged, and one whose paths are counted.

A tree is grown on the rank of every value among the rows, so it is the same in any unit of the inputs, and on numbers
that single precision could not tell apart. A category becomes one yes-or-no column per level. Rows are put in an order
that depends on what they hold and not on where they stand, so that shuffled rows give the same trees and parts.

Source: Craven & Shavlik (1996), TREPAN; Wu et al. (2018), arXiv 1711.06178.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nas_core.errors import SettingsError
from nas_core.interpretability.agreement import Agreement, class_agreement, output_agreement
from nas_core.interpretability.effects import VARIANCE_FLOOR
from nas_core.interpretability.intervals import interval, resample_counts

__all__ = [
    "SurrogateTree",
    "TreeRows",
    "grow",
    "hard_classes",
    "imitated",
    "judged",
    "path_length",
    "scaled_target",
    "surrogate_tree",
]

FOLDS = 5
FEWEST = 20
MOST_ROWS = 2000
MOST_LEVELS = 20
LEAF = 5
# A leaf of the tree whose paths are counted holds at least so many rows, or this share of them.
LEAF_OF_PATH, SHARE_OF_PATH = 25, 0.01
# A split has to explain this share of the variation: rows with one output must not be split on their rounding.
LEAST_GAIN = 1e-9
FEWEST_OF_PATH = 2 * LEAF_OF_PATH
NOT_FINITE = "its outputs are not finite numbers"
ONE_CLASS = "it predicts the same class for all rows, so there is no decision to follow"
CONSTANT = "its output is the same for all rows, so there is no decision to follow"


@dataclass(frozen=True)
class SurrogateTree:
    """A decision tree that imitates a model, how well it does, and how long the decisions of the model take.

    Attributes:
        tree: Fitted scikit-learn tree (``tree_`` with thresholds in the unit of the inputs, values in that of the
            outputs, columns as in ``columns``), grown on all rows; None where the outputs are not finite.
        fidelity: Held-out R² (regression) or Cohen's κ of the classes; may be negative; None with ``reason``.
        low, high: 95 % interval of the fidelity over resampled held-out rows.
        path_length: Mean number of decisions per row of a tree without a bound on its depth; None with ``path_reason``.
        columns: Per column of the tree (feature, None), or (feature, level) of a category: 1 where it is that level.
        reason, path_reason: Why there is no fidelity, no path length; else empty.
        path_low, path_high: 95 % interval of the path length over resampled rows, the tree held fixed.
    """

    tree: Any
    fidelity: float | None
    low: float | None
    high: float | None
    path_length: float | None
    columns: tuple[tuple[int, float | None], ...]
    reason: str = ""
    path_reason: str = ""
    path_low: float | None = None
    path_high: float | None = None

    def design(self, X: np.ndarray) -> np.ndarray:
        """Return the rows ``X`` (n, P) as the columns of the tree, float64."""
        given = np.asarray(X, float)
        return np.stack([given[:, j] if level is None else given[:, j] == level for j, level in self.columns], 1) + 0.0

    def leaves(self, X: np.ndarray) -> np.ndarray:
        """Return the node (n,) that each row of ``X`` (n, P) ends in."""
        tree, values = self.tree.tree_, self.design(X)
        node = np.zeros(len(values), np.int64)
        rows = np.arange(len(values))
        while (inner := tree.children_left[node] >= 0).any():
            at = node[inner]
            left = values[rows[inner], tree.feature[at]] <= tree.threshold[at]
            node[inner] = np.where(left, tree.children_left[at], tree.children_right[at])
        return node

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return what the tree says of the rows ``X`` (n, P): class codes (n,), or outputs (n, C) for a regression."""
        values = self.tree.tree_.value[self.leaves(X)]
        if hasattr(self.tree, "classes_"):
            return np.asarray(self.tree.classes_[values[:, 0].argmax(1)])
        return np.asarray(values[:, :, 0])


@dataclass(frozen=True)
class TreeRows:
    """N rows as trees read them.

    Attributes:
        ranks: (N, Q) float32, rank of each value among the different values of its column, from 0.
        values: Per column its different values, ascending.
        columns: Per column (feature, None), or (feature, level) of a category.
        order: (N,) number that orders the rows by what they hold; equal rows share it.
    """

    ranks: np.ndarray
    values: tuple[np.ndarray, ...]
    columns: tuple[tuple[int, float | None], ...]
    order: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray, categorical: Sequence[bool] | None = None) -> TreeRows:
        """Return the rows ``X`` (N, P); a category of two levels has one column, others one for each level.

        Of a category with many levels, the 20 commonest have a column.
        """
        flags = np.zeros(X.shape[1], bool) if categorical is None else np.asarray(categorical, bool)
        parts: list[np.ndarray] = []
        values: list[np.ndarray] = []
        columns: list[tuple[int, float | None]] = []
        spread = np.zeros(len(X), np.int64)
        for j in range(X.shape[1]):
            found, rank, count = np.unique(X[:, j], return_inverse=True, return_counts=True)
            if not flags[j]:
                # the same for a column that is turned round, and in whatever place it stands
                spread += (2 * rank.astype(np.int64) - (len(found) - 1)) ** 2
                parts.append(rank)
                values.append(found)
                columns.append((j, None))
                continue
            kept = np.sort(np.argsort(-count, kind="stable")[:MOST_LEVELS])
            for level in kept[1:] if len(found) == 2 else kept:
                parts.append(rank == level)
                values.append(np.array([0.0, 1.0]))
                columns.append((j, float(found[level])))
        ranks = np.stack(parts, 1).astype(np.float32) if parts else np.zeros((len(X), 0), np.float32)
        return cls(np.ascontiguousarray(ranks), tuple(values), tuple(columns), _dense(np.column_stack([spread, X])))

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Return the ranks (n, Q) of some rows, as trees want them in memory."""
        return np.ascontiguousarray(self.ranks[rows])

    def columns_of(self, features: Sequence[int]) -> np.ndarray:
        """Return the numbers of the columns of these features."""
        wanted = set(features)
        return np.array([at for at, (j, _) in enumerate(self.columns) if j in wanted], np.int64)


def surrogate_tree(
    X: np.ndarray,
    outputs: np.ndarray,
    *,
    classes: int,
    categorical: Sequence[bool] | None = None,
    seed: int = 0,
    depth: int = 4,
    rows: int | None = None,
) -> SurrogateTree:
    """Return the tree that imitates ``outputs`` (n, C) on ``X`` (n, P), judged by five-fold cross-validation.

    The tree that is shown is grown on all rows, with at most ``depth`` decisions and 5 rows or more in a leaf. The path
    length is that of a second tree on the same target (classes, or the output of a regression), not bounded in depth,
    with at least max(25, 1 % of the rows) in a leaf.

    Costs: seven tree fits, O(Q·n·log n) each.

    Args:
        X: Raw rows without missing values.
        outputs: Logits, or the outputs of a regression.
        classes: Number of classes, 0 for a regression.
        categorical: (P,) True where a column holds category codes; default nowhere.
        seed: Of the choice of rows and of the parts.
        depth: Most decisions of the tree that is shown.
        rows: Most rows to use; default 2,000.

    Raises:
        SettingsError: The shapes do not fit, there is no row, values are missing, or fewer than two classes.
    """
    X, outputs = _checked(np.asarray(X, float), np.asarray(outputs, float), classes)
    prepared = TreeRows.of(X, categorical)
    if not np.isfinite(outputs).all():
        return SurrogateTree(None, None, None, None, None, prepared.columns, NOT_FINITE, NOT_FINITE)
    rng = np.random.default_rng(seed)
    first = hard_classes(outputs) if classes else np.zeros(len(X))
    order = np.lexsort((prepared.order, *outputs.T[::-1], first))
    most = MOST_ROWS if rows is None else max(1, rows)
    if len(order) > most:
        order = order[np.sort(rng.choice(len(order), most, replace=False))]
    ranks, outputs = prepared.take(order), outputs[order]
    target, constant = scaled_target(outputs, classes)
    shown = grow(ranks, target, classes, depth=depth)
    nothing = Agreement(reason=ONE_CLASS if classes else CONSTANT)
    found = nothing if constant else _cross_fitted(ranks, target, classes, depth, rng)
    path = nothing if constant else path_length(ranks, target, classes)
    _in_units(shown, prepared, None if classes else outputs)
    return SurrogateTree(
        shown, found.value, found.low, found.high, path.value, prepared.columns, found.reason, path.reason, path.low,
        path.high,
    )  # fmt: skip


def grow(
    ranks: np.ndarray,
    target: np.ndarray,
    classes: int,
    *,
    depth: int | None = None,
    leaf: int = LEAF,
    draws: np.random.RandomState | None = None,
) -> Any:
    """Return the fitted tree of ``ranks`` (n, Q) float32 on the classes (n,), or on scaled outputs (n, C).

    Ties between splits are broken by the same draws whatever the data. Where many trees are grown, one generator given
    as ``draws``, which is seeded anew for every tree, saves making one for each of them.
    """
    from sklearn import config_context
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    if draws is not None:
        draws.seed(0)
    kind = DecisionTreeClassifier if classes else DecisionTreeRegressor
    tree = kind(
        max_depth=depth, min_samples_leaf=leaf, min_impurity_decrease=LEAST_GAIN,
        random_state=0 if draws is None else draws,
    )  # fmt: skip
    if not ranks.shape[1]:  # nothing to decide by
        ranks = np.zeros((len(ranks), 1), np.float32)
    # Labels have to be a matrix of floats once the checks, which cost more than a small tree, are left out.
    with config_context(skip_parameter_validation=True):
        return tree.fit(ranks, target if classes else np.ascontiguousarray(target), check_input=False)


def path_length(
    ranks: np.ndarray, target: np.ndarray, classes: int, draws: np.random.RandomState | None = None
) -> Agreement:
    """Return the mean number of decisions of the rows (n, Q) in a tree without a bound on its depth, or why none."""
    n = len(ranks)
    if n < FEWEST_OF_PATH:
        return Agreement(reason=f"it needs {FEWEST_OF_PATH} rows, there are {n}")
    leaf = max(LEAF_OF_PATH, int(np.ceil(SHARE_OF_PATH * n)))
    tree = grow(ranks, target, classes, leaf=leaf, draws=draws).tree_
    if tree.node_count == 1:
        return Agreement(reason=f"no feature splits the rows into parts of {leaf}")
    own = tree.compute_node_depths()[tree.apply(ranks)] - 1.0  # the root has depth 1
    value = float(own.mean())
    return Agreement(value, *interval(resample_counts(n) @ own / n, value))


def hard_classes(outputs: np.ndarray) -> np.ndarray:
    """Return the predicted classes (n,) of logits (n, C)."""
    return (outputs[:, 0] > 0).astype(np.int64) if outputs.shape[1] == 1 else outputs.argmax(1).astype(np.int64)


def imitated(tree: Any, ranks: np.ndarray) -> np.ndarray:
    """Return what a grown tree says of the rows (n, Q): classes (n,), or scaled outputs (n, C)."""
    if not ranks.shape[1]:
        ranks = np.zeros((len(ranks), 1), np.float32)
    values = tree.tree_.value[tree.tree_.apply(ranks)]
    return np.asarray(tree.classes_[values[:, 0].argmax(1)] if hasattr(tree, "classes_") else values[:, :, 0])


def judged(target: np.ndarray, said: np.ndarray, classes: int) -> Agreement:
    """Return how well the target of held-out rows is reproduced."""
    return class_agreement(target, said) if classes else output_agreement(target, said)


def _checked(X: np.ndarray, outputs: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return both; SettingsError where a tree cannot be grown on them."""
    if X.ndim != 2 or outputs.ndim != 2 or len(X) != len(outputs) or not outputs.size:
        raise SettingsError(
            f"Rows of shape {X.shape} and outputs of shape {outputs.shape}",
            allowed="(n, P) and (n, C) with the same n ≥ 1",
            fix="give one row of outputs per row, also when there is only one output",
        )
    if np.isnan(X).any():
        raise SettingsError("The rows have missing values", allowed="numbers", fix="impute them first")
    if classes == 1 or (classes > 2 and outputs.shape[1] != classes) or (classes == 2 and outputs.shape[1] > 2):
        raise SettingsError(
            f"{classes} classes with {outputs.shape[1]} outputs",
            allowed="0 for a regression, 2 with one or two outputs, or as many outputs as classes",
            fix="pass the number of classes of the task",
        )
    return X, outputs


def scaled_target(outputs: np.ndarray, classes: int) -> tuple[np.ndarray, bool]:
    """Return what trees imitate, classes (n,) or scaled outputs (n, C), and whether it is the same everywhere."""
    if classes:
        target = hard_classes(outputs)
        return target, bool((target == target[0]).all())
    mean = outputs.mean(0)
    variance = float(((outputs - mean) ** 2).sum(1).mean())
    constant = variance < VARIANCE_FLOOR * (1 + float((mean**2).sum()))
    return (np.zeros_like(outputs) if constant else (outputs - mean) / np.sqrt(variance)), constant


def _cross_fitted(
    ranks: np.ndarray, target: np.ndarray, classes: int, depth: int, rng: np.random.Generator
) -> Agreement:
    """Return how well trees reproduce the rows they were not grown on; neighbours in order are kept apart."""
    n = len(ranks)
    if n < FEWEST:
        return Agreement(reason=f"it needs {FEWEST} rows, there are {n}")
    parts = rng.permuted(np.tile(np.arange(FOLDS), (-(-n // FOLDS), 1)), axis=1).ravel()[:n]
    said = np.empty_like(target)
    for part in range(FOLDS):
        out = parts == part
        tree = grow(ranks[~out], target[~out], classes, depth=depth)
        said[out] = imitated(tree, ranks[out])
    return judged(target, said, classes)


def _in_units(tree: Any, rows: TreeRows, outputs: np.ndarray | None) -> None:
    """Write thresholds in the unit of the inputs, and values in that of the outputs, into a grown tree."""
    inner = tree.tree_
    for node in np.flatnonzero(inner.children_left >= 0):
        values, below = rows.values[inner.feature[node]], int(np.floor(inner.threshold[node]))
        inner.threshold[node] = values[below] + (values[below + 1] - values[below]) / 2
    if outputs is not None:
        mean = outputs.mean(0)
        variance = float(((outputs - mean) ** 2).sum(1).mean())
        inner.value[:] = inner.value * np.sqrt(variance) + mean[:, None]
        inner.impurity[:] *= variance


def _dense(keys: np.ndarray) -> np.ndarray:
    """Return the rank (n,) of each row of ``keys`` (n, M), by its columns from the first on; equal rows share it."""
    order = np.lexsort(keys.T[::-1])
    sorted_keys = keys[order]
    fresh = np.concatenate(([0], (sorted_keys[1:] != sorted_keys[:-1]).any(1)))
    rank = np.empty(len(keys), np.int64)
    rank[order] = np.cumsum(fresh)
    return rank
