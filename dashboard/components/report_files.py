"""Files of a decision: Markdown, JSON, a page for paper, the replay; and the commands that do it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.components.decided import known_problem
from dashboard.components.replay_job import ReplayJob
from dashboard.replay import LANGUAGES_IN_FILE, ReplayPlan, decision_words, replay_words, told_record
from dashboard.texts import text
from dashboard.views.words import number

if TYPE_CHECKING:
    from nas_core.reports import DecisionRecord

__all__ = ["page_language", "report_files"]

JOB = "nasight_replay"
"""Session key of the replay that this tab has written or writes."""
REFRESH = 0.5  # seconds between two looks at how far it is
SECONDS = 20.0  # for what the networks of the front look at


def page_language() -> str:
    """Return the language this tab reads, where records and replays speak it too, else English."""
    code = st.query_params.get("lang", "en")
    return code if code in LANGUAGES_IN_FILE else "en"


def report_files(record: DecisionRecord, *, decided: bool) -> None:
    """Draw the files of ``record``; ``decided``: it was recorded and is no draft."""
    from nas_core.reports import record_markdown, record_page
    from nas_core.reports.gathering import record_file

    language = page_language()
    words, name = decision_words(language), record_file(record.run_id, record.chosen.number)
    told = told_record(record, language)
    st.markdown(f"**{text('report.replay')}**")
    st.caption(text("report.replay_help"))
    with st.container(key="report_replay"):
        _replay(record, decided, name)
    st.markdown(f"**{text('report.documents')}**")
    with st.container(horizontal=True):
        st.download_button(
            text("report.page"), record_page(told, words, language), f"{name}.html", "text/html",
            key="report_page", icon=":material/print:", on_click="ignore",
        )  # fmt: skip
        st.download_button(
            text("report.markdown"), record_markdown(told, words), f"{name}.md", "text/markdown",
            key="report_markdown", icon=":material/description:", on_click="ignore",
        )  # fmt: skip
        st.download_button(
            text("report.json"), record.model_dump_json(indent=1), f"{name}.json", "application/json",
            key="report_json", icon=":material/data_object:", on_click="ignore",
        )  # fmt: skip
    st.caption(text("report.documents_help"))
    _commands(record, name)


def _commands(record: DecisionRecord, name: str) -> None:
    st.markdown(f"**{text('report.again')}**")
    if record.remake.retrainable:
        st.caption(text("report.again_train", file=f"{name}.json"))
        st.code(f"nasight reproduce {name}.json", language=None)
    st.caption(text("report.again_exact" if record.remake.exact else "report.again_near"))
    st.code(record.remake.search, language=None, wrap_lines=True)
    words = decision_words(page_language())
    for reason in record.remake.because:
        st.caption("• " + words[f"remake_{reason.kind}"].format(**reason.facts).replace("_", r"\_"))


def _replay(record: DecisionRecord, decided: bool, name: str) -> None:
    """Draw what writes the replay, how far it is, and the file."""
    job: ReplayJob | None = st.session_state.get(JOB)
    if job is not None and _matter(job.record, job.plan.decided) != _matter(record, decided):
        job.cancel()
        st.session_state.pop(JOB)
        job = None
    if job is not None and job.state == "running":
        st.fragment(_progress, run_every=REFRESH)()
        return
    if job is not None and job.state == "done":
        size = number(len(job.page) / 1e6)
        st.download_button(
            text("report.replay_get", size=size), job.page, f"replay-{name}.html", "text/html", type="primary",
            key="report_replay_get", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        return
    if job is not None and job.state == "failed":
        st.error(text("report.replay_failed", reason=job.message.rstrip(".")))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(text("report.replay_make"), key="report_replay_make", icon=":material/movie:", on_click=_make,
                  args=(record, decided))  # fmt: skip
        st.toggle(text("report.attributions"), True, key="report_attributions",
                  help=text("report.attributions_help", seconds=int(SECONDS)))  # fmt: skip


def _matter(record: DecisionRecord, decided: bool) -> tuple[object, ...]:
    """Return what a file is about: a draft of a live run is gathered anew at every look and stays the same matter."""
    wish = record.preference.model_dump_json()
    return record.run_id, record.chosen.id, wish, record.reason, record.by, record.made if decided else None


def _make(record: DecisionRecord, decided: bool) -> None:
    seconds = SECONDS if st.session_state.get("report_attributions", True) else 0.0
    plan = ReplayPlan(attribution_seconds=seconds, language=page_language(), decided=decided)
    st.session_state[JOB] = ReplayJob(record, plan, known_problem(record.run_id) if seconds else None)


def _progress() -> None:
    """Draw how far the file is; the page is drawn again when it has ended."""
    job: ReplayJob | None = st.session_state.get(JOB)
    if job is None or job.state != "running":
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(min(1.0, job.share), text=f"{replay_words(page_language())[job.step]} …", width="stretch")
        st.button(text("report.cancel"), key="report_replay_cancel", on_click=job.cancel)
