"""Explainers of images and sequences: axioms, oracles on paper, and what each says where it does not apply."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from signal_examples import Formula, PlaceNetwork, problem_of
from toy_candidates import candidate_of, made_problem
from toy_signal_candidates import candidate, of_family

from nas_core.data import Problem
from nas_core.errors import ExplanationError
from nas_core.explanations import EXPLAINERS, SignalCandidate, TrainedCandidate, choose_explainer, explain
from nas_core.explanations.activation_maps import spread

OF_SIGNALS = sorted(name for name, e in EXPLAINERS.items() if e.explains is SignalCandidate)
OF_TABLES = sorted(name for name, e in EXPLAINERS.items() if e.explains is TrainedCandidate)
KINDS = ("image", "series", "padded", "words")


@pytest.fixture(scope="module", params=KINDS)
def every(request: pytest.FixtureRequest) -> SignalCandidate:
    return of_family(problem_of(request.param))


@pytest.fixture(scope="module")
def image() -> Problem:
    return problem_of()


@pytest.mark.parametrize("name", OF_SIGNALS)
class TestContract:
    """Every explainer of signals passes these on every kind of signal, or says why it does not apply."""

    def test_it_explains_or_says_why_not(self, name: str, every: SignalCandidate) -> None:
        verdict = EXPLAINERS[name].applies_to(every)
        assert verdict.reason
        if not verdict.ok:
            with pytest.raises(ExplanationError, match="does not apply"):
                explain(every, every.problem.valid.raw[:2], method=name)
            return
        rows, background = every.problem.valid.raw[:3], every.problem.train.raw[:6]
        found = explain(every, rows, background, method=name, seconds=0.2)
        assert found.values.shape == (3, every.problem.P, every.outputs)
        assert np.isfinite(found.values).all()
        assert found.additive == EXPLAINERS[name].additive
        if found.additive:
            assert found.residual <= 1e-4 * max(1.0, float(np.abs(found.outputs).max()))
        if found.maps is not None:
            assert found.maps.shape == (3, every.outputs, *every.signal.place)
            assert found.maps.sum((2, 3)) == pytest.approx(found.values.sum(1), abs=1e-5)
            assert found.output(0).maps.shape == (3, 1, *every.signal.place)

    def test_the_same_seed_gives_the_same_values(self, name: str, image: Problem) -> None:
        network = candidate(image, PlaceNetwork((1, 6, 6), 3))
        if not EXPLAINERS[name].applies_to(network).ok:
            assert name == "attention"
            return
        rows, background = image.valid.raw[:2], image.train.raw[:3]
        first, second = (next(EXPLAINERS[name].refine(network, rows, background, seed=4)).values for _ in range(2))
        assert (first == second).all()

    def test_it_says_what_it_is(self, name: str) -> None:
        assert "Source:" in EXPLAINERS[name].description
        assert "Costs:" in EXPLAINERS[name].description

    def test_no_rows_give_an_empty_attribution(self, name: str, image: Problem) -> None:
        network = candidate(image, PlaceNetwork((1, 6, 6), 3))
        if EXPLAINERS[name].applies_to(network).ok:
            assert explain(network, image.valid.raw[:0], image.train.raw[:2], method=name).values.shape == (0, 36, 3)

    def test_tables_are_for_other_methods(self, name: str) -> None:
        table = candidate_of(made_problem("binary"), (0, 1))
        assert EXPLAINERS[name].applies_to(table).reason == (
            "it explains networks on images and sequences, this one reads tabular data"
        )


def test_methods_for_tables_are_not_for_signals(image: Problem) -> None:
    network = candidate(image, PlaceNetwork((1, 6, 6), 3))
    for name in OF_TABLES:
        verdict = EXPLAINERS[name].applies_to(network)
        assert not verdict.ok
        assert verdict.reason == "it explains networks on tables, this one reads image data"
    assert choose_explainer(network).name == "cell_shap"


def enumerated(network: SignalCandidate, rows: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Return φ (N, P, C) by the definition, all coalitions of all P cells."""
    N, P = len(rows), network.problem.P
    owner = network.signal.owner

    def worth(coalition: tuple[int, ...]) -> np.ndarray:
        inside = np.isin(owner, coalition)
        mixed = np.where(inside, rows[:, None], background[None])
        return network.predict(mixed.reshape(-1, rows.shape[1])).reshape(N, len(background), -1).mean(1)

    values = np.zeros((N, P, network.outputs))
    for j in range(P):
        rest = [i for i in range(P) if i != j]
        for size in range(P):
            for coalition in itertools.combinations(rest, size):
                share = math.factorial(size) * math.factorial(P - size - 1) / math.factorial(P)
                values[:, j] += share * (worth((*coalition, j)) - worth(coalition))
    return values


