"""Handing over: one candidate, or all of a run, as files for other programs, prepared in the background."""

from __future__ import annotations

import logging
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import process, state
from dashboard.components.explained import problem_of
from dashboard.components.pool import pool_of
from dashboard.texts import text
from dashboard.views.exports import check_words, reason_words, size_words
from nas_core.errors import NasightError, error_line
from nas_core.exports.formats import CANDIDATE_FORMATS, RUN_FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nas_core.exports.exporting import Told
    from nas_core.exports.formats import ExportFile, Format
    from nas_core.records import Evaluation

__all__ = ["Preparation", "candidate_exports", "candidate_preparation", "run_exports", "run_preparation"]

REFRESH = 0.5  # seconds between two looks at how far a file is


class Preparation:
    """A file that is made on a thread of its own; ``state`` is idle, running, done or failed."""

    def __init__(self, make: Callable[[Told], ExportFile]) -> None:
        self.state, self.message, self.share = "idle", "", 0.0
        self.file: ExportFile | None = None
        self._make, self._lock = make, threading.Lock()

    def start(self) -> None:
        """Begin, unless it runs."""
        with self._lock:
            if self.state == "running":
                return
            self.state, self.message, self.share, self.file = "running", "", 0.0, None
            threading.Thread(target=self._go, name="nasight-export", daemon=True).start()

    def wait(self, seconds: float) -> None:
        """Wait until it has ended, at most so long."""
        until = time.monotonic() + seconds
        while self.state == "running" and time.monotonic() < until:
            time.sleep(0.02)

    def _go(self) -> None:
        try:
            self.file = self._make(self._heard)
            self.state = "done"
        except NasightError as error:
            self.message, self.state = str(error), "failed"
        except Exception as error:
            logging.getLogger(__name__).exception("An export failed")
            self.message, self.state = error_line(error), "failed"

    def _heard(self, words: str, share: float) -> None:
        self.share = share


@st.cache_resource(max_entries=24, show_spinner=False)
def candidate_preparation(run_id: str, candidate_id: str, format: str) -> Preparation:
    """Return the file of a candidate in one format, shared by everybody who looks at it."""

    def make(told: Told) -> ExportFile:
        from nas_core.exports.exporting import export_candidate

        told("", 0.02)
        problem = problem_of(run_id)
        return export_candidate(process.store(), run_id, candidate_id, format, problem=problem, on_progress=told)

    return Preparation(make)


@st.cache_resource(max_entries=8, show_spinner=False)
def run_preparation(run_id: str, format: str, revision: int) -> Preparation:
    """Return the file of a run in one format, as the run is at a revision."""

    def make(told: Told) -> ExportFile:
        from nas_core.exports.exporting import export_run

        return export_run(process.store(), run_id, format, on_progress=told)

    return Preparation(make)


def candidate_exports(run_id: str, candidate_id: str) -> None:
    """Draw the formats of a candidate: buttons that prepare a file, then its download with what its check found."""
    found = pool_of(run_id).evaluation(candidate_id)
    if found is None:
        st.info(text("exports.no_candidate"), icon=":material/info:")
        return
    jobs = {name: candidate_preparation(run_id, candidate_id, name) for name in CANDIDATE_FORMATS}
    _drawn(f"export_{candidate_id}", CANDIDATE_FORMATS.values(), jobs, found)


def run_exports(run_id: str) -> None:
    """Draw the formats of a run; a file holds the candidates there were when it was prepared."""
    with state.shown_errors():
        revision = process.store().run(run_id).revision
        if not len(pool_of(run_id)):
            st.info(text("exports.no_candidates"), icon=":material/info:")
            return
        key = f"export_revision_{run_id}"
        kept = int(st.session_state.setdefault(key, revision))
        jobs = {name: run_preparation(run_id, name, kept) for name in RUN_FORMATS}
        if kept != revision and not any(job.state == "running" for job in jobs.values()):
            if any(job.state != "idle" for job in jobs.values()):
                with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                    st.caption(text("exports.newer"), width="content")
                    if st.button(text("exports.again"), key=f"{key}_again", icon=":material/refresh:", type="tertiary"):
                        st.session_state[key] = revision
                        st.rerun()
            else:
                st.session_state[key] = revision
                jobs = {name: run_preparation(run_id, name, revision) for name in RUN_FORMATS}
        _drawn(f"export_{run_id}", RUN_FORMATS.values(), jobs, None)


def _drawn(key: str, formats: Iterable[Format], jobs: dict[str, Preparation], found: Evaluation | None) -> None:
    """Draw the formats as a fragment that looks again by itself while a file is being made."""
    running = any(job.state == "running" for job in jobs.values())
    draw = partial(_formats, key, tuple(formats), jobs, found, running)
    st.fragment(draw, run_every=REFRESH if running else None)()


def _formats(
    key: str, formats: tuple[Format, ...], jobs: dict[str, Preparation], found: Evaluation | None, was_running: bool
) -> None:
    for format in formats:
        _format(f"{key}_{format.name}", format, jobs[format.name], found)
    if any(job.state == "running" for job in jobs.values()) != was_running:
        st.rerun()


def _format(key: str, format: Format, job: Preparation, found: Evaluation | None) -> None:
    """Draw one format: what it is for, and the next thing that can be done about it."""
    kind = "run" if found is None else "candidate"
    name = format.name.replace("-", "_")
    words, action = st.columns([0.62, 0.38], vertical_alignment="center")
    words.markdown(f"**{text(f'exports.label_{name}')}**  \n:small[{text(f'exports.about_{kind}_{name}')}]")
    with action:
        if reason := reason_words(format, found):
            st.caption(reason)
        elif job.state == "running":
            st.progress(min(1.0, job.share), text("exports.preparing"))
        elif job.state == "done" and job.file is not None:
            size = size_words(len(job.file.data))
            st.download_button(
                text("exports.download", size=size), job.file.data, job.file.name, job.file.media, key=f"{key}_get",
                icon=":material/download:", type="primary", on_click="ignore", width="stretch",
            )  # fmt: skip
        elif st.button(text("exports.prepare"), key=f"{key}_make", icon=":material/build:", width="stretch",
                       help=text("exports.prepare_help", label=text(f"exports.label_{name}"))):  # fmt: skip
            job.start()
            st.rerun()
    if job.state == "failed":
        st.warning(job.message, icon=":material/report:")
    elif job.state == "done" and job.file is not None:
        if job.file.check is not None:
            st.caption(f":green[:material/check_circle:] {check_words(job.file.check)}")
        if format.name == "torch":
            st.caption(text("exports.torch_version", version=_torch_version()))


def _torch_version() -> str:
    import torch

    return str(torch.__version__).split("+")[0]
