"""What the Compare page works out once and keeps: predictions, ways between candidates, explanations side by side."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from dashboard.components.evidence import evidence_of
from dashboard.components.explained import (
    BACKGROUND,
    QUICK,
    ROWS,
    candidate_of,
    cost,
    problem_of,
    sizes,
    space_of,
)
from dashboard.components.pool import pool_of
from dashboard.components.signal_plan import signal_plan
from nas_core.errors import NasightError, SpaceError, error_line

if TYPE_CHECKING:
    from nas_core.comparison.diff import ArchitectureDiff, Step
    from nas_core.comparison.expected import Expectation
    from nas_core.comparison.paired import PairedDifference
    from nas_core.explanations import Attribution, Candidate
    from nas_core.preferences import Preference
    from nas_core.spaces import SearchSpace

__all__ = ["Together", "common_space", "difference", "expectations", "outputs_of", "paired", "row_attribution",
           "steps_of", "together"]  # fmt: skip

PATIENCE = 3.0  # seconds of sampling for each candidate


def common_space(run_id: str, first: str, second: str) -> SearchSpace:
    """Return a version of the run's space in which both candidates are valid: that in force, else one of theirs.

    Raises:
        SpaceError: None of these holds both.
    """
    both = [e.architecture for e in pool_of(run_id).some((first, second))]
    for space in (space_of(run_id), space_of(run_id, second), space_of(run_id, first)):
        if not any(space.validate_architecture(a) for a in both):
            return space
    raise SpaceError(
        "No version of the search space holds both candidates, so there is no valid way between them",
        fix="compare candidates that lie in one version",
    )


def difference(run_id: str, first: str, second: str) -> ArchitectureDiff:
    """Return what differs between two candidates of a run, in a version of its space that holds both if one does."""
    try:
        space = common_space(run_id, first, second)
    except SpaceError:
        space = space_of(run_id)
    return _difference(run_id, first, second, space.id, space)


@st.cache_resource(max_entries=64, show_spinner=False)
def _difference(run_id: str, first: str, second: str, space_id: str, _space: SearchSpace) -> ArchitectureDiff:
    from nas_core.comparison.diff import architecture_diff

    by_id = {e.id: e.architecture for e in pool_of(run_id).some((first, second))}
    return architecture_diff(_space, by_id[first], by_id[second])


def steps_of(run_id: str, first: str, second: str, known: int) -> tuple[Step, ...]:
    """Return the way from one candidate to the other; ``known`` counts the evaluations of the run.

    Raises:
        SpaceError: There is no valid way.
    """
    space = common_space(run_id, first, second)
    return _steps(run_id, first, second, known, space.id)


@st.cache_resource(max_entries=64, show_spinner=False)
def _steps(run_id: str, first: str, second: str, known: int, space_id: str) -> tuple[Step, ...]:
    from nas_core.comparison.diff import edit_path

    evaluated = {e.id for e in pool_of(run_id).candidates()}
    return edit_path(difference(run_id, first, second), evaluated)


@st.cache_resource(max_entries=64, show_spinner=False)
def expectations(
    run_id: str, first: str, second: str, known: int, names: tuple[str, ...], _preference: Preference, wish: str
) -> dict[str, Expectation]:
    """Return what is expected of the stops that were not evaluated; ``wish`` tells preferences apart."""
    from nas_core.comparison.expected import expected

    space = difference(run_id, first, second).space
    evaluated = {e.id for e in pool_of(run_id).candidates()}
    asked = [s.architecture for s in steps_of(run_id, first, second, known) if s.architecture.id not in evaluated]
    if not asked:
        return {}
    found = expected(space, asked, evidence_of(run_id, space, names), _preference)
    return {a.id: e for a, e in zip(asked, found, strict=True)}


@st.cache_resource(max_entries=32, show_spinner=False)
def outputs_of(run_id: str, candidate_id: str) -> np.ndarray:
    """Return the outputs (N, C) of all validation rows, as the candidate predicts them.

    Raises:
        NasightError: The candidate has no stored weights.
    """
    candidate = candidate_of(run_id, candidate_id)
    return candidate.predict(candidate.problem.valid.raw)


@st.cache_resource(max_entries=64, show_spinner=False)
def paired(run_id: str, first: str, second: str) -> PairedDifference:
    """Return how much better the second candidate is on the same validation rows.

    Raises:
        NasightError: One of them has no stored weights.
    """
    from nas_core.comparison.paired import paired_difference

    problem = problem_of(run_id)
    one, two = ((outputs_of(run_id, i) - problem.target_mean) / problem.target_sd for i in (first, second))
    return paired_difference(problem, one, two, seed=problem.spec.split_seed)


class Together:
    """The same validation rows of several candidates, explained against the same background, on a thread of its own.

    Attributes:
        state: "running", "done" or "failed" (then ``message`` says why).
        share: How far it is, in [0, 1].
        rows: Positions in the validation part.
        attributions: By identity, of those that could be explained.
        missing: Why the others could not, by identity.
    """

    def __init__(self, run_id: str, ids: tuple[str, ...]) -> None:
        self.state, self.message, self.share = "running", "", 0.0
        self.rows: np.ndarray = np.zeros(0, int)
        self.background: np.ndarray = np.zeros((0, 0))
        self.attributions: dict[str, Attribution] = {}
        self.missing: dict[str, str] = {}
        self._run_id, self._ids = run_id, ids
        self._thread = threading.Thread(target=self._go, name="nasight-compare", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Wait until it has ended, at most so long."""
        self._thread.join(seconds)

    def _go(self) -> None:
        try:
            self._work()
            self.state = "done"
        except NasightError as error:
            self.message, self.state = str(error), "failed"
        except Exception as error:
            logging.getLogger(__name__).exception("Explaining candidates side by side failed")
            self.message, self.state = error_line(error), "failed"

    def _work(self) -> None:
        from nas_core.explanations import default_background

        problem = problem_of(self._run_id)
        loaded: dict[str, Candidate] = {}
        for key in self._ids:
            try:
                loaded[key] = candidate_of(self._run_id, key)
            except NasightError as error:
                self.missing[key] = str(error)
        self.share = 0.1
        plans = [_plan(c) for c in loaded.values()]
        if not plans:
            return
        count, against = (min(p[i] for p in plans) for i in (0, 1))
        self.rows = np.unique(np.linspace(0, len(problem.valid) - 1, count).astype(int))
        self.background = default_background(problem, against)
        for at, (key, candidate) in enumerate(loaded.items()):
            try:
                self.attributions[key] = explained(candidate, self.rows, self.background)
            except NasightError as error:
                self.missing[key] = str(error)
            self.share = 0.1 + 0.9 * (at + 1) / len(loaded)