@pytest.mark.parametrize("kind", ["words", "image"])
def test_few_cells_are_enumerated_exactly(kind: str) -> None:
    problem = problem_of(kind, side=3)
    network = of_family(problem, 1)
    rows, background = problem.valid.raw[:3], problem.train.raw[:4]
    found = explain(network, rows, background)
    assert found.values == pytest.approx(enumerated(network, rows, background), abs=1e-5)
    assert found.margin == 0


def test_a_linear_network_gets_weight_times_distance_from_the_mean_summed_by_cell() -> None:
    problem = problem_of("series")
    weights = torch.linspace(-1, 2, 24 * 3).reshape(24, 3).double()
    network = candidate(problem, Formula(lambda x: x @ weights))
    rows, background = problem.valid.raw[:10], problem.train.raw[:30]
    E = problem.encode(np.concatenate([rows, background])).astype(float)
    share = (E[:10] - E[10:].mean(0))[:, :, None] * weights.numpy()
    expected = share[:, :12] + share[:, 12:]  # the two channels of a step are one cell
    found = explain(network, rows, background)
    assert found.values == pytest.approx(expected, abs=1e-6)
    assert explain(network, rows, background, method="occlusion").values == pytest.approx(expected, abs=1e-6)


def test_a_cell_without_influence_gets_nothing(image: Problem) -> None:
    network = candidate(image, Formula(lambda x: torch.tanh(x[:, :30].sum(1, keepdim=True)) * torch.ones(3).double()))
    for method in ("cell_shap", "occlusion"):
        found = explain(network, image.valid.raw[:4], image.train.raw[:8], method=method, seconds=0.1)
        assert np.abs(found.values[:, 30:]).max() <= 1e-7
        assert np.abs(found.values[:, :30]).max() > 1e-3


def test_a_cell_that_is_the_same_in_all_rows_gets_exactly_nothing(image: Problem) -> None:
    network = of_family(image)
    rows, background = image.valid.raw[:4].copy(), image.train.raw[:8].copy()
    rows[:, 7], background[:, 7] = 0.25, 0.25
    assert (explain(network, rows, background, seconds=0.1).values[:, 7] == 0).all()


def test_the_factors_of_a_product_share_it_equally(image: Problem) -> None:
    network = candidate(image, Formula(lambda x: (x[:, [0]] * x[:, [8]]) * torch.ones(3).double()))
    rows, background = image.valid.raw[:5].copy(), np.tile(image.signal_encoder.mean, (1, 36)).astype(np.float32)
    rows[:, [i for i in range(36) if i not in (0, 8)]] = background[0, 0]
    found = explain(network, rows, background)
    assert found.values[:, 0] == pytest.approx(found.values[:, 8])
    assert found.values[:, 0] == pytest.approx(found.outputs / 2, abs=1e-6)


