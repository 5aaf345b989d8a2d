"""Every evaluated candidate of a run as columns, so that ten thousand can be ranked again while a slider moves.

One writer adds evaluations; any number of readers take a :class:`Snapshot`, which never changes afterwards. Rows are
only appended: a snapshot is a set of read-only views on the first n rows of buffers that grow behind it. The rare
second evaluation of the same candidate replaces its row in *fresh* buffers, older snapshots keep the old ones.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nas_core.errors import SettingsError
from nas_core.objectives import Objective
from nas_core.preferences import STRUCTURE_MEASURES, Preference
from nas_core.records import Evaluation
from nas_core.search.growth import GrowingFront
from nas_core.search.ranking import Ranking
from nas_core.search.snapshot import NUMBERS, SEARCH_MEASURES, Snapshot
from nas_core.store import summaries
from nas_core.store.summaries import Summaries, summaries_of

__all__ = ["Archive"]


class Archive:
    """Append-only columns over evaluations; one writer, many readers.

    Args:
        objective: The performance objective, which knows the direction.
        names: The measures to hold, in this order.
        baseline: Performance of the model that ignores its inputs, where the objective has no fixed one.
        search: Those of the measures that are losses of the search.
    """

    def __init__(
        self,
        objective: Objective,
        names: Sequence[str] = STRUCTURE_MEASURES,
        *,
        baseline: float | None = None,
        search: Sequence[str] = SEARCH_MEASURES,
    ) -> None:
        self._objective, self._names, self._baseline = objective, tuple(names), baseline
        self._search = tuple(search)
        self._floats = _Table(len(NUMBERS) + 4 * len(self._names), np.float64)
        self._eligible = _Table(1, np.bool_)
        self._index = _Table(1, np.int64)
        self._texts: tuple[list[Any], ...] = ([], [], [], [])  # id, status, origin, operator
        self._positions: dict[str, int] = {}
        self._revision = 0
        self._writing = threading.Lock()
        self._curves: dict[tuple[str, ...], _Curve] = {}
        self._generation = 0
        self._snapshot = self._publish()

    def add(self, evaluations: Sequence[Evaluation] | Summaries) -> Snapshot:
        """Append evaluations and return the new snapshot; an identity already present replaces its row.

        Args:
            evaluations: Or their summaries, with the measures that the archive holds, in its order.

        Raises:
            SettingsError: Summaries with other measures.
        """
        told = evaluations if isinstance(evaluations, Summaries) else summaries_of(evaluations, self._names)
        if told.names != self._names:
            raise SettingsError(
                f"Summaries with the measures {', '.join(told.names)}",
                allowed=", ".join(self._names),
                fix="read them with the measures of the archive",
            )
        with self._writing:
            if len(told):
                newest = {key: at for at, key in enumerate(told.ids)}  # the same identity twice: the later one counts
                known = [at for key, at in newest.items() if key in self._positions]
                if known:
                    self._replace(told.take(known))
                if len(known) < len(newest):
                    self._append(told.take([at for key, at in newest.items() if key not in self._positions]))
                self._revision = max(self._revision, int(told.revision.max()))
                self._snapshot = self._publish()
            return self._snapshot

    def snapshot(self) -> Snapshot:
        """Return the present state; it never changes afterwards."""
        return self._snapshot

    def __len__(self) -> int:
        return len(self._snapshot)

    @property
    def revision(self) -> int:
        """The largest revision added: ask the store for what is newer."""
        return self._snapshot.revision

    def rank(self, preference: Preference, among: np.ndarray | None = None) -> Ranking:
        """Return the ranking of the present snapshot, see :meth:`Snapshot.rank`."""
        return self._snapshot.rank(preference, among)

    def hypervolume_curve(self, names: Sequence[str] | None = None) -> np.ndarray:
        """Return the hypervolume (n,) after each candidate, reference point 1, over :meth:`Snapshot.losses`.

        Without ``names`` it is that of the losses of the search.

        The model without features counts from the start when its performance is known. Only candidates added since the
        last call cost anything.
        """
        names = self._search if names is None else names
        with self._writing:
            snapshot = self._snapshot
            curve = self._curves.get(tuple(names))
            if curve is None or curve.generation != self._generation:
                curve = _Curve(GrowingFront(1 + len(names), snapshot.floor(names)), [], self._generation)
                self._curves[tuple(names)] = curve
            for row in snapshot.losses(names)[len(curve.values) :]:
                curve.values.append(curve.front.add(row))
            return np.array(curve.values)

    def hypervolume(self, names: Sequence[str] | None = None) -> float:
        """Return the present hypervolume, see :meth:`hypervolume_curve`; with no candidate that of the floor."""
        names = self._search if names is None else names
        curve = self.hypervolume_curve(names)
        return float(curve[-1]) if len(curve) else self._curves[tuple(names)].front.volume

    def _append(self, told: Summaries) -> None:
        for key in told.ids:
            self._positions[key] = len(self._positions)
        for column, values in zip(self._texts, _texts(told)):
            column += values
        self._floats.append(self._rows(told))
        self._eligible.append(told.eligible[:, None])
        self._index.append(told.index[:, None])

    def _replace(self, told: Summaries) -> None:
        for table in (self._floats, self._eligible, self._index):
            table.fork()
        self._generation += 1
        at = [self._positions[key] for key in told.ids]
        for column, values in zip(self._texts, _texts(told)):
            for position, value in zip(at, values):
                column[position] = value
        self._floats.rows[at] = self._rows(told)
        self._eligible.rows[at], self._index.rows[at] = told.eligible[:, None], told.index[:, None]

    def _rows(self, told: Summaries) -> np.ndarray:
        columns = dict(zip(summaries.NUMBERS, told.numbers.T))
        columns["performance_loss"] = self._objective.losses(columns["performance"])
        scores, lows, highs, raws = np.moveaxis(told.scores, 2, 0)
        lows, highs = np.where(np.isnan(lows), scores, lows), np.where(np.isnan(highs), scores, highs)
        return np.column_stack([*(columns[name] for name in NUMBERS), scores, lows, highs, raws])

    def _publish(self) -> Snapshot:
        floats, width, count = self._floats.view(), len(NUMBERS), len(self._names)
        scores, lows, highs, raws = (floats[:, width + at * count : width + (at + 1) * count] for at in range(4))
        ids, status, origin, operator = map(tuple, self._texts)
        return Snapshot(
            objective=self._objective,
            names=self._names,
            search=self._search,
            baseline=self._baseline,
            revision=self._revision,
            ids=ids,
            positions=self._positions,
            status=status,
            origin=origin,
            operator=operator,
            columns={name: floats[:, at] for at, name in enumerate(NUMBERS)},
            measures=scores,
            measures_low=lows,
            measures_high=highs,
            raw=raws,
            eligible=self._eligible.view()[:, 0],
            index=self._index.view()[:, 0],
        )


def _texts(told: Summaries) -> tuple[tuple[Any, ...], ...]:
    return told.ids, told.status, told.origin, told.operator


@dataclass
class _Curve:
    front: GrowingFront
    values: list[float]
    generation: int


class _Table:
    """Rows in a buffer that doubles; views on the rows so far stay valid, as rows are never written twice."""

    def __init__(self, columns: int, dtype: type[np.generic]) -> None:
        self.rows = np.zeros((64, columns), dtype=dtype)
        self.used = 0

    def append(self, rows: np.ndarray) -> None:
        """Append ``rows`` (k, columns)."""
        needed = self.used + len(rows)
        if needed > len(self.rows):
            grown = np.zeros((max(needed, 2 * len(self.rows)), self.rows.shape[1]), dtype=self.rows.dtype)
            grown[: self.used] = self.rows[: self.used]
            self.rows = grown
        self.rows[self.used : needed] = rows
        self.used = needed

    def fork(self) -> None:
        """Go on with a copy, so that rows may be rewritten without touching earlier views."""
        self.rows = self.rows.copy()

    def view(self) -> np.ndarray:
        """Return the rows so far, read-only."""
        view = self.rows[: self.used]
        view.flags.writeable = False
        return view
