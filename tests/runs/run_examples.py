"""What the tests of runs share: synthetic evaluators, waiting, and comparing."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

from nas_core.data import Problem
from nas_core.evaluation.base import Evaluator
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.records import Evaluation
from nas_core.runs.registry import EvaluatorFactory
from nas_core.runs.settings import RunSettings
from nas_core.spaces import SearchSpace


def synthetic(
    delay: float = 0.0, failing: Callable[[SearchSpace], Collection[str]] = lambda space: ()
) -> EvaluatorFactory:
    """Return a factory of synthetic evaluators."""

    def make(problem: Problem, space: SearchSpace, settings: RunSettings) -> Evaluator:
        return SyntheticEvaluator(space, settings.seed, delay=delay, failing=failing(space))

    return make


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for a condition, or fail."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.002)


def numbers(evaluations: Sequence[Evaluation]) -> list[dict[str, Any]]:
    """Return what must be equal in two runs with one seed: everything but clocks and the names of files."""
    return [
        e.model_dump(exclude={"finished": True, "revision": True, "weights": True, "cost": {"seconds"}})
        for e in evaluations
    ]
