"""What a candidate's explanation needs, computed once per candidate and kept for every tab that looks at it.

Exact attributions are there at once; where groups are too large for that, sampled ones are there at once and get better
while somebody looks at them. The network is rebuilt from its stored weights, which loads PyTorch on first use.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from dashboard import process
from dashboard.components.signal_plan import signal_plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nas_core.data import Problem
    from nas_core.explanations import Attribution, Candidate, Explainer, ShapeFunction, TrainedCandidate
    from nas_core.spaces import SearchSpace

__all__ = ["Check", "Explained", "Explanation", "candidate_of", "check", "explanation", "problem_of", "space_of"]

ROWS = 100
BACKGROUND = 100
FEWEST = 10
QUICK, THOROUGH = 25_000_000, 300_000_000  # units run, 10 to 20 ns each: what comes before the first answer
OPERATIONS = 4  # additions and multiplications that take as long as a unit
OVERHEAD = 16  # units that a pass costs however small the network is
PATIENCE, PATIENCE_THOROUGH = 3.0, 20.0  # seconds after which sampled values are left as they are
CHECK_ROWS, CHECK_PASSES = 8, 50_000
LARGEST, ORDERS, ENUMERATED = 10, 10, 8  # group sizes that are enumerated; the library's orders; its full checks


@dataclass(frozen=True, eq=False)
class Explained:
    """The attribution of some validation rows of a candidate against some training rows, 100 at most, and its curves.

    Attributes:
        rows: Data-set rows that were explained, (n,).
        background: Raw training rows that stand for absent features, (B, P); of signals (B, columns).
        exact: Whether no value is sampled.
        complete: Whether it is as good as it gets: as many rows as there may be, and no value far off.
    """

    candidate: Candidate
    attribution: Attribution
    shapes: tuple[ShapeFunction, ...]
    rows: np.ndarray
    background: np.ndarray
    exact: bool
    label: str
    complete: bool


class Explanation:
    """An explanation that is there at once and gets better with every :meth:`advance`, until it is :attr:`finished`.

    Nothing runs in between: when nobody looks any more, nothing is computed any more.
    """

    def __init__(self, candidate: Candidate, thorough: bool, method: str | None = None) -> None:
        from nas_core.explanations import TrainedCandidate, choose_explainer, default_background, next_explainer

        problem = candidate.problem
        self._candidate, self._instead = candidate, ""
        self._explainer: Explainer[Any] = choose_explainer(candidate)
        if method is not None:
            self._explainer, self._instead = next_explainer(candidate, method)
        self._shapes: tuple[ShapeFunction, ...] = ()
        if isinstance(candidate, TrainedCandidate):
            self._wanted, self._most = min(ROWS, len(problem.valid)), BACKGROUND
            budget = THOROUGH if thorough else QUICK
            count, against = sizes(cost(candidate, self._explainer), budget, self._wanted)
            at = np.unique(np.linspace(0, len(problem.valid) - 1, count).astype(int))
            self._background = default_background(problem, against)
            self._shapes = _shapes(candidate, self._background)
        else:
            plan = signal_plan(candidate, self._explainer, thorough=thorough)
            self._wanted, self._most, at = plan.wanted, plan.most, plan.rows
            self._background = default_background(problem, plan.background)
        self._rows = problem.valid.rows[at]
        self._patience = PATIENCE_THOROUGH if thorough else PATIENCE
        self._lock, self.finished = Lock(), False
        self._found: Iterator[Attribution] = self._explainer.refine(candidate, problem.valid.raw[at], self._background)
        self.latest = self._judged(next(self._found))

    def advance(self, seconds: float) -> None:
        """Go on for about so long; at once where it is finished, or where another tab is at it."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            until = time.monotonic() + seconds
            while not self.finished and time.monotonic() < until:
                if (better := next(self._found, None)) is None:
                    self.finished = True  # it has drawn all that it draws
                else:
                    self.latest = self._judged(better)
        finally:
            self._lock.release()

    def _judged(self, attribution: Attribution) -> Explained:
        """Return an attribution with what belongs to it, and note whether it is the last."""
        from nas_core.explanations import GOOD

        found = replace(attribution, fallback=self._instead)
        exact, good = not self._explainer.sampled, found.margin <= GOOD * found.scale
        self.finished = exact or good or found.seconds >= self._patience
        against = min(self._most, len(self._candidate.problem.train))
        complete = good and len(self._rows) >= self._wanted and len(self._background) >= against
        return Explained(self._candidate, found, self._shapes, self._rows, self._background, exact,
                         self._explainer.label, complete)  # fmt: skip


@dataclass(frozen=True)
class Check:
    """How far the attributions are from the shap library's, on a few rows.

    ``allowed`` is the difference that sampling alone explains: five standard errors, 1 % of ``scale`` at least;
    ``noisy`` says that one of the two is sampled.
    """

    label: str
    reason: str
    rows: int
    seconds: float
    difference: float
    scale: float
    allowed: float
    noisy: bool


