"""The worst subgroups of a candidate, worked out once and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.components.explained import problem_of
from dashboard.components.performed import predicted_of

if TYPE_CHECKING:
    from nas_core.audit.subgroups import Subgroups

__all__ = ["subgroups_of"]


@st.cache_resource(max_entries=32, show_spinner=False)
def subgroups_of(run_id: str, candidate_id: str) -> Subgroups:
    """Return the skill of a candidate on the subgroups of the validation rows."""
    from nas_core.audit.subgroups import subgroup_skills
    from nas_core.evaluation.metric_intervals import validation_outputs

    problem = problem_of(run_id)
    return subgroup_skills(problem, validation_outputs(problem, predicted_of(run_id, candidate_id)))
