"""A candidate trained again behind its curves: a button, how far it is, and the bands when it is done."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, cast

import numpy as np
import streamlit as st

from dashboard import process
from dashboard.components.explained import candidate_of
from dashboard.texts import text
from dashboard.views.refit_bands import RefitBand, refit_band, refit_words
from dashboard.views.words import duration
from nas_core.errors import NasightError, error_line

if TYPE_CHECKING:
    from nas_core.audit.shape_bands import Refits, ShapeBand
    from nas_core.explanations import Candidate, CurveMethod
    from nas_core.training.progress import PackProgress, StopSignal

__all__ = ["RefitJob", "ask_for_refits", "band_at", "refit_job", "said_of_refits"]

REFRESH = 1.0  # seconds between two looks at how far the training is


class RefitJob:
    """One candidate trained again, as a pack on a thread of its own; shared by everybody who looks at it.

    Attributes:
        state: idle, running, done, cancelled or failed.
        message: Why it failed.
        share: How far it is, 0 to 1.
        seconds: Since it began.
        refits: What came of it; None until it is done.
    """

    def __init__(self, candidate: Candidate, device: str = "auto") -> None:
        self.state, self.message, self.share, self.seconds = "idle", "", 0.0, 0.0
        self.refits: Refits | None = None
        self._candidate, self._device = candidate, device
        self._bands: dict[tuple[int, str, int, int], ShapeBand] = {}
        self._lock, self._stop = threading.Lock(), cast("StopSignal", threading.Event())

    def start(self) -> None:
        """Begin, unless it runs."""
        with self._lock:
            if self.state == "running":
                return
            self.state, self.message, self.share, self.seconds = "running", "", 0.0, 0.0
            self._stop = cast("StopSignal", threading.Event())
            threading.Thread(target=self._go, args=(self._stop,), name="nasight-refits", daemon=True).start()

    def cancel(self) -> None:
        """Ask it to end within a batch."""
        self._stop.set()

    def band(self, feature: int, method: str, X: np.ndarray | None, points: int) -> ShapeBand | None:
        """Return the band of one feature, worked out once; None while there are no refits.

        Two sets of rows ``X`` of the same number are taken for the same: they are the problem's background.
        """
        if self.refits is None:
            return None
        from nas_core.audit.shape_bands import shape_band

        key = (feature, method, 0 if X is None else len(X), points)
        if key not in self._bands:
            self._bands[key] = shape_band(self.refits, feature, cast("CurveMethod", method), X, points=points)
        return self._bands[key]

    def _go(self, stop: StopSignal) -> None:
        from nas_core.audit.shape_bands import refit

        try:
            found = refit(self._candidate, stop=stop, on_epoch=self._heard, device=self._device)
            self.refits, self.share = found or self.refits, 1.0
            self.state = "done" if found else "cancelled"
        except NasightError as error:
            self.message, self.state = str(error), "failed"
        except Exception as error:
            logging.getLogger(__name__).exception("Training a candidate again failed")
            self.message, self.state = error_line(error), "failed"

    def _heard(self, p: PackProgress) -> None:
        self.share, self.seconds = min(1.0, p.epoch / max(1, p.max_epochs)), p.seconds


@st.cache_resource(max_entries=16, show_spinner=False)
def refit_job(run_id: str, candidate_id: str) -> RefitJob:
    """Return the refits of a candidate, where its run was trained."""
    from nas_core.runs.settings import RunSettings

    settings = RunSettings.model_validate(process.store().run(run_id).settings)
    return RefitJob(candidate_of(run_id, candidate_id), settings.device)


def ask_for_refits(run_id: str, candidate_id: str) -> RefitJob:
    """Draw the button, or how far the training is; return the job."""
    job = refit_job(run_id, candidate_id)
    if job.refits is None or job.state == "running":
        running = job.state == "running"
        st.fragment(_asked, run_every=REFRESH if running else None)(job, was_running=running)
    return job


def band_at(
    job: RefitJob, feature: int, method: str, output: int, X: np.ndarray | None = None, *, points: int = 40
) -> RefitBand | None:
    """Return the band of one output of a feature's curve; None where nothing was trained again."""
    band = job.band(feature, method, X, points)
    if band is None or not len(band.grid):
        return None
    assert job.refits is not None
    category = job.refits.candidate.problem.dataset.features[feature].kind == "categorical"
    return refit_band(band, output, category=category)


def said_of_refits(job: RefitJob, unit: str, band: RefitBand | None = None) -> None:
    """Say what the band is, once there is one."""
    if job.refits is not None:
        st.caption(refit_words(job.refits, unit, band))


def _asked(job: RefitJob, was_running: bool) -> None:
    from nas_core.audit.shape_bands import REFITS

    running = job.state == "running"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if running:
            st.progress(job.share, text("refits.running", refits=REFITS, seconds=duration(job.seconds)))
            if st.button(text("refits.cancel"), key="refits_cancel", icon=":material/stop:"):
                job.cancel()
        elif st.button(text("refits.ask"), key="refits_ask", icon=":material/replay:",
                       help=text("refits.help", refits=REFITS)):  # fmt: skip
            job.start()
            st.rerun()
    if job.state == "failed":
        st.warning(job.message, icon=":material/report:")
    elif job.state == "cancelled":
        st.caption(text("refits.cancelled"))
    if was_running and not running:
        st.rerun()
