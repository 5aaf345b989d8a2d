"""What every explainer must keep (the contract), and exact group SHAP against two slow twins."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_candidates import candidate_of

from nas_core.data import Problem
from nas_core.errors import ExplanationError, SettingsError
from nas_core.explanations import EXPLAINERS, TrainedCandidate, choose_explainer, default_background, explain
from nas_core.explanations.group_shap import shapley_weights
from nas_core.explanations.mixed_shap import MixedShap

Made = Callable[..., TrainedCandidate]
GROUPS = ((0, 1), (3, 5), (4,))


def enumerated(candidate: TrainedCandidate, rows: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Return φ (N, P, C) by the definition: all coalitions of all P features, the whole network each time."""
    N, P = rows.shape

    def worth(coalition: tuple[int, ...]) -> np.ndarray:
        mixed = np.repeat(background[None], N, axis=0)
        for j in coalition:
            mixed[:, :, j] = rows[:, None, j]
        return candidate.predict(mixed.reshape(-1, P)).reshape(N, len(background), -1).mean(1)

    values = np.zeros((N, P, candidate.outputs))
    for j in range(P):
        rest = [i for i in range(P) if i != j]
        for size in range(P):
            for coalition in itertools.combinations(rest, size):
                share = math.factorial(size) * math.factorial(P - size - 1) / math.factorial(P)
                values[:, j] += share * (worth((*coalition, j)) - worth(coalition))
    return values


OF_TABLES = sorted(n for n, e in EXPLAINERS.items() if e.explains is TrainedCandidate)


@pytest.mark.parametrize("name", OF_TABLES)
class TestContract:
    """Every explainer passes these on every kind of problem."""

    def test_values_and_base_sum_to_the_output(self, name: str, problem: Problem, made: Made) -> None:
        attribution = explain(made(*GROUPS), problem.valid.raw[:6], problem.train.raw[:20], method=name)
        assert attribution.values.shape == (6, problem.P, problem.C)
        assert attribution.residual <= 1e-6 * max(1.0, np.abs(attribution.outputs).max())

    def test_a_feature_that_is_not_used_gets_exactly_nothing(self, name: str, problem: Problem, made: Made) -> None:
        attribution = explain(made(*GROUPS), problem.valid.raw[:4], problem.train.raw[:10], method=name)
        assert (attribution.values[:, 2] == 0).all()

    def test_the_same_seed_gives_the_same_values_and_the_global_generator_is_left_alone(
        self, name: str, binary: Problem
    ) -> None:
        candidate = candidate_of(binary, (0, 1, 2, 4))
        np.random.seed(1)
        before = np.random.get_state()[1].copy()
        first, second = (
            explain(candidate, binary.valid.raw[:3], binary.train.raw[:10], method=name, seed=5) for _ in range(2)
        )
        assert (np.random.get_state()[1] == before).all()
        assert (first.values == second.values).all()

    def test_it_says_why_it_applies_and_what_it_is(self, name: str, binary: Problem) -> None:
        assert EXPLAINERS[name].applies_to(candidate_of(binary, (0,))).reason
        assert "Costs:" in EXPLAINERS[name].description

    def test_too_large_a_background_is_refused(self, name: str, binary: Problem) -> None:
        with pytest.raises(ExplanationError, match=r"background has 101 rows.*1 to 100"):
            explain(candidate_of(binary, (0,)), binary.valid.raw, np.zeros((101, 6)), method=name)


def test_exact_group_shap_is_the_shapley_value_of_the_whole_network(problem: Problem, made: Made) -> None:
    candidate, rows, background = made((0, 1, 3), (2, 5), (4,)), problem.valid.raw[:5], problem.train.raw[:12]
    values = explain(candidate, rows, background, method="group_shap").values
    expected = enumerated(candidate, rows, background)
    assert values == pytest.approx(expected, abs=1e-9 * max(1, np.abs(expected).max()))


def test_exact_group_shap_agrees_with_the_shap_library(problem: Problem, made: Made) -> None:
    candidate, rows, background = made((0, 1, 3), (2, 5), (4,)), problem.valid.raw[:8], problem.train.raw[:25]
    ours = explain(candidate, rows, background, method="group_shap").values
    theirs = explain(candidate, rows, background, method="shap_exact").values
    assert np.abs(ours - theirs).max() <= 1e-5


