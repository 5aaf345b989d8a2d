"""What is marked on the front beside its points: knee, what no λ reaches, ties, chances, intervals, ellipses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.views.front_axes import Axis
from dashboard.views.front_ellipses import ellipses, no_ellipses

if TYPE_CHECKING:
    from nas_core.search import FrontLuck, Ranking, Snapshot

__all__ = ["CHANCES", "CROSSES", "LEAST", "NO_MARKS", "FrontMarks", "front_marks"]

LEAST = 0.02
"""Chances below this are not drawn."""
CHANCES = 400
CROSSES = 150
"""Most points that get an interval or an ellipse; of a longer front those that lie closest together get none."""


@dataclass(frozen=True)
class FrontMarks:
    """Marks by the candidates' numbers.

    Attributes:
        knee: The knee of the front of two axes; None where there is none or nobody asked.
        unsupported: On the front that λ weighs, and first at no λ.
        tied: Not told apart from the best at λ.
        chances: (number, P(on the front) in percent) of those that have a chance.
        crosses: (number, low, high of each axis) of points on the front and of the best.
        ellipses: (number, lowest and highest x, lowest and highest y) of points on the front of two axes.
        no_ellipses: Why there is none where they were asked for; empty otherwise.
        shaky: Stretches (low, high) of λ at which the lead of the winner lies within its interval.
    """

    knee: int | None = None
    unsupported: tuple[int, ...] = ()
    tied: tuple[int, ...] = ()
    chances: tuple[tuple[int, int], ...] = ()
    crosses: tuple[tuple[float, ...], ...] = ()
    ellipses: tuple[tuple[float, ...], ...] = ()
    no_ellipses: str = ""
    shaky: tuple[tuple[float, float], ...] = ()


NO_MARKS = FrontMarks()


def front_marks(
    archive: Snapshot, ranking: Ranking, axes: Sequence[Axis], on_front: np.ndarray, marks: Sequence[str],
    luck: FrontLuck | None = None,
) -> FrontMarks:  # fmt: skip
    """Return what ``marks`` ask for.

    Args:
        archive, ranking: As for the front.
        axes: The quantities on its axes.
        on_front: (n,) bool, on the front of these.
        marks: Some of :data:`dashboard.views.front_choice.MARKS`.
        luck: Ties and chances, of these candidates or of fewer; none are told without.
    """
    from nas_core.search import knee, unsupported

    number = archive.index
    bend = None
    if "knee" in marks and len(axes) == 2 and on_front.any():
        bend = knee(np.where(on_front[:, None], np.column_stack([axis.losses for axis in axes]), np.nan))
    never: tuple[int, ...] = ()
    if "unsupported" in marks:
        losses = np.where(ranking.leaders[:, None], ranking.losses, np.nan)
        never = tuple(int(k) for k in number[unsupported(losses)])
    along = _along(axes, on_front) if {"intervals", "ellipses"} & set(marks) else np.array([], dtype=int)
    regions = ellipses(axes, along, number) if "ellipses" in marks else ()
    return FrontMarks(
        knee=None if bend is None else int(number[bend]),
        unsupported=never,
        tied=_tied(archive, ranking, luck) if "ties" in marks else (),
        chances=_chances(archive, luck) if "chance" in marks else (),
        crosses=_crosses(archive, ranking, axes, along) if "intervals" in marks else (),
        ellipses=regions,
        no_ellipses=no_ellipses(axes) if "ellipses" in marks and on_front.any() and not regions else "",
        shaky=tuple(luck.unstable()) if luck is not None and "ties" in marks else (),
    )


def _tied(archive: Snapshot, ranking: Ranking, luck: FrontLuck | None) -> tuple[int, ...]:
    """Return who is tied with the best; nobody while what is known is about another best."""
    weight = ranking.preference.weight
    if luck is None or ranking.best is None or luck.best[luck.at(weight)] != ranking.best:
        return ()
    at = luck.tied_at(weight)
    return tuple(int(k) for k in archive.index[at[at < len(archive)]])


def _chances(archive: Snapshot, luck: FrontLuck | None) -> tuple[tuple[int, int], ...]:
    if luck is None:
        return ()
    likely = np.flatnonzero((luck.chance >= LEAST) & (luck.positions < len(archive)))
    likely = likely[np.argsort(-luck.chance[likely], kind="stable")][:CHANCES]
    return tuple((int(archive.index[luck.positions[k]]), round(100 * float(luck.chance[k]))) for k in likely)


def _along(axes: Sequence[Axis], on_front: np.ndarray) -> np.ndarray:
    """Return the positions of points along the front, at most :data:`CROSSES`."""
    at = np.flatnonzero(on_front)
    at = at[np.argsort(axes[0].values[at], kind="stable")]
    return at if len(at) <= CROSSES else at[np.unique(np.linspace(0, len(at) - 1, CROSSES).round().astype(int))]


def _crosses(
    archive: Snapshot, ranking: Ranking, axes: Sequence[Axis], at: np.ndarray
) -> tuple[tuple[float, ...], ...]:
    if ranking.best is not None and ranking.best not in at and not np.isnan(axes[0].values[ranking.best]):
        at = np.append(at, ranking.best)
    ends = [np.round(end[at], 5) for axis in axes for end in (axis.low, axis.high)]
    return tuple((float(archive.index[k]), *(float(end[j]) for end in ends)) for j, k in enumerate(at))
