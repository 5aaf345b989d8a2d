"""How much of "who is best at which λ" is luck: ties, and the λ at which the winner's lead is beyond its interval.

Letters: R draws, K candidates that may be on the front, n candidates of an archive, L = 101 values of λ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nas_core.preferences import AUGMENTATION
from nas_core.search.chances import front_draws, front_probability
from nas_core.search.ranking import Ranking, front_scale
from nas_core.search.snapshot import Snapshot

__all__ = ["GRID", "FrontLuck", "front_luck"]

GRID = np.linspace(0.0, 1.0, 101)
"""The λ that are looked at: every step of the slider."""

LEVEL = 0.025
"""Share of the draws in which a candidate must do at least as well as the best to count as tied: a 95 % interval of the
difference of the two scores then holds 0."""


@dataclass(frozen=True)
class FrontLuck:
    """What the intervals say of a front.

    Attributes:
        positions: (K,) of those that may be on the front, in the archive.
        chance: (K,) P(on the front), see :func:`nas_core.search.chances.quick_chances`.
        best: (L,) position of the best at each λ of :data:`GRID`; −1 where nobody is eligible.
        tied: (L, K) bool, not told apart from the best at this λ; the best itself is not tied.
        lead: (L,) share of the draws in which the best at this λ stays the best.
    """

    positions: np.ndarray
    chance: np.ndarray
    best: np.ndarray
    tied: np.ndarray
    lead: np.ndarray

    def at(self, weight: float) -> int:
        """Return the row of the λ nearest to ``weight``."""
        return round(min(1.0, max(0.0, weight)) * (len(GRID) - 1))

    def tied_at(self, weight: float) -> np.ndarray:
        """Return the positions of those that cannot be told apart from the best at λ."""
        return self.positions[self.tied[self.at(weight)]]

    def unstable(self) -> list[tuple[float, float]]:
        """Return the stretches of λ, as (low, high), at which somebody is tied with the best."""
        shaky = np.concatenate([[False], self.tied.any(axis=1), [False]])
        starts, ends = np.flatnonzero(shaky[1:] & ~shaky[:-1]), np.flatnonzero(~shaky[1:] & shaky[:-1])
        half = 0.5 / (len(GRID) - 1)
        return [(max(0.0, float(GRID[a]) - half), min(1.0, float(GRID[b - 1]) + half)) for a, b in zip(starts, ends)]


def front_luck(
    snapshot: Snapshot, ranked: Ranking, among: np.ndarray | None = None, *, draws: int = 200, seed: int = 0
) -> FrontLuck:
    """Return chances and ties of the front of ``ranked``.

    Candidates are drawn independently of one another although they were measured on the same rows; that makes ties
    somewhat too many, never too few on average. λ itself does not matter: all its values are looked at. Ties are only
    sought among those that λ chooses from (that miss the goals by least).

    Source: a percentile interval of the difference of two scores (Efron 1979); a front as a set of candidates that
        cannot be told apart is that of Hughes (2001), Evolutionary Multi-objective Ranking with Uncertainty and Noise.
    Costs: those of :func:`nas_core.search.chances.front_draws`, R fronts of K, and L R K scores.

    Args:
        snapshot: The archive.
        ranked: Its ranking under the preference in force.
        among: (n,) bool, the candidates that count, as for the ranking.
        draws, seed: R, and where the draws come from.
    """
    counts = snapshot.eligible if among is None else snapshot.eligible & among
    at, losses = front_draws(snapshot, ranked.preference, counts if counts.any() else None, draws=draws, seed=seed)
    chance = front_probability(losses) if len(at) else np.zeros(0)
    tied, lead = np.zeros((len(GRID), len(at)), dtype=bool), np.zeros(len(GRID))
    winners = ranked.winners()
    if not winners:
        return FrontLuck(at, chance, np.full(len(GRID), -1), tied, lead)
    best = np.array([winners[k].position for k in np.searchsorted([w.high for w in winners[:-1]], GRID, side="left")])
    could = np.flatnonzero(ranked.violation[at] <= ranked.violation[ranked.leaders].max())
    ideal, span = front_scale(ranked.losses[ranked.leaders])
    scaled = (losses[:, could] - ideal) / span
    column = {int(position): k for k, position in enumerate(at[could])}
    for row, weight in enumerate(GRID):
        scores, own = _scores(scaled, float(weight)), column[int(best[row])]
        share = (scores <= scores[:, own : own + 1]).mean(axis=0)
        share[own] = 0.0
        tied[row, could] = share > LEVEL
        lead[row] = (scores[:, own] <= scores.min(axis=1)).mean()
    return FrontLuck(at, chance, best, tied, lead)


def _scores(scaled: np.ndarray, weight: float) -> np.ndarray:
    """Return the scalar (R, K) of ``scaled`` losses (R, K, 2), as :func:`nas_core.preferences.tchebycheff` does."""
    accuracy, simplicity = (1.0 - weight) * scaled[..., 0], weight * scaled[..., 1]
    scores: np.ndarray = np.maximum(accuracy, simplicity) + AUGMENTATION * (accuracy + simplicity)
    return scores
