"""The diagnosis of a candidate, computed once and kept for everybody who looks at it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import process
from dashboard.components.explained import candidate_of

if TYPE_CHECKING:
    from nas_core.explanations.diagnosis import Diagnosis

__all__ = ["Diagnosed", "diagnosed"]


@dataclass(frozen=True)
class Diagnosed:
    """A diagnosis and how long it took."""

    found: Diagnosis
    seconds: float


@st.cache_resource(max_entries=32, show_spinner=False)
def diagnosed(run_id: str, candidate_id: str) -> Diagnosed:
    """Return the diagnosis of one candidate, compared with the weights it began with.

    Raises:
        ExplanationError: The candidate has no stored weights.
        StoreError: They cannot be read.
    """
    from nas_core.explanations.diagnosis import diagnose

    candidate, seed = candidate_of(run_id, candidate_id), process.store().evaluation(run_id, candidate_id).seed
    began = time.perf_counter()
    return Diagnosed(diagnose(candidate, seed=seed), time.perf_counter() - began)
