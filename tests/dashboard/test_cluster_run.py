"""A run on a cluster is watched in the studio, and never executed in its process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dashboard import process
from nas_core.data import Problem, load_data
from nas_core.evaluation.base import Evaluator
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.records import RunState
from nas_core.runs.registry import start_run
from nas_core.runs.settings import RunSettings
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore


@pytest.fixture
def store() -> Iterator[InMemoryStore]:
    opened = InMemoryStore()
    process.configure(opened=opened)
    yield opened
    process.configure()


def made(problem: Problem, space: SearchSpace, settings: RunSettings) -> Evaluator:
    return SyntheticEvaluator(space, settings.seed)


def test_the_studio_names_the_command_that_continues_it(store: InMemoryStore) -> None:
    problem = Problem.create(load_data("iris"))
    run = start_run(store, problem, SearchSpace.for_problem(problem), RunSettings(candidates=4), evaluator=made)
    assert run.wait(60.0)
    settings = {**store.run(run.id).settings, "executor": "ray://10.0.0.5:6379"}
    store.update_run(run.id, settings=settings)
    before = store.run(run.id)
    launch = process.resume(run.id, changes={"candidates": 8, "seconds": None})
    launch.wait(60.0)
    assert launch.state == "failed"
    assert launch.message.endswith(f"continue it in a terminal with `nasight resume {run.id}`.")
    assert "trains on the cluster ray://10.0.0.5:6379, in a process of its own" in launch.message
    assert (before.state, store.run(run.id)) == (RunState.DONE, before)
