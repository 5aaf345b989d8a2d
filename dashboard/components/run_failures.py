"""What went wrong: a line at the first failure, and a tab with counts, reasons and every candidate that was lost."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import state
from dashboard.components.run_work import draw_early
from dashboard.texts import text
from dashboard.views.failures import FailuresView, failures_view, first_failure, reason_groups
from dashboard.views.words import count
from dashboard.watching import Watched

__all__ = ["failure_banner", "failures_tab"]

SEEN = "nasight_failure_seen"
"""Session key: the run and the candidate whose failure this tab has put away."""
LINE = 160
HEIGHT = 240


def failure_banner(watched: Watched) -> None:
    """Say that a candidate failed, which, why, and how many have since; until a person puts it away."""
    found = first_failure(watched.snapshot, watched.view.reason)
    if found is None or st.session_state.get(SEEN) == (watched.record.id, found.id):
        return
    run_id = watched.record.id
    with st.container(border=True, key="failure_banner", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            key = "failures.first" if found.failed == 1 else "failures.first_of"
            told = text(key, number=found.number, count=count(found.failed))
            st.markdown(f":material/report: **{told}**", width="content")
            short = found.line if len(found.line) <= LINE else f"{found.line[:LINE]}…"
            st.text(short, width="stretch")  # what a library said is text, whatever signs it has
            state.page_link("candidate", text("failures.open"), state.Selection(run_id, found.id))
            st.button(text("failures.dismiss"), type="tertiary", key="failure_dismiss", on_click=_dismiss,
                      args=(run_id, found.id))  # fmt: skip
        failed = watched.evaluation(found.id)
        trace = "" if failed is None else failed.traceback
        if trace or found.rest or len(found.line) > LINE:
            whole = st.expander(text("failures.traceback" if trace else "failures.whole"), key="failure_whole",
                                on_change="rerun")  # fmt: skip
            if whole.open:
                whole.code(trace or f"{found.line}\n{found.rest}", language=None, wrap_lines=True)


def _dismiss(run_id: str, candidate: str) -> None:
    st.session_state[SEEN] = (run_id, candidate)


def failures_tab(watched: Watched) -> None:
    """Draw the candidates that cannot enter the front; one that was stopped early can be trained to the end."""
    view = failures_view(watched.snapshot, watched.view.reason)
    if not view.ids:
        st.caption(text("run.failures_none"))
        return
    counts = " · ".join(f"{text(f'candidate.status_{name}')} {count(n)}" for name, n in view.counts.items())
    st.caption(f"{text('run.failures_caption', count=count(len(view.ids)))} {counts}")
    draw_early(watched, view)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _groups(view)
    with right:
        _all(watched, view)


def _groups(view: FailuresView) -> None:
    """Draw the reasons, those of most candidates first."""
    groups = reason_groups(view)
    st.markdown(f"**{text('failures.reasons')}**")
    st.dataframe(
        pd.DataFrame({
            "count": [g.count for g in groups],
            "status": [text(f"candidate.status_{g.status}") for g in groups],
            "reason": [g.reason for g in groups],
            "which": [f"#{g.first}" if g.count == 1 else f"#{g.first} … #{g.last}" for g in groups],
        }),
        hide_index=True, height=HEIGHT, alt=text("failures.reasons"),
        column_config={
            "count": st.column_config.NumberColumn(text("failures.count"), width="small"),
            "status": st.column_config.TextColumn(text("run.col_status"), width=118),
            "reason": st.column_config.TextColumn(text("run.col_reason"), width="large"),
            "which": st.column_config.TextColumn(text("failures.which"), width="small"),
        },
    )  # fmt: skip


def _all(watched: Watched, view: FailuresView) -> None:
    """Draw every lost candidate; a selected row is the candidate in view."""
    st.markdown(f"**{text('failures.all')}**")
    frame = pd.DataFrame({"number": view.numbers, "status": view.statuses, "reason": view.reasons})
    frame["status"] = [text(f"candidate.status_{name}") for name in view.statuses]
    picked = st.dataframe(
        frame, hide_index=True, height=HEIGHT, key=f"lost_{watched.record.id}_{len(view.ids)}", on_select="rerun",
        selection_mode="single-row", alt=text("failures.all"),
        column_config={
            "number": st.column_config.NumberColumn(text("run.col_number"), width="small", format="%d"),
            "status": st.column_config.TextColumn(text("run.col_status"), width=118),
            "reason": st.column_config.TextColumn(text("run.col_reason"), width="medium"),
        },
    )  # fmt: skip
    rows = picked["selection"]["rows"] if isinstance(picked, dict) else picked.selection.rows
    if rows and rows[0] < len(view.ids):
        chosen = state.Selection(watched.record.id, view.ids[rows[0]])
        state.page_link("candidate", text("failures.open_number", number=view.numbers[rows[0]]), chosen,
                        icon=":material/arrow_forward:")  # fmt: skip
