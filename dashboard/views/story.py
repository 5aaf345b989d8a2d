"""The story of a run for people who were not there: what interpretability costs, in a few stops along the front."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.texts import text
from dashboard.views.card import Card
from dashboard.views.words import count, number, percent

if TYPE_CHECKING:
    from nas_core.search import Ranking, Snapshot

__all__ = ["SLIDES", "Stop", "Story", "price_sentence", "story"]

SLIDES = ("question", "accurate", "simple", "price", "choice", "reasons", "trust", "record")
"""The slides, in order."""


@dataclass(frozen=True)
class Stop:
    """One network of the story.

    Attributes:
        card: What it is.
        roles: Which of accurate, knee, chosen, simple it is.
        given_up: Performance given up against the most accurate network, in the metric's unit; never negative.
        overlaps: Whether its 95 % interval and that of the most accurate network have a value in common.
        gained: Interpretability gained against the most accurate network.
        wins: The λ between which it ranks first; None when there is none.
    """

    card: Card
    roles: tuple[str, ...]
    given_up: float
    overlaps: bool
    gained: float
    wins: tuple[float, float] | None


@dataclass(frozen=True)
class Story:
    """What the slides show.

    Attributes:
        metric: Name of the performance metric.
        maximise: Whether larger is better.
        weight: λ.
        tried, eligible: Networks that were tried, and that may be on the front.
        measures: How many interpretability measures were taken of each.
        stops: From the most accurate network to the simplest, two at least where there are two on the front.
        accurate, chosen, simple: Positions in ``stops``.
        interpretability, performance, on_front: (n,) of the eligible candidates, for the picture.
        summary: The picture in one sentence.
    """

    metric: str
    maximise: bool
    weight: float
    tried: int
    eligible: int
    measures: int
    stops: tuple[Stop, ...]
    accurate: int
    chosen: int
    simple: int
    interpretability: np.ndarray
    performance: np.ndarray
    on_front: np.ndarray
    summary: str

    @property
    def first(self) -> Stop:
        """The most accurate network."""
        return self.stops[self.accurate]

    @property
    def choice(self) -> Stop:
        """The network that is put forward."""
        return self.stops[self.chosen]

    @property
    def last(self) -> Stop:
        """The network that is easiest to explain."""
        return self.stops[self.simple]


def story(
    snapshot: Snapshot, ranked: Ranking, card_of: Callable[[str], Card | None], *, chosen: str | None = None
) -> Story | None:
    """Return the story of a run, None while there is no network to tell of.

    The stops are the two ends of the front, its knee (see :func:`nas_core.search.front_points.knee`), and the network
    that is put forward.

    Args:
        snapshot: What the run has found.
        ranked: The same under the preference in force.
        card_of: Returns the card of a candidate by its identity.
        chosen: Identity of the network to put forward; the best at λ when None or when it is not eligible.
    """
    from nas_core.search.front_points import knee

    intervals = ranked.winners()
    if not intervals or ranked.best is None:
        return None
    at = snapshot.position(chosen) if chosen else None
    put = ranked.best if at is None or np.isnan(ranked.losses[at]).any() else at
    bend = knee(np.where(ranked.on_front[:, None], ranked.losses, np.nan))
    roles: dict[int, list[str]] = {}
    for position, role in (
        (intervals[0].position, "accurate"), (bend, "knee"), (put, "chosen"), (intervals[-1].position, "simple"),
    ):  # fmt: skip
        if position is not None:
            roles.setdefault(position, []).append(role)
    order = sorted(roles, key=lambda i: (ranked.losses[i, 0], -ranked.losses[i, 1]))
    cards = {i: card for i in order if (card := card_of(snapshot.ids[i])) is not None}
    order = [i for i in order if i in cards]
    if any(i not in cards for i in (intervals[0].position, intervals[-1].position, put)):
        return None
    wins = {w.position: (w.low, w.high) for w in intervals}
    best, sign = cards[intervals[0].position], 1.0 if snapshot.objective.maximise else -1.0
    stops = tuple(_stop(cards[i], tuple(roles[i]), best, sign, wins.get(i)) for i in order)
    shown = np.flatnonzero(~np.isnan(ranked.interpretability))
    return Story(
        metric=snapshot.objective.label, maximise=snapshot.objective.maximise, weight=ranked.preference.weight,
        tried=len(snapshot), eligible=len(shown), measures=len(snapshot.names), stops=stops,
        accurate=order.index(intervals[0].position), chosen=order.index(put),
        simple=order.index(intervals[-1].position), interpretability=ranked.interpretability[shown],
        performance=snapshot.performance[shown], on_front=ranked.on_front[shown],
        summary=text("story.summary", eligible=count(len(shown)), front=count(int(ranked.on_front.sum())),
                     stops=", ".join(f"#{cards[i].number}" for i in order)),
    )  # fmt: skip


def _stop(card: Card, roles: tuple[str, ...], best: Card, sign: float, wins: tuple[float, float] | None) -> Stop:
    assert card.performance is not None
    assert best.performance is not None
    return Stop(
        card=card, roles=roles, given_up=max(0.0, sign * (best.performance - card.performance)),
        overlaps=_overlap(card, best), gained=(card.interpretability or 0.0) - (best.interpretability or 0.0),
        wins=wins,
    )  # fmt: skip


def _overlap(one: Card, other: Card) -> bool:
    """Return whether two intervals have a value in common; one that is not known is its value alone."""
    assert one.performance is not None
    assert other.performance is not None
    low, high = (c if c is not None else one.performance for c in (one.low, one.high))
    other_low, other_high = (c if c is not None else other.performance for c in (other.low, other.high))
    return low <= other_high and other_low <= high


def price_sentence(told: Story, stop: Stop) -> str:
    """Return what a network costs and what it buys, against the most accurate one, in one sentence."""
    first = told.first
    if stop.card.id == first.card.id:
        return text("story.price_none", number=stop.card.number)
    key = "story.price_overlap" if stop.overlaps else "story.price_apart"
    if number(stop.given_up, 2) == "0" or stop.given_up == 0.0:
        key = "story.price_free"
    before = first.card.interpretability
    return text(
        key, number=stop.card.number, first=first.card.number, metric=told.metric, given=number(stop.given_up, 2),
        before=percent(before), after=percent(stop.card.interpretability), phrase=stop.card.phrase,
        first_phrase=first.card.phrase,
    )  # fmt: skip
