"""The candidates of a run as a table, and those that did not make it with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.texts import spoken_steps

if TYPE_CHECKING:
    from nas_core.search import Ranking, Snapshot

__all__ = ["ROWS", "CandidateTable", "candidate_table"]

ROWS = 100
"""Rows shown at once: the best under the preference in force."""


@dataclass(frozen=True)
class CandidateTable:
    """The best candidates, best first.

    Attributes:
        ids: (k,) identity of each row.
        columns: Column name to values (k,): number, chosen, on_front, performance, half (of its interval),
            interpretability, one column per measure, parameters, operations, operator.
        total: Eligible candidates in the run.
        revision: Of the archive it was made from.
    """

    ids: tuple[str, ...]
    columns: dict[str, np.ndarray]
    total: int
    revision: int


def candidate_table(archive: Snapshot, ranking: Ranking, rows: int = ROWS) -> CandidateTable:
    """Return the ``rows`` best candidates under ``ranking``; ineligible ones are left out."""
    eligible = ranking.order[~np.isnan(ranking.interpretability[ranking.order])]
    at = eligible[:rows]
    half = (archive.columns["performance_high"] - archive.columns["performance_low"]) / 2
    columns: dict[str, np.ndarray] = {
        "number": archive.index[at],
        "on_front": ranking.on_front[at],
        "performance": archive.performance[at],
        "half": half[at],
        "interpretability": ranking.interpretability[at],
    }
    columns |= {name: archive.measures[at, m] for m, name in enumerate(archive.names)}
    columns |= {name: archive.columns[name][at].astype(np.int64) for name in ("parameters", "operations")}
    columns["operator"] = np.array([spoken_steps(archive.operator[i]) for i in at], dtype=object)
    return CandidateTable(tuple(archive.ids[i] for i in at), columns, len(eligible), archive.revision)
