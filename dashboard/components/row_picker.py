"""The row in view, the same on the Explain and the What-if tab: picked by a button, from a list, or from a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from dashboard.components.performed import ranked_now, rows_of, typical_of
from dashboard.texts import text
from dashboard.views.rows import TABLE, disagreement, listed
from dashboard.views.words import number
from nas_core.errors import NasightError

if TYPE_CHECKING:
    from dashboard.views.rows import RowTable

__all__ = ["ROW", "row_picker"]

ROW, QUERY = "explain_row", "row"
"""Session key and query parameter of the data-set row in view, a number."""
_PRESSED, _TABLE = "row_pressed", "row_table"
PICKS = ("most_wrong", "most_typical", "least_sure", "disagree")


def row_picker(run_id: str, candidate_id: str) -> int:
    """Draw the picker and return the data-set row in view; the URL names it.

    Raises:
        NasightError: The candidate has no stored weights, or they cannot be read.
    """
    with st.spinner(text("rows.predicting"), show_time=True):
        table = rows_of(run_id, candidate_id)
    _begin(table, run_id, candidate_id)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="row_picker"):
        for name in PICKS:
            if name != "least_sure" or table.shares is not None:
                _button(name, table, run_id, candidate_id)
        opened = st.popover(text("rows.table"), key="row_table_open", on_change="rerun", icon=":material/table_rows:",
                            width="content")  # fmt: skip
    if opened.open:
        with opened:
            _table(table)
    row = int(st.session_state[ROW])
    # a list keeps the words of its option, and those differ from candidate to candidate; what is in view is a number
    key = f"row_list_{candidate_id}"
    st.session_state[key] = row
    st.selectbox(text("candidate.row"), listed(table, row), format_func=table.words, key=key,
                 on_change=_listed, args=(key,), label_visibility="collapsed")  # fmt: skip
    if st.query_params.get(QUERY) != str(row):
        st.query_params[QUERY] = str(row)
    return row


def _listed(key: str) -> None:
    st.session_state[ROW] = int(st.session_state[key])


def _begin(table: RowTable, run_id: str, candidate_id: str) -> None:
    """Choose a row where none is chosen: the one the URL names, else the most typical one."""
    known = st.session_state.get(ROW)
    if known is None and st.query_params.get(QUERY, "").isdigit():
        known = int(st.query_params[QUERY])
        if table.position(known) is None:
            st.caption(text("rows.not_validation", row=known))
    if known is None or table.position(int(known)) is None:
        with st.spinner(text("candidate.explaining"), show_time=True):
            known = int(typical_of(run_id, candidate_id)[0])
    st.session_state[ROW] = int(known)


def _button(name: str, table: RowTable, run_id: str, candidate_id: str) -> None:
    """Draw one way to pick; pressed again it goes on to the next row."""
    label = text("rows.disagree") if name == "disagree" else text(f"candidate.{name}")
    if not st.button(label, key=f"explain_{name}", type="tertiary", help=text(f"rows.{name}_help")):
        return
    order = _order(name, table, run_id, candidate_id)
    if order is None:
        return
    pressed, at = st.session_state.get(_PRESSED, ("", 0))
    same = pressed == name and at < len(order) and int(order[at]) == st.session_state.get(ROW)
    at = (at + 1) % len(order) if same else 0
    st.session_state[_PRESSED] = (name, at)
    st.session_state[ROW] = int(order[at])


def _order(name: str, table: RowTable, run_id: str, candidate_id: str) -> np.ndarray | None:
    """Return the row numbers in the order of a way to pick; None, and why, where there is none."""
    if name == "most_typical":
        return typical_of(run_id, candidate_id)
    if name == "disagree":
        return _disagreeing(table, run_id, candidate_id)
    scores = table.error if name == "most_wrong" else table.doubt
    return table.rows[np.argsort(-scores, kind="stable")]


def _disagreeing(table: RowTable, run_id: str, candidate_id: str) -> np.ndarray | None:
    watched, ranked = ranked_now(run_id)
    best = None if ranked.best is None else watched.snapshot.ids[ranked.best]
    if best is None or best == candidate_id:
        st.toast(text("rows.is_best"), icon=":material/info:")
        return None
    try:
        with st.spinner(text("rows.predicting"), show_time=True):
            other = rows_of(run_id, best)
    except NasightError as error:
        st.warning(str(error), icon=":material/report:")
        return None
    apart = disagreement(table, other)
    order = np.argsort(-apart, kind="stable")
    at = int(order[0])
    st.toast(text("rows.disagree_with", number=int(watched.snapshot.index[ranked.best]), theirs=other.told(at)[1],
                  row=int(table.rows[at])), icon=":material/compare_arrows:")  # fmt: skip
    return table.rows[order]


def _table(table: RowTable) -> None:
    """Draw the rows as a table of which one can be chosen."""
    order = np.argsort(-table.error, kind="stable")[:TABLE]
    told = [table.told(int(i)) for i in order]
    columns = {
        text("candidate.row"): table.rows[order],
        table.target: [actual for actual, _ in told],
        text("rows.predicted"): [predicted for _, predicted in told],
        text("rows.error"): [float(number(float(v)).replace(",", "")) for v in table.error[order]],
    }
    st.caption(text("rows.table_words" if len(order) == len(table.rows) else "rows.table_some", count=len(order),
                    all=len(table.rows)))  # fmt: skip

    def chosen() -> None:
        picked = st.session_state[_TABLE]["selection"]["rows"]
        if picked:
            st.session_state[ROW] = int(table.rows[order[picked[0]]])

    st.dataframe(columns, hide_index=True, height=320, width=520, key=_TABLE, on_select=chosen,
                 selection_mode="single-row")  # fmt: skip
