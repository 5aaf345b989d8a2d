"""The front of a run in a store, ready to be measured again: what is on it, what nearly is, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from nas_core.audit.confirm import (
    Contender,
    SeedSpread,
    contending,
    front_probability,
    network_outputs,
    resampled_losses,
    retrained,
    seed_spreads,
)
from nas_core.errors import NasightError, RunError
from nas_core.evaluation.base import PackProgress, Stop
from nas_core.preferences import Preference, interpretability
from nas_core.records import Evaluation, FiniteRecord, Measurement, RunRecord
from nas_core.runs.candidates import load_candidate
from nas_core.runs.settings import RunSettings
from nas_core.search.fronts import non_dominated
from nas_core.store.base import Store

if TYPE_CHECKING:
    from nas_core.data.problem import Problem
    from nas_core.explanations.base import Candidate
    from nas_core.spaces.space import SearchSpace

__all__ = ["FrontChances", "RunFront", "front_chances", "other_seeds", "run_front"]

Load = Callable[[str], "Candidate"]


@dataclass(frozen=True)
class RunFront:
    """The front of a run under its preference.

    Attributes:
        record: The run.
        problem, space, preference: What was searched, where, and what is wanted.
        front: The candidates on the front of performance and interpretability, the most accurate first.
        contenders: The same, and those off it that could be on it.
        interpretability: Of each contender by identity.
    """

    record: RunRecord
    problem: Problem
    space: SearchSpace
    preference: Preference
    front: tuple[Evaluation, ...]
    contenders: tuple[Evaluation, ...]
    interpretability: dict[str, float]

    @property
    def seed(self) -> int:
        """The seed of the run."""
        return RunSettings.model_validate(self.record.settings).seed

    @property
    def device(self) -> str:
        """Where its candidates were trained."""
        return RunSettings.model_validate(self.record.settings).device


class FrontChances(FiniteRecord):
    """How often each candidate is on the front when the validation rows are drawn again.

    Attributes:
        resamples: How many times they were.
        chances: Share of them by identity, of those on the front and those that could be.
        missing: Why some could not take part, by identity.
    """

    resamples: int
    chances: dict[str, float]
    missing: dict[str, str] = Field(default_factory=dict)


def run_front(
    store: Store,
    run_id: str,
    *,
    also: str | None = None,
    problem: Problem | None = None,
    space: SearchSpace | None = None,
    preference: Preference | None = None,
) -> RunFront:
    """Return the front of a run and what contends for it.

    Args:
        store: Where the run is kept.
        run_id: The run.
        also: A candidate that is to be among the contenders wherever it stands.
        problem, space: The run's, where they are loaded already.
        preference: Instead of the run's.

    Raises:
        StoreError: No such run.
        RunError: It has no candidate that may be on a front.
        DataError: Its data cannot be read or have changed.
    """
    from nas_core.data.problem import Problem, ProblemSpec
    from nas_core.spaces.space import SearchSpace

    record = store.run(run_id)
    problem = problem or Problem.load(ProblemSpec.model_validate(record.problem))
    space = space or SearchSpace.model_validate(record.space)
    preference = preference or RunSettings.model_validate(record.settings).preference
    found = [e for e in store.evaluations(run_id) if e.eligible]
    performance = np.array([_performance_losses(problem, e) for e in found]).reshape(-1, 3)
    scores = np.array([_scores(problem, e, preference) for e in found]).reshape(-1, 3)
    on_front = non_dominated(np.column_stack([performance[:, 1], 1.0 - scores[:, 1]]))
    if not on_front.any():
        raise RunError(
            f"Run {run_id} has no candidate on a front: none is better than ignoring the inputs",
            allowed="a run with at least one eligible candidate",
            fix="let it search longer, or look at the reasons of its candidates",
        )
    at = contending(performance, 1.0 - scores[:, ::-1], on_front).tolist()
    at += [k for k, e in enumerate(found) if e.id == also and k not in at]
    front = [found[k] for k in np.flatnonzero(on_front)]
    return RunFront(
        record, problem, space, preference,
        tuple(sorted(front, key=lambda e: (_performance_losses(problem, e)[1], e.index))),
        tuple(found[k] for k in at), {found[k].id: float(scores[k, 1]) for k in at},
    )  # fmt: skip


def front_chances(store: Store, front: RunFront, *, seed: int = 0, load: Load | None = None) -> FrontChances:
    """Return P(on the front) of the contenders: their predictions on the validation rows, drawn again a thousand times.

    Args:
        store: Where their weights are.
        front: The front.
        seed: Decides the resamples.
        load: How a candidate is loaded; from the store when None.
    """
    load = load or loader(store, front)
    taking_part, missing = [], {}
    raw = front.problem.valid.raw
    for e in front.contenders:
        try:
            taking_part.append(Contender(e.id, network_outputs(load(e.id), raw), e.measures))
        except NasightError as error:
            missing[e.id] = str(error)
    if not taking_part:
        return FrontChances(resamples=0, chances={}, missing=missing)
    losses = resampled_losses(front.problem, taking_part, front.preference, seed=seed)
    found = front_probability(losses)
    chances = {c.id: float(p) for c, p in zip(taking_part, found, strict=True)}
    return FrontChances(resamples=len(losses), chances=chances, missing=missing)


def loader(store: Store, front: RunFront) -> Load:
    """Return the function that loads a candidate of a run from its store, its data once."""
    return lambda key: load_candidate(store, front.record.id, key, problem=front.problem)


def other_seeds(
    front: RunFront,
    chosen: Sequence[Evaluation],
    *,
    seeds: int,
    stop: Stop,
    on_progress: Callable[[int, PackProgress], None] | None = None,
) -> tuple[int, dict[str, SeedSpread]]:
    """Return how many times the chosen candidates were trained again, and how they spread; fewer when it was stopped.

    Costs: ``seeds`` trainings of all chosen candidates.
    """
    found: list[list[Evaluation]] = []
    for _, evaluations in retrained(
        front.problem, front.space, [e.architecture for e in chosen], seed=front.seed, repeats=seeds, stop=stop,
        device=front.device, on_progress=on_progress,
    ):  # fmt: skip
        found.append(evaluations)
    return len(found), seed_spreads(front.problem, found, front.preference)


def _performance_losses(problem: Problem, e: Evaluation) -> tuple[float, float, float]:
    """Return the performance loss at the good end, at the value and at the bad end of its interval."""
    if e.performance is None:
        return np.nan, np.nan, np.nan
    ends = sorted((problem.objective.loss(e.performance.low), problem.objective.loss(e.performance.high)))
    return ends[0], problem.objective.loss(e.performance.value), ends[1]


def _scores(problem: Problem, e: Evaluation, preference: Preference) -> list[float]:
    """Return the interpretability at the low end of its measures, at their values and at the high end."""
    names = problem.spec.measures
    found = [e.measures.get(name) or Measurement() for name in names]
    ends = [
        [m.value if m.low is None else m.low for m in found],
        [m.value for m in found],
        [m.value if m.high is None else m.high for m in found],
    ]
    scores = np.array([[np.nan if v is None else v for v in row] for row in ends], dtype=float)
    return interpretability(scores, preference.vector(names)).tolist()
