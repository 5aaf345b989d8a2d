"""The benchmark of independence on tiny sizes: every family, every optimiser, alone, in packs and by the slow twin."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))

from independence import ALLOWED, OPTIMISERS, Found, compared, deviation, drawn, problem_for, same

from nas_core import SearchSpace
from nas_core.spaces import family_named, family_names

COUNT = 4


def found_of(family: str) -> Found:
    problem = problem_for(family_named(family).modality, rows=48)
    preset = "small" if family == "cell" else "balanced"
    space = SearchSpace.for_problem(problem, preset, family)
    items = drawn(problem, space, COUNT, most=40_000 if family != "cell" else 700_000)
    assert {item.architecture.values["optimiser"] for item in items} == set(OPTIMISERS)
    recipe = problem.spec.recipe.model_copy(update={"max_epochs": 2, "patience": 1})
    return compared(problem, space, items, preset, recipe=recipe, sizes=(2,))


@pytest.mark.parametrize("family", family_names())
def test_alone_in_packs_beside_those_that_diverge_and_by_the_twin(family: str) -> None:
    found = found_of(family)
    assert found.packs <= ALLOWED["cpu"]
    assert found.disturbed == 0
    assert found.unlike == 0
    assert found.batch_norm > 0
    assert found.dropout > 0 or family == "cell", "cells have no dropout"


def test_a_deviation_is_seen_wherever_it_is() -> None:
    one = {"a": np.ones(3, np.float32), "b": np.zeros((2, 2), np.float32)}
    for name, values in one.items():
        for at in range(values.size):
            other = {n: v.copy() for n, v in one.items()}
            other[name].flat[at] += 0.01
            assert deviation(one, other) == pytest.approx(0.01 / np.linalg.norm(np.concatenate(
                [v.ravel() for v in other.values()])))  # fmt: skip
            other[name].flat[at] = np.nan
            assert deviation(one, other) == float("inf")
            assert not same(one, other)
            assert deviation(other, other) == 0.0
