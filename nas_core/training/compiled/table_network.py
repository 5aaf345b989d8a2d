"""One network of tables while kernels train it: its weights, the state of its optimiser, and the rows it reads."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nas_core.training.candidate import Candidate
from nas_core.training.compiled.step import calls_of
from nas_core.training.compiled.table_lesson import Rows, TableLesson
from nas_core.training.compiled.table_plan import FREE, table_plan
from nas_core.training.compiled.table_steps import look, pick, train
from nas_core.training.optimiser import OPTIMISERS

__all__ = ["TableNetwork"]

COPIED = 16_000_000
"""Numbers of the columns that a network reads that are copied for it, 64 MB; of larger data, those of each call."""
LOOKED_AT = 8192
"""Rows of a call that validates, where they are not copied."""


class _Some(NamedTuple):
    """Rows: X (n, d) of the columns of a network, y (n,), counts (n,), and the order (k,) of those that are meant."""

    X: np.ndarray
    y: np.ndarray
    counts: np.ndarray
    order: np.ndarray


class TableNetwork:
    """The network of a candidate, with the memory that kernels work on.

    Args:
        candidate: Whose network.
        lesson: What it learns from.
    """

    def __init__(self, candidate: Candidate, lesson: TableLesson) -> None:
        self._lesson, self._tuning = lesson, candidate.tuning
        self._plan = plan = table_plan(candidate.layout)
        self._memory = m = plan.room(lesson.N)
        self._calls = calls_of(plan.ops)
        self._values = np.zeros_like(m.weights) if len(plan.signs) else m.weights
        self._first, self._second = np.zeros_like(m.weights), np.zeros_like(m.weights)
        self._units, self._room = plan.units(candidate.seed), np.zeros((3, lesson.N), dtype=np.float32)
        own = np.float32(1) if candidate.row_weights is None else candidate.row_weights.astype(np.float32)
        self._train = Rows(lesson.rows.E, lesson.rows.y, lesson.rows.counts * own)
        self._own = {id(part): self._copied(part) for part in (self._train, lesson.valid)}

    def load(self, values: np.ndarray, stats: np.ndarray) -> None:
        """Begin from parameters (T,) and running statistics (s,) in the canonical order of the layout."""
        plan, m = self._plan, self._memory
        self._values[plan.places] = values
        m.statistics[plan.stats] = stats
        if len(plan.signs):
            m.weights[:] = np.where(plan.signs == FREE, self._values, plan.signs * np.abs(self._values))

    def save(self, values: np.ndarray, stats: np.ndarray) -> None:
        """Write parameters and running statistics in the canonical order."""
        values[:], stats[:] = self._values[self._plan.places], self._memory.statistics[self._plan.stats]

    def learn(self, epoch: int, begin: int, end: int) -> float:
        """Make a gradient step with each batch from ``begin`` to ``end`` of an epoch; return the sum of all losses."""
        lesson, plan, tuning = self._lesson, self._plan, self._tuning
        edges = lesson.edges[begin : end + 1]
        part = slice(edges[0], edges[-1])
        some = self._some(self._train, lesson.order(epoch)[part])
        keys = lesson.keys(epoch)[part] if len(self._units) else np.zeros(0, dtype=np.int32)
        return train(
            plan.ops, plan.reals, self._calls, self._memory, lesson.N, plan.out, plan.outputs, lesson.task,
            *some, edges - edges[0], keys, self._units, plan.threshold, np.float32(1 / (1 - plan.dropout)),
            self._values, plan.signs, OPTIMISERS.index(tuning.optimiser), self._first, self._second, plan.decayed,
            tuning.learning_rate, tuning.weight_decay, epoch * (len(lesson.edges) - 1) + begin, self._room,
        )  # fmt: skip

    def validate(self, *, keep: bool = False) -> tuple[float, np.ndarray | None]:
        """Return the mean validation loss and, when kept, the outputs (n, C)."""
        lesson, plan, n = self._lesson, self._plan, len(self._lesson.valid.y)
        said = np.empty((n if keep else 0, plan.outputs), dtype=np.float32)
        size, total = n if self._own[id(lesson.valid)] is not None else LOOKED_AT, 0.0
        for begin in range(0, n, size):
            rows = np.arange(begin, min(begin + size, n), dtype=np.int64)
            total += look(
                plan.ops, plan.reals, self._calls, self._memory, lesson.N, plan.out, plan.outputs, lesson.task,
                *self._some(lesson.valid, rows), said[begin : begin + size], self._room,
            )  # fmt: skip
        return total / n, said if keep else None

    def _copied(self, part: Rows) -> np.ndarray | None:
        """Return the columns that it reads of all rows, None where they are too many numbers."""
        columns = self._plan.columns
        return np.ascontiguousarray(part.E[:, columns]) if len(part.E) * len(columns) <= COPIED else None

    def _some(self, part: Rows, rows: np.ndarray) -> _Some:
        """Return these rows (k,) of a part in their order."""
        own = self._own[id(part)]
        if own is not None:
            return _Some(own, part.y, part.counts, rows)
        X = np.empty((len(rows), len(self._plan.columns)), dtype=np.float32)
        pick(part.E, rows, self._plan.columns, X)
        return _Some(X, part.y[rows], part.counts[rows], np.arange(len(rows), dtype=np.int64))
