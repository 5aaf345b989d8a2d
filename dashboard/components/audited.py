"""What the Trust tab shows, worked out once per candidate and kept; and the training with other seeds behind it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard import process
from dashboard.components.explained import candidate_of, problem_of, space_of
from nas_core.errors import NasightError, error_line

if TYPE_CHECKING:
    from nas_core.audit.confirm import SeedSpread
    from nas_core.evaluation.base import PackProgress
    from nas_core.records import Evaluation, Measurement
    from nas_core.runs.confirming import FrontChances, RunFront

__all__ = ["MOST", "SeedCheck", "chances_of", "found_of", "front_of", "seed_check"]

MOST = 12
"""Candidates that are trained again together: the one in view and those nearest to it on the front."""


@st.cache_resource(max_entries=16, show_spinner=False)
def front_of(run_id: str, candidate_id: str, known: int) -> RunFront:
    """Return the front of a run with this candidate among the contenders; ``known`` counts its evaluations.

    Raises:
        RunError: No candidate of the run may enter a front.
    """
    from nas_core.runs.confirming import run_front

    return run_front(process.store(), run_id, also=candidate_id, problem=problem_of(run_id), space=space_of(run_id))


@st.cache_resource(max_entries=32, show_spinner=False)
def chances_of(run_id: str, candidate_id: str, known: int) -> FrontChances:
    """Return P(on the front) of the contenders."""
    from nas_core.runs.confirming import front_chances

    front = front_of(run_id, candidate_id, known)
    return front_chances(process.store(), front, load=lambda key: candidate_of(run_id, key))


@st.cache_resource(max_entries=64, show_spinner=False)
def found_of(run_id: str, candidate_id: str) -> dict[str, Any]:
    """Return what is found of one candidate alone, see ``nas_core.runs.auditing.audit_candidate``.

    Raises:
        NasightError: It has no stored weights, or they cannot be read.
    """
    from nas_core.runs.auditing import audit_candidate

    evaluation = process.store().evaluation(run_id, candidate_id)
    return audit_candidate(candidate_of(run_id, candidate_id), evaluation)


class SeedCheck:
    """A candidate and its neighbours on the front, trained again with other seeds on a thread of its own.

    ``state`` is idle, running, done, cancelled or failed. What was finished before a cancel is kept.
    """

    def __init__(self, front: RunFront, candidate_id: str, load: Callable[[str], Any]) -> None:
        self.state, self.message, self.share = "idle", "", 0.0
        self.seeds = self.finished = 0
        self.spreads: dict[str, SeedSpread] = {}
        self.audited: dict[str, dict[str, Measurement]] = {}
        self.chosen = _nearest(front, candidate_id)
        self._front, self._load = front, load
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._began = 0.0

    @property
    def seconds(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._began

    def start(self, seeds: int) -> None:
        """Begin, unless it runs."""
        with self._lock:
            if self.state == "running":
                return
            self.state, self.message, self.share, self.seeds, self.finished = "running", "", 0.0, seeds, 0
            self._stop, self._began = threading.Event(), time.monotonic()
            threading.Thread(target=self._go, args=(self._stop,), name="nasight-seeds", daemon=True).start()

    def cancel(self) -> None:
        """Ask it to end within a batch."""
        self._stop.set()

    def wait(self, seconds: float) -> None:
        """Wait until it has ended, at most so long."""
        until = time.monotonic() + seconds
        while self.state == "running" and time.monotonic() < until:
            time.sleep(0.02)

    def _go(self, stop: threading.Event) -> None:
        from nas_core.runs.confirming import other_seeds

        try:
            self.finished, found = other_seeds(
                self._front, self.chosen, seeds=self.seeds, stop=stop, on_progress=self._heard
            )
            self.spreads = found or self.spreads
            self._audit(stop)
            self.share = 1.0
            self.state = "cancelled" if stop.is_set() else "done"
        except NasightError as error:
            self.message, self.state = str(error), "failed"
        except Exception as error:
            logging.getLogger(__name__).exception("Training with other seeds failed")
            self.message, self.state = error_line(error), "failed"

    def _heard(self, number: int, p: PackProgress) -> None:
        within = min(1.0, p.epoch / p.epochs) if p.epochs else 0.0
        self.share, self.finished = 0.9 * (number + within) / self.seeds, number

    def _audit(self, stop: threading.Event) -> None:
        """Take the measures that no search optimises, to see whether they agree with those that one does."""
        from nas_core.runs.auditing import AUDIT_MEASURES

        for number, e in enumerate(self.chosen):
            if stop.is_set():
                return
            try:
                candidate = self._load(e.id)
                self.audited[e.id] = {name: take(candidate, seed=0) for name, (_, take) in AUDIT_MEASURES.items()}
            except NasightError:  # one that cannot be explained is left out of the comparison
                continue
            self.share = 0.9 + 0.1 * (number + 1) / len(self.chosen)


@st.cache_resource(max_entries=16, show_spinner=False)
def seed_check(run_id: str, candidate_id: str, known: int) -> SeedCheck:
    """Return the check of a candidate with other seeds, shared by everybody who looks at it."""
    front = front_of(run_id, candidate_id, known)
    return SeedCheck(front, candidate_id, lambda key: candidate_of(run_id, key))


def _nearest(front: RunFront, candidate_id: str) -> tuple[Evaluation, ...]:
    """Return the candidate and those nearest to it in performance on the front, at most MOST."""
    known = {e.id: e for e in (*front.front, *front.contenders)}
    own = known.get(candidate_id)
    if own is None or own.performance is None:
        return front.front[:MOST]
    value = own.performance.value
    others = [e for e in front.front if e.id != candidate_id and e.performance is not None]
    others.sort(key=lambda e: abs(e.performance.value - value) if e.performance else 0.0)
    return (own, *others[: MOST - 1])
