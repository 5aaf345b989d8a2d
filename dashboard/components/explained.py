"""What a candidate's explanation needs, computed once per candidate and kept for every tab that looks at it.

Attributions of a hundred rows take from milliseconds (exact, additive groups) to seconds (large groups); the network
is rebuilt from its stored weights, which loads PyTorch on first use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from dashboard import process

if TYPE_CHECKING:
    from nas_core.data import Problem
    from nas_core.explanations import Attribution, ShapeFunction, TrainedCandidate
    from nas_core.spaces import SearchSpace

__all__ = ["Check", "Explained", "check", "explained", "problem_of", "space_of"]

ROWS = 100
BACKGROUND = 100
FEWEST = 10
CHECK_ROWS = 8
QUICK, THOROUGH = 250_000, 4_000_000  # passes of a row through a group
LARGEST, SAMPLED, ENUMERATED = 10, 10, 8  # group sizes that are enumerated; orders otherwise; features for a full check


@dataclass(frozen=True, eq=False)
class Explained:
    """The attribution of up to 100 validation rows of a candidate against up to 100 training rows, and its curves.

    Attributes:
        rows: Data-set rows that were explained, (n,).
        background: Raw training rows that stand for absent features, (B, P).
        exact: Whether the values come from the architecture itself rather than from sampling.
        complete: Whether as many rows were explained as there may be; else a thorough explanation has more.
    """

    candidate: TrainedCandidate
    attribution: Attribution
    shapes: tuple[ShapeFunction, ...]
    rows: np.ndarray
    background: np.ndarray
    exact: bool
    label: str
    complete: bool


@dataclass(frozen=True)
class Check:
    """How far the exact attributions are from the shap library's, on a few rows."""

    label: str
    reason: str
    rows: int
    seconds: float
    difference: float
    scale: float


@st.cache_resource(max_entries=8, show_spinner=False)
def problem_of(run_id: str) -> Problem:
    """Return the problem of a run.

    Raises:
        DataError: Its data cannot be read or have changed.
    """
    from nas_core.data import Problem, ProblemSpec

    return Problem.load(ProblemSpec.model_validate(process.store().run(run_id).problem))


@st.cache_resource(max_entries=16, show_spinner=False)
def space_of(run_id: str) -> SearchSpace:
    """Return the space of a run."""
    from nas_core.spaces import SearchSpace

    return SearchSpace.model_validate(process.store().run(run_id).space)


@st.cache_resource(max_entries=16, show_spinner=False)
def explained(run_id: str, candidate_id: str, thorough: bool = False) -> Explained:
    """Return the explanation of one candidate on validation rows spread evenly, as many as the budget allows.

    Args:
        run_id: The run.
        candidate_id: The candidate.
        thorough: Spend more time on more rows where the first answer had to do with few.

    Raises:
        ExplanationError: The candidate has no stored weights.
        StoreError: They cannot be read.
    """
    from nas_core.explanations import choose_explainer, default_background, shape_functions
    from nas_core.runs.candidates import load_candidate

    problem = problem_of(run_id)
    candidate = load_candidate(process.store(), run_id, candidate_id, problem=problem, space=space_of(run_id))
    wanted = min(ROWS, len(problem.valid))
    count, against = sizes(passes(candidate), THOROUGH if thorough else QUICK, wanted)
    at = np.unique(np.linspace(0, len(problem.valid) - 1, count).astype(int))
    background = default_background(problem, against)
    explainer = choose_explainer(candidate)
    attribution = explainer.explain(candidate, problem.valid.raw[at], background)
    shapes = shape_functions(candidate, background)
    exact = explainer.name == "group_shap"
    complete = len(at) >= wanted and len(background) >= min(BACKGROUND, len(problem.train))
    rows = problem.valid.rows[at]
    return Explained(candidate, attribution, shapes, rows, background, exact, explainer.label, complete)


@st.cache_data(max_entries=16, show_spinner=False)
def check(run_id: str, candidate_id: str) -> Check:
    """Return how far the exact attributions of a few rows are from the shap library's: all coalitions, or sampled."""
    from nas_core.explanations import EXPLAINERS

    own = explained(run_id, candidate_id)
    candidate = own.candidate
    enumerated = EXPLAINERS["shap_exact"]
    used = len(candidate.used)
    small = enumerated.applies_to(candidate).ok and used <= ENUMERATED
    library = enumerated if small else EXPLAINERS["shap_permutation"]
    cost = float(2**used if small else SAMPLED * (2 * used + 1)) * len(own.background)
    rows = own.attribution.data[: int(np.clip(QUICK / cost, 2, CHECK_ROWS))]
    theirs = library.explain(candidate, rows, own.background)
    ours = own.attribution.values[: len(rows)]
    return Check(
        library.label, theirs.reason, len(rows), theirs.seconds, float(np.abs(theirs.values - ours).max(initial=0.0)),
        float(np.abs(ours).max(initial=0.0)),
    )  # fmt: skip


def passes(candidate: TrainedCandidate) -> int:
    """Return how often a network's groups run for one row and one background row, linear and single ones aside."""
    sizes_ = [len(g.features) for g in candidate.groups if len(g.features) > 1]
    return sum(2**k if k <= LARGEST else SAMPLED * (2 * k + 1) for k in sizes_)


def sizes(cost: int, budget: int, wanted: int) -> tuple[int, int]:
    """Return how many rows to explain, and against how many background rows, so that the passes fit the budget.

    The background shrinks first, to a quarter; then the rows, to no fewer than ten.
    """
    for against in (BACKGROUND, BACKGROUND // 2, BACKGROUND // 4):
        affordable = budget // max(1, cost * against)
        if affordable >= wanted:
            return wanted, against
    return int(np.clip(affordable, min(FEWEST, wanted), wanted)), against
