"""Doing what a record tells again, and comparing: the chosen network alone, or the whole search."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas_core.evaluation.base import PackProgress, Stop
from nas_core.records import Evaluation, Proposal
from nas_core.reports.record import CandidateFacts, DecisionRecord

if TYPE_CHECKING:
    from nas_core.runs.run import Run
    from nas_core.store.base import Store

__all__ = ["TOLERANCE", "Compared", "Repeat", "compared", "retrained_choice", "searched_again"]

TOLERANCE = 1e-4
"""Difference below which two numbers are the same: training is exact on one machine, and rounds elsewhere."""


@dataclass(frozen=True)
class Compared:
    """One number in the record and now; None where there is none."""

    name: str
    recorded: float | None
    found: float | None

    @property
    def same(self) -> bool:
        """Whether they agree within :data:`TOLERANCE`."""
        if self.recorded is None or self.found is None:
            return self.recorded is self.found
        return abs(self.recorded - self.found) <= TOLERANCE


@dataclass(frozen=True)
class Repeat:
    """What came of doing it again: the identity and every number of the chosen candidate, in the record and now."""

    id: str
    same_network: bool
    numbers: tuple[Compared, ...]

    @property
    def same(self) -> bool:
        """Whether it is the same network with the same numbers."""
        return self.same_network and all(number.same for number in self.numbers)


def compared(chosen: CandidateFacts, now: Evaluation | None) -> Repeat:
    """Return the chosen candidate of a record beside an evaluation; None: it was not found again."""
    if now is None:
        return Repeat(chosen.id, False, ())
    pairs = [("performance", chosen.performance, now.performance), ("skill", chosen.skill, now.skill)]
    numbers = [Compared(n, None if a is None else a.value, None if b is None else b.value) for n, a, b in pairs]
    for name, measure in chosen.measures.items():
        again = now.measures.get(name)
        numbers.append(Compared(name, measure.value, None if again is None else again.value))
    return Repeat(chosen.id, now.id == chosen.id, tuple(numbers))


def retrained_choice(
    record: DecisionRecord, *, stop: Stop | None = None, on_progress: Callable[[PackProgress], None] | None = None
) -> Repeat:
    """Return the chosen network, trained again from its own seed on the same rows, beside what the record says.

    A candidate's seed comes from the run's seed and its identity, so no search is needed: this works for steered runs
    as well. It does not for a network whose training began from a parent's weights.

    Raises:
        DataError: The data cannot be read or have changed.
    """
    from nas_core.data.problem import Problem, ProblemSpec
    from nas_core.evaluation.packs import PackEvaluator
    from nas_core.spaces import SearchSpace

    problem = Problem.load(ProblemSpec.model_validate(record.origin["problem"]))
    first = SearchSpace.model_validate(record.origin["first_space"])
    space = SearchSpace.model_validate(record.origin["chosen_space"])
    evaluator = PackEvaluator(problem, first, record.seed, device=record.device)
    if space.id != first.id:
        evaluator.enter(space)
    proposal = Proposal(architecture=record.chosen.architecture)
    found = list(evaluator.evaluate([proposal], stop=stop or threading.Event(), on_progress=on_progress))
    return compared(record.chosen, found[0] if found else None)


def searched_again(record: DecisionRecord, store: Store) -> Run:
    """Start the search of a record from its beginning, in ``store``, and return the run; see :func:`compared`.

    Raises:
        DataError: The data cannot be read or have changed.
        NasightError: As of ``start_run``.
    """
    from nas_core.data.problem import Problem, ProblemSpec
    from nas_core.runs.registry import start_run
    from nas_core.runs.settings import RunSettings
    from nas_core.spaces import SearchSpace

    problem = Problem.load(ProblemSpec.model_validate(record.origin["problem"]))
    settings = RunSettings.model_validate(record.origin["settings"])
    settings = settings.model_copy(update={"warm": (), "warm_relevance": ()})
    return start_run(store, problem, SearchSpace.model_validate(record.origin["space"]), settings)
