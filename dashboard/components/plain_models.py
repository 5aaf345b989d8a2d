"""Plain models beside the front: fitted once per problem on a thread of their own, and drawn as they are ready."""

from __future__ import annotations

import json
import logging
import threading
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.texts import spoken, text
from dashboard.watching import Watched
from nas_core.errors import error_line

if TYPE_CHECKING:
    from nas_core.evaluation.baselines import Baseline
    from nas_core.spaces import SearchSpace

__all__ = ["PlainModels", "baselines_shown", "baselines_switch"]

SWITCH = "nasight_baselines"
SHORT = 90


class PlainModels:
    """The baselines of one problem.

    Attributes:
        found: Those that are ready, the simplest first.
        now: Which is being fitted: label, how many are done, how many there are; None before and after.
        failure: Why there are none; empty when there are.
        finished: Whether there is nothing more to come.
    """

    def __init__(self, problem: str, space: SearchSpace, measures: tuple[str, ...]) -> None:
        self.found: tuple[Baseline, ...] = ()
        self.now: tuple[str, int, int] | None = None
        self.failure = ""
        self.finished = False
        self._asked = problem, space, measures
        self._thread = threading.Thread(target=self._go, name="nasight-baselines", daemon=True)
        self._thread.start()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until all are there, at most ``timeout`` seconds."""
        self._thread.join(timeout)

    def _go(self) -> None:
        from nas_core.data import Problem, ProblemSpec
        from nas_core.evaluation.baselines import baselines

        written, space, measures = self._asked
        try:
            problem = Problem.load(ProblemSpec.model_validate_json(written))
            baselines(problem, space, measures, self._told, on_found=self._keep)
        except Exception as error:
            logging.getLogger(__name__).exception("The baselines could not be fitted")
            self.failure = error_line(error)
        self.now, self.finished = None, True

    def _told(self, label: str, done: int, count: int) -> None:
        self.now = label, done, count

    def _keep(self, baseline: Baseline) -> None:
        self.found = (*self.found, baseline)


@st.cache_resource(max_entries=8, show_spinner=False)
def _models(problem: str, _space: SearchSpace, space_key: str, measures: tuple[str, ...]) -> PlainModels:
    return PlainModels(problem, _space, measures)


def _of(watched: Watched) -> PlainModels | None:
    """Return the plain models of a run's problem, where a person asked for them."""
    if not st.session_state.get(SWITCH) or not watched.snapshot.names:
        return None
    problem = json.dumps(watched.record.problem, sort_keys=True)
    first = watched.view.versions[0].space  # what is measured on a scale of the space stays on that of the first
    return _models(problem, first, first.id, watched.snapshot.names)


def baselines_shown(watched: Watched) -> tuple[tuple[Baseline, ...], bool]:
    """Return the baselines to draw, and whether more are on their way."""
    models = _of(watched)
    return ((), False) if models is None else (models.found, not models.finished)


def baselines_switch(watched: Watched) -> None:
    """Draw the switch, and say what is being fitted and which models have no place on the front."""
    st.toggle(text("baselines.toggle"), key=SWITCH, help=text("baselines.help"))
    models = _of(watched)
    if models is None:
        return
    if models.failure:
        st.caption(text("baselines.failed", reason=models.failure))
    elif not models.finished:
        now = models.now
        st.caption(
            text("baselines.preparing")
            if now is None
            else text("baselines.fitting", label=now[0], done=now[1] + 1, count=now[2])
        )
    else:
        lost = [b for b in models.found if not b.eligible]
        if lost:
            each = (text("baselines.left_out_one", label=spoken(b.label), reason=_short(b.reason)) for b in lost)
            names = "; ".join(each)
            st.caption(text("baselines.left_out", names=names))


def _short(reason: str) -> str:
    """Return the reason up to its first pause."""
    first = reason.split(":")[0]
    return first if len(first) <= SHORT else first[: SHORT - 1] + "…"
