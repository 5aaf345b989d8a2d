"""What may be decided about a run, and what was, as data for the Report page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from dashboard.texts import spoken, text
from dashboard.views.words import interval, number

if TYPE_CHECKING:
    from nas_core.reports import DecisionRecord
    from nas_core.search import Ranking, Snapshot

__all__ = ["Choice", "choices", "decision_label"]

MOST = 200
SHORT = 60


@dataclass(frozen=True)
class Choice:
    """A candidate that may be chosen: its identity, and what the picker says of it."""

    id: str
    label: str


def choices(snapshot: Snapshot, ranking: Ranking, in_view: str | None) -> tuple[Choice, ...]:
    """Return the candidates to pick from: the best at λ, the one in view, then the front, the best first.

    The first one is the one in view, where there is one; without an eligible candidate there may be none.
    """
    wanted = [] if ranking.best is None else [ranking.best]
    at = None if in_view is None else snapshot.position(in_view)
    if at is not None:
        wanted.insert(0, at)
    front = np.flatnonzero(ranking.on_front)
    wanted += front[np.argsort(ranking.score[front], kind="stable")].tolist()
    return tuple(_choice(snapshot, ranking, p) for p in list(dict.fromkeys(wanted))[:MOST])


def _choice(snapshot: Snapshot, ranking: Ranking, at: int) -> Choice:
    columns = snapshot.columns
    value, low, high = (float(columns[n][at]) for n in ("performance", "performance_low", "performance_high"))
    performance = interval(value, low, high)
    label = text(
        "report.choice_best" if at == ranking.best else "report.choice", number=int(snapshot.index[at]),
        metric=spoken(snapshot.objective.label), performance=performance,
        interpretability=number(float(ranking.interpretability[at])),
    )  # fmt: skip
    return Choice(snapshot.ids[at], label)


def decision_label(record: DecisionRecord, others: Sequence[DecisionRecord] = ()) -> str:
    """Return one line for a decision: when, which candidate, the beginning of why.

    Among ``others`` it says which of them it is, counted from the first, so that no two lines are the same.
    """
    when = datetime.fromtimestamp(record.made).strftime("%Y-%m-%d %H:%M")
    why = " ".join(record.reason.split())
    short = why if len(why) <= SHORT else f"{why[:SHORT].rstrip()}…"
    place = next((len(others) - at for at, other in enumerate(others) if other is record), 1)
    key = "report.decided_line" if short else "report.decided_line_plain"
    return text(key, place=place, when=when, number=record.chosen.number, reason=short)
