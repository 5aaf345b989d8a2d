"""What a trained network does with data, for the overlays of its graph: computed once per candidate, on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from dashboard import process
from dashboard.components.diagnosed import diagnosed
from dashboard.components.explained import problem_of, space_of
from dashboard.texts import text
from dashboard.views.overlay import (
    ACTIVITY,
    COUNTS,
    Overlay,
    activity_overlay,
    contribution_overlay,
    count_overlay,
    gradient_overlay,
)

if TYPE_CHECKING:
    from dashboard.views.graph import GraphView
    from nas_core.explanations import LayerActivity
    from nas_core.records import Evaluation
    from nas_core.spaces import SearchSpace

__all__ = ["PLAIN", "overlay_named", "overlays_of"]

PLAIN = "kind"
CONTRIBUTION, GRADIENT = "contribution", "gradient"
ROWS = 64


def overlays_of(space: SearchSpace, found: Evaluation) -> tuple[str, ...]:
    """Return the overlays that a candidate's graph can have; those of data need its trained weights."""
    if found.weights is None:
        return (PLAIN, *COUNTS)
    return (PLAIN, *COUNTS, *(ACTIVITY if space.signal is not None else (CONTRIBUTION,)), GRADIENT)


def overlay_named(name: str, view: GraphView, run_id: str, candidate_id: str) -> Overlay | None:
    """Return the overlay called ``name``, None for the plain picture.

    Raises:
        NasightError: The candidate's weights or the data of its run cannot be read.
    """
    if name in COUNTS:
        return count_overlay(view, name)
    if name in ACTIVITY:
        return activity_overlay(view, name, _activity(run_id, candidate_id))
    if name == CONTRIBUTION:
        contributions, unit = _contributions(run_id, candidate_id)
        return contribution_overlay(view, contributions, unit)
    if name == GRADIENT:
        return gradient_overlay(view, _gains(run_id, candidate_id))
    return None


def _rows(run_id: str) -> np.ndarray:
    """Return raw validation rows spread evenly, (n, columns)."""
    shown = problem_of(run_id).valid
    return np.asarray(shown.raw[np.unique(np.linspace(0, len(shown) - 1, min(ROWS, len(shown))).astype(int))])


def _gains(run_id: str, candidate_id: str) -> dict[str, float]:
    """Return how much of the training loss's gradient reaches each node of a candidate's graph."""
    found = diagnosed(run_id, candidate_id).found
    flows = [(x.nodes, x.trained.gain) for x in found.layers if x.trained is not None]
    return {node: gain for nodes, gain in flows if gain is not None for node in nodes}


@st.cache_resource(max_entries=32, show_spinner=False)
def _activity(run_id: str, candidate_id: str) -> dict[str, LayerActivity]:
    """Return the activity of a signal network's layers on some validation rows, by submodule."""
    from nas_core.explanations import SignalCandidate, layer_activity
    from nas_core.runs.candidates import load_candidate

    candidate = load_candidate(
        process.store(), run_id, candidate_id, problem=problem_of(run_id), space=space_of(run_id, candidate_id)
    )
    return layer_activity(candidate, _rows(run_id)) if isinstance(candidate, SignalCandidate) else {}


@st.cache_resource(max_entries=32, show_spinner=False)
def _contributions(run_id: str, candidate_id: str) -> tuple[dict[int, float], str]:
    """Return how much each group of a table's network moves the output, and the unit.

    That is the mean over rows and outputs of |contribution − its mean|: a constant that a group adds moves nothing.
    """
    from nas_core.explanations import TrainedCandidate
    from nas_core.runs.candidates import load_candidate

    problem = problem_of(run_id)
    candidate = load_candidate(
        process.store(), run_id, candidate_id, problem=problem, space=space_of(run_id, candidate_id)
    )
    unit = problem.dataset.target if problem.task == "regression" else text("shap.log_odds")
    if not isinstance(candidate, TrainedCandidate):
        return {}, unit
    effects = candidate.group_effects(_rows(run_id))
    moved = np.abs(effects - effects.mean(axis=0)).mean(axis=(0, 2))
    return {g.index: float(moved[i]) for i, g in enumerate(candidate.groups)}, unit