def test_a_linear_network_gets_weight_times_distance_from_the_mean(binary: Problem) -> None:
    candidate = candidate_of(binary, (0,), (1,), linear=True, depth=0, encoding="standardised")
    rows, background = binary.valid.raw[:20], binary.train.raw[:30]
    slopes = candidate.predict(np.eye(6)) - candidate.predict(np.zeros((1, 6)))
    expected = slopes[:2, 0] * (rows[:, :2] - background[:, :2].mean(0))
    assert explain(candidate, rows, background).values[:, :2, 0] == pytest.approx(expected, abs=1e-6)


@given(st.integers(1, 6))
def test_weights_share_out_everything_and_nothing_for_free(k: int) -> None:
    weights = shapley_weights(k)
    shared = np.zeros(2**k)
    shared[0], shared[-1] = -1, 1
    assert weights.sum(0) == pytest.approx(shared)
    assert weights.sum(1) == pytest.approx(np.zeros(k))


def test_two_factors_of_a_product_share_it_equally() -> None:
    worth = np.array([0.0, 0.0, 0.0, 6.0])  # x1·x2 with base 0: worth something only together
    assert shapley_weights(2) @ worth == pytest.approx([3.0, 3.0])


def test_many_rows_are_explained_as_few_are(binary: Problem) -> None:
    candidate = candidate_of(binary, (0, 1))
    rows = np.tile(binary.valid.raw[:10], (60, 1))
    many = explain(candidate, rows, binary.train.raw[:3]).values
    assert many[590:] == pytest.approx(explain(candidate, rows[:10], binary.train.raw[:3]).values, abs=1e-12)


def wide_candidate(groups: int = 11) -> tuple[Problem, TrainedCandidate]:
    from nas_core.data import load_data

    problem = Problem.create(load_data("breast_cancer"))
    return problem, candidate_of(problem, tuple(range(groups)), (20, 21), (25,), width=4)


def test_a_large_group_is_sampled_the_small_ones_stay_exact() -> None:
    problem, candidate = wide_candidate()
    verdict = EXPLAINERS["group_shap"].applies_to(candidate)
    assert not verdict.ok
    assert "largest group has 11 features" in verdict.reason
    assert isinstance(choose_explainer(candidate), MixedShap)
    rows, background = problem.valid.raw[:2], problem.train.raw[:8]
    mixed = explain(candidate, rows, background)
    assert mixed.method == "mixed_shap"
    assert "1 of its 3 groups" in mixed.reason
    assert mixed.residual < 1e-9
    alone = candidate_of(problem, (20, 21), (25,), width=4)
    alone.module.groups[0].load_state_dict(candidate.module.groups[1].state_dict())
    alone.module.groups[1].load_state_dict(candidate.module.groups[2].state_dict())
    exact = explain(alone, rows, background, method="group_shap").values
    assert mixed.values[:, [20, 21, 25]] == pytest.approx(exact[:, [20, 21, 25]], abs=1e-9)


def test_a_method_that_does_not_apply_says_why() -> None:
    problem, candidate = wide_candidate()
    with pytest.raises(ExplanationError, match="does not apply: its largest group has 11 features"):
        explain(candidate, problem.valid.raw[:1], method="group_shap")
    with pytest.raises(ExplanationError, match="it uses 14 features; at most 12"):
        explain(candidate, problem.valid.raw[:1], method="shap_exact")


def test_an_unknown_method_is_refused(binary: Problem) -> None:
    with pytest.raises(SettingsError, match=r"no explainer 'magic'.*group_shap"):
        explain(candidate_of(binary, (0,)), binary.valid.raw, method="magic")


def test_rows_and_background_with_other_columns_are_refused(binary: Problem) -> None:
    candidate = candidate_of(binary, (0,))
    with pytest.raises(ExplanationError, match=r"shape \(2, 5\)"):
        explain(candidate, np.zeros((2, 5)))
    with pytest.raises(ExplanationError, match=r"shape \(3, 7\)"):
        explain(candidate, binary.valid.raw, np.zeros((3, 7)))
    with pytest.raises(ExplanationError, match="background has 0 rows"):
        explain(candidate, binary.valid.raw, np.zeros((0, 6)))


def test_no_rows_give_an_empty_attribution(binary: Problem) -> None:
    assert explain(candidate_of(binary, (0, 1), (2,)), np.zeros((0, 6))).values.shape == (0, 6, 1)


def test_the_default_background_is_a_fixed_sample_of_training_rows(binary: Problem) -> None:
    first = default_background(binary, 10)
    assert first.shape == (10, 6)
    assert np.array_equal(first, default_background(binary, 10), equal_nan=True)
    assert len(default_background(binary)) == min(100, len(binary.train))
