"""What remains of a pack: predictions, effects of single features, weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from training_samples import SHORT, make_problem, make_space, sampled

from nas_core.data import Problem
from nas_core.interpretability.base import generic_deltas
from nas_core.interpretability.grid import effect_grid
from nas_core.spaces.tabular.module import build
from nas_core.training.fit import PackItem, PackResult, train_pack

Trained = tuple[Problem, list[PackItem], PackResult]


@pytest.fixture(scope="module", params=["breast_cancer", "wine"])
def trained(request: pytest.FixtureRequest) -> Trained:
    problem, space = make_problem(request.param), make_space(request.param)
    items = [PackItem(a, k) for k, a in enumerate(sampled(space, 24, seed=6))]
    return problem, items, train_pack(problem, space, items, recipe=SHORT)


def test_the_module_with_a_candidates_weights_predicts_the_same(trained: Trained) -> None:
    problem, items, result = trained
    outputs = result.pack.predict(problem.valid.E)
    assert outputs.shape == (24, len(problem.valid), problem.C)
    for k, item in enumerate(items):
        module = build(item.architecture, problem.encoder, problem.C).eval()
        module.load_state_dict(result.pack.state_dict(k), strict=True)
        with torch.no_grad():
            expected = module(torch.from_numpy(problem.valid.E)).numpy()
        np.testing.assert_allclose(outputs[k], expected, rtol=1e-4, atol=1e-4)


def test_feature_deltas_equal_two_predictions_per_feature(trained: Trained) -> None:
    problem, items, result = trained
    grid = effect_grid(problem.valid.X, [False] * problem.P)
    deltas = result.pack.feature_deltas(problem, problem.valid.X, grid.edges, grid.cells)
    expected = generic_deltas(result.pack, problem, problem.valid.X, grid.edges, grid.cells)
    assert deltas.shape == (24, len(problem.valid), problem.P, problem.C)
    np.testing.assert_allclose(deltas, expected, atol=1e-4 * (1 + np.abs(expected).max()))
    for k, item in enumerate(items):
        used = {j for g in item.architecture.values["groups"] for j in g["features"]}
        unused = [j for j in range(problem.P) if j not in used]
        assert not deltas[k][:, unused].any()


def test_predictions_do_not_depend_on_how_many_rows_are_asked_for(trained: Trained) -> None:
    problem, _, result = trained
    many = np.repeat(problem.valid.E, 60, axis=0)
    np.testing.assert_allclose(
        result.pack.predict(many)[:, ::60], result.pack.predict(problem.valid.E), rtol=1e-4, atol=1e-5
    )
    assert result.pack.predict(problem.valid.E[:1]).shape == (24, 1, problem.C)


def test_weights_are_separate_arrays_of_the_unpadded_shapes(trained: Trained) -> None:
    problem, items, result = trained
    first, again = result.pack.weights(0), result.pack.weights(0)
    next(iter(first.values()))[...] = 7.0
    assert not (next(iter(again.values())) == 7.0).all()
    own = build(items[0].architecture, problem.encoder, problem.C).state_dict()
    assert {name: values.shape for name, values in again.items()} == {n: tuple(v.shape) for n, v in own.items()}
