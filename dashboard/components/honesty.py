"""The badges in the head of the Candidate page, and what other tabs found out that they show."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import streamlit as st

from dashboard.texts import text
from dashboard.views.honesty import Badge, State, honesty_badges

if TYPE_CHECKING:
    from nas_core.objectives import Objective
    from nas_core.records import Evaluation, RunRecord
    from nas_core.store.summaries import Summary

__all__ = ["draw_badge", "draw_honesty", "note"]

COLOURS: dict[State, Literal["green", "orange", "gray"]] = {"good": "green", "warn": "orange", "plain": "gray"}
ICONS: dict[State, str] = {"good": ":material/check:", "warn": ":material/warning:", "plain": ":material/info:"}
MOST = 2_000


@st.cache_resource(show_spinner=False)
def _noted() -> dict[tuple[str, str, str], str]:
    """Return what was found out, by run, candidate and question; shared by everybody."""
    return {}


def note(run_id: str, candidate_id: str, question: Literal["trust", "seeds"], answer: str) -> None:
    """Remember what a tab found out of a candidate, for its head."""
    kept = _noted()
    while len(kept) >= MOST:
        kept.pop(next(iter(kept)), None)
    kept[run_id, candidate_id, question] = answer


def draw_honesty(run: RunRecord, found: Evaluation, front: list[Summary], objective: Objective) -> Callable[[], None]:
    """Draw the badges, one after another; return what draws those again that a tab found out about meanwhile."""
    epochs = run.problem.get("recipe", {}).get("max_epochs")

    def known() -> tuple[Badge, ...]:
        seeds = _noted().get((run.id, found.id, "seeds"))
        return honesty_badges(
            found, front, objective, epochs=int(epochs) if epochs else None,
            trust=_noted().get((run.id, found.id, "trust")), audited=None if seeds is None else seeds == "held",
        )  # fmt: skip

    drawn = known()
    places = [st.empty() for _ in drawn]
    for place, badge in zip(places, drawn):
        with place:
            draw_badge(badge)

    def again() -> None:
        for place, before, now in zip(places, drawn, known()):
            if before != now:
                with place:
                    draw_badge(now)

    return again


def draw_badge(badge: Badge) -> None:
    """Draw one badge; the icon says the same as the colour."""
    st.badge(badge.words, color=COLOURS[badge.state], icon=ICONS[badge.state], help=badge.help or text("honesty.none"))
