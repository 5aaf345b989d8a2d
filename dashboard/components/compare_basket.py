"""The candidates a person has collected for comparison, in the tab and in the URL, and the button that collects one."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.texts import text

__all__ = ["MOST", "collected", "compare_button", "compare_link", "put", "remember", "toggle"]

MOST = 4
"""Candidates that are compared at most."""
PARAMETER = "compare"
_BASKETS = "nasight_compare"


def collected(run_id: str) -> tuple[str, ...]:
    """Return the identities of the candidates of a run that were collected, in their order, at most four.

    A tab that has just been opened has those that the address names; then it knows its own, for each run.
    """
    baskets: dict[str, tuple[str, ...]] = st.session_state.get(_BASKETS, {})
    if baskets or st.query_params.get("run", run_id) != run_id:
        return baskets.get(run_id, ())
    return tuple(dict.fromkeys(k for k in st.query_params.get(PARAMETER, "").split(",") if k))[:MOST]


def put(run_id: str, ids: tuple[str, ...]) -> None:
    """Make these the collected candidates, each once; also from a callback."""
    kept = {**st.session_state.get(_BASKETS, {}), run_id: tuple(dict.fromkeys(ids))[:MOST]}
    st.session_state[_BASKETS] = kept


def remember(run_id: str) -> None:
    """Write what is collected into the address; not from a callback."""
    ids = collected(run_id)
    put(run_id, ids)
    if ids and st.query_params.get(PARAMETER) != ",".join(ids):
        st.query_params[PARAMETER] = ",".join(ids)
    elif not ids:
        st.query_params.pop(PARAMETER, None)


def toggle(run_id: str, candidate_id: str) -> None:
    """Collect a candidate, or put it back where it is collected already; a refusal is shown at the next draw."""
    ids = collected(run_id)
    if candidate_id in ids:
        put(run_id, tuple(i for i in ids if i != candidate_id))
    elif len(ids) >= MOST:
        state.tell(text("compare.full", most=MOST))
    else:
        put(run_id, (*ids, candidate_id))


def compare_button(run_id: str, candidate_id: str, key: str) -> None:
    """Draw the button that collects a candidate and, once there are some, how many with the way to the page."""
    remember(run_id)
    ids = collected(run_id)
    inside = candidate_id in ids
    st.button(
        text("compare.remove" if inside else "compare.add"), key=key, on_click=toggle, args=(run_id, candidate_id),
        icon=":material/playlist_add_check:" if inside else ":material/playlist_add:", type="tertiary",
        help=text("compare.add_help", most=MOST),
    )  # fmt: skip
    if ids:
        compare_link(run_id, text("compare.chip", count=len(ids)))


def compare_link(run_id: str, label: str) -> None:
    """Draw the link to the Compare page with what is collected."""
    query = {**state.Selection(run_id).query(), PARAMETER: ",".join(collected(run_id))}
    st.page_link("pages/compare.py", label=label, icon=":material/compare_arrows:", query_params=query)
