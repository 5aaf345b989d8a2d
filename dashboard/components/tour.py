"""The guided tour: a small card in a corner that never covers what it speaks of, and can be put away at any time."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.texts import text
from dashboard.theme import palette
from dashboard.views.tour import TourStep, tour_step
from nas_core.errors import NasightError

__all__ = ["tour_card", "tour_running", "tour_start", "tour_taken"]

_STEP, _SEEN = "nasight_tour", "nasight_tour_seen"


def tour_running() -> int | None:
    """Return the step that this tab is at: what the URL says, else what the session remembers; None without a tour."""
    told = st.query_params.get("tour", "")
    if told.isdecimal() and len(told) < 4:
        st.session_state[_STEP] = int(told)
    step: int | None = st.session_state.get(_STEP)
    if step is not None and told != str(step):
        st.query_params["tour"] = str(step)
    return step


def tour_taken() -> bool:
    """Return whether this tab has begun the tour before, or put it away."""
    return _SEEN in st.session_state


def tour_start() -> None:
    """From a callback: begin the tour."""
    st.session_state[_STEP] = 1
    st.session_state[_SEEN] = 0


def tour_card(page: str) -> None:
    """Draw the step that this tab is at, and mark what it speaks of; nothing without a tour."""
    number = tour_running()
    if number is None:
        return
    step = tour_step(number, state.PAGES)
    colours = palette(state.is_dark())
    marked = f"{step.points_at}{{outline:3px solid {colours.chosen};outline-offset:4px;border-radius:6px}}"
    st.html(
        "<style>:has(>.st-key-tour){position:absolute;width:0;height:0}"
        ".st-key-tour{position:fixed;right:20px;bottom:20px;width:min(360px,calc(100vw - 40px));z-index:1000;"
        f"background:{colours.panel};border:1px solid {colours.chosen};border-radius:8px;padding:12px 16px;"
        "box-shadow:0 4px 18px rgba(0,0,0,.25)}"
        f"{marked if step.points_at and step.page == page else ''}</style>"
    )
    with st.container(key="tour", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{step.title}** &nbsp; :gray[{step.number} / {step.total}]", width="stretch")
            st.button(text("tour.close"), icon=":material/close:", type="tertiary", on_click=_close, key="tour_close")
        st.markdown(f"{step.look}  \n*{text('tour.try')}* {step.attempt}")
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            back = st.button(text("tour.back"), key="tour_back", disabled=step.number == 1)
            last = step.number == step.total
            on = st.button(text("tour.done" if last else "tour.next"), key="tour_next", type="primary")
    if on and last:
        _close()
        st.rerun()
    if back or on:
        _go(tour_step(step.number + (1 if on else -1), state.PAGES), page)
    if st.session_state.get(_SEEN) != step.number and (step.page != page or _lacks_candidate(step)):
        _go(step, page)


def _close() -> None:
    st.session_state.pop(_STEP, None)
    st.session_state.setdefault(_SEEN, 0)
    st.query_params.pop("tour", None)


def _go(step: TourStep, page: str) -> None:
    """Go to a step, to its page if that is another one, with a candidate where the page is about one."""
    st.session_state[_STEP] = st.session_state[_SEEN] = step.number
    st.query_params["tour"] = str(step.number)
    selection = state.load()
    if _lacks_candidate(step) and selection.run is not None:
        selection = state.Selection(selection.run, _best(selection.run))
        state.save(selection)
    if step.page == page:
        st.rerun()
    state.open_page(step.page, selection)


def _lacks_candidate(step: TourStep) -> bool:
    return step.page == "candidate" and state.load().candidate is None


def _best(run_id: str) -> str | None:
    """Return the best candidate of a run at λ = .5, None where there is none yet."""
    from dashboard.watching import watch
    from nas_core.preferences import Preference

    try:
        found = watch(run_id).snapshot
    except NasightError:
        return None
    best = found.rank(Preference(weight=0.5)).best
    return None if best is None else found.ids[best]
