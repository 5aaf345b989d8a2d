"""A random forest that imitates a candidate as a whole: what a flexible model of axis-parallel steps makes of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nas_core.errors import ExplanationError, SettingsError
from nas_core.explanations.base import Candidate
from nas_core.explanations.moves import checked_table
from nas_core.explanations.surrogate_rows import ImitatedRows
from nas_core.interpretability.agreement import Agreement
from nas_core.interpretability.trees import TreeRows, scaled_target

__all__ = ["ForestSurrogate", "forest_surrogate"]

TREES, LEAF = 100, 5


@dataclass(frozen=True)
class ForestSurrogate:
    """A random forest that imitates a candidate: what a flexible model of axis-parallel steps makes of it.

    Attributes:
        feature_names: P names.
        importance: (P,) share of the impurity that a feature takes away, adding up to 1; 0 where nothing varies.
        error: (P,) standard error over the trees.
        agreement: Held-out R² of the outputs, or Cohen's κ of the classes, with its interval; or the reason for none.
        matched: Share of the held-out rows that get the network's class; NaN for a regression.
        trees, rows, held_out: Number of trees, of training rows and of validation rows.
    """

    feature_names: tuple[str, ...]
    importance: np.ndarray
    error: np.ndarray
    agreement: Agreement
    matched: float
    trees: int
    rows: int
    held_out: int


def forest_surrogate(candidate: Candidate, *, trees: int = TREES, seed: int = 0) -> ForestSurrogate:
    """Return the random forest that imitates a candidate on training rows, judged on validation rows.

    Where a forest of many trees does much better than one small tree, the small tree is too simple for the network.

    Source: Breiman (2001), Machine Learning 45.
    Differs: importance is the decrease of impurity, which prefers features with many values and shares the importance
    of features that repeat each other (Strobl et al. 2007); each value is read as its rank among the training values.
    Costs: 100 trees on at most 2000 rows, O(trees · √P · N log N).

    Raises:
        ExplanationError: The candidate does not read a table, or its outputs are not finite.
        SettingsError: Fewer than one tree is asked for.
    """
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    if trees < 1:
        raise SettingsError(f"A forest of {trees} trees", allowed="1 or more", fix="ask for more")
    table = checked_table(candidate, "Surrogate forests")
    seen = ImitatedRows.of(table)
    if not np.isfinite(seen.outputs).all() or not np.isfinite(seen.held_outputs).all():
        raise ExplanationError("The network gives outputs that are no numbers", fix="look at its diagnosis")
    classes = len(table.problem.dataset.classes)
    read = TreeRows.of(seen.X, seen.categorical)
    kind = RandomForestClassifier if classes else RandomForestRegressor
    forest = kind(n_estimators=trees, min_samples_leaf=LEAF, max_features="sqrt", random_state=seed % 2**32)
    target, _ = scaled_target(seen.outputs, classes)  # one that varies by rounding only is 0 everywhere
    forest.fit(read.ranks, target if classes else target[:, 0])
    each = np.zeros((trees, table.problem.P))
    for t, tree in enumerate(forest.estimators_):
        np.add.at(each[t], [j for j, _ in read.columns], tree.feature_importances_)
    said = forest.predict(_ranked(read, seen.held))
    said = said.astype(np.int64) if classes else said[:, None] * seen.outputs.std() + seen.outputs.mean()
    agreement, matched = seen.judged(said, classes)
    mean = each.mean(0)
    total = mean.sum() or 1.0
    return ForestSurrogate(
        table.problem.feature_names, mean / total, each.std(0) / np.sqrt(trees) / total, agreement, matched, trees,
        len(seen.X), len(seen.held),
    )  # fmt: skip


def _ranked(read: TreeRows, X: np.ndarray) -> np.ndarray:
    """Return rows (n, P) as the columns (n, Q) of ``read``: each value between the ranks of its neighbours."""
    columns = []
    for values, (j, level) in zip(read.values, read.columns):
        x = X[:, j] if level is None else (X[:, j] == level).astype(float)
        columns.append(np.interp(x, values, np.arange(len(values))))
    return np.stack(columns, 1).astype(np.float32)
