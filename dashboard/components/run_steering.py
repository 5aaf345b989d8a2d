"""Steering: the popover in which a person changes budget, strategy and stopping rules of a run, live or ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard import process, state
from dashboard.texts import spoken, text
from dashboard.watching import Watched
from nas_core.errors import NasightError

if TYPE_CHECKING:
    from nas_core.runs.run import Run
    from nas_core.runs.settings import RunSettings

__all__ = ["steer_popover"]


def steer_popover(watched: Watched) -> None:
    """Draw the popover; one that is done, stopped or interrupted goes on with what is applied."""
    with st.popover(text("steering.open"), icon=":material/tune:"):
        settings = watched.view.settings
        st.caption(text("steering.intro"))
        left, right = st.columns(2, gap="medium")
        with left:
            _limits(settings)
        with right:
            _direction(settings)
        words = "steering.apply" if watched.own else "steering.apply_on"
        st.button(text(words), type="primary", on_click=_apply, args=(watched.record.id,), key="steer_apply")


def _limits(settings: RunSettings) -> None:
    st.number_input(
        text("steering.candidates"), 1, 1_000_000, settings.candidates or 500, 100, key="steer_candidates",
        help=text("steering.candidates_help"),
    )  # fmt: skip
    st.number_input(
        text("steering.seconds"), 0, 8_640_000, int(settings.seconds or 0), 60, key="steer_seconds",
        help=text("steering.seconds_help"),
    )  # fmt: skip
    st.number_input(
        text("steering.plateau"), 0, 100_000, settings.plateau or 0, 50, key="steer_plateau",
        help=text("steering.plateau_help"),
    )  # fmt: skip


def _direction(settings: RunSettings) -> None:
    from nas_core.search import STRATEGIES

    names = list(STRATEGIES)
    st.selectbox(
        text("steering.strategy"), names, index=names.index(settings.strategy), key="steer_strategy",
        format_func=lambda name: spoken(STRATEGIES[name].label), help=text("steering.strategy_help"),
    )  # fmt: skip
    goals = bool(settings.preference.goals)
    st.toggle(
        text("steering.until_goals"), settings.until_goals, key="steer_until_goals", disabled=not goals,
        help=text("steering.until_goals_help"),
    )  # fmt: skip
    st.toggle(text("steering.halving"), settings.halving, key="steer_halving", help=text("steering.halving_help"))


def _asked() -> dict[str, Any]:
    """Return what the popover says, by name of a setting."""
    wanted = st.session_state
    return {
        "candidates": int(wanted["steer_candidates"]),
        "seconds": float(wanted["steer_seconds"]) or None,
        "plateau": int(wanted["steer_plateau"]) or None,
        "strategy": str(wanted["steer_strategy"]),
        "until_goals": bool(wanted["steer_until_goals"]),
        "halving": bool(wanted["steer_halving"]),
    }


def _apply(run_id: str) -> None:
    """Ask the run for what has changed, or let an ended one go on with it; a refusal is shown at the next draw."""
    from nas_core.runs.settings import RunSettings

    asked = _asked()
    try:
        run = process.steered(run_id)
        if run is not None and run.alive:
            ask(run, RunSettings.model_validate(run.snapshot().record.settings), asked)
        else:
            process.resume(run_id, changes=asked)
            st.session_state[state.WAITING] = True
    except NasightError as error:
        state.tell(str(error))


def ask(run: Run, present: RunSettings, asked: dict[str, Any]) -> None:
    """Ask a living run for what differs from its present settings."""
    changed = {name for name, value in asked.items() if getattr(present, name) != value}
    if changed & {"candidates", "seconds"}:
        run.set_budget(candidates=asked["candidates"], seconds=asked["seconds"])
    if changed & {"until_goals", "plateau"}:
        run.set_rules(until_goals=asked["until_goals"], plateau=asked["plateau"])
    if "strategy" in changed:
        run.set_strategy(asked["strategy"])
    if "halving" in changed:
        run.set_halving(asked["halving"])
