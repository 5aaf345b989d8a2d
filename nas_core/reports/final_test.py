"""The final look at the test rows: one candidate, because a person asked, and noted in the run's history.

No search, no measure and no explanation reads the test part (``Problem.open_test`` is its only door). Whoever looks
twice and chooses by it has made it a second validation part, so every look, also that of an audit, is an event
that a record counts.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from nas_core.errors import RunError
from nas_core.records import Event
from nas_core.reports.record import FinalTest
from nas_core.store.base import Store

if TYPE_CHECKING:
    from nas_core.data.problem import Problem

__all__ = ["TEST", "final_test", "final_tests_of", "looks_at"]

TEST = "test_opened"


def final_test(store: Store, run_id: str, candidate_id: str, *, problem: Problem | None = None) -> FinalTest:
    """Return what one candidate is worth on the test rows, and note in the run that they were opened.

    Args:
        store: Where the run is kept.
        run_id: The run.
        candidate_id: The candidate's identity.
        problem: The run's problem, where it is loaded already.

    Raises:
        StoreError: No such run or candidate, or its weights are missing or have changed.
        ExplanationError: It has no trained weights.
        RunError: It has no performance to compare with, or predicts no numbers.
        DataError: The data cannot be read or have changed.
    """
    import numpy as np

    from nas_core.audit.confirm import judged_fresh, network_outputs
    from nas_core.data.problem import Problem, ProblemSpec
    from nas_core.runs.candidates import load_candidate
    from nas_core.runs.settings import RunSettings

    record, evaluation = store.run(run_id), store.evaluation(run_id, candidate_id)
    if evaluation.performance is None:
        raise RunError(
            f"Candidate #{evaluation.index} has no performance: it is {evaluation.status}",
            allowed="a candidate whose training finished", fix="choose another candidate",
        )  # fmt: skip
    problem = problem or Problem.load(ProblemSpec.model_validate(record.problem))
    candidate = load_candidate(store, run_id, candidate_id, problem=problem)
    part = problem.open_test()
    outputs = network_outputs(candidate, part.raw)
    looks, now = looks_at(store, run_id) + 1, time.time()
    if not np.isfinite(outputs).all():
        store.note(run_id, [Event(kind=TEST, time=now, payload={"candidate": candidate_id})])
        raise RunError(
            f"Candidate #{evaluation.index} does not give a number for every test row", fix="choose another candidate"
        )
    preference = RunSettings.model_validate(record.settings).preference
    row = judged_fresh(problem, part, {candidate_id: outputs}, [evaluation], preference).candidates[0]
    found = FinalTest(
        id=candidate_id, number=evaluation.index, rows=len(part), validation=row.validation, fresh=row.fresh,
        skill=row.fresh_skill, reason=row.reason, time=now, looks=looks,
    )  # fmt: skip
    payload = {"candidate": candidate_id, "result": found.model_dump(mode="json")}
    store.note(run_id, [Event(kind=TEST, time=now, payload=payload)])
    return found


def final_tests_of(store: Store, run_id: str) -> tuple[FinalTest, ...]:
    """Return every final test of a run, the latest first.

    Raises:
        StoreError: No such run.
    """
    found = [e.payload["result"] for e in store.events(run_id) if e.kind == TEST and "result" in e.payload]
    return tuple(FinalTest.model_validate(result) for result in reversed(found))


def looks_at(store: Store, run_id: str) -> int:
    """Return how many times the test part of a run was opened."""
    return sum(event.kind == TEST for event in store.events(run_id))
