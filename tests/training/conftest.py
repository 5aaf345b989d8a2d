"""Fixtures of the training tests: breast cancer, its space, and architectures that differ in chosen values."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from training_samples import make_problem, make_space

from nas_core.data import Problem
from nas_core.records import Architecture
from nas_core.spaces import SearchSpace


@pytest.fixture(params=[False, True], ids=["each", "packed"])
def packed(request: pytest.FixtureRequest) -> bool:
    """Whether networks of tables are trained as one pack, as on an accelerator."""
    return bool(request.param)


@pytest.fixture(scope="session")
def problem() -> Problem:
    return make_problem("breast_cancer")


@pytest.fixture(scope="session")
def space() -> SearchSpace:
    return make_space("breast_cancer")


@pytest.fixture(scope="session")
def variant(space: SearchSpace) -> Callable[..., Architecture]:
    """Make an architecture of three groups on breast cancer that differs from a plain one in some values."""

    def make(**changes: object) -> Architecture:
        values: dict[str, object] = {
            "groups": [
                {"features": [0, 4], "linear": False},
                {"features": [1], "linear": True},
                {"features": [7, 20, 27], "linear": False},
            ],
            "marks": {}, "depth": 3, "width": 8, "activation": "tanh", "connections": "full", "normalisation": "none",
            "dropout": 0.0, "weight_decay": 0.001, "optimiser": "adam", "learning_rate": 0.003,
            "encoding": "standardised",
        }  # fmt: skip
        return Architecture(family="tabular", values={**values, **changes})

    return make
