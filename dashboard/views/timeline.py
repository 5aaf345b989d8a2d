"""A run over time: its packs, what happened to it, and where its seconds went."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.texts import text
from dashboard.views.history import event_words
from dashboard.views.scrub import KINDS
from dashboard.views.words import duration, percent
from nas_core.records import Status

if TYPE_CHECKING:
    from nas_core.objectives import Objective
    from nas_core.records import Event
    from nas_core.search import Snapshot

__all__ = ["Moment", "Pack", "Phase", "Timeline", "phases_view", "timeline_view"]

PHASES = ("train", "measure", "strategy", "store", "idle")
"""In the order of the life of a pack; the store keeps them in that of the alphabet."""
LOST = {Status.FAILED: "failed", Status.PRUNED: "pruned", Status.CANCELLED: "pruned"}


@dataclass(frozen=True)
class Pack:
    """Candidates that were in work together: from ``began`` to ``ended`` seconds, numbers ``first`` to ``last``."""

    number: int
    began: float
    ended: float
    first: int
    last: int
    size: int
    again: bool


@dataclass(frozen=True)
class Moment:
    """Something at ``seconds``, once ``evaluated`` candidates were there; ``kind`` is one of the scrubber's kinds."""

    seconds: float
    evaluated: int
    kind: str
    words: str


@dataclass(frozen=True)
class Timeline:
    """A run over time; seconds count from its creation.

    Attributes:
        packs: In order; none in a run that was recorded before packs left their times.
        moments: What happened to it.
        pauses: From and to, seconds.
        lost: By kind ("failed", "pruned"): seconds and numbers of the candidates that ended so.
        candidates: Seconds and how many were finished by then, a step line.
        end: Seconds of the last thing there is.
    """

    packs: tuple[Pack, ...]
    moments: tuple[Moment, ...]
    pauses: tuple[tuple[float, float], ...]
    lost: Mapping[str, tuple[np.ndarray, np.ndarray]]
    candidates: tuple[np.ndarray, np.ndarray]
    end: float


@dataclass(frozen=True)
class Phase:
    """One part of the time: its name, seconds, share of all, and both in words."""

    name: str
    label: str
    seconds: float
    share: float
    words: str


def timeline_view(
    events: Iterable[Event], snapshot: Snapshot, created: float, objective: Objective, strategies: Mapping[str, str]
) -> Timeline:
    """Return the run over time; ``strategies`` are labels of strategies by name."""
    packs, moments, pauses = [], [], []
    paused: float | None = None
    for event in events:
        at = event.time - created
        if event.kind == "pack":
            p = event.payload
            packs.append(Pack(p["number"], p["began"] - created, at, p["first"], p["last"], p["size"], p["again"]))
        elif (kind := KINDS.get(event.kind)) and (words := event_words(event, objective, strategies)):
            moments.append(Moment(at, event.evaluated, kind, words))
        if event.kind == "paused":
            paused = at
        elif paused is not None and event.kind in ("resumed", "stopped", "interrupted"):
            pauses.append((paused, at))
            paused = None
    finished = snapshot.columns["finished"]
    known = finished > 0
    seconds = finished - created
    lost = {}
    for kind in ("failed", "pruned"):
        mask = np.array([LOST.get(status) == kind for status in snapshot.status], dtype=bool) & known
        lost[kind] = (seconds[mask], snapshot.index[mask])
    order = np.sort(seconds[known])
    ends = [*(p.ended for p in packs), *(m.seconds for m in moments), *order[-1:].tolist()]
    steps = (order, np.arange(1, len(order) + 1))
    return Timeline(tuple(packs), tuple(moments), tuple(pauses), lost, steps, max(ends, default=0.0))


def phases_view(seconds: Mapping[str, float]) -> tuple[Phase, ...]:
    """Return where the seconds went, in the order in which they come in the life of a pack."""
    total = sum(seconds.values()) or 1.0
    ordered = {name: seconds[name] for name in PHASES if name in seconds}
    return tuple(
        Phase(name, text(f"run.phase_{name}"), spent, spent / total, f"{duration(spent)} · {percent(spent / total)}")
        for name, spent in ordered.items()
    )
