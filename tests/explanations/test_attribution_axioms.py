"""The axioms that attributions are judged by, on functions whose attributions are known on paper."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from known_candidates import known, table
from torch import Tensor, nn
from toy_candidates import candidate_of, made_problem

from nas_core.data import Problem
from nas_core.explanations import EXPLAINERS, Attribution, TrainedCandidate, explain
from nas_core.explanations.lrp_rules import relevance, with_rules
from nas_core.explanations.torch_view import TorchView

RNG = np.random.default_rng(0)
# Methods by which a linear function must be explained as weight × distance from the mean of the background.
EXACT_ON_LINES = (
    "group_shap", "mixed_shap", "shap_exact", "shap_permutation", "shap_kernel", "shap_deep", "integrated_gradients",
    "deep_lift", "input_x_gradient", "occlusion",
)  # fmt: skip


@pytest.fixture(scope="module")
def numbers() -> Problem:
    X = RNG.normal(size=(200, 4)) * [1, 2, 0.5, 3] + [0, 1, -2, 10]
    return table(X, X[:, 0] + X[:, 1])


def one(candidate: TrainedCandidate, method: str, row: list[float], base: list[float]) -> np.ndarray:
    """Return the values (P,) of one row of the first output against one background row."""
    return explain(candidate, np.array([row]), np.array([base]), method=method).values[0, :, 0]


@pytest.mark.parametrize("method", EXACT_ON_LINES)
@pytest.mark.parametrize("kind", ["binary", "classes", "regression"])
def test_a_linear_network_gets_weight_times_distance_from_the_mean(kind: str, method: str) -> None:
    problem = made_problem(kind)
    candidate = candidate_of(problem, (0, 1), (4,), linear=True, depth=0, encoding="standardised")
    rows, background = problem.valid.raw[:12], problem.train.raw[:20]
    slopes = candidate.predict(np.eye(6)) - candidate.predict(np.zeros((1, 6)))
    used = [0, 1, 4]
    expected = (rows[:, used] - background[:, used].mean(0))[:, :, None] * slopes[used]
    found = explain(candidate, rows, background, method=method)
    assert found.values[:, used] == pytest.approx(expected, abs=1e-6 * max(1.0, found.scale))  # columns are float32


def test_lime_finds_the_weights_of_a_linear_network_and_says_that_it_fits() -> None:
    problem = made_problem("regression")
    candidate = candidate_of(problem, (0, 1), (4,), linear=True, depth=0, encoding="standardised")
    rows, background = problem.valid.raw[:5], problem.train.raw[:10]
    exact = explain(candidate, rows, background, method="group_shap")
    found = explain(candidate, rows, background, method="lime")
    assert found.values == pytest.approx(exact.values, abs=1e-5 * exact.scale)
    assert found.fit == pytest.approx(np.ones((5, 1)), abs=1e-6)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "softplus", "gelu", "silu", "identity"])
@pytest.mark.parametrize("kind", ["classes", "regression"])
def test_integrated_gradients_of_smooth_networks_add_up(kind: str, activation: str) -> None:
    problem = made_problem(kind)
    candidate = candidate_of(problem, (0, 1, 2, 3, 5), activation=activation, encoding="standardised")
    found = explain(candidate, problem.valid.raw[:8], problem.train.raw[:10], method="integrated_gradients")
    assert found.residual <= 1e-4 * np.abs(found.outputs - found.base).max()
    assert "at 32 points" in found.reason


@pytest.mark.parametrize("against", [1, 20])
def test_integrated_gradients_of_networks_with_kinks_nearly_add_up(against: int) -> None:
    problem = made_problem("binary")
    candidate = candidate_of(problem, (0, 1, 2, 3, 5), activation="relu", depth=3, width=32)
    found = explain(candidate, problem.valid.raw[:8], problem.train.raw[:against], method="integrated_gradients")
    assert found.residual <= 5e-2 * np.abs(found.outputs - found.base).max()
    assert "at 128 points" in found.reason


@pytest.mark.parametrize(("method", "tolerance"), [("shap_kernel", 1e-6), ("shap_deep", 1e-3), ("deep_lift", 1e-6)])
@pytest.mark.parametrize("activation", ["relu", "tanh", "softplus"])
def test_efficiency(method: str, tolerance: float, activation: str) -> None:
    problem = made_problem("classes")
    candidate = candidate_of(problem, (0, 1, 2, 3, 4, 5), activation=activation)
    found = explain(candidate, problem.valid.raw[:5], problem.train.raw[:10], method=method)
    assert found.residual <= tolerance * np.abs(found.outputs - found.base).max()


def test_gradient_shap_is_unbiased() -> None:
    problem = made_problem("regression")
    candidate = candidate_of(problem, (0, 1, 2, 4), activation="tanh")
    rows, background = problem.valid.raw[:6], problem.train.raw[:10]
    exact = explain(candidate, rows, background, method="integrated_gradients").values
    rounds = itertools.islice(EXPLAINERS["shap_gradient"].refine(candidate, rows, background, seed=2), 60)
    *_, found = rounds
    known_errors = found.errors > 0
    assert np.mean(np.abs(found.values - exact)[known_errors] <= 3 * found.errors[known_errors]) >= 0.95
    added_up = (found.outputs - found.base - found.values.sum(1))[:, 0]
    assert np.abs(added_up).max() <= 3 * np.sqrt((found.errors**2).sum(1)).max()


def enumerated(candidate: TrainedCandidate, rows: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Return φ (N, P, C) by the definition: all 2^P coalitions, the whole network each time."""
    N, P = rows.shape
    worth = {}
    for code in range(2**P):
        inside = np.array([code >> j & 1 for j in range(P)], bool)
        mixed = np.where(inside, rows[:, None], background[None])
        worth[code] = candidate.predict(mixed.reshape(-1, P)).reshape(N, len(background), -1).mean(1)
    values = np.zeros((N, P, candidate.outputs))
    for j, code in itertools.product(range(P), range(2**P)):
        if not code >> j & 1:
            size = code.bit_count()
            share = math.factorial(size) * math.factorial(P - size - 1) / math.factorial(P)
            values[:, j] += share * (worth[code | 1 << j] - worth[code])
    return values


