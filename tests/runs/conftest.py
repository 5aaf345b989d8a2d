"""A real problem and space, and runs with the synthetic evaluator: no training, so every test takes milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from run_examples import synthetic

from nas_core.data import Problem, load_data
from nas_core.runs import registry
from nas_core.runs.registry import EvaluatorFactory
from nas_core.runs.run import Run
from nas_core.runs.settings import RunSettings
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore, Store, open_store


@pytest.fixture(scope="session")
def problem() -> Problem:
    return Problem.create(load_data("breast_cancer"))


@pytest.fixture(scope="session")
def space(problem: Problem) -> SearchSpace:
    return SearchSpace.for_problem(problem)


@pytest.fixture
def store() -> Store:
    return InMemoryStore()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path)
    yield store
    store.close()


@pytest.fixture
def launch(problem: Problem, space: SearchSpace, store: Store) -> Iterator[Callable[..., Run]]:
    """Start runs; whatever still runs when the test ends is stopped."""

    def start(evaluator: EvaluatorFactory | None = None, into: Store = store, **settings: object) -> Run:
        chosen = RunSettings.model_validate({"candidates": 40, "pack_size": 8, "first_pack": 8, **settings})
        return registry.start_run(into, problem, space, chosen, evaluator=evaluator or synthetic())

    yield start
    registry.stop_all(timeout=10)