def test_sampled_values_are_as_near_as_their_errors_say(image: Problem) -> None:
    network = candidate(image, PlaceNetwork((1, 6, 6), 3, mean=False))
    rows, background = image.valid.raw[:3], image.train.raw[:4]
    rounds = list(itertools.islice(EXPLAINERS["cell_shap"].refine(network, rows, background, seed=1), 60))
    first, last = rounds[0], rounds[-1]
    assert last.passes == 60 * first.passes > 0
    assert last.margin < first.margin / 4
    for found in (first, last):
        assert found.residual <= 1e-9 * max(1.0, np.abs(found.outputs).max())
    distance = np.abs(rounds[5].values - last.values) / np.maximum(rounds[5].errors, 1e-12)
    assert np.mean(distance < 3) > 0.9


def test_maps_of_a_mean_head_add_up_to_the_output_minus_its_bias(image: Problem) -> None:
    for kind, shape in (("image", (1, 6, 6)), ("series", (2, 12))):
        for stride in (1, 2, 4):
            problem = problem_of(kind)
            module = PlaceNetwork(shape, 3, stride=stride)
            network = candidate(problem, module)
            found = explain(network, problem.valid.raw[:7], method="cam")
            assert found.residual <= 1e-6
            assert found.base == pytest.approx(module.linear.bias.detach().numpy())
            assert found.maps.sum((2, 3)) + found.base == pytest.approx(found.outputs)


def test_maps_are_where_the_activation_is(image: Problem) -> None:
    module = PlaceNetwork((1, 6, 6), 3)
    with torch.no_grad():
        module.conv.weight.zero_()
        module.conv.weight[:, 0, 1, 1] = 1.0  # every map is the image, negative values cut
        module.conv.bias.zero_()
    rows = np.full((1, 36), -9, np.float32)
    rows[0, 14] = 9.0
    found = explain(candidate(image, module), rows, method="cam")
    assert (np.flatnonzero(np.abs(found.values[0, :, 0]) > 1e-9) == [14]).all()
    assert (np.flatnonzero(np.abs(found.maps[0, 0].ravel()) > 1e-9) == [14]).all()


def test_grad_cam_is_cam_where_the_head_is_a_mean_and_a_line(image: Problem) -> None:
    network = candidate(image, PlaceNetwork((1, 6, 6), 3, stride=2))
    exact = explain(network, image.valid.raw[:5], method="cam")
    assert explain(network, image.valid.raw[:5], method="grad_cam").values == pytest.approx(exact.values, abs=1e-9)


def test_maps_need_a_head_or_places_that_allow_them(image: Problem) -> None:
    dense = candidate(image, PlaceNetwork((1, 6, 6), 3, mean=False))
    assert "not a mean over places" in EXPLAINERS["cam"].applies_to(dense).reason
    assert EXPLAINERS["grad_cam"].applies_to(dense).ok
    point = candidate(image, PlaceNetwork((1, 6, 6), 3, stride=6))
    assert "one place only" in EXPLAINERS["grad_cam"].applies_to(point).reason
    assert "one place only" in EXPLAINERS["cam"].applies_to(point).reason


def test_in_a_regression_values_are_in_the_unit_of_the_target() -> None:
    problem = problem_of(classes=0)
    network = candidate(problem, PlaceNetwork((1, 6, 6), 1))
    outputs = network.predict(problem.valid.raw)
    with torch.no_grad():
        raw = network.module(torch.from_numpy(problem.valid.E).double().reshape(-1, 1, 6, 6)).numpy()
    assert outputs == pytest.approx(raw * problem.target_sd + problem.target_mean)
    for method in ("cell_shap", "cam"):
        found = explain(network, problem.valid.raw[:3], problem.train.raw[:3], method=method, seconds=0.1)
        assert found.residual <= 1e-6 * abs(problem.target_mean)
        assert found.output_names == ("size",)


@given(st.integers(1, 40), st.integers(1, 40))
def test_spreading_keeps_every_share(places: int, size: int) -> None:
    weights = spread(places, size)
    assert weights.shape == (size, places)
    assert (weights >= 0).all()
    assert weights.sum(0) == pytest.approx(np.ones(places))
    if places == size:
        assert weights == pytest.approx(np.eye(size))
