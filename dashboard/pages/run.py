"""The Run page: what has been found, and what interpretability costs."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import access, process, state
from dashboard.components.candidate_panel import candidate_panel, empty_panel
from dashboard.components.front_area import front_area
from dashboard.components.goal_lines import goal_popover, goals_of
from dashboard.components.luck import luck_working
from dashboard.components.plain_models import baselines_shown, baselines_switch
from dashboard.components.run_controls import control_row, measure_weights, preference_in_force, steer, weight_slider
from dashboard.components.run_start import earlier_runs, preparing, start_form
from dashboard.components.run_tabs import run_tabs
from dashboard.components.scrubber import scrubbed, scrubber
from dashboard.pacing import pace
from dashboard.texts import text
from dashboard.views.card import Card
from dashboard.views.glossary import about
from dashboard.views.goals import goal_sentence
from dashboard.views.words import number
from dashboard.watching import Watched, card_of, ranking, watch

if TYPE_CHECKING:
    from nas_core.search import Ranking


def render() -> None:
    """Draw the run that the URL names, or the form that starts one."""
    with state.shown_errors():
        state.load()  # also while a run is being prepared: a reload must find the draft in the URL
        launched = process.latest_launch()
        if launched is not None and launched.state == "preparing" and _waits(launched):
            preparing()
            return
        if launched is not None and launched.state == "failed" and _waits(launched):
            st.session_state.pop(state.WAITING, None)
            st.error(launched.message)
        selection = _selection()
        if selection.run is None:
            start_form()
            earlier_runs(process.store().runs())
            return
        moving = _moving(watch(selection.run))
        seconds = _pace(selection.run)
        st.fragment(_workplace, run_every=seconds if moving else None)(moving, seconds)
        _others(selection)


def _pace(run_id: str) -> float:
    """Return the seconds between two looks of this tab."""
    return pace.seconds(access.wheel.tabs(), steers=access.steers(run_id))


def _waits(launched: process.Launch) -> bool:
    return bool(st.session_state.get(state.WAITING)) or (launched.demo and state.load().run is None)


def _selection() -> state.Selection:
    """Return what to show: the run just started here, else the one in the URL, else the latest of this server."""
    launched = process.latest_launch()
    if st.session_state.pop(state.WAITING, False) and launched is not None and launched.run is not None:
        st.session_state.pop(state.CHOOSING, None)
        state.save(state.Selection(launched.run))
    selection = state.load()
    if selection.run is None and not st.session_state.get(state.CHOOSING):
        active = process.active_runs()
        latest = active[-1] if active else launched.run if launched is not None else None
        if latest is not None:
            selection = state.Selection(latest)
            state.save(selection)
    if selection.run is not None:
        st.session_state.pop(state.CHOOSING, None)
    return selection


def _others(selection: state.Selection) -> None:
    others = st.expander(text("run.runs"), key="other_runs", on_change="rerun")
    if others.open:
        with others:
            earlier_runs(process.store().runs(), selection.run)


def _moving(watched: Watched) -> bool:
    """Return whether something is on its way: candidates of the run, baselines, or chances."""
    return watched.progress.live or baselines_shown(watched)[1] or luck_working(watched)


def _workplace(was_moving: bool, seconds: float) -> None:
    """Draw everything that changes while the run is live."""
    began = time.thread_time()
    with state.shown_errors():
        selection = state.load()
        if selection.run is None or st.session_state.get(state.WAITING):
            st.rerun()  # of the whole page: another run, or this one again, is on its way
        watched = watch(selection.run)
        control_row(watched)
        watched, selection = scrubbed(watched, selection)
        left, middle, right = st.columns([4, 5, 3], vertical_alignment="center", gap="medium")
        with left:
            weight = weight_slider(watched)
        names, run_id = watched.snapshot.names, watched.record.id
        preference = preference_in_force(weight, names, goals_of(watched))
        ranked = ranking(watched, preference)
        best = None if ranked.best is None else watched.snapshot.ids[ranked.best]
        shown = selection.candidate or best
        middle.markdown(_sentence(card_of(watched, best, ranked) if best else None, weight, len(watched.snapshot)))
        with right.container(horizontal=True):
            weights = st.popover(text("run.weights"), key="weights", on_change="rerun", width="stretch",
                                 help=about("measure"))  # fmt: skip
            goal_popover(watched, partial(steer, names, run_id))
        if weights.open:
            with weights:
                measure_weights(names, run_id)
        _front_and_panel(watched, ranked, selection, shown)
        scrubber(watched, ranked)
        run_tabs(watched, ranked, selection)
        moving = _moving(watched)
        pace.told(time.thread_time() - began)
        if was_moving != moving or (moving and seconds != _pace(run_id)):
            st.rerun()


def _front_and_panel(watched: Watched, ranked: Ranking, selection: state.Selection, shown: str | None) -> None:
    chart, panel = st.columns([3, 2], gap="medium")
    nearest = ranked.best is not None and not ranked.meets[ranked.best]  # nobody meets the goals
    with chart:
        if told := goal_sentence(watched.snapshot, ranked):
            st.markdown(told)
        front_area(
            watched, ranked, selection, on_picked=partial(_picked, watched), on_opened=partial(_opened, watched),
            on_goal=partial(steer, watched.snapshot.names, watched.record.id),
        )  # fmt: skip
        baselines_switch(watched)
    with panel:
        if shown is not None and (card := card_of(watched, shown, ranked)) is not None:
            candidate_panel(watched, card, selection, picked=selection.candidate is not None, on_back=_back,
                            nearest=nearest)  # fmt: skip
        else:
            empty_panel()
    if st.session_state.pop("nasight_open", False):
        state.open_page("candidate")


def _picked(watched: Watched, number: int) -> None:
    """A click selects a candidate; a click on the one that is selected opens its page."""
    chosen = watched.id_of(number)
    selection = state.load()
    if chosen == selection.candidate:
        st.session_state["nasight_open"] = True
    elif chosen is not None:
        state.choose(state.Selection(watched.record.id, chosen))


def _opened(watched: Watched, number: int) -> None:
    """A candidate opened with a key is selected too, so that the way back leads to it."""
    if (chosen := watched.id_of(number)) is not None:
        st.session_state["nasight_open"] = True
        state.choose(state.Selection(watched.record.id, chosen))


def _back() -> None:
    state.choose(state.Selection(state.load().run))


def _sentence(card: Card | None, weight: float, evaluated: int) -> str:
    if card is None:
        return text("run.sentence_none" if evaluated else "run.sentence_first")
    return text("run.sentence", weight=f"{weight:.2f}", number=card.number, metric=card.metric,
                performance=number(card.performance), phrase=card.phrase)  # fmt: skip


if __name__ == "__main__":
    render()
