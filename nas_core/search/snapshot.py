"""The archive at one moment: columns that never change, for ranking, plotting and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from nas_core.errors import SettingsError
from nas_core.objectives import Objective
from nas_core.preferences import Preference
from nas_core.records import Status
from nas_core.search.limits import Limits
from nas_core.search.ranking import Ranking, rank_candidates

__all__ = ["NUMBERS", "SEARCH_MEASURES", "Snapshot"]

SEARCH_MEASURES = ("feature_parsimony", "interaction_sparsity", "monotone_share")
"""The measures that the search optimises beside performance: with more losses nearly everything is non-dominated."""

NUMBERS = {
    "performance": np.nan,
    "performance_low": np.nan,
    "performance_high": np.nan,
    "performance_loss": np.nan,
    "skill": np.nan,
    "parameters": 0.0,
    "operations": 0.0,
    "seconds": 0.0,
    "finished": 0.0,
}
"""Float columns by name, with the value of an empty row."""


@dataclass(frozen=True)
class Snapshot:
    """The archive at one moment; n candidates in the order they were added, arrays read-only.

    Attributes:
        objective: The performance objective.
        names: The measures, M of them.
        search: Those of them that are losses of the search, beside performance.
        baseline: Performance of the model that ignores its inputs, for the floor of the hypervolume; None if unknown.
        revision: The largest revision among the evaluations, 0 when there is none; see :meth:`first`.
        ids: Identity of each candidate.
        positions: From identity to position; may know later candidates, so use :meth:`position`.
        status: Status of each candidate.
        origin: Who proposed each candidate: ``strategy`` or ``manual``.
        operator: The operator that made each candidate.
        columns: Float columns (n,): performance, performance_low, performance_high, performance_loss, skill,
            parameters, operations, seconds, finished.
        measures: (n, M) scores in [0, 1], NaN where undefined.
        measures_low, measures_high: (n, M) their 95 % intervals; the score itself where it is exact.
        raw: (n, M) the quantities behind the scores (NF, NI, …), NaN where there is none.
        eligible: (n,) bool, may enter a front.
        index: (n,) int64, the running number of each candidate.
    """

    objective: Objective
    names: tuple[str, ...]
    search: tuple[str, ...]
    baseline: float | None
    revision: int
    ids: tuple[str, ...]
    positions: Mapping[str, int] = field(repr=False)
    status: tuple[Status, ...] = field(repr=False)
    origin: tuple[str, ...] = field(repr=False)
    operator: tuple[str, ...] = field(repr=False)
    columns: Mapping[str, np.ndarray] = field(repr=False)
    measures: np.ndarray = field(repr=False)
    measures_low: np.ndarray = field(repr=False)
    measures_high: np.ndarray = field(repr=False)
    raw: np.ndarray = field(repr=False)
    eligible: np.ndarray = field(repr=False)
    index: np.ndarray = field(repr=False)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def performance(self) -> np.ndarray:
        """Performance (n,) in the metric's own direction; NaN where there is none."""
        return self.columns["performance"]

    @property
    def performance_loss(self) -> np.ndarray:
        """Performance loss (n,) in [0, 1], smaller is better; NaN where there is none."""
        return self.columns["performance_loss"]

    def position(self, candidate: str) -> int | None:
        """Return the position of the candidate with this identity, None when it is not in this snapshot."""
        at = self.positions.get(candidate)
        return at if at is not None and at < len(self.ids) else None

    def first(self, count: int) -> Snapshot:
        """Return the first ``count`` candidates, as if no other had been added; nothing is copied.

        A candidate that was evaluated a second time later has its later numbers. The revision stays this snapshot's.

        Raises:
            SettingsError: There are fewer.
        """
        if not 0 <= count <= len(self):
            raise SettingsError(
                f"The archive has no first {count} candidates", allowed=f"0 to {len(self)}", fix="ask for fewer"
            )
        arrays = ("measures", "measures_low", "measures_high", "raw", "eligible", "index")
        texts = ("ids", "status", "origin", "operator")
        cut = {name: getattr(self, name)[:count] for name in (*arrays, *texts)}
        return replace(self, columns={name: column[:count] for name, column in self.columns.items()}, **cut)

    def measure(self, name: str) -> np.ndarray:
        """Return the scores (n,) of one measure.

        Raises:
            SettingsError: The archive does not hold that measure.
        """
        return self.measures[:, self._columns_of((name,))[0]]

    def counts(self) -> dict[str, int]:
        """Return how many candidates ended with each status, zeros included."""
        return {str(status): self.status.count(status) for status in Status}

    def losses(self, names: Sequence[str] | None = None) -> np.ndarray:
        """Return the losses (n, 1 + M'): performance, then 1 − each of ``names``; NaN rows are ineligible.

        Without ``names`` they are the losses of the search. An undefined measure counts as the worst.

        Raises:
            SettingsError: The archive does not hold one of the measures.
        """
        names = self.search if names is None else names
        scores = self.measures[:, self._columns_of(tuple(names))]
        losses = np.column_stack([self.performance_loss, 1.0 - np.nan_to_num(scores, nan=0.0)])
        losses[~self.eligible] = np.nan
        return losses

    def floor(self, names: Sequence[str] | None = None) -> np.ndarray | None:
        """Return the losses of the model without features: its performance is the baseline, its structure perfect."""
        base = self.objective.baseline if self.objective.baseline is not None else self.baseline
        count = len(self.search if names is None else names)
        return None if base is None else np.array([self.objective.loss(base), *([0.0] * count)])

    def rank(self, preference: Preference, among: np.ndarray | None = None) -> Ranking:
        """Return the candidates ranked under ``preference``.

        Args:
            preference: λ, the weights and the goals.
            among: (n,) bool, the candidates that still count; others come after all of them. All count when None.

        Raises:
            SettingsError: The preference weighs a measure that the archive does not hold, or has a goal for one; no
                model can reach its goal for performance.
        """
        limits = Limits.of(preference.goals, self.objective, self.names)
        return rank_candidates(
            self.performance_loss, self.measures, self.eligible, self.names, preference, limits=limits, among=among
        )

    def _columns_of(self, names: tuple[str, ...]) -> list[int]:
        unknown = [name for name in names if name not in self.names]
        if unknown:
            raise SettingsError(
                f"The archive holds no measure {', '.join(repr(name) for name in unknown)}",
                allowed=", ".join(self.names),
                fix="choose one of them, or add the measure to the problem",
            )
        return [self.names.index(name) for name in names]
