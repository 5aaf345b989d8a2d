"""What the Report page looks at: the draft of a decision as it would be now, and those that were made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import process
from dashboard.components.audited import found_of
from dashboard.components.explained import problem_of
from nas_core.errors import NasightError

if TYPE_CHECKING:
    from nas_core.data import Problem
    from nas_core.preferences import Preference
    from nas_core.reports import DecisionRecord

__all__ = ["doubts_of", "draft_of", "known_problem"]


def known_problem(run_id: str) -> Problem | None:
    """Return the problem of a run, None where its data cannot be read or have changed."""
    try:
        return problem_of(run_id)
    except NasightError:
        return None


def draft_of(run_id: str, candidate_id: str, preference: Preference, *, audited: bool) -> DecisionRecord:
    """Return the record of choosing a candidate now, without words of a person; kept while the run stays as it is.

    Raises:
        NasightError: The run or the candidate is not there; an audit was asked for and the network cannot be loaded.
    """
    revision = process.store().run(run_id).revision
    return _draft(run_id, revision, candidate_id, preference.model_dump_json(), audited)


@st.cache_resource(max_entries=16, show_spinner=False)
def _draft(run_id: str, revision: int, candidate_id: str, preference: str, audited: bool) -> DecisionRecord:
    from nas_core.preferences import Preference
    from nas_core.reports import decision_record
    from nas_core.runs.viewer import follow

    doubts = doubts_of(run_id, candidate_id) if audited else None
    wish = Preference.model_validate_json(preference)
    view = follow(process.store(), run_id)
    return decision_record(view, candidate_id, preference=wish, problem=known_problem(run_id), doubts=doubts)


def doubts_of(run_id: str, candidate_id: str) -> tuple[str, ...]:
    """Return what an audit of one candidate says, in sentences; empty when it found nothing to warn of.

    Raises:
        NasightError: It has no stored weights, or they cannot be read.
    """
    from nas_core.objectives import recorded_objective
    from nas_core.runs.audit_words import candidate_caveats
    from nas_core.runs.auditing import CandidateAudit

    evaluation = process.store().evaluation(run_id, candidate_id)
    parts = found_of(run_id, candidate_id)
    if evaluation.performance is None:
        return ()
    found = CandidateAudit(id=evaluation.id, index=evaluation.index, performance=evaluation.performance,
                           skill=evaluation.skill, interpretability=0.0, **parts)  # fmt: skip
    label = recorded_objective(process.store().run(run_id).problem).label
    return candidate_caveats(found, label, "")
