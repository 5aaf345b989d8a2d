"""What the Explain tabs of tables and of signals have in common: values that get better, and the row in view."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard import state
from dashboard.components.explained import Explanation, explanation
from dashboard.texts import text
from dashboard.views.attributions import RowView

__all__ = ["MISSED", "chosen_row", "draw_refined", "offer_more"]

MISSED = 1e-3
"""Share of the outputs' scale by which contributions may miss the output and still be called complete."""

REFRESH, STEP = 1.0, 0.6  # seconds between pictures while values get better, and of work after each
PICKS: dict[str, Callable[[RowView], float]] = {
    "most_wrong": lambda r: -r.error,
    "most_typical": lambda r: r.distance,
    "least_sure": lambda r: -r.doubt,
}
Draw = Callable[[Explanation, str, str, bool], None]


def draw_refined(run_id: str, candidate_id: str, draw: Draw, method: str | None = None) -> None:
    """Explain a candidate and draw it; while values are sampled, draw it again and again as they get better.

    Raises:
        NasightError: The candidate cannot be explained, with the reason.
    """
    thorough = (run_id, candidate_id) in st.session_state.setdefault("explain_thorough", set())
    with st.spinner(text("candidate.explaining"), show_time=True):
        found = explanation(run_id, candidate_id, thorough, method)
    if found.finished:
        draw(found, run_id, candidate_id, thorough)
    else:
        st.fragment(_better, run_every=REFRESH)(draw, found, run_id, candidate_id, thorough)


def _better(draw: Draw, found: Explanation, run_id: str, candidate_id: str, thorough: bool) -> None:
    """Draw what there is, then make it better: what is drawn stays in view meanwhile."""
    state.load()
    if not found.finished:
        draw(found, run_id, candidate_id, thorough)
        found.advance(STEP)
    if found.finished:
        st.rerun()


def offer_more(which: tuple[str, str]) -> None:
    """Draw the button that asks for better values of the candidate ``which`` of a run."""
    if st.button(text("candidate.more"), key="explain_more", icon=":material/more_time:",
                 help=text("candidate.more_help")):  # fmt: skip
        st.session_state["explain_thorough"].add(which)
        st.rerun()


def chosen_row(rows: tuple[RowView, ...], classes: bool, target: str, help: str | None = None) -> tuple[int, str]:
    """Return the row in view, picked by a button or from the list, and what it is in words."""
    by_row = {r.row: r for r in rows}
    with st.container(horizontal=True):
        for name in [n for n in PICKS if classes or n != "least_sure"]:
            if st.button(text(f"candidate.{name}"), key=f"explain_{name}", type="tertiary"):
                st.session_state["explain_row"] = min(rows, key=PICKS[name]).row
    if st.session_state.get("explain_row") not in by_row:
        st.session_state["explain_row"] = min(rows, key=PICKS["most_typical"]).row

    def words(row: int) -> str:
        r = by_row[row]
        return text("candidate.row_words", row=r.row, target=target, actual=r.actual, predicted=r.predicted)

    row = st.selectbox(text("candidate.row"), sorted(by_row), format_func=words, key="explain_row", help=help,
                       persist_state="session")  # fmt: skip
    return row, words(row)
