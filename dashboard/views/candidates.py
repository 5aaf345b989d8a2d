"""All candidates of a run as a table, and as a text that a spreadsheet may open."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dashboard.texts import spoken_steps, text
from dashboard.views.axes import Axis
from nas_core.escaping import safe_cell

if TYPE_CHECKING:
    from nas_core.search import Ranking, Snapshot
    from nas_core.store import Mark

__all__ = ["Candidates", "all_candidates", "as_csv"]


@dataclass(frozen=True)
class Candidates:
    """Candidates, the best first, then those without a rank by their number.

    Attributes:
        ids: (k,) identity of each row.
        columns: Column name to values (k,): rank, star, number, on_front, status, performance, half (of its interval),
            interpretability, one per measure, parameters, operations, seconds, operator, tags, note, and
            ``choice:NAME`` for each choice that was made differently.
        labels: What a person calls each column.
        total: Candidates in the run.
        revision: Of the archive it was made from.
    """

    ids: tuple[str, ...]
    columns: dict[str, np.ndarray]
    labels: Mapping[str, str]
    total: int
    revision: int


def all_candidates(
    snapshot: Snapshot, ranked: Ranking, marks: Mapping[str, Mark], axes: Sequence[Axis], kept: np.ndarray
) -> Candidates:
    """Return those of the candidates that are ``kept`` (n,).

    Args:
        snapshot: The candidates.
        ranked: Them, under the preference in force, which gives the ranks.
        marks: What people said, by candidate.
        axes: Of the same snapshot, see :func:`~dashboard.views.axes.axes_view`.
        kept: (n,) bool, which rows to show.
    """
    known = ~np.isnan(ranked.interpretability)
    rank = np.full(len(snapshot), np.nan)
    rank[ranked.order] = np.arange(1, len(snapshot) + 1)
    rank[~known] = np.nan
    order = np.lexsort((snapshot.index, np.where(known, rank, np.inf)))
    at = order[kept[order]]
    ids = tuple(snapshot.ids[i] for i in at)
    said = [(row, marks[identity]) for row, identity in enumerate(ids) if identity in marks] if marks else []
    half = (snapshot.columns["performance_high"] - snapshot.columns["performance_low"]) / 2
    by_name = {axis.name: axis for axis in axes}
    columns: dict[str, np.ndarray] = {
        "rank": rank[at],
        "star": _noted(len(at), ((row, "★") for row, mark in said if mark.star)),
        "number": snapshot.index[at],
        "on_front": ranked.on_front[at],
        "status": _spoken(snapshot.status, at, lambda status: text(f"candidate.status_{status}")),
        "performance": snapshot.performance[at],
        "half": half[at],
        "interpretability": ranked.interpretability[at],
    }
    columns |= {name: by_name[name].values[at] for name in snapshot.names}
    columns |= {name: by_name[name].values[at] for name in ("parameters", "operations", "seconds")}
    columns["operator"] = _spoken(snapshot.operator, at, spoken_steps)
    columns["tags"] = _noted(len(at), ((row, ", ".join(mark.tags)) for row, mark in said))
    columns["note"] = _noted(len(at), ((row, mark.note) for row, mark in said))
    for axis in axes:
        if axis.kind == "choice":
            columns[axis.name] = _words(axis, at) if axis.options else axis.values[at]
    labels = {name: _label(name, by_name) for name in columns}
    return Candidates(ids, columns, labels, len(snapshot), snapshot.revision)


def as_csv(table: Candidates, shown: Sequence[str]) -> bytes:
    """Return the columns ``shown`` of a table as UTF-8 text with a mark of its encoding, identity first.

    Text cells that a spreadsheet would take for a formula get an apostrophe before them (OWASP, CSV injection).
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["id", *(safe_cell(table.labels[name]) for name in shown)])
    columns = [table.columns[name] for name in shown]
    for row, identity in enumerate(table.ids):
        writer.writerow([identity, *(_cell(column[row]) for column in columns)])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return safe_cell(value)
    if isinstance(value, np.bool_):
        return int(value)
    if isinstance(value, np.integer):
        return int(value)
    number = float(value)
    if not np.isfinite(number):
        return ""
    return int(number) if number.is_integer() and abs(number) < 1e15 else f"{number:.6g}"


def _noted(rows: int, notes: Iterable[tuple[int, str]]) -> np.ndarray:
    """Return a column (rows,) of texts that is empty but for the rows that are given."""
    column = np.full(rows, "", dtype=object)
    for row, note in notes:
        column[row] = note
    return column


def _spoken(words: Sequence[str], at: np.ndarray, say: Callable[[str], str]) -> np.ndarray:
    """Return what ``say`` makes of the words at ``at``; each different word is said once."""
    chosen = [words[i] for i in at]
    said = {word: say(word) for word in set(chosen)}
    return np.array([said[word] for word in chosen], dtype=object)


def _words(axis: Axis, at: np.ndarray) -> np.ndarray:
    values = axis.values[at]
    options = np.array([*axis.options, ""], dtype=object)
    return options[np.where(np.isnan(values), len(axis.options), values).astype(int)]


def _label(name: str, axes: Mapping[str, Axis]) -> str:
    return axes[name].label if name in axes else text(f"table.{name}")
