"""The Report page: what was decided, from what, and how it can be shown to others and had again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import process, state
from dashboard.access import may_write
from dashboard.components.decided import draft_of
from dashboard.components.exports import candidate_exports, run_exports
from dashboard.components.final_look import final_look
from dashboard.components.goal_lines import goals_of
from dashboard.components.presented import present_link
from dashboard.components.report_files import page_language, report_files
from dashboard.components.run_controls import WEIGHT, preference_in_force
from dashboard.replay import decision_words
from dashboard.texts import text
from dashboard.views.decision import choices, decision_label
from dashboard.watching import Watched, ranking, run_weight, watch

if TYPE_CHECKING:
    from nas_core.reports import DecisionRecord

DRAFT = -1
SHOWN, LAMBDA, PICKED, REASON, BY, AUDIT = (
    "report_shown", "report_lam", "report_candidate", "report_reason", "report_by", "report_audit",
)  # fmt: skip
TABS = ("record", "files", "exports", "earlier")
LONGEST = 5000
STYLE = """<style>
.nasight-record{font-size:.93rem;line-height:1.45}.nasight-record h2{font-size:1rem;margin:1.1rem 0 .35rem;padding:0 0 .2rem;border-bottom:1px solid rgba(128,140,155,.35)}
.nasight-record dl,.nasight-record dt,.nasight-record dd{padding:0}.nasight-record dl{display:grid;grid-template-columns:minmax(8em,12em) minmax(0,1fr);gap:.15rem 1rem;margin:0}.nasight-record dt{opacity:.72;font-weight:400}.nasight-record dd{margin:0;overflow-wrap:anywhere;white-space:pre-wrap}
.nasight-record .wide{overflow-x:auto}.nasight-record table{border-collapse:collapse;width:100%;font-size:.9em;font-variant-numeric:tabular-nums}.nasight-record th{text-align:left;font-weight:600}.nasight-record th,.nasight-record td{padding:.25rem .7rem .25rem 0;border-bottom:1px solid rgba(128,140,155,.35);vertical-align:top}
.nasight-record ul{margin:.2rem 0;padding-left:1.2rem}.nasight-record p{margin:.3rem 0}.nasight-record pre{background:rgba(128,140,155,.12);border-radius:6px;padding:.5rem .7rem;white-space:pre-wrap;overflow-wrap:anywhere;font-size:.88em;margin:.2rem 0 .5rem}
.nasight-record .caveats{border-left:4px solid #D55E00;padding-left:.9rem;margin:1rem 0}.nasight-record .caveats h2{border:0;margin:0}
</style>"""  # noqa: E501


def render() -> None:
    """Draw the page."""
    selection = state.load()
    with state.shown_errors():
        run_id = selection.run or next((record.id for record in process.store().runs()), None)
        if run_id is None:
            st.header(text("report.title"))
            st.info(text("report.no_run"), icon=":material/info:")
            state.page_link("run", text("studio.go_run"))
            return
        watched = watch(run_id)
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.header(text("report.title"), width="content")
            present_link(watched, selection.candidate)
        _workplace(watched, selection)


def _workplace(watched: Watched, selection: state.Selection) -> None:
    """Draw the form, and beside it the record, its files and what was decided before."""
    from nas_core.reports import decisions_of

    decisions = decisions_of(process.store(), watched.record.id)
    left, right = st.columns([0.38, 0.62], gap="large")
    with left:
        draft = _form(watched, selection)
    if draft is None and not decisions:
        return
    with right:
        record, decided = _shown(draft, decisions)
        record_tab, files, exports, earlier = st.tabs(
            [text(f"report.tab_{name}") for name in TABS], key="report_tab", on_change="rerun"
        )
        if record_tab.open:
            with record_tab:
                _preview(record)
        if files.open:
            with files:
                report_files(record, decided=decided)
        if exports.open:
            with exports, state.shown_errors():
                st.subheader(text("report.exports_candidate", number=record.chosen.number))
                candidate_exports(watched.record.id, record.chosen.id)
                st.subheader(text("report.exports_run"))
                run_exports(watched.record.id)
        if earlier.open:
            with earlier:
                _earlier(decisions)


def _form(watched: Watched, selection: state.Selection) -> DecisionRecord | None:
    """Draw what a person decides, and return the draft; None where there is nothing to choose from."""
    run_id, names = watched.record.id, watched.snapshot.names
    start = run_weight(watched.record)
    st.session_state.setdefault(LAMBDA, float(st.session_state.get(WEIGHT, start)))
    weight = st.slider(text("run.lambda"), 0.0, 1.0, step=0.01, key=LAMBDA, persist_state="session", format="%.2f",
                       help=text("report.lambda_help"))  # fmt: skip
    preference = preference_in_force(weight, names, goals_of(watched))
    ranked = ranking(watched, preference)
    found = choices(watched.snapshot, ranked, selection.candidate)
    if not found:
        st.info(text("report.no_candidate"), icon=":material/info:")
        return None
    labels = {choice.id: choice.label for choice in found}
    if st.session_state.get(PICKED) not in labels:
        st.session_state.pop(PICKED, None)
    picked = st.selectbox(text("report.candidate"), list(labels), format_func=lambda key: labels.get(key, key),
                          key=PICKED, help=text("report.candidate_help"))  # fmt: skip
    st.text_area(text("report.reason"), key=REASON, persist_state="session", max_chars=LONGEST, height=110,
                 placeholder=text("report.reason_hint"))  # fmt: skip
    st.text_input(text("report.by"), key=BY, persist_state="session", max_chars=200)
    stored = watched.evaluation(picked)
    able = stored is not None and stored.weights is not None
    audited = st.toggle(text("report.audit"), key=AUDIT, disabled=not able, help=text("report.audit_help")) and able
    with st.spinner(text("report.working"), show_time=True):
        draft = draft_of(run_id, picked, preference, audited=audited)
    draft = draft.model_copy(update={"reason": st.session_state.get(REASON, ""), "by": st.session_state.get(BY, "")})
    st.button(text("report.keep", number=draft.chosen.number), type="primary", icon=":material/gavel:",
              key="report_keep", on_click=_keep, args=(draft,), disabled=not may_write())  # fmt: skip
    test = st.expander(text("report.test"), key="report_test", on_change="rerun", icon=":material/lock:")
    if test.open:
        with test:
            final_look(draft)
    return draft


def _keep(draft: DecisionRecord) -> None:
    """Record the draft with the words as they are now, and show it as the latest decision."""
    import time

    from nas_core.errors import NasightError
    from nas_core.reports import keep_decision

    said = {"reason": st.session_state.get(REASON, ""), "by": st.session_state.get(BY, ""), "made": time.time()}
    try:
        keep_decision(process.store(), draft.model_copy(update=said))
    except NasightError as error:
        state.tell(str(error))
        return
    st.session_state[SHOWN] = 0
    st.session_state[REASON] = ""
    state.tell_fact(text("report.kept", number=draft.chosen.number))


def _shown(draft: DecisionRecord | None, decisions: tuple[DecisionRecord, ...]) -> tuple[DecisionRecord, bool]:
    """Draw which record is in view where there are several, and return it and whether it is a decision."""
    options = ([DRAFT] if draft is not None else []) + list(range(len(decisions)))
    if st.session_state.get(SHOWN) not in options:
        st.session_state[SHOWN] = options[0]
    shown = options[0]
    if decisions:
        shown = st.selectbox(
            text("report.in_view"), options, key=SHOWN,
            format_func=lambda at: text("report.draft") if at == DRAFT else decision_label(decisions[at], decisions),
        )  # fmt: skip
    if shown == DRAFT and draft is not None:
        return draft, False
    return decisions[shown], True


def _preview(record: DecisionRecord) -> None:
    from nas_core.reports import record_html

    body = record_html(record, decision_words(page_language()))
    st.html(f'{STYLE}<div class="nasight-record">{body}</div>')


def _earlier(decisions: tuple[DecisionRecord, ...]) -> None:
    """List what was decided, the latest first."""
    if not decisions:
        st.info(text("report.none_yet"), icon=":material/info:")
        return
    rows = [
        {"when": record.made, "number": f"#{record.chosen.number}", "by": record.by, "reason": record.reason,
         "weight": record.preference.weight}
        for record in decisions
    ]  # fmt: skip
    import pandas as pd

    frame = pd.DataFrame(rows)
    frame["when"] = pd.to_datetime(frame["when"], unit="s")
    st.dataframe(
        frame, hide_index=True,
        column_config={
            "when": st.column_config.DatetimeColumn(text("report.col_when"), format="YYYY-MM-DD HH:mm"),
            "number": st.column_config.TextColumn(text("report.col_number"), width="small"),
            "by": st.column_config.TextColumn(text("report.col_by")),
            "reason": st.column_config.TextColumn(text("report.col_reason"), width="large"),
            "weight": st.column_config.NumberColumn("λ", format="%.2f", width="small"),
        },
    )  # fmt: skip
    st.caption(text("report.earlier_help"))


if __name__ == "__main__":
    render()
