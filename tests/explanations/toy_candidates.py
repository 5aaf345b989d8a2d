"""Small problems of every kind, and candidates with random weights on them."""

from __future__ import annotations

from typing import Any

import numpy as np

from nas_core.data import Dataset, DataSource, FeatureSpec, Problem
from nas_core.explanations import TrainedCandidate
from nas_core.spaces import SearchSpace

ROWS = 150
DEFAULTS: dict[str, Any] = {
    "marks": {}, "depth": 2, "width": 8, "activation": "tanh", "connections": "full", "normalisation": "none",
    "dropout": 0.0, "weight_decay": 0.0, "optimiser": "adam", "learning_rate": 0.01, "encoding": "piecewise",
}  # fmt: skip


def made_problem(kind: str) -> Problem:
    """Return a problem with five numbers (one with missing values) and a category: binary, classes or regression."""
    rng = np.random.default_rng(11)
    X = np.column_stack([rng.normal(size=(ROWS, 5)), rng.integers(0, 3, ROWS)])
    signal = X[:, 0] * X[:, 1] + X[:, 2] + (X[:, 5] == 1)
    X[rng.random(ROWS) < 0.2, 3] = np.nan
    numbers = tuple(FeatureSpec(f"n{i}", "numeric", missing=int(np.isnan(X[:, i]).sum())) for i in range(5))
    features = (*numbers, FeatureSpec("colour", "categorical", ("red", "green", "blue")))
    source = DataSource(kind="memory", location=kind)
    if kind == "regression":
        return Problem.create(Dataset("toy", features, X, 40 + 9 * signal, "regression", (), "price", source), seed=0)
    classes = ("no", "yes") if kind == "binary" else ("low", "middle", "high")
    y = np.digitize(signal, np.quantile(signal, np.linspace(0, 1, len(classes) + 1)[1:-1]))
    return Problem.create(Dataset("toy", features, X, y.astype(np.int64), "classification", classes, "kind", source))


def candidate_of(
    problem: Problem, *groups: tuple[int, ...], linear: bool = False, seed: int = 3, **values: Any
) -> TrainedCandidate:
    """Return an untrained candidate with these groups."""
    from nas_core.spaces.tabular.module import build

    space = SearchSpace.for_problem(problem, "accurate")
    given = [{"features": sorted(g), "linear": linear} for g in groups]
    architecture = space.architecture({**DEFAULTS, **values, "groups": given})
    weights = build(architecture, problem.encoder, problem.C, seed=seed).state_dict()
    return TrainedCandidate(problem, space, architecture, {name: value.numpy() for name, value in weights.items()})
