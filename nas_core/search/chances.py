"""P(on the front): how much of a front is luck, from the intervals that are at hand.

Letters: R draws, K candidates, m losses, M measures, n candidates of an archive.
"""

from __future__ import annotations

import numpy as np

from nas_core.preferences import Preference, interpretability
from nas_core.records import derive_seed
from nas_core.search.fronts import non_dominated
from nas_core.search.snapshot import Snapshot

__all__ = ["front_draws", "front_probability", "interval_draws", "possible", "quick_chances"]

Z = 1.96
FARTHEST = 3.0
"""Draws end at so many standard deviations: who is dominated there in any case need not be drawn at all."""

NUMBERS = 1_000_000
"""Scores of measures that are held at once."""


def front_probability(losses: np.ndarray) -> np.ndarray:
    """Return the share (K,) of resamples in which each candidate is on the front of ``losses`` (R, K, m).

    Equal candidates do not dominate each other; a candidate with NaN is not on the front of that resample.

    Source: the bootstrap of Efron (1979), applied to membership of a non-dominated set.
    Costs: R fronts of K candidates.
    """
    losses = np.asarray(losses, np.float64)
    if not len(losses):
        return np.full(losses.shape[1], np.nan)
    return np.mean([non_dominated(one) for one in losses], axis=0)


def possible(best: np.ndarray, worst: np.ndarray) -> np.ndarray:
    """Return the mask (n,) of the candidates that nobody certainly dominates.

    Args:
        best: (n, 2) losses of each candidate at the good ends of its intervals; NaN where it is ineligible.
        worst: (k, 2) losses of those it is compared with, at the bad ends.

    Costs: O((n + k) log k).
    """
    found = ~np.isnan(best).any(axis=1)
    stairs = worst[non_dominated(worst)]
    if not len(stairs):
        return found
    stairs = stairs[np.argsort(stairs[:, 0], kind="stable")]
    # Of the stairs that are no worse in the first loss, the last one is the best in the second.
    at = np.searchsorted(stairs[:, 0], best[:, 0], side="right") - 1
    step = stairs[np.maximum(at, 0)]
    found &= ~((at >= 0) & (step[:, 1] <= best[:, 1]) & (step < best).any(axis=1))
    return found


def interval_draws(value: np.ndarray, low: np.ndarray, high: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Return draws in [0, 1] from 95 % intervals: normal, with a width of its own to each side of the value.

    Args:
        value, low, high: Of one shape; NaN where undefined.
        z: Standard normal numbers, of a shape that the others are broadcast to.
    """
    width = np.where(z < 0, np.maximum(0.0, value - low), np.maximum(0.0, high - value)) / Z
    drawn: np.ndarray = np.clip(value + width * z, 0.0, 1.0)
    return drawn


def quick_chances(snapshot: Snapshot, preference: Preference, *, draws: int = 200, seed: int = 0) -> np.ndarray:
    """Return P(on the front) of every candidate (n,), drawn from the intervals it was measured with; 0 when ineligible.

    A first answer for a live front; an audit (``nas_core.audit.confirm``) gives the better one, from predictions on the
    same resampled rows for all. Here candidates are drawn independently of one another, so those that are alike change
    places more often than they would, and chances near the edge are cautious. The draws of a candidate depend on its
    identity and the seed alone: while a search goes on, its chance changes only with what is found.

    Costs: draws for the front, and for those that some draw of it leaves a chance even at three standard deviations;
    and as many fronts of them as draws.

    Raises:
        SettingsError: The preference weighs a measure that the archive does not hold.
    """
    chances = np.zeros(len(snapshot))
    at, losses = front_draws(snapshot, preference, draws=draws, seed=seed)
    if len(at):
        chances[at] = front_probability(losses)
    return chances


def front_draws(
    snapshot: Snapshot, preference: Preference, among: np.ndarray | None = None, *, draws: int = 200, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return who may be on the front, and what may be of them: positions (K,) and drawn losses (R, K, 2).

    The front itself comes first; then those that some draw of it leaves a chance, even at three standard deviations.
    Losses are of performance and of interpretability, drawn as :func:`quick_chances` says.

    Args:
        snapshot: The archive.
        preference: Its weights; λ and the goals do not matter here.
        among: (n,) bool, the candidates that count; all eligible ones when None.
        draws, seed: R, and where the draws come from.

    Raises:
        SettingsError: The preference weighs a measure that the archive does not hold.
    """
    weights = preference.vector(snapshot.names)
    performance = _performance(snapshot)
    scores = (snapshot.measures, snapshot.measures_low, snapshot.measures_high)
    best = np.column_stack([
        interval_draws(*performance, np.full(len(snapshot), -FARTHEST)),
        1.0 - interpretability(interval_draws(*scores, np.full(snapshot.measures.shape, FARTHEST)), weights),
    ])  # fmt: skip
    values = np.column_stack([snapshot.performance_loss, 1.0 - interpretability(snapshot.measures, weights)])
    counts = snapshot.eligible if among is None else snapshot.eligible & among
    for losses in (best, values):
        losses[~counts] = np.nan
    front = np.flatnonzero(non_dominated(values))
    first = _drawn(snapshot, front, performance, weights, draws, seed)
    if not len(front):
        return front, first
    best[front] = np.nan
    others = np.flatnonzero(np.any([possible(best, drawn) for drawn in first], axis=0))
    drawn = _drawn(snapshot, others, performance, weights, draws, seed)
    return np.concatenate([front, others]), np.concatenate([first, drawn], axis=1)


def _performance(snapshot: Snapshot) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the performance loss (n,) at the value, at the good end and at the bad end of its interval."""
    loss, worst = np.vectorize(snapshot.objective.loss, otypes=[np.float64]), snapshot.objective.worst
    ends = (snapshot.columns[f"performance_{end}"] for end in ("low", "high"))
    low, high = (loss(np.where(np.isnan(end), worst, end)) for end in ends)  # NaN where a candidate has failed
    return snapshot.performance_loss, np.minimum(low, high), np.maximum(low, high)


def _drawn(
    snapshot: Snapshot,
    at: np.ndarray,
    performance: tuple[np.ndarray, np.ndarray, np.ndarray],
    weights: np.ndarray,
    draws: int,
    seed: int,
) -> np.ndarray:
    """Return losses (R, K, 2) drawn for the candidates at the positions ``at`` (K,)."""
    count = len(snapshot.names)
    losses = np.empty((draws, len(at), 2))
    if not len(at):
        return losses
    z = np.stack([_normal(seed, snapshot.ids[k], draws, 1 + count) for k in at], axis=1)
    losses[:, :, 0] = interval_draws(performance[0][at], performance[1][at], performance[2][at], z[:, :, 0])
    scores = (snapshot.measures[at], snapshot.measures_low[at], snapshot.measures_high[at])
    step = max(1, NUMBERS // max(1, len(at) * count))
    for start in range(0, draws, step):
        part = slice(start, start + step)
        drawn = interval_draws(*scores, z[part, :, 1:])
        losses[part, :, 1] = 1.0 - interpretability(drawn.reshape(-1, count), weights).reshape(-1, len(at))
    return losses


def _normal(seed: int, candidate: str, draws: int, count: int) -> np.ndarray:
    """Return the standard normal numbers (R, count) of one candidate, cut off at three."""
    rng = np.random.default_rng(derive_seed("chances", seed, candidate))
    return np.clip(rng.standard_normal((draws, count), dtype=np.float32), -FARTHEST, FARTHEST)
