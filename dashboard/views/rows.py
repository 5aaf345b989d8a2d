"""The validation rows as somebody picks one of them: what is predicted, how wrong, how sure, where two networks differ.

N validation rows; positions count them, row numbers are those of the data set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.texts import text
from dashboard.views.attributions import probabilities
from dashboard.views.words import number, percent

if TYPE_CHECKING:
    from nas_core.data import Problem

__all__ = ["LISTED", "TABLE", "RowTable", "disagreement", "listed", "row_table"]

LISTED, TABLE = 300, 1_000
"""Rows offered in the list, and in the table, at most."""


@dataclass(frozen=True, eq=False)
class RowTable:
    """What a candidate predicts for every validation row.

    Attributes:
        rows: (N,) row numbers in the data set.
        actual, predicted: (N,) class index, or value in the target's own unit.
        shares: (N, classes) probabilities; None for a regression.
        error: (N,) 1 − probability of the true class, or |difference|.
        doubt: (N,) 1 − probability of the predicted class; 0 for a regression.
        classes: Names of the classes; empty for a regression.
        target: Name of the target.
    """

    rows: np.ndarray
    actual: np.ndarray
    predicted: np.ndarray
    shares: np.ndarray | None
    error: np.ndarray
    doubt: np.ndarray
    classes: tuple[str, ...]
    target: str

    def position(self, row: int) -> int | None:
        """Return where data-set row ``row`` stands; None where it is no validation row."""
        found = np.flatnonzero(self.rows == row)
        return int(found[0]) if found.size else None

    def told(self, at: int) -> tuple[str, str]:
        """Return what the row at a position is and what is predicted for it, in words."""
        if self.shares is None:
            return number(float(self.actual[at])), number(float(self.predicted[at]))
        top = int(self.predicted[at])
        words = text("shap.predicted", name=self.classes[top], share=percent(float(self.shares[at, top])))
        return self.classes[int(self.actual[at])], words

    def words(self, row: int) -> str:
        """Return a row in one line."""
        at = self.position(row)
        if at is None:
            return text("rows.unknown", row=row)
        actual, predicted = self.told(at)
        return text("candidate.row_words", row=row, target=self.target, actual=actual, predicted=predicted)


def row_table(problem: Problem, predicted: np.ndarray) -> RowTable:
    """Return the table of what a candidate predicts (N, C), as ``Candidate.predict`` gives it, for validation rows."""
    dataset, rows = problem.dataset, problem.valid.rows
    y = dataset.y[rows]
    if dataset.task == "regression":
        told = problem.target_scale.transform.inverse(predicted[:, 0])
        return RowTable(rows, y, told, None, np.abs(y - told), np.zeros(len(rows)), (), dataset.target)
    shares = probabilities(predicted)
    top = shares.argmax(axis=1)
    at = np.arange(len(rows))
    return RowTable(rows, y, top, shares, 1 - shares[at, y], 1 - shares[at, top], dataset.classes, dataset.target)


def disagreement(one: RowTable, other: RowTable) -> np.ndarray:
    """Return how much two candidates differ on each row (N,): total variation of the classes, or |difference|."""
    if one.shares is None or other.shares is None:
        return np.abs(one.predicted - other.predicted)
    return np.abs(one.shares - other.shares).sum(axis=1) / 2


def listed(table: RowTable, chosen: int, most: int = LISTED) -> list[int]:
    """Return the row numbers that a list offers, ascending.

    That is all of them; of many the most wrong, the least sure, some evenly spread, and the chosen one.
    """
    if len(table.rows) <= most:
        return sorted(int(r) for r in table.rows)
    third = most // 3
    at = np.concatenate([
        np.argsort(-table.error, kind="stable")[:third],
        np.argsort(-table.doubt, kind="stable")[: third // 2],
        np.linspace(0, len(table.rows) - 1, third // 2).astype(int),
    ])  # fmt: skip
    return sorted({int(r) for r in table.rows[at]} | {chosen})
