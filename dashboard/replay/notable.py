"""Which candidates a reader is likely to open, so that the file holds their graphs: it cannot hold ten thousand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nas_core.search.fronts import non_dominated

if TYPE_CHECKING:
    from nas_core.search import Ranking, Snapshot

__all__ = ["MOST", "notable"]

MOST = 80


def notable(snapshot: Snapshot, ranking: Ranking, first: list[int], most: int = MOST) -> list[int]:
    """Return positions, the most wanted first, ``most`` at most and each once.

    After those in ``first`` come the front, those nearest to the best at λ first, the landmarks and what a person drew,
    the fronts of performance against each single measure, since other weights make other fronts, and the best at λ.

    Args:
        snapshot: The candidates.
        ranking: Of them, under the preference the file begins with.
        first: Positions that must be there.
        most: How many there may be.
    """
    front = np.flatnonzero(ranking.on_front)
    front = front[np.argsort(ranking.score[front], kind="stable")].tolist()
    references = [
        at for at, operator in enumerate(snapshot.operator[:64])
        if operator.startswith("landmark:") and snapshot.eligible[at]
    ]  # fmt: skip
    drawn = [at for at, origin in enumerate(snapshot.origin) if origin == "manual" and snapshot.eligible[at]]
    wanted = [*first, *front, *references, *drawn]
    for column in range(len(snapshot.names)):
        losses = np.column_stack([snapshot.performance_loss, 1.0 - snapshot.measures[:, column]])
        losses[~snapshot.eligible] = np.nan
        single = np.flatnonzero(non_dominated(losses))
        wanted += single[np.argsort(ranking.score[single], kind="stable")][:6].tolist()
    wanted += [int(at) for at in ranking.order[:20] if snapshot.eligible[at]]
    return list(dict.fromkeys(wanted))[:most]
