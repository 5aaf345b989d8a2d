"""How alike the measures of a run rank its candidates, and where a preference therefore counts one property twice.

Letters: M measures; performance stands before them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from nas_core.preferences import Preference

if TYPE_CHECKING:
    from nas_core.search.snapshot import Snapshot

__all__ = ["FEWEST", "PERFORMANCE", "TELLING", "Correlations", "Doubled", "correlate", "spearman"]

PERFORMANCE = "performance"
ALIKE = 0.9
"""|ρ| from which two measures count as one."""
FEWEST = 3
"""Candidates below which a rank correlation says nothing: two of them always agree or disagree perfectly."""
TELLING = 10
"""Candidates from which one is warned."""


@dataclass(frozen=True)
class Doubled:
    """Two weighted measures that rank the candidates almost alike, or almost the other way round.

    Attributes:
        first, second: Their names.
        rho: Spearman's ρ over ``n`` candidates.
        weights: How much each counts, as shares of 1.
    """

    first: str
    second: str
    rho: float
    n: int
    weights: tuple[float, float]

    def words(self, labels: Mapping[str, str] | None = None) -> str:
        """Return what that means, measures called by their labels."""
        called = labels or {}
        one, two = (called.get(name, name.replace("_", " ")) for name in (self.first, self.second))
        shares = f"{100 * self.weights[0]:.0f} % and {100 * self.weights[1]:.0f} %"
        if self.rho > 0:
            return (
                f"“{one}” and “{two}” rank {self.n:,} candidates almost alike (ρ = {self.rho:.2f}): with {shares} of "
                f"the weight the same property counts twice. Leave one out, or halve both."
            )
        return (
            f"“{one}” and “{two}” rank {self.n:,} candidates almost the other way round (ρ = {self.rho:.2f}): with "
            f"{shares} of the weight one cancels the other. Decide which of them you want."
        )


@dataclass(frozen=True)
class Correlations:
    """Rank correlations of performance and the M measures over the eligible candidates of a run.

    Attributes:
        names: (1 + M) "performance", then the measures.
        rho: (1 + M, 1 + M) Spearman's ρ, larger scores being better for all; NaN where there is none.
        n: (1 + M, 1 + M) candidates that have both.
        doubled: Pairs of weighted measures with |ρ| ≥ 0.9 over ten candidates at least, the strongest first.
        reasons: Why a measure has no correlation with anything.
    """

    names: tuple[str, ...]
    rho: np.ndarray
    n: np.ndarray
    doubled: tuple[Doubled, ...]
    reasons: Mapping[str, str] = field(default_factory=dict)

    def document(self, labels: Mapping[str, str] | None = None) -> dict[str, object]:
        """Return everything as JSON-able data, None for what has no value."""
        rho = [[None if value != value else round(value, 6) for value in row] for row in self.rho.tolist()]
        return {
            "names": list(self.names),
            "spearman": rho,
            "n": self.n.tolist(),
            "reasons": dict(self.reasons),
            "warnings": [pair.words(labels) for pair in self.doubled],
        }


def correlate(snapshot: Snapshot, preference: Preference) -> Correlations:
    """Return how performance and the measures of the eligible candidates go together.

    Measures that are all but the same should not both be weighed: what they have in common counts twice.

    Source: Spearman (1904); on measures that count one thing twice, Keeney & Raiffa (1976), § 2.3.
    Costs: O(M² n log n) for n candidates; a few milliseconds for 1,000 candidates and 13 measures.

    Raises:
        SettingsError: The preference weighs a measure that the archive does not hold.
    """
    names = (PERFORMANCE, *snapshot.names)
    good = np.column_stack([1.0 - snapshot.performance_loss, snapshot.measures])[snapshot.eligible]
    rho, n = spearman(good)
    shares = dict(zip(snapshot.names, preference.vector(snapshot.names).tolist()))
    doubled = [
        Doubled(a, b, float(rho[i, j]), int(n[i, j]), (shares[a], shares[b]))
        for i, a in enumerate(names)
        for j, b in enumerate(names)
        if 0 < i < j and abs(rho[i, j]) >= ALIKE and n[i, j] >= TELLING and shares[a] > 0 and shares[b] > 0
    ]
    doubled.sort(key=lambda pair: (-abs(pair.rho), pair.first, pair.second))
    reasons = {name: _reason(good[:, at]) for at, name in enumerate(names) if np.isnan(rho[at, at])}
    return Correlations(names, rho, n, tuple(doubled), reasons)


def spearman(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return Spearman's ρ (K, K) of the columns of ``values`` (n, K), and the rows (K, K) each pair is known in.

    Ranks of ties are their mean. A pair is compared over the rows where both are known (not NaN). There is no ρ (NaN)
    over fewer than three such rows, nor with a column that is constant over them.
    """
    values = np.asarray(values, dtype=np.float64)
    K = values.shape[1]
    known = ~np.isnan(values)
    n = known.astype(np.int64).T @ known.astype(np.int64)
    rho = np.full((K, K), np.nan)
    whole = {j: _ranks(values[:, j]) for j in range(K) if known[:, j].all()}  # ranked once, whoever it is paired with
    for i in range(K):
        for j in range(i, K):
            if i in whole and j in whole:
                ranks = whole[i], whole[j]
            else:
                both = known[:, i] & known[:, j]
                ranks = _ranks(values[both, i]), _ranks(values[both, j])
            rho[i, j] = rho[j, i] = _rho(*ranks)
    return rho, n


def _rho(a: np.ndarray, b: np.ndarray) -> float:
    """Return Pearson's correlation of two columns of ranks."""
    if len(a) < FEWEST:
        return float("nan")
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(np.clip((a @ b) / size, -1.0, 1.0)) if size > 0.0 else float("nan")


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return the ranks (n,) from 1, those of ties their mean."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return ((last - counts + 1 + last) / 2)[inverse]


def _reason(column: Sequence[float] | np.ndarray) -> str:
    """Return why a column correlates with nothing, not even itself."""
    known = np.asarray(column)[~np.isnan(column)]
    if len(known) < FEWEST:
        return f"known of {len(known)} candidates, and {FEWEST} are needed"
    return f"the same for all {len(known)} candidates ({known[0]:.3g})"
