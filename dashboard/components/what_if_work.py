"""What the What-if tab asks of the engine, kept where it does not depend on the last move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from dashboard.components.explained import candidate_of, problem_of
from dashboard.components.performed import predicted_of

if TYPE_CHECKING:
    from nas_core.explanations.counterfactual import SparseChange
    from nas_core.explanations.what_if import Knob, RowDistance

__all__ = ["Near", "distance_of", "fewest_changes", "knobs_of", "nearest_row"]


@dataclass(frozen=True)
class Near:
    """The nearest row that is predicted otherwise.

    Attributes:
        row: Data-set row; ``valid`` tells a validation row from a training row.
        distance: How far it is.
        differs: Features whose values differ.
        read: Those of them that the network reads.
    """

    row: int
    valid: bool
    distance: float
    differs: tuple[int, ...]
    read: tuple[int, ...]


@st.cache_resource(max_entries=8, show_spinner=False)
def distance_of(run_id: str) -> RowDistance:
    """Return how far rows of a run's data are from one another; 300 distances to 5,000 rows at most."""
    from nas_core.explanations.what_if import RowDistance

    found = RowDistance(problem_of(run_id))
    _ = found.usual  # now, not at the first move
    return found


@st.cache_resource(max_entries=32, show_spinner=False)
def knobs_of(run_id: str, candidate_id: str) -> tuple[Knob, ...]:
    """Return the features of a candidate as knobs."""
    from nas_core.explanations.what_if import knobs

    return knobs(candidate_of(run_id, candidate_id))


@st.cache_resource(max_entries=16, show_spinner=False)
def _train_outputs(run_id: str, candidate_id: str) -> np.ndarray:
    return candidate_of(run_id, candidate_id).predict(distance_of(run_id).raw)


@st.cache_resource(max_entries=256, show_spinner=False)
def nearest_row(run_id: str, candidate_id: str, row: int) -> Near | None:
    """Return the nearest validation or training row that is predicted otherwise than ``row``; never a test row."""
    from nas_core.explanations.counterfactual import nearest_otherwise

    candidate, problem, distance = candidate_of(run_id, candidate_id), problem_of(run_id), distance_of(run_id)
    rows = np.concatenate([problem.valid.rows, distance.rows])
    outputs = np.concatenate([predicted_of(run_id, candidate_id), _train_outputs(run_id, candidate_id)])
    found = nearest_otherwise(candidate, problem.dataset.X[row], problem.dataset.X[rows], distance, outputs=outputs)
    if found is None:
        return None
    used = set(candidate.used)
    return Near(int(rows[found.position]), found.position < len(problem.valid), found.distance, found.differs,
                tuple(j for j in found.differs if j in used))  # fmt: skip


@st.cache_resource(max_entries=256, show_spinner=False)
def fewest_changes(run_id: str, candidate_id: str, row: int) -> SparseChange:
    """Return the row with the fewest values changed that a greedy search finds to be predicted otherwise."""
    from nas_core.explanations.counterfactual import sparse_counterfactual

    raw = problem_of(run_id).dataset.X[row]
    return sparse_counterfactual(candidate_of(run_id, candidate_id), raw, distance_of(run_id))
