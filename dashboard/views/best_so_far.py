"""How the best candidate of a run grew: the best performance so far, and what was first at λ so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.texts import spoken

if TYPE_CHECKING:
    from nas_core.search import Ranking, Snapshot

__all__ = ["BestSoFar", "best_so_far"]


@dataclass(frozen=True)
class BestSoFar:
    """Steps of m candidates at which something changed, and the last one.

    Attributes:
        metric: Name of the performance metric.
        candidates: (m,) number of candidates.
        performance: (m,) the best performance among the first so many.
        at_weight: (m,) performance of the one that was first at λ among them, on the scale of the present front.
        interpretability: (m,) its interpretability.
    """

    metric: str
    candidates: np.ndarray
    performance: np.ndarray
    at_weight: np.ndarray
    interpretability: np.ndarray


def best_so_far(snapshot: Snapshot, ranked: Ranking) -> BestSoFar:
    """Return the curves of a run under a preference; candidates that are not eligible or miss more of the goals lose.

    Costs one pass over the n candidates. That λ is read on the range of the front as it is now keeps the curve from
    jumping when the front grows at an end.
    """
    loss = np.where(np.isnan(ranked.losses).any(axis=1), np.inf, ranked.losses[:, 0])
    first = _running(loss)
    place = np.empty(len(ranked.order), dtype=np.int64)
    place[ranked.order] = np.arange(len(ranked.order))
    place = np.where(np.isfinite(loss), place, len(place))
    leader = _running(place)
    there = np.isfinite(loss).cumsum() > 0
    changed = np.flatnonzero(there & ((np.diff(first, prepend=-1) != 0) | (np.diff(leader, prepend=-1) != 0)))
    steps = np.unique([*changed, len(loss) - 1]) if there.any() else np.empty(0, dtype=np.int64)
    return BestSoFar(
        metric=spoken(snapshot.objective.label), candidates=steps + 1, performance=snapshot.performance[first[steps]],
        at_weight=snapshot.performance[leader[steps]], interpretability=ranked.interpretability[leader[steps]],
    )  # fmt: skip


def _running(values: np.ndarray) -> np.ndarray:
    """Return the position (n,) of the smallest of the first 1, 2, … n values; of equal ones the first."""
    least = np.minimum.accumulate(values)
    fresh = np.concatenate([[True], values[1:] < least[:-1]]) if len(values) else np.empty(0, dtype=bool)
    return np.maximum.accumulate(np.where(fresh, np.arange(len(values)), 0))
