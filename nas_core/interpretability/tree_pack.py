"""The surrogate trees of a pack of candidates: grown on training rows, judged on the fixed held-out rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nas_core.interpretability.agreement import Agreement, class_agreement
from nas_core.interpretability.budget import affordable
from nas_core.interpretability.cells import cell_means
from nas_core.interpretability.held_out import measured_rows
from nas_core.interpretability.per_problem import KEPT, once
from nas_core.interpretability.trees import (
    CONSTANT,
    NOT_FINITE,
    ONE_CLASS,
    TreeRows,
    grow,
    imitated,
    judged,
    path_length,
    scaled_target,
    surrogate_tree,
)

if TYPE_CHECKING:
    from nas_core.data.problem import Problem
    from nas_core.interpretability.base import MeasureContext

__all__ = ["DEPTH", "TREE_ROWS", "TREE_VALUES", "CandidateTrees", "pack_trees"]

DEPTH = 4
# Training rows that a tree is grown on at most, fewer where rows × columns would exceed the second number.
TREE_ROWS, TREE_VALUES, FEWEST_ROWS = 1000, 12_000, 200
# Of signals: rows at most, and share of the training.
SIGNAL_ROWS, SHARE = 500, 0.05
ONE_LEVEL = 0.5


@dataclass(frozen=True)
class CandidateTrees:
    """What the trees of one candidate say: fidelity (R² or κ) of the shallow one, mean path of the other."""

    fidelity: Agreement
    path: Agreement


def pack_trees(context: MeasureContext) -> tuple[CandidateTrees, ...]:
    """Return the trees (K) of the candidates of ``context``."""
    if context.signal is not None:
        return tuple(_of_network(context, k) for k in range(len(context.facts)))
    if not len(context.facts):
        return ()
    rows = _PackRows(context)
    return tuple(rows.trees(k) for k in range(len(context.facts)))


@dataclass(frozen=True)
class _TableRows:
    """The rows of a table that all trees of a problem share: training rows to grow on, then held-out rows to judge on.

    Attributes:
        grown: (n, D) the encoded training rows.
        all: Both, as trees read them.
    """

    grown: np.ndarray
    all: TreeRows

    @classmethod
    def of(cls, problem: Problem, held_out: np.ndarray) -> _TableRows:
        """Return the rows of a problem, of which ``held_out`` (m, P) are the held-out ones."""
        X = np.asarray(problem.train.X, float)[measured_rows(problem, TREE_ROWS, "train")]
        flags = [f.kind == "categorical" for f in problem.dataset.features]
        return cls(problem.encoder.transform(X), TreeRows.of(np.concatenate([X, held_out]), flags))


def _table_rows(context: MeasureContext) -> _TableRows:
    """Return the rows of the problem, kept for its other packs unless the table is very wide."""
    problem = context.known_problem
    if TREE_ROWS * len(context.owner) > KEPT:
        return _TableRows.of(problem, context.rows)
    return once(problem, "rows of trees", lambda: _TableRows.of(problem, context.rows))


class _PackRows:
    """The outputs of a pack for the rows that its trees are grown and judged on."""

    def __init__(self, context: MeasureContext) -> None:
        problem = context.known_problem
        self.context, self.classes = context, len(problem.dataset.classes)
        known = _table_rows(context)
        self.rows, self.size = known.all, len(known.grown)
        self.outputs = np.asarray(context.pack.predict(known.grown), float)
        self.held_out = np.asarray(context.row_outputs, float)
        self.draws = np.random.RandomState(0)

    def trees(self, k: int) -> CandidateTrees:
        """Return the trees of candidate ``k``, over the features that it uses."""
        outputs, held_out = self.outputs[k], self.held_out[k]
        if not (np.isfinite(outputs).all() and np.isfinite(held_out).all()):
            return CandidateTrees(Agreement(reason=NOT_FINITE), Agreement(reason=NOT_FINITE))
        columns = self.rows.columns_of(self.context.facts[k].used_features)
        n = min(self.size, max(FEWEST_ROWS, TREE_VALUES // max(1, len(columns))))
        target, constant = scaled_target(np.concatenate([outputs[:n], held_out]), self.classes)
        grown, judge = target[:n], target[n:]
        ranks = np.ascontiguousarray(self.rows.ranks[:, columns])
        given, asked = ranks[:n], ranks[self.size :]
        kind = self.classes
        if kind == 2:  # the same splits as by classes, at half the price
            grown, kind = grown[:, None].astype(float), 0
        if constant:
            nothing = Agreement(reason=ONE_CLASS if self.classes else CONSTANT)
            return CandidateTrees(nothing, nothing)
        return CandidateTrees(self._fidelity(given, grown, asked, judge, kind), self._path(given, grown, kind))

    def _fidelity(
        self, given: np.ndarray, grown: np.ndarray, asked: np.ndarray, judge: np.ndarray, kind: int
    ) -> Agreement:
        """Return how well a tree grown on the rows given reproduces those that are asked about."""
        said = imitated(grow(given, grown, kind, depth=DEPTH, draws=self.draws), asked)
        if self.classes == 2:
            return class_agreement(judge, (said[:, 0] > ONE_LEVEL).astype(np.int64))
        return judged(judge, said, self.classes)

    def _path(self, given: np.ndarray, grown: np.ndarray, kind: int) -> Agreement:
        """Return the mean path of the rows given."""
        if (grown == grown[0]).all():
            return Agreement(reason=ONE_CLASS if self.classes else CONSTANT)
        return path_length(given, grown, kind, self.draws)


def _of_network(context: MeasureContext, k: int) -> CandidateTrees:
    """Return the trees of one signal network over the means of its cells, by cross-validation on held-out rows."""
    problem = context.known_problem
    most = affordable(problem, context.facts[k].operations, SHARE)
    E = problem.valid.E[measured_rows(problem, min(SIGNAL_ROWS, most))]
    outputs = context.outputs(k, E)
    found = surrogate_tree(cell_means(problem, E), outputs, classes=len(problem.dataset.classes), depth=DEPTH)
    return CandidateTrees(
        Agreement(found.fidelity, found.low, found.high, found.reason),
        Agreement(found.path_length, found.path_low, found.path_high, found.path_reason),
    )
