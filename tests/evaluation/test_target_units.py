"""A network trained on a transformed target is judged in the target's own unit and explained in the one it predicts."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from nas_core.data import Problem, Recipe, load_data
from nas_core.data.targets import TransformName
from nas_core.evaluation.packs import PackEvaluator
from nas_core.explanations.candidate import TrainedCandidate
from nas_core.records import Proposal
from nas_core.spaces import SearchSpace


@pytest.mark.parametrize("name", ["none", "log1p", "yeo_johnson", "quantile"])
def test_performance_is_that_of_the_predictions_taken_back(name: TransformName) -> None:
    problem = Problem.create(load_data("diabetes"), "mse", target_transform=name, recipe=Recipe(max_epochs=8))
    space = SearchSpace.for_problem(problem)
    rng = np.random.default_rng(0)
    proposals = [Proposal(architecture=a) for a in {x.id: x for x in (space.sample(rng) for _ in range(4))}.values()]
    evaluator = PackEvaluator(problem, space, seed=0, device="cpu")
    found = list(evaluator.evaluate(proposals, stop=threading.Event()))
    weights = evaluator.take_weights()
    own = problem.dataset.y[problem.valid.rows]
    for evaluation in found:
        assert evaluation.performance is not None
        candidate = TrainedCandidate(problem, space, evaluation.architecture, weights[evaluation.id])
        outputs = candidate.predict(problem.valid.raw)[:, 0]
        effects = candidate.group_effects(problem.valid.raw).sum(axis=1)[:, 0] + candidate.intercept[0]
        assert outputs == pytest.approx(effects, rel=1e-6)  # the sum of the groups is in the unit that is explained
        assert candidate.output_names == (problem.output_name,)
        back = problem.target_scale.transform.inverse(outputs)
        mse = np.mean((back - own) ** 2) / problem.target_scale.own_sd**2
        assert evaluation.performance.value == pytest.approx(mse, rel=1e-4)
