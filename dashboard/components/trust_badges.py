"""Whether an attribution may be trusted, beside it: a line, a badge per check, and every check to be unfolded."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

import streamlit as st

from dashboard import process
from dashboard.components.honesty import note
from dashboard.texts import text
from dashboard.views.trust import GateRow, TrustView, trust_view
from dashboard.views.words import duration

if TYPE_CHECKING:
    from dashboard.components.explained import Explained, Explanation
    from nas_core.explanations.trust import Trust

__all__ = ["checked_view", "trust_badges"]

# A state is told by icon and word first; the colour only says it again.
ICONS = {
    "passed": ":material/check_circle:",
    "failed": ":material/cancel:",
    "skipped": ":material/help:",
    "not_asked": ":material/remove_circle_outline:",
}
COLOURS: dict[str, Literal["green", "red", "gray"]] = {"passed": "green", "failed": "red", "skipped": "gray"}


def trust_badges(shown: Explanation, run_id: str, candidate_id: str, thorough: bool) -> None:
    """Draw what the checks say of an explanation; they are made when its values have settled, once for everybody.

    Call it last, into a container where it is to stand, so that the attribution is drawn before it is checked.
    """
    if not shown.finished:
        st.caption(text("trust_badges.later"))
        return
    with st.spinner(text("trust_badges.checking"), show_time=True):
        found = shown.latest
        view, seconds = checked_view(run_id, candidate_id, found.attribution.method, thorough, found)
    note(run_id, candidate_id, "trust", view.state)
    _line(view)
    with st.expander(f"{text('trust_badges.all')}{f' · {view.unknown}' if view.unknown else ''}"):
        for row in view.rows:
            _check(row)
        st.caption(text("trust_badges.about", seconds=duration(seconds)))


def checked_view(
    run_id: str, candidate_id: str, method: str, thorough: bool, found: Explained
) -> tuple[TrustView, float]:
    """Return what the checks say of a finished explanation by a method, and how many seconds they took."""
    trust, seconds = _checked(run_id, candidate_id, method, thorough, found)
    return trust_view(trust), seconds


@st.cache_resource(max_entries=64, show_spinner=False)
def _checked(run_id: str, candidate_id: str, method: str, thorough: bool, _found: Explained) -> tuple[Trust, float]:
    from nas_core.explanations.trust import check_attribution

    measures = process.store().evaluation(run_id, candidate_id).measures
    started = time.perf_counter()
    trust = check_attribution(_found.candidate, _found.attribution, background=_found.background, measures=measures)
    return trust, time.perf_counter() - started


def _line(view: TrustView) -> None:
    """Draw the verdict, and a badge for every check that was made."""
    if view.state == "failed":
        st.error(text("trust_badges.because", why=" ".join(view.why)), icon=":material/gpp_bad:")
    elif view.state == "skipped":
        st.info(text("trust_badges.nothing_words", why=" ".join(view.why)), icon=":material/help:")
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        if view.state == "passed":
            st.badge(view.headline, icon=":material/verified_user:", color="green")
        for row in view.rows:
            if row.state != "not_asked":
                st.badge(row.label, icon=ICONS[row.state], color=COLOURS[row.state], help=f"{row.told}: {row.words}")


def _check(row: GateRow) -> None:
    numbers = "" if row.state == "not_asked" else f" · {row.number}"
    st.markdown(f"{ICONS[row.state]} **{row.label}** · {row.told}{numbers}  \n{row.words}")
