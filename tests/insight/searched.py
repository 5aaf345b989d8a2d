"""What the tests of this folder search: made-up facets, and runs of all families without training."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from signal_examples import problem_of

from nas_core.data import Problem, load_data
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.insight.facets import Facet
from nas_core.insight.material import Material, gather
from nas_core.insight.readers import OptionReader
from nas_core.preferences import Preference
from nas_core.records import Evaluation
from nas_core.search import Archive, Ranking, Snapshot
from nas_core.spaces import Categorical, SearchSpace

FAMILIES = ("tabular", "image", "cell", "sequence")


def option_facet(name: str, answers: np.ndarray, options: int, decided: np.ndarray | None = None) -> Facet:
    """Return a facet of ``options`` options, answered by n candidates with these indices."""
    reader = OptionReader(Categorical(name=name, choices=tuple(f"{name}{i}" for i in range(options))),
                          tuple(f"{name}{i}" for i in range(options)))  # fmt: skip
    decided = np.ones(len(answers), dtype=bool) if decided is None else decided
    columns = (answers[:, None] == np.arange(options)).astype(float)
    level = np.where(decided, answers, -1)
    return Facet(reader, columns, np.arange(options), decided, reader.names, level)


def answered(n: int, options: Sequence[int], seed: int = 0) -> tuple[list[Facet], np.ndarray]:
    """Return facets of so many options, answered at random by n candidates, and the answers (n, F)."""
    rng = np.random.default_rng(seed)
    answers = np.stack([rng.integers(0, k, n) for k in options], axis=1)
    return [option_facet("abcdefgh"[p], answers[:, p], k) for p, k in enumerate(options)], answers


@dataclass(frozen=True)
class Searched:
    """A run of one family, as the insight sees it."""

    problem: Problem
    space: SearchSpace
    evaluations: list[Evaluation]
    snapshot: Snapshot
    ranking: Ranking
    material: Material


def searched(family: str = "tabular", count: int = 80, *, failing: int = 2, weight: float = 0.5) -> Searched:
    """Return a run of ``count`` candidates on the synthetic evaluator, some of which failed."""
    if family == "tabular":
        problem = Problem.create(load_data("iris"))
    else:
        problem = problem_of("series" if family == "sequence" else "image")
    space = SearchSpace.for_problem(problem, "balanced", family)
    proposals = space.initial(count, np.random.default_rng(0))
    lost = [p.architecture.id for p in proposals[count - failing :]]
    found = SyntheticEvaluator(space, failing=lost).evaluate(proposals, stop=threading.Event())
    evaluations = [e.model_copy(update={"index": i, "revision": 1}) for i, e in enumerate(found, 1)]
    archive = Archive(problem.objective, problem.spec.measures)
    archive.add(evaluations)
    snapshot = archive.snapshot()
    ranking = snapshot.rank(Preference(weight=weight))
    return Searched(problem, space, evaluations, snapshot, ranking, gather(snapshot, evaluations, space))
