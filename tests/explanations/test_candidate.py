"""A candidate rebuilt from its weights is the network that was stored."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from toy_candidates import candidate_of

from nas_core.data import Problem
from nas_core.errors import ExplanationError
from nas_core.explanations import TrainedCandidate
from nas_core.spaces.tabular.module import build

GROUPS = ((0, 1), (3,), (5,))


@pytest.mark.parametrize(
    "values", [{}, {"encoding": "standardised"}, {"connections": "dense", "normalisation": "batch"}]
)
def test_it_predicts_what_the_module_on_the_whole_bank_predicts(
    problem: Problem, made: Callable[..., TrainedCandidate], values: dict
) -> None:
    import torch

    candidate = made(*GROUPS, **values)
    module = build(candidate.architecture, problem.encoder, problem.C, seed=3).eval()
    with torch.no_grad():
        expected = module(torch.from_numpy(problem.valid.E.copy())).numpy() * problem.target_sd + problem.target_mean
    assert candidate.predict(problem.valid.raw) == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_groups_and_intercept_sum_to_the_output(problem: Problem, made: Callable[..., TrainedCandidate]) -> None:
    candidate = made(*GROUPS)
    effects = candidate.group_effects(problem.valid.raw)
    assert effects.shape == (len(problem.valid), 3, problem.C)
    assert effects.sum(1) + candidate.intercept == pytest.approx(candidate.predict(problem.valid.raw))


def test_outputs_are_named(problem: Problem, made: Callable[..., TrainedCandidate]) -> None:
    names = made((0,)).output_names
    assert names in [("yes",), ("low", "middle", "high"), ("price",)]
    assert len(names) == problem.C


def test_a_feature_that_is_not_used_has_no_influence(problem: Problem, made: Callable[..., TrainedCandidate]) -> None:
    candidate = made(*GROUPS)
    changed = problem.valid.raw.copy()
    changed[:, [2, 4]] = np.nan
    assert (candidate.predict(changed) == candidate.predict(problem.valid.raw)).all()


def test_weights_of_another_architecture_are_refused(binary: Problem) -> None:
    candidate, other = candidate_of(binary, (0, 1)), candidate_of(binary, (0, 2), (1,))
    weights = {k: v.numpy() for k, v in other.module.state_dict().items()}
    with pytest.raises(ExplanationError, match="The weights do not fit the architecture"):
        TrainedCandidate(binary, candidate.space, candidate.architecture, weights)


def test_rows_with_other_columns_are_refused(made: Callable[..., TrainedCandidate]) -> None:
    with pytest.raises(ExplanationError, match=r"shape \(3, 4\).*\(N, 6\)"):
        made((0,)).predict(np.zeros((3, 4)))
