"""Fixtures: one problem of every kind, and a maker of candidates on it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from toy_candidates import candidate_of, made_problem

from nas_core.data import Problem
from nas_core.explanations import TrainedCandidate


@pytest.fixture(scope="session", params=["binary", "classes", "regression"])
def problem(request: pytest.FixtureRequest) -> Problem:
    return made_problem(request.param)


@pytest.fixture(scope="session")
def binary() -> Problem:
    return made_problem("binary")


@pytest.fixture
def made(problem: Problem) -> Callable[..., TrainedCandidate]:
    return lambda *groups, **values: candidate_of(problem, *groups, **values)