def explained(candidate: Candidate, rows: np.ndarray, background: np.ndarray) -> Attribution:
    """Return the attribution of validation rows by the method that fits; sampled ones as good as patience allows."""
    from nas_core.explanations import GOOD, choose_explainer

    explainer = choose_explainer(candidate)
    raw = candidate.problem.valid.raw[rows]
    found = None
    for better in explainer.refine(candidate, raw, background):
        found = better
        if not explainer.sampled or found.margin <= GOOD * found.scale or found.seconds >= PATIENCE:
            break
    assert found is not None  # every explainer has a first answer
    return found


def _plan(candidate: Candidate) -> tuple[int, int]:
    """Return how many rows to explain against how many others, so that an answer comes soon."""
    from nas_core.explanations import TrainedCandidate, choose_explainer

    explainer = choose_explainer(candidate)
    if isinstance(candidate, TrainedCandidate):
        wanted = min(ROWS, len(candidate.problem.valid))
        count, against = sizes(cost(candidate, explainer), QUICK, wanted)
        return count, min(against, BACKGROUND)
    plan = signal_plan(candidate, explainer, thorough=False)
    return len(plan.rows), plan.background


@st.cache_resource(max_entries=16, show_spinner=False)
def together(run_id: str, ids: tuple[str, ...]) -> Together:
    """Return the explanations of candidates side by side, begun when first asked for and shared by all tabs."""
    return Together(run_id, ids)


@st.cache_resource(max_entries=128, show_spinner=False)
def row_attribution(run_id: str, candidate_id: str, position: int, against: int) -> Attribution:
    """Return the attribution of one validation row, against ``against`` background rows.

    Raises:
        NasightError: The candidate cannot be explained.
    """
    from nas_core.explanations import default_background

    candidate = candidate_of(run_id, candidate_id)
    return explained(candidate, np.array([position]), default_background(candidate.problem, against))
