"""Single candidates of a live run: those in work, which can be given up, and those lost, some of which can go on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from dashboard import process, state
from dashboard.access import may_write
from dashboard.texts import spoken, text
from dashboard.views.failures import FailuresView
from dashboard.views.history import history_view
from dashboard.views.words import count
from dashboard.views.work import work_view
from dashboard.watching import Watched
from nas_core.errors import NasightError

if TYPE_CHECKING:
    from nas_core.runs.run import Run

__all__ = ["draw_early", "draw_history", "draw_work"]

SHORT = 90
"""Characters of a reason in a list of choices."""


def draw_work(watched: Watched) -> None:
    """Draw who is in training and who waits, and let a person give some of them up."""
    if not watched.here:
        st.caption(text("steering.work_elsewhere" if watched.progress.live else "steering.work_none"))
        return
    view = work_view(watched.view.progress, watched.space)
    if not view.ids:
        st.caption(text("steering.work_none"))
        return
    phase = text(f"steering.phase_{view.phase or 'train'}")
    waiting = len(view.ids) - view.training
    st.caption(text("steering.work_caption", count=count(view.training), phase=phase, waiting=count(waiting)))
    labels = dict(zip(view.ids, view.labels))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.multiselect(
            text("steering.give_up"), view.ids, format_func=lambda key: labels.get(key, key), key="give_up",
            width="stretch",
        )  # fmt: skip
        st.button(
            text("steering.give_up_do"), icon=":material/block:", on_click=_give_up, args=(watched.record.id, labels),
            key="give_up_do", disabled=not watched.own,
        )  # fmt: skip
    rows = {"number": view.labels, "built": view.built, "made": view.made}
    st.dataframe(
        pd.DataFrame(rows), hide_index=True, height=260,
        column_config={
            "number": st.column_config.TextColumn(text("steering.work_col_number"), width="small"),
            "built": st.column_config.TextColumn(text("steering.work_col_built"), width="large"),
            "made": st.column_config.TextColumn(text("steering.work_col_made")),
        },
    )  # fmt: skip


def _give_up(run_id: str, labels: dict[str, str]) -> None:
    """Give up what was chosen; a refusal is shown at the next draw."""
    chosen: Sequence[str] = st.session_state.get("give_up", ())
    st.session_state["give_up"] = []
    if not chosen:
        return
    try:
        run = _living(run_id)
        for candidate in chosen:
            run.kill(candidate)
    except NasightError as error:
        state.tell(str(error))
        return
    state.tell_fact(text("steering.gave_up", numbers=", ".join(labels.get(key, key) for key in chosen)))


def draw_early(watched: Watched, rows: FailuresView) -> None:
    """Draw the choice of a candidate that was stopped early, where there is one and this server may go on with it."""
    early = {key: (n, why) for key, n, s, why in zip(rows.ids, rows.numbers, rows.statuses, rows.reasons)
             if s in ("pruned", "cancelled")}  # fmt: skip
    if not early or not may_write() or (watched.progress.live and not watched.own):
        return

    def label(key: str) -> str:
        found, why = early.get(key, (0, ""))
        return text("steering.overrule_option", number=found, reason=why if len(why) <= SHORT else f"{why[:SHORT]}…")

    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(text("steering.overrule"), list(early), format_func=label, key="overrule", width="stretch")
        numbers = {key: n for key, (n, _) in early.items()}
        st.button(
            text("steering.overrule_do"), icon=":material/fast_forward:", on_click=_overrule,
            args=(watched.record.id, numbers), key="overrule_do",
        )  # fmt: skip


def _overrule(run_id: str, numbers: dict[str, int]) -> None:
    """Train what was chosen to the end, in a run that lives or goes on for it."""
    candidate = st.session_state.get("overrule")
    if candidate not in numbers:
        return
    try:
        run = process.steered(run_id)
        if run is not None and run.alive:
            run.overrule(candidate)
        else:
            process.resume(run_id, changes={"overrule": (candidate,)})
            st.session_state[state.WAITING] = True
    except NasightError as error:
        state.tell(str(error))
        return
    state.tell_fact(text("steering.overruled", number=numbers[candidate]))


def draw_history(watched: Watched) -> None:
    """Draw what happened to the run, the newest first."""
    from nas_core.search import STRATEGIES

    labels = {name: spoken(strategy.label) for name, strategy in STRATEGIES.items()}
    view = history_view(watched.view.events, watched.snapshot.objective, labels)
    if not view.words:
        st.caption(text("steering.history_none"))
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(text("steering.history_caption"), width="stretch")
        st.download_button(
            text("steering.log"), partial(_log, watched.record.id), f"{watched.record.id}.log.jsonl",
            "application/jsonl", icon=":material/download:", on_click="ignore", key="run_log",
            help=text("steering.log_help"),
        )  # fmt: skip
    st.dataframe(
        pd.DataFrame({"evaluated": view.evaluated, "when": view.times, "what": view.words}), hide_index=True,
        height=min(320, 38 + 35 * len(view.words)), row_height=35,
        column_config={
            "evaluated": st.column_config.NumberColumn(text("steering.history_col_evaluated"), width="small"),
            "when": st.column_config.TextColumn(text("steering.history_col_when"), width="small"),
            "what": st.column_config.TextColumn(text("steering.history_col_what"), width="large"),
        },
    )  # fmt: skip


def _log(run_id: str) -> bytes:
    """Return the log of a run, one JSON object a line."""
    from nas_core.runs.run_log import as_json_lines, run_log

    return as_json_lines(run_log(process.store(), run_id)).encode()


def _living(run_id: str) -> Run:
    """Return the run if it lives in this process.

    Raises:
        RunError: It has ended, or runs elsewhere.
        AccessError: This visitor may not steer it.
    """
    from nas_core.errors import RunError

    run = process.steered(run_id)
    if run is None or not run.alive:
        raise RunError(f"Run {run_id} is not running here", fix="resume it first")
    return run
