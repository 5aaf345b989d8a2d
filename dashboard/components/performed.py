"""What a candidate predicts for the validation rows, worked out once and kept; and who is best at λ now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from dashboard.components.explained import Explained, candidate_of, explanation, problem_of
from dashboard.components.goal_lines import goals_of
from dashboard.components.run_controls import WEIGHT, preference_in_force
from dashboard.views.rows import RowTable, row_table
from dashboard.watching import Watched, ranking, run_weight, watch

if TYPE_CHECKING:
    from nas_core.evaluation.classified import Confusion
    from nas_core.evaluation.residuals import Residuals
    from nas_core.explanations import Attribution
    from nas_core.records import Estimate
    from nas_core.search import Ranking

__all__ = ["confusion_of", "metrics_of", "predicted_of", "ranked_now", "residuals_of", "rows_of", "typical_of",
           "with_row"]  # fmt: skip

SECONDS = 1.0  # of sampled values for a row that was not among those explained


@st.cache_resource(max_entries=24, show_spinner=False)
def predicted_of(run_id: str, candidate_id: str) -> np.ndarray:
    """Return what a candidate predicts for the validation rows, (N, C) logits or values as it was trained on them.

    Raises:
        ExplanationError: The candidate has no stored weights.
        StoreError: They cannot be read.
    """
    candidate = candidate_of(run_id, candidate_id)
    return candidate.predict(candidate.problem.valid.raw)


@st.cache_resource(max_entries=24, show_spinner=False)
def rows_of(run_id: str, candidate_id: str) -> RowTable:
    """Return the same as rows to choose from."""
    return row_table(problem_of(run_id), predicted_of(run_id, candidate_id))


@st.cache_resource(max_entries=64, show_spinner=False)
def metrics_of(run_id: str, candidate_id: str) -> dict[str, Estimate]:
    """Return every metric of the task with its interval on the validation rows."""
    from nas_core.evaluation.metric_intervals import metric_intervals, validation_outputs

    problem = problem_of(run_id)
    return metric_intervals(problem, validation_outputs(problem, predicted_of(run_id, candidate_id)))


@st.cache_resource(max_entries=24, show_spinner=False)
def confusion_of(run_id: str, candidate_id: str) -> Confusion:
    """Return who is taken for whom among the validation rows."""
    from nas_core.evaluation.classified import confusion

    problem = problem_of(run_id)
    y = problem.dataset.y[problem.valid.rows]
    return confusion(y, predicted_of(run_id, candidate_id), len(problem.dataset.classes))


@st.cache_resource(max_entries=24, show_spinner=False)
def residuals_of(run_id: str, candidate_id: str) -> Residuals:
    """Return how far the candidate is off on each validation row, in the target's own unit."""
    from nas_core.evaluation.residuals import own_unit, residuals

    problem = problem_of(run_id)
    told = own_unit(problem, predicted_of(run_id, candidate_id)[:, 0])
    return residuals(problem.dataset.y[problem.valid.rows], told)


@st.cache_resource(max_entries=64, show_spinner=False)
def typical_of(run_id: str, candidate_id: str) -> np.ndarray:
    """Return the explained rows (n,), those whose attributions are nearest to the mean attributions first."""
    found = explanation(run_id, candidate_id).latest
    phi = found.attribution.values
    return found.rows[np.argsort(np.abs(phi - phi.mean(axis=0)).sum(axis=(1, 2)), kind="stable")]


@st.cache_resource(max_entries=256, show_spinner=False)
def _attributed(
    run_id: str, candidate_id: str, row: int, method: str, background: int, _with: Explained
) -> Attribution:
    from nas_core.explanations import EXPLAINERS

    raw = problem_of(run_id).dataset.X[[row]]
    return EXPLAINERS[method].explain(_with.candidate, raw, _with.background, seconds=SECONDS)


def with_row(run_id: str, candidate_id: str, found: Explained, row: int) -> Explained:
    """Return an explanation that holds the data-set row ``row``: ``found`` itself, or one of that row by its method."""
    if row in found.rows:
        return found
    method = found.attribution.method
    own = _attributed(run_id, candidate_id, row, method, len(found.background), found)
    return replace(found, attribution=replace(own, fallback=found.attribution.fallback), rows=np.array([row]))


def ranked_now(run_id: str) -> tuple[Watched, Ranking]:
    """Return a run and the ranking of its candidates under the λ, weights and goals of this tab."""
    watched = watch(run_id)
    start = run_weight(watched.record)
    weight = float(st.session_state.get(WEIGHT, st.session_state.get(f"nasight_weight_{run_id}", start)))
    return watched, ranking(watched, preference_in_force(weight, watched.snapshot.names, goals_of(watched)))
