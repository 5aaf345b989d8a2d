"""The candidates before and after one along the front, from the best performance to the most interpretable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from nas_core.search import Ranking, Snapshot

__all__ = ["Along", "along_front"]


@dataclass(frozen=True)
class Along:
    """Where a candidate stands along the front.

    Attributes:
        previous, next: Identity and number of the neighbours with better performance and with more interpretability.
        place: Its place from 1; None where it is not on the front, and then the neighbours are those around it.
        count: Candidates on the front.
        front: Their identities, the best performance first.
    """

    previous: tuple[str, int] | None
    next: tuple[str, int] | None
    place: int | None
    count: int
    front: tuple[str, ...]


def along_front(snapshot: Snapshot, ranking: Ranking, candidate: str) -> Along:
    """Return the neighbours of a candidate along the front of a ranking."""
    at = np.flatnonzero(ranking.on_front)
    at = at[np.lexsort((snapshot.index[at], ranking.losses[at, 1], ranking.losses[at, 0]))]
    ids = tuple(snapshot.ids[i] for i in at)

    def named(place: int) -> tuple[str, int] | None:
        return (ids[place], int(snapshot.index[at[place]])) if 0 <= place < len(ids) else None

    if candidate in ids:
        place = ids.index(candidate)
        return Along(named(place - 1), named(place + 1), place + 1, len(ids), ids)
    own = snapshot.position(candidate)
    loss = np.inf if own is None or np.isnan(ranking.losses[own, 0]) else ranking.losses[own, 0]
    place = int(np.searchsorted(ranking.losses[at, 0], loss))
    return Along(named(place - 1), named(place), None, len(ids), ids)
