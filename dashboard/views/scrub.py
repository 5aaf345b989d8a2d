"""A run as it was after some of its candidates: where a slider stands, what happened on the way, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboard.texts import text
from dashboard.views.history import event_words
from dashboard.views.words import count, duration, number

if TYPE_CHECKING:
    from nas_core.objectives import Objective
    from nas_core.records import Event
    from nas_core.search import Ranking, Snapshot

__all__ = ["EventMark", "ScrubView", "event_marks", "scrub_view", "seconds_after"]

KINDS = {
    "steered": "weight", "strategy": "strategy", "space": "space", "paused": "pause",
    "rules": "rule", "halving": "rule", "budget": "rule", "proposed": "person", "overruled": "person",
    "killed": "person",
    "interrupted": "failure", "store_failed": "failure",
}  # fmt: skip
"""Events that are marked, and the kind of mark each has."""
CLOSE = 0.008
"""Marks nearer than this share of the slider are one."""
LINES = 4
"""Events that a mark names; of more, how many."""


@dataclass(frozen=True)
class EventMark:
    """Something that happened once ``at`` candidates were evaluated, or several things close together.

    Attributes:
        at: Candidates evaluated before it.
        kind: weight, strategy, space, pause, rule, person or failure; ``many`` where kinds differ.
        words: What it was, one line each.
    """

    at: int
    kind: str
    words: str


@dataclass(frozen=True)
class ScrubView:
    """Where the slider stands.

    Attributes:
        run: Identity of the run.
        total: Candidates there are now.
        at: Candidates that count.
        past: True while the page shows the run as it was.
        label: One line: what the page shows.
        facts: Front, hypervolume, best one at that moment, and when it was.
        marks: What happened on the way.
    """

    run: str
    total: int
    at: int
    past: bool
    label: str
    facts: str
    marks: tuple[EventMark, ...]


def scrub_view(
    run: str, total: int, snapshot: Snapshot, ranked: Ranking, *, past: bool, hypervolume: float | None,
    seconds: float | None, marks: Sequence[EventMark],
) -> ScrubView:  # fmt: skip
    """Return where the slider stands, and what the run was then.

    Args:
        run: Identity of the run.
        total: Candidates there are now.
        snapshot: Those that count.
        ranked: Them, under the λ, weights and goals of this tab.
        past: Whether that is the past.
        hypervolume: Of those that count; None where it was not asked for.
        seconds: From the start of the run to the last of them; None where unknown.
        marks: What happened on the way.
    """
    at = len(snapshot)
    names = {"at": count(at), "total": count(total)}
    facts = [text("scrub.front", count=count(int(ranked.on_front.sum())))]
    if hypervolume is not None:
        facts.append(text("scrub.hypervolume", value=number(hypervolume)))
    if ranked.best is not None:
        facts.append(text("scrub.best", number=int(snapshot.index[ranked.best])))
    if seconds is not None:
        facts.append(text("scrub.when", duration=duration(seconds)))
    label = text("scrub.past" if past else "scrub.now", **names)
    return ScrubView(run, total, at, past, label, " · ".join(facts) if past else "", tuple(marks))


def seconds_after(snapshot: Snapshot, created: float) -> float | None:
    """Return the seconds from the start of the run to the last candidate of ``snapshot``, None where unknown."""
    finished = snapshot.columns["finished"]
    last = float(finished.max()) if len(finished) else 0.0
    return last - created if last > created else None


def event_marks(
    events: Iterable[Event], objective: Objective, strategies: Mapping[str, str], total: int
) -> tuple[EventMark, ...]:
    """Return what happened to a run of ``total`` candidates as marks; what lies close together is one mark."""
    found: list[tuple[int, list[tuple[str, str]]]] = []
    for event in events:
        kind = KINDS.get(event.kind)
        words = event_words(event, objective, strategies) if kind else ""
        if kind is None or not words or not 0 < event.evaluated <= total:
            continue
        if found and event.evaluated - found[-1][0] <= CLOSE * total:
            found[-1][1].append((kind, words))
        else:
            found.append((event.evaluated, [(kind, words)]))
    return tuple(EventMark(at, _kind(told), _lines(at, told)) for at, told in found)


def _kind(told: Sequence[tuple[str, str]]) -> str:
    kinds = {kind for kind, _ in told}
    return kinds.pop() if len(kinds) == 1 else "many"


def _lines(at: int, told: Sequence[tuple[str, str]]) -> str:
    words = [words for _, words in told[-LINES:]]
    more = [text("scrub.more", count=len(told) - LINES)] if len(told) > LINES else []
    return "\n".join([text("scrub.after", at=count(at)), *more, *words])
