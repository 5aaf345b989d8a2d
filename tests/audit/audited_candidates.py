"""Small trained networks on tables, for audits."""

from __future__ import annotations

from typing import Any

import numpy as np

from nas_core.data import Dataset, DataSource, FeatureSpec, Problem
from nas_core.explanations import TrainedCandidate
from nas_core.spaces import SearchSpace
from nas_core.training.fit import train_pack
from nas_core.training.progress import PackItem

__all__ = ["made_table", "trained"]

VALUES: dict[str, Any] = {
    "marks": {}, "depth": 2, "width": 16, "activation": "tanh", "connections": "full", "normalisation": "none",
    "dropout": 0.0, "weight_decay": 0.0, "optimiser": "adam", "learning_rate": 0.02, "encoding": "standardised",
}  # fmt: skip


def made_table(kind: str, features: int = 8, rows: int = 500) -> Problem:
    """Return a problem: "two" of the features matter, "all" do, or the target is a "product"; or one of two "classes".

    The last feature is a category with levels a, b, c; the one before it has missing values.
    """
    rng = np.random.default_rng(4)
    X = rng.uniform(-1, 1, (rows, features))
    X[:, -1] = rng.integers(0, 3, rows)
    y = {
        "two": 4 * X[:, 0] + 2 * (X[:, -1] == 1),
        "all": X[:, :-1].sum(1),
        "product": 3 * X[:, 0] * X[:, 1],
        "classes": X[:, 0] + X[:, 1] + 0.5 * (X[:, -1] == 1) - 0.2,
    }[kind]
    X[rng.random(rows) < 0.2, -2] = np.nan
    numbers = [FeatureSpec(f"x{j}", "numeric", missing=int(np.isnan(X[:, j]).sum())) for j in range(features - 1)]
    kinds = (*numbers, FeatureSpec("group", "categorical", ("a", "b", "c")))
    source = DataSource(kind="memory", location=kind)
    if kind == "classes":
        return Problem.create(
            Dataset("made", kinds, X, (y > 0).astype(np.int64), "classification", ("no", "yes"), "answer", source)
        )
    return Problem.create(Dataset("made", kinds, X, y, "regression", (), "answer", source))


def trained(problem: Problem, *groups: tuple[int, ...], epochs: int = 60) -> TrainedCandidate:
    """Return a network with these groups, trained for some epochs."""
    space = SearchSpace.for_problem(problem, "accurate")
    given = [{"features": sorted(g), "linear": False} for g in groups]
    architecture = space.architecture({**VALUES, "groups": given})
    recipe = problem.spec.recipe.model_copy(update={"max_epochs": epochs})
    pack = train_pack(problem, space, [PackItem(architecture, 1)], recipe=recipe, device="cpu").pack
    return TrainedCandidate(problem, space, architecture, pack.weights(0))