@st.cache_resource(max_entries=8, show_spinner=False)
def problem_of(run_id: str) -> Problem:
    """Return the problem of a run.

    Raises:
        DataError: Its data cannot be read or have changed.
    """
    from nas_core.data import Problem, ProblemSpec

    return Problem.load(ProblemSpec.model_validate(process.store().run(run_id).problem))


def space_of(run_id: str, candidate_id: str | None = None) -> SearchSpace:
    """Return the version of a run's space that a candidate was proposed in; without one, that in force."""
    from nas_core.runs.viewer import follow

    view = follow(process.store(), run_id)
    return view.space if candidate_id is None else view.space_of(view.evaluation(candidate_id))


@st.cache_resource(max_entries=16, show_spinner=False)
def candidate_of(run_id: str, candidate_id: str) -> Candidate:
    """Return one candidate, ready to predict; shared by everybody who looks at it.

    Raises:
        ExplanationError: The candidate has no stored weights.
        StoreError: They cannot be read.
    """
    from nas_core.runs.candidates import load_candidate

    problem, space = problem_of(run_id), space_of(run_id, candidate_id)
    return load_candidate(process.store(), run_id, candidate_id, problem=problem, space=space)


@st.cache_resource(max_entries=32, show_spinner=False)
def explanation(run_id: str, candidate_id: str, thorough: bool = False, method: str | None = None) -> Explanation:
    """Return the explanation of one candidate on validation rows, as many as its cost allows.

    The rows of a table are spread evenly; of signals the most wrong and the least sure are among them.

    Args:
        run_id: The run.
        candidate_id: The candidate.
        thorough: Spend more time, on more rows, where the first answer had to do with less.
        method: Name of the explainer, or of the nearest that applies where this one does not; the one that fits the
            candidate when None.

    Raises:
        ExplanationError: The candidate has no stored weights.
        StoreError: They cannot be read.
    """
    return Explanation(candidate_of(run_id, candidate_id), thorough, method)


@st.cache_data(max_entries=16, show_spinner=False)
def check(run_id: str, candidate_id: str, thorough: bool = False) -> Check:
    """Return how far the attributions of a few rows are from the shap library's: all coalitions, or sampled."""
    from nas_core.explanations import EXPLAINERS, TrainedCandidate

    own = explanation(run_id, candidate_id, thorough).latest
    candidate = own.candidate
    assert isinstance(candidate, TrainedCandidate)  # the tab offers it for tables only
    enumerated = EXPLAINERS["shap_exact"]
    used = len(candidate.used)
    small = enumerated.applies_to(candidate).ok and used <= ENUMERATED
    library = enumerated if small else EXPLAINERS["shap_permutation"]
    dear = float(2**used if small else ORDERS * (2 * used + 1)) * len(own.background)
    rows = own.attribution.data[: int(np.clip(CHECK_PASSES / dear, 2, CHECK_ROWS))]
    seeds = (0,) if small else (0, 1)
    runs = [next(library.refine(candidate, rows, own.background, seed=seed)) for seed in seeds]
    theirs = np.mean([run.values for run in runs], axis=0)
    ours, errors = own.attribution.values[: len(rows)], own.attribution.errors
    scale = float(np.abs(ours).max(initial=0.0))
    # two runs of the library that differ only in their seed tell how noisy their mean is
    variance = 0.0 if small else float(np.mean((runs[0].values - runs[1].values) ** 2)) / 4
    variance += 0.0 if errors is None else float(np.max(errors[: len(rows)] ** 2, initial=0.0))
    return Check(
        library.label, runs[0].reason, len(rows), sum(run.seconds for run in runs),
        float(np.abs(theirs - ours).max(initial=0.0)), scale, max(0.01 * scale, 5 * variance**0.5),
        not (own.exact and small),
    )  # fmt: skip


def _shapes(candidate: TrainedCandidate, background: np.ndarray) -> tuple[ShapeFunction, ...]:
    from nas_core.explanations import shape_functions

    return shape_functions(candidate, background)


def cost(candidate: TrainedCandidate, explainer: Explainer[Any]) -> int:
    """Return how many hidden units run for one row against one background row, until there is a first answer."""
    if predictions := explainer.predictions(candidate):
        from nas_core.spaces import facts

        operations = facts(candidate.space, candidate.architecture).operations
        return predictions * (OVERHEAD + operations // OPERATIONS)
    if not explainer.by_group:
        return 0
    groups = [len(g.features) for g in candidate.groups if len(g.features) > 1]
    passes = sum(2**k if k <= LARGEST else 4 * (k - 1) for k in groups)
    values = candidate.architecture.values
    return passes * (OVERHEAD + int(values["width"]) * max(1, int(values["depth"])))


def sizes(cost: int, budget: int, wanted: int) -> tuple[int, int]:
    """Return how many rows to explain, and against how many background rows, so that the cost fits the budget.

    The background shrinks first, to a quarter; then the rows, to no fewer than ten.
    """
    for against in (BACKGROUND, BACKGROUND // 2, BACKGROUND // 4):
        affordable = budget // max(1, cost * against)
        if affordable >= wanted:
            return wanted, against
    return int(np.clip(affordable, min(FEWEST, wanted), wanted)), against