@pytest.mark.parametrize("method", ["group_shap", "mixed_shap", "shap_exact", "shap_kernel"])
@pytest.mark.parametrize("features", [2, 4, 8])
def test_the_shapley_values_by_their_definition(features: int, method: str) -> None:
    X = np.random.default_rng(features).normal(size=(80, features))
    problem = table(X, X[:, 0])
    candidate = candidate_of(problem, tuple(range(features)), width=4, encoding="standardised")
    rows, background = problem.valid.raw[:3], problem.train.raw[:4]
    found = explain(candidate, rows, background, method=method).values
    assert found == pytest.approx(enumerated(candidate, rows, background), abs=1e-6)


def test_where_a_unit_is_saturated_the_gradient_is_silent_and_integrated_gradients_are_not(numbers: Problem) -> None:
    saturated = known(numbers, g=((0,), lambda x: 1 - torch.relu(1 - x)))
    row, base = [2.0, 1, 1, 1], [0.0, 1, 1, 1]
    assert one(saturated, "input_x_gradient", row, base)[0] == 0
    assert one(saturated, "saliency", row, base)[0] == 0
    assert one(saturated, "integrated_gradients", row, base)[0] == pytest.approx(1, abs=0.02)
    for method in ("deep_lift", "occlusion", "group_shap", "lime", "shap_kernel"):
        assert one(saturated, method, row, base)[0] == pytest.approx(1, abs=1e-6), method


def test_networks_that_are_the_same_function_have_the_same_integrated_gradients(numbers: Problem) -> None:
    relu = torch.relu
    first = known(numbers, g=((0, 1), lambda a, b: relu(relu(a) - 1 - relu(b))))
    second = known(numbers, g=((0, 1), lambda a, b: relu(relu(a - 1) - relu(b))))
    row, base = [3.0, 1, 0, 0], [0.0, 0, 0, 0]
    for candidate in (first, second):
        found = one(candidate, "integrated_gradients", row, base)
        assert found[:2] == pytest.approx([1.5, -0.5], abs=0.05)
    assert one(first, "shap_exact", row, base) == pytest.approx(one(second, "shap_exact", row, base))


@pytest.mark.parametrize("method", ["integrated_gradients", "deep_lift", "shap_exact", "shap_kernel"])
def test_two_factors_share_their_product(numbers: Problem, method: str) -> None:
    product = known(numbers, g=((0, 1), lambda a, b: a * b))
    found = one(product, method, [1.5, -2.0, 0, 0], [0.0, 0, 0, 0])
    assert found[:2] == pytest.approx([-1.5, -1.5], abs=1e-6)
    assert (found[2:] == 0).all()


def plain_network(candidate: TrainedCandidate) -> nn.Sequential:
    """Return a candidate of one group with two ReLU layers as layers of torch one after the other."""
    group = TorchView(candidate).network.groups[0]
    layers: list[nn.Module] = []
    for layer in group.layers:
        layers += [layer.linear, nn.ReLU()]
    (read,) = group.reads.values()
    return nn.Sequential(*layers, read)


def biases_of(view: TorchView) -> list[Tensor]:
    """Return what a network adds that does not come from its input."""
    return [p.requires_grad_() for name, p in view.network.named_parameters() if name.endswith("bias")]


