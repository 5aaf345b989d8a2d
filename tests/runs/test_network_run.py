"""A run on images from start to end: trained for real, stopped, continued, and its candidates loaded again."""

from __future__ import annotations

import time

import numpy as np
import pytest

from nas_core.data import Problem, Recipe, load_data
from nas_core.records import RunState, Status
from nas_core.runs.candidates import load_candidate
from nas_core.runs.registry import resume_run, start_run
from nas_core.runs.settings import RunSettings
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore

SETTINGS = RunSettings(candidates=6, pack_size=3, strategy="random")


@pytest.fixture(scope="module")
def problem() -> Problem:
    recipe = Recipe(max_epochs=2, batch_size=64, patience=2, schedule="one_cycle")
    return Problem.create(
        load_data("digits_images"), recipe=recipe, measures=("interaction_sparsity", "operation_economy"),
        max_train_rows=256, max_valid_rows=128,
    )  # fmt: skip


@pytest.fixture(scope="module")
def space(problem: Problem) -> SearchSpace:
    whole = SearchSpace.for_problem(problem)
    return whole.changed(constraints=whole.constraints.model_copy(update={"max_operations": 60_000}))


def test_a_run_is_stopped_continued_and_its_candidates_loaded(problem: Problem, space: SearchSpace) -> None:
    straight, stopped = InMemoryStore(), InMemoryStore()
    whole = start_run(straight, problem, space, SETTINGS)
    run = start_run(stopped, problem, space, SETTINGS)
    while not stopped.evaluations(run.id) and run.alive:
        time.sleep(0.02)
    run.stop()
    assert run.wait(60)
    assert whole.wait(60)
    again = resume_run(stopped, run.id)
    assert again.wait(60)
    assert again.state is RunState.DONE
    first = {e.id: e for e in straight.evaluations(whole.id)}
    second = {e.id: e for e in stopped.evaluations(run.id)}
    assert len(first) == 6
    assert {k: (e.index, e.performance, e.measures) for k, e in first.items()} == {
        k: (e.index, e.performance, e.measures) for k, e in second.items()
    }
    done = next(e for e in first.values() if e.status is Status.DONE)
    candidate = load_candidate(straight, whole.id, done.id)
    right = candidate.predict(problem.valid.raw).argmax(1) == problem.valid.y
    assert float(np.mean(right)) == pytest.approx(done.performance.value, abs=0.01)
