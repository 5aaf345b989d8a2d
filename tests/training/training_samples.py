"""Problems and random architectures for the training tests."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from nas_core.data import Problem, Recipe, load_data
from nas_core.records import Architecture
from nas_core.spaces import SearchSpace

Variant = Callable[..., Architecture]
SHORT = Recipe(max_epochs=4, batch_size=64, patience=2, min_delta=1e-4)


@cache
def make_problem(name: str) -> Problem:
    return Problem.create(load_data(name))


@cache
def make_space(name: str) -> SearchSpace:
    return SearchSpace.for_problem(make_problem(name))


def sampled(space: SearchSpace, count: int, seed: int = 0) -> list[Architecture]:
    """Different random architectures of a space."""
    rng = np.random.default_rng(seed)
    found: dict[str, Architecture] = {}
    while len(found) < count:
        architecture = space.sample(rng)
        found[architecture.id] = architecture
    return list(found.values())
