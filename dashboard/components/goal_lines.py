"""The Goals popover of the Run page: what a candidate has to reach before λ is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard.texts import text
from dashboard.views.card import measure_label
from dashboard.views.glossary import about
from dashboard.views.goals import goal_name
from dashboard.watching import Watched

if TYPE_CHECKING:
    from nas_core.preferences import Goal

__all__ = ["goal_popover", "goals_in_force", "goals_of", "set_goal"]

STEP, START = 0.01, 0.5
AXES = ("performance", "interpretability")
"""What can have a line on the front: these two are always offered."""


def goals_of(watched: Watched) -> tuple[Goal, ...]:
    """Return the goals of this tab; at first those that the run has."""
    stored = watched.record.settings.get("preference", {}).get("goals", ())
    st.session_state.setdefault(_state(watched.record.id), {goal["name"]: goal["value"] for goal in stored})
    return goals_in_force(watched.record.id)


def goals_in_force(run_id: str) -> tuple[Goal, ...]:
    """Return the goals that this tab has set for a run."""
    from nas_core.preferences import Goal

    wanted: dict[str, float] = st.session_state.get(_state(run_id), {})
    return tuple(Goal(name=name, value=value) for name, value in wanted.items())


def set_goal(run_id: str, name: str, value: float | None, on_change: Callable[[], None]) -> None:
    """From a callback: set or remove one goal of this tab, as the popover does.

    Args:
        run_id: The run.
        name: What the goal is for.
        value: What is asked for; None removes it.
        on_change: Called afterwards.
    """
    present: dict[str, float] = st.session_state.get(_state(run_id), {})
    rest = {n: v for n, v in present.items() if n != name}
    if value is not None:
        rest = {**present, name: float(value)}
    st.session_state[_state(run_id)] = rest
    on_change()


def goal_popover(watched: Watched, on_change: Callable[[], None]) -> None:
    """Draw the popover: one number for performance and interpretability each, and for measures that were added.

    Args:
        watched: The run.
        on_change: Called after a goal was set or removed, before the page is drawn again.
    """
    goals, names, run_id = goals_of(watched), watched.snapshot.names, watched.record.id
    popover = st.popover(text("goals.title"), key="goals", on_change="rerun", width="stretch", icon=":material/flag:",
                         help=about("goal"))  # fmt: skip
    if not popover.open:
        return
    with popover:
        st.caption(text("goals.intro"))
        for name in AXES:
            _line(watched, name, on_change)
        added = [goal.name for goal in goals if goal.name not in AXES]
        for name in added:
            _line(watched, name, on_change)
        others = [name for name in names if name not in added]
        if others:
            st.selectbox(text("goals.measure"), others, None, format_func=measure_label, key=f"goal_add_{len(added)}",
                         placeholder=text("goals.measure_placeholder"), on_change=_add,
                         args=(run_id, f"goal_add_{len(added)}", on_change))  # fmt: skip
        st.caption(text("goals.steers"))
        if goals:
            st.button(
                text("goals.clear"), type="tertiary", key="goals_clear", on_click=_clear, args=(run_id, on_change)
            )


def _line(watched: Watched, name: str, on_change: Callable[[], None]) -> None:
    """Draw the number of one goal; empty means that there is none."""
    objective, run_id, key = watched.snapshot.objective, watched.record.id, f"goal_{name}"
    value = st.session_state[_state(run_id)].get(name)
    bounds: dict[str, Any] = {"min_value": 0.0, "max_value": 1.0}
    if name == "performance":
        bounds = {"max_value": objective.best} if objective.maximise else {"min_value": objective.best}
    at_least = name != "performance" or objective.maximise
    words = text("goals.at_least" if at_least else "goals.at_most", name=goal_name(name, objective))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        # One that starts empty can be emptied again. Set anew only where it differs: somebody may be typing in it.
        if key not in st.session_state or st.session_state[key] != value:
            st.session_state[key] = value
        st.number_input(words, value=None, step=STEP, format="%.3f", key=key, placeholder=text("goals.none"),
                        on_change=_set, args=(run_id, name, key, on_change), **bounds)  # fmt: skip
        if name not in AXES:
            st.button("", icon=":material/close:", key=f"{key}_remove", type="tertiary", help=text("goals.remove"),
                      on_click=set_goal, args=(run_id, name, None, on_change))  # fmt: skip


def _state(run_id: str) -> str:
    return f"nasight_goals_{run_id}"


def _set(run_id: str, name: str, key: str, on_change: Callable[[], None]) -> None:
    set_goal(run_id, name, st.session_state[key], on_change)


def _add(run_id: str, key: str, on_change: Callable[[], None]) -> None:
    name = st.session_state[key]
    if name is not None:
        st.session_state[_state(run_id)] = {**st.session_state[_state(run_id)], name: START}
        on_change()


def _clear(run_id: str, on_change: Callable[[], None]) -> None:
    st.session_state[_state(run_id)] = {}
    on_change()