def relevance_of_biases(view: TorchView, E: np.ndarray, output: int) -> float:
    """Return what the rules leave with the biases for one row: each bias times the slope that the rules give it."""
    biases = biases_of(view)
    slopes = torch.autograd.grad(view(view.tensor(E))[:, output].sum(), biases, allow_unused=True)
    return sum(float((b * s).sum().detach()) for b, s in zip(biases, slopes) if s is not None)


@pytest.mark.parametrize("values", [
    {"activation": "relu"}, {"activation": "tanh", "connections": "residual"}, {"activation": "silu"},
    {"activation": "gelu", "connections": "dense", "normalisation": "layer"}, {"activation": "identity"},
])  # fmt: skip
def test_relevance_is_kept_up_to_the_biases(values: dict[str, str]) -> None:
    problem = made_problem("classes")
    candidate = candidate_of(problem, (0, 1, 2), (3, 5), **{"depth": 3, **values})
    view = with_rules(TorchView(candidate))
    E = view.encode(problem.valid.raw[:6])
    outputs = candidate.predict(problem.valid.raw[:6])
    for output in range(3):
        kept = relevance(view, E, output)
        held = [relevance_of_biases(view, E[[i]], output) for i in range(6)]
        assert kept.sum(1) + held == pytest.approx(outputs[:, output], abs=1e-6)
        assert np.abs(held).max() > 1e-3
    with torch.no_grad():
        for bias in biases_of(view):
            bias.zero_()
    without = view(view.tensor(E)).detach().numpy()
    assert relevance(view, E, 1).sum(1) == pytest.approx(without[:, 1], abs=1e-6)


def test_relevance_is_that_of_captum() -> None:
    from captum.attr import LRP

    problem = made_problem("classes")
    candidate = candidate_of(problem, (0, 1, 2, 3, 5), activation="relu", encoding="standardised")
    view = TorchView(candidate)
    E = view.encode(problem.valid.raw[:6])
    theirs = LRP(plain_network(candidate)).attribute(view.tensor(E).requires_grad_(), target=2).detach().numpy()
    ours = relevance(with_rules(view), E, 2)
    assert ours == pytest.approx(theirs, abs=1e-6)
    found = explain(candidate, problem.valid.raw[:6], method="lrp").values[:, :, 2]
    assert found[:, 0] == pytest.approx(theirs[:, view.owner == 0].sum(1), abs=1e-6)


def test_integrated_gradients_and_occlusion_are_those_of_captum() -> None:
    from captum.attr import FeatureAblation, IntegratedGradients

    problem = made_problem("classes")
    candidate = candidate_of(problem, (0, 1, 2, 3, 5), activation="tanh")
    view = TorchView(candidate)
    rows, background = problem.valid.raw[:5], problem.train.raw[:3]
    x, bases = view.tensor(view.encode(rows)), view.tensor(view.encode(background))
    mask = torch.from_numpy(view.owner)[None]
    path = IntegratedGradients(view)
    ours = explain(candidate, rows, background, method="integrated_gradients").values[:, :, 1]
    theirs = [path.attribute(x, b[None], target=1, n_steps=60, method="gausslegendre").detach().numpy() for b in bases]
    assert ours == pytest.approx(view.by_feature(np.mean(theirs, 0)[:, :, None])[:, :, 0], abs=1e-5)
    ablation = FeatureAblation(view)
    own = explain(candidate, rows, background, method="occlusion").values[:, :, 1]
    each = [ablation.attribute(x, b[None], target=1, feature_mask=mask).detach().numpy() for b in bases]
    first = [int(np.flatnonzero(view.owner == j)[0]) for j in candidate.used]
    assert own[:, list(candidate.used)] == pytest.approx(np.mean(each, 0)[:, first], abs=1e-6)


def test_deep_shap_is_deep_lift_where_both_apply() -> None:
    problem = made_problem("classes")
    candidate = candidate_of(problem, (0, 1, 2, 3, 5), activation="relu", connections="residual")
    rows, background = problem.valid.raw[:5], problem.train.raw[:8]
    pair = [explain(candidate, rows, background, method=m).values for m in ("shap_deep", "deep_lift")]
    assert pair[0] == pytest.approx(pair[1], abs=1e-5)


def test_an_attribution_through_a_transformed_target_is_in_the_unit_that_was_trained_on(numbers: Problem) -> None:
    data = numbers.dataset
    grown = replace(data, y=np.exp(data.y / 3))
    problem = Problem.create(grown, seed=0, target_transform="log1p")
    candidate = candidate_of(problem, (0, 1), encoding="standardised")
    for method in ("integrated_gradients", "deep_lift", "shap_deep", "shap_kernel"):
        found: Attribution = explain(candidate, problem.valid.raw[:4], problem.train.raw[:6], method=method)
        assert found.residual <= 1e-4 * np.abs(found.outputs - found.base).max()
        assert found.output_names == (problem.output_name,)
