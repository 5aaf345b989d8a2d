"""The measures of a trained pack: the batched differences of features are those found by plain prediction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from measured_packs import architecture_of, context_of, toy_problem

from nas_core.data import Problem, Recipe
from nas_core.interpretability import MeasureContext, generic_deltas, measure_pack
from nas_core.records import Architecture
from nas_core.spaces import SearchSpace


def mixed_pack(problem: Problem) -> list[Architecture]:
    """Return candidates that differ in everything that changes how a feature reaches the output."""
    space = SearchSpace.for_problem(problem, "accurate")
    marks = {"marks": {"0": 1, "2": -1}} if problem.C == 1 else {}
    return [
        architecture_of(space, (0,), (3,), (5,), encoding="piecewise", activation="gelu"),
        architecture_of(space, (0, 1, 3, 5), (2,), activation="tanh", connections="dense", **marks),
        architecture_of(space, (1, 4), linear=True, depth=0, encoding="quantile"),
        architecture_of(space, (2, 3, 4), normalisation="batch", connections="residual", depth=3, encoding="periodic"),
        architecture_of(space, (5,), (4, 1), normalisation="layer", activation="silu", depth=1, width=4),
    ]


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("rows", [200, 2000])
def test_batched_differences_equal_plain_predictions(classes: int, rows: int) -> None:
    from nas_core.training.fit import PackItem, train_pack

    problem = toy_problem(classes, rows=rows)
    pack = mixed_pack(problem)
    items = [PackItem(architecture, seed) for seed, architecture in enumerate(pack)]
    space = SearchSpace.for_problem(problem, "accurate")
    model = train_pack(problem, space, items, recipe=Recipe(max_epochs=3), device="cpu").pack
    context = context_of(problem, pack, model)
    X, grid = context.rows, context.grid
    fast = model.feature_deltas(problem, X, grid.edges, grid.cells)
    slow = generic_deltas(model, problem, X, grid.edges, grid.cells)
    assert fast.shape == (len(pack), len(X), problem.P, problem.C)
    assert np.abs(fast - slow).max() <= 1e-4 * max(1.0, np.abs(slow).max())
    for k, known in enumerate(context.facts):
        unused = [j for j in range(problem.P) if j not in known.used_features]
        assert (fast[k][:, unused] == 0).all()
    _same_measures(context, _by_prediction(context))


def _by_prediction(context: MeasureContext) -> MeasureContext:
    class Plain:
        def predict(self, E: np.ndarray) -> np.ndarray:
            return context.model.predict(E)

        def feature_deltas(
            self, problem: Problem, X: np.ndarray, edges: Sequence[np.ndarray], bins: np.ndarray
        ) -> np.ndarray:
            return generic_deltas(self, problem, X, edges, bins)

    return context_of(context.problem, context.architectures, Plain())


def _same_measures(first: MeasureContext, second: MeasureContext) -> None:
    """Compare what varies continuously; a breakpoint may flip on rounding, so complexity is compared by its effects."""
    assert first.effects.importances == pytest.approx(second.effects.importances, rel=1e-3, abs=1e-6)
    for one, other in zip(measure_pack(first), measure_pack(second)):
        assert one["additivity"].value == pytest.approx(other["additivity"].value, abs=1e-3)
        for name in ("feature_parsimony", "interaction_sparsity", "operation_economy"):
            assert one[name] == other[name]
        if one["monotone_share"].graded is not None:
            assert one["monotone_share"].graded == pytest.approx(other["monotone_share"].graded, abs=1e-2)
