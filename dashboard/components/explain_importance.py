"""The Importance part of the Explain tab: what a network uses beside what the data say; of signals, cells shuffled."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING, cast

import numpy as np
import streamlit as st

from dashboard import state
from dashboard.components.explained import Explained, candidate_of, problem_of
from dashboard.figures.explain_importance import compared_figure
from dashboard.texts import spoken, text
from dashboard.theme import PLOT, palette
from dashboard.views.attributions import AttributionView
from dashboard.views.explain_importance import compared, shared_words, shuffled_cells, surprise_words
from dashboard.views.words import count, number
from nas_core.errors import ExplanationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nas_core.data import Problem
    from nas_core.explanations import Associations, Candidate, PermutationImportance, Score, TrainedCandidate

__all__ = ["Shuffles", "cells_part", "compared_part", "data_says", "score_of", "shuffles"]

REPEATS = 10
PATIENCE = 2.0  # seconds of shuffling before what there is is shown; a person may ask for the rest


def score_of(problem: Problem) -> Score:
    """Return the problem's own metric of targets (N,) and outputs (N, C)."""
    from nas_core.evaluation.performance import metric_values

    name = problem.objective.name

    def score(y: np.ndarray, outputs: np.ndarray) -> float:
        return float(metric_values(name, y, outputs[None], np.ones((1, len(y))))[0, 0])

    return score


class Shuffles:
    """Permutation importance of a candidate that gets better with every :meth:`advance`, until it is finished.

    Attributes:
        latest: The best so far; None where it is undefined.
        reason: Why it is undefined; empty where it is not.
        finished: Whether all shuffles are done.
    """

    def __init__(self, candidate: Candidate) -> None:
        from nas_core.explanations import permutation_rounds

        self._lock = Lock()
        self.latest: PermutationImportance | None = None
        self.reason, self.finished = "", False
        self._rounds: Iterator[PermutationImportance] = permutation_rounds(
            candidate, score_of(candidate.problem), repeats=REPEATS
        )

    def advance(self, seconds: float) -> None:
        """Go on for about so long, by one shuffle at least; at once where it is finished."""
        with self._lock:
            until = time.monotonic() + seconds
            while not self.finished:
                try:
                    self.latest = next(self._rounds)
                    self.finished = self.latest.repeats >= REPEATS
                except ExplanationError as error:
                    self.reason, self.finished = str(error), True
                if time.monotonic() >= until:
                    return


@st.cache_resource(max_entries=32, show_spinner=False)
def shuffles(run_id: str, candidate_id: str) -> Shuffles:
    """Return the permutation importance of a candidate, as far as it is."""
    return Shuffles(candidate_of(run_id, candidate_id))


@st.cache_resource(max_entries=8, show_spinner=False)
def data_says(run_id: str) -> Associations:
    """Return what the training rows of a run say of each feature, without a model."""
    from nas_core.explanations import target_associations

    return target_associations(problem_of(run_id))


def compared_part(run_id: str, candidate_id: str, found: Explained, view: AttributionView) -> None:
    """Draw SHAP, permutation importance and mutual information side by side, and say where they differ.

    Raises:
        NasightError: The data cannot be read, with the reason.
    """
    from nas_core.explanations import shared_features, surprises

    candidate = cast("TrainedCandidate", found.candidate)
    with st.spinner(text("whole.comparing"), show_time=True):
        told, run = data_says(run_id), shuffles(run_id, candidate_id)
        if run.latest is None:
            run.advance(PATIENCE)
    drawn = compared(view, spoken(found.label), run.latest, told, candidate.used)
    if not drawn.names:
        st.info(text("whole.nothing_to_compare"))
        return
    st.markdown(f"**{text('whole.compared_heading')}**")
    st.plotly_chart(compared_figure(drawn, palette(state.is_dark())), theme=None, config=PLOT, key="whole_compared",
                    alt=drawn.spoken)  # fmt: skip
    _about(run, found, told)
    if drawn.hidden:
        st.caption(text("whole.hidden", count=drawn.hidden))
    sizes = np.nan_to_num(np.abs(found.attribution.values).mean((0, 2)), posinf=0.0)
    strange = surprise_words(surprises(candidate, told, sizes), view.names)
    st.markdown(f"**{text('whole.surprises')}**")
    st.markdown("\n".join(f"- {words}" for words in strange) if strange else text("whole.no_surprise"))
    if shared := shared_words(shared_features(candidate), view.names):
        st.markdown(f"**{text('whole.shared_heading')}**")
        st.markdown("\n".join(f"- {words}" for words in shared))


def cells_part(run_id: str, candidate_id: str) -> None:
    """Offer the permutation importance of the cells of a signal, and draw it where it was asked for."""
    asked = st.session_state.setdefault("whole_shuffled", set())
    if st.button(text("whole.cells_button"), key="whole_cells", icon=":material/shuffle:",
                 help=text("whole.cells_help")):  # fmt: skip
        asked.add((run_id, candidate_id))
    if (run_id, candidate_id) not in asked:
        return
    run = shuffles(run_id, candidate_id)
    with st.spinner(text("whole.comparing"), show_time=True):
        if run.latest is None:
            run.advance(PATIENCE)
    if run.latest is None:
        st.info(run.reason)
        return
    latest = run.latest
    st.markdown(f"**{text('whole.cells_heading')}**")
    drawn = shuffled_cells(latest)
    if drawn.names:
        st.plotly_chart(compared_figure(drawn, palette(state.is_dark())), theme=None, config=PLOT,
                        key="whole_cells_drawn", alt=drawn.spoken)  # fmt: skip
    else:
        st.info(text("whole.cells_none"))
    st.caption(text("whole.cells_words", metric=latest.metric, score=number(latest.score), repeats=latest.repeats,
                    held=count(latest.rows)))  # fmt: skip
    _more(run)


def _about(run: Shuffles, found: Explained, told: Associations) -> None:
    """Say what each kind is; while shuffles are left, offer them."""
    rows = {"method": spoken(found.label), "rows": len(found.rows), "known": count(told.rows)}
    if run.latest is None:
        st.caption(text("whole.compared_words_undefined", reason=run.reason, **rows))
        return
    latest = run.latest
    st.caption(text("whole.compared_words", metric=latest.metric, score=number(latest.score), repeats=latest.repeats,
                    held=count(latest.rows), **rows))  # fmt: skip
    _more(run)


def _more(run: Shuffles) -> None:
    """Offer the shuffles that are left."""
    if not run.finished and run.latest is not None:
        st.caption(text("whole.repeats_so_far", repeats=run.latest.repeats, all=REPEATS))
        if st.button(text("whole.more_repeats"), key="whole_more", icon=":material/more_time:"):
            with st.spinner(text("whole.comparing"), show_time=True):
                run.advance(PATIENCE * 5)
            st.rerun()
