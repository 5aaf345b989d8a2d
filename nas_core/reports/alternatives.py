"""What could have been chosen instead: the ends of the front, its knee, the best at λ, and the neighbours."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nas_core.records import Estimate
from nas_core.reports.record import Alternative
from nas_core.search.ranking import Ranking, front_scale
from nas_core.search.snapshot import Snapshot

__all__ = ["NEIGHBOURS", "alternatives", "knee"]

NEIGHBOURS = 2
"""Candidates of the front on each side of the chosen one that are told."""


def knee(losses: np.ndarray) -> int | None:
    """Return the position of the knee of a front (k, 2): where giving up a little of one loss gains least of the other.

    That is the point farthest below the line between the two ends, both losses scaled to the front's range (Das 1999,
    "On characterizing the knee of the Pareto curve"). None where the front has fewer than three different points, or
    where none of them lies below that line.
    """
    if len(np.unique(losses, axis=0)) < 3:
        return None
    ideal, span = front_scale(losses)
    below = 1.0 - ((losses - ideal) / span).sum(axis=1)
    best = int(np.argmax(below))
    return best if below[best] > 1e-9 else None


def alternatives(
    snapshot: Snapshot, ranking: Ranking, chosen: int | None, described: Callable[[str], str]
) -> tuple[Alternative, ...]:
    """Return the alternatives to the candidate at position ``chosen``, the most accurate first.

    Args:
        snapshot: The candidates.
        ranking: Of them, under the preference of the decision.
        chosen: Position of the choice.
        described: Returns an architecture in one line, given its identity.
    """
    front = np.flatnonzero(ranking.on_front)
    front = front[np.lexsort((front, -ranking.interpretability[front], ranking.losses[front, 0]))]
    roles: dict[int, list[str]] = {}

    def add(position: int, role: str) -> None:
        if position != chosen and role not in roles.setdefault(position, []):
            roles[position].append(role)

    if ranking.best is not None:
        add(ranking.best, "best")
    if len(front):
        add(int(front[0]), "accurate")
        add(int(front[-1]), "interpretable")
        at = knee(ranking.losses[front])
        if at is not None:
            add(int(front[at]), "knee")
    for position, role in _neighbours(ranking, front, chosen):
        add(position, role)
    order = sorted(roles, key=lambda p: (ranking.losses[p, 0], p))
    return tuple(_alternative(snapshot, ranking, p, tuple(roles[p]), chosen, described) for p in order)


def _neighbours(ranking: Ranking, front: np.ndarray, chosen: int | None) -> list[tuple[int, str]]:
    """Return the nearest candidates of the front on both sides of the chosen one, whether or not it is on it."""
    if chosen is None or np.isnan(ranking.losses[chosen]).any():
        return []
    others = front[front != chosen]
    before = others[ranking.losses[others, 0] < ranking.losses[chosen, 0]]
    after = others[ranking.losses[others, 0] >= ranking.losses[chosen, 0]]
    return [(int(p), "neighbour_accurate") for p in before[-NEIGHBOURS:]] + [
        (int(p), "neighbour_interpretable") for p in after[:NEIGHBOURS]
    ]


def _alternative(
    snapshot: Snapshot, ranking: Ranking, at: int, roles: tuple[str, ...], chosen: int | None,
    described: Callable[[str], str],
) -> Alternative:  # fmt: skip
    columns = snapshot.columns
    performance = _performance(snapshot, at)
    gain = simpler = None
    overlaps = False
    if chosen is not None and not np.isnan(ranking.losses[chosen]).any():
        own = _performance(snapshot, chosen)
        sign = 1.0 if snapshot.objective.maximise else -1.0
        gain = sign * (performance.value - own.value)
        simpler = float(ranking.interpretability[at] - ranking.interpretability[chosen])
        overlaps = performance.low <= own.high and own.low <= performance.high
    return Alternative(
        roles=roles, id=snapshot.ids[at], number=int(snapshot.index[at]), structure=described(snapshot.ids[at]),
        performance=performance, interpretability=float(ranking.interpretability[at]), performance_gain=gain,
        interpretability_gain=simpler, overlaps=overlaps, parameters=int(columns["parameters"][at]),
    )  # fmt: skip


def _performance(snapshot: Snapshot, at: int) -> Estimate:
    value, low, high = (float(snapshot.columns[n][at]) for n in ("performance", "performance_low", "performance_high"))
    return Estimate(value=value, low=low, high=high)
