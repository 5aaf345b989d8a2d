"""Who steers a live run: what a person who may not is told, and how they take over."""

from __future__ import annotations

import time

import streamlit as st

from dashboard import access, state
from dashboard.texts import text
from dashboard.watching import Watched
from nas_core.errors import NasightError

__all__ = ["driving_line", "viewer_badge"]


def viewer_badge() -> None:
    """Say to a viewer that they are one."""
    if not access.may_write():
        st.badge(text("access.badge_viewer"), icon=":material/visibility:", help=text("access.badge_viewer_help"))


def driving_line(watched: Watched) -> None:
    """Say that another browser steers the run, and let a driver take over; nothing where this one may steer."""
    run_id = watched.record.id
    if watched.own or not watched.here or not access.may_write():
        return
    handover = access.wheel.lost(run_id, access.visitor().browser)
    if handover is not None:
        when = time.strftime("%H:%M", time.localtime(handover.when))
        st.warning(text("access.lost", when=when), icon=":material/swap_horiz:")
    with st.container(horizontal=True, vertical_alignment="center", key="driving"):
        st.badge(text("access.badge_watching"), icon=":material/visibility:", help=text("access.badge_watching_help"))
        st.caption(text("access.badge_watching_help"), width="content")
        with st.popover(text("access.take_over"), icon=":material/swap_horiz:"):
            st.markdown(text("access.take_over_confirm"))
            st.button(text("access.take_over_do"), type="primary", key="take_over", on_click=_take_over, args=(run_id,))


def _take_over(run_id: str) -> None:
    """Take the wheel; a refusal is shown at the next draw."""
    try:
        access.wheel.take_over(run_id, access.require_driver().browser)
    except NasightError as error:
        state.tell(str(error))
        return
    state.tell_fact(text("access.mine"))
