"""Packs of untrained networks, as the measures see them, without the packed training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nas_core.data import Dataset, DataSource, FeatureSpec, Problem
from nas_core.interpretability import MeasureContext, generic_deltas
from nas_core.records import Architecture
from nas_core.spaces import SearchSpace, facts

DEFAULTS: dict[str, Any] = {
    "marks": {}, "depth": 2, "width": 8, "activation": "relu", "connections": "full", "normalisation": "none",
    "dropout": 0.0, "weight_decay": 0.0, "optimiser": "adam", "learning_rate": 0.01, "encoding": "standardised",
}  # fmt: skip


class ModulePack:
    """K modules with random weights; differences of features by plain prediction."""

    def __init__(self, problem: Problem, architectures: Sequence[Architecture], *, seed: int = 0) -> None:
        from nas_core.spaces.tabular.module import build

        self.modules = [build(a, problem.encoder, problem.C, seed=seed + k).eval() for k, a in enumerate(architectures)]

    def predict(self, E: np.ndarray) -> np.ndarray:
        import torch

        with torch.no_grad():
            return np.stack([module(torch.from_numpy(np.array(E))).numpy() for module in self.modules])

    def feature_deltas(
        self, problem: Problem, X: np.ndarray, edges: Sequence[np.ndarray], bins: np.ndarray
    ) -> np.ndarray:
        return generic_deltas(self, problem, X, edges, bins)


def toy_problem(classes: int = 2, *, rows: int = 200, seed: int = 0) -> Problem:
    """Return a classification problem with five numbers (one with missing values) and a category."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.normal(size=(rows, 5)), rng.integers(0, 4, rows)])
    signal = X[:, 0] * X[:, 1] + X[:, 2] + (X[:, 5] == 1)
    X[rng.random(rows) < 0.1, 3] = np.nan
    names = tuple("abcde"[:classes])
    y = np.digitize(signal, np.quantile(signal, np.linspace(0, 1, classes + 1)[1:-1])).astype(np.int64)
    features = (
        *(FeatureSpec(f"n{i}", "numeric", missing=int(np.isnan(X[:, i]).sum())) for i in range(5)),
        FeatureSpec("colour", "categorical", ("red", "green", "blue", "grey")),
    )
    return Problem.create(
        Dataset("toy", features, X, y, "classification", names, "kind", DataSource(kind="memory", location="toy"))
    )


def architecture_of(space: SearchSpace, *groups: tuple[int, ...], linear: bool = False, **values: Any) -> Architecture:
    """Return the architecture with these groups."""
    given = [{"features": sorted(g), "linear": linear} for g in groups]
    return space.architecture({**DEFAULTS, **values, "groups": given})


def context_of(problem: Problem, architectures: Sequence[Architecture], model: Any = None) -> MeasureContext:
    """Return the context of untrained networks of these architectures, or of ``model``."""
    space = SearchSpace.for_problem(problem, "accurate")
    known = [facts(space, a) for a in architectures]
    return MeasureContext(space, list(architectures), known, problem, model or ModulePack(problem, architectures))
