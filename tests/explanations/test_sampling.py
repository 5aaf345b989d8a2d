"""A group taken apart by features is still that group, and sampled Shapley values are what their errors say."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import numpy as np
import pytest
import torch
from toy_candidates import candidate_of

from nas_core.data import Problem, load_data
from nas_core.explanations import EXPLAINERS, TrainedCandidate, explain
from nas_core.explanations.group_shap import group_values
from nas_core.explanations.pieces import GroupPieces
from nas_core.explanations.sampling import PermutationSampler

Made = Callable[..., TrainedCandidate]
ALL = (0, 1, 2, 3, 4, 5)


@pytest.fixture(scope="module")
def wide() -> Problem:
    return Problem.create(load_data("breast_cancer"))


def banks(candidate: TrainedCandidate, rows: int = 20, against: int = 15) -> tuple[np.ndarray, np.ndarray]:
    problem = candidate.problem
    return candidate.bank(problem.valid.raw[:rows]), candidate.bank(problem.train.raw[:against])


def sampler_of(candidate: TrainedCandidate, rounds: int, seed: int = 0) -> PermutationSampler:
    sampler = PermutationSampler(GroupPieces(candidate, candidate.groups[0], *banks(candidate)), seed)
    for _ in range(rounds):
        sampler.round()
    return sampler


def without(candidate: TrainedCandidate, feature: int) -> None:
    """Cut every weight that leaves the columns of ``feature``."""
    network, span = candidate.module.groups[0], candidate.span(feature)
    with torch.no_grad():
        for linear in [network.layers[0].linear, *(r for name, r in network.reads.items() if name == "0")]:
            linear.weight[:, span] = 0


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"depth": 1, "activation": "relu"},
        {"connections": "dense", "normalisation": "layer", "activation": "gelu"},
        {"connections": "residual", "normalisation": "batch"},
        {"connections": "sparse", "encoding": "standardised"},
        {"marks": {"0": 1, "3": -1}, "depth": 3, "normalisation": "batch", "connections": "dense"},
    ],
    ids=lambda v: "-".join(map(str, v.values())) or "plain",
)
def test_a_mixture_of_pieces_is_the_group_on_mixed_columns(binary: Problem, values: dict) -> None:
    candidate = candidate_of(binary, ALL, **values)
    own, other = banks(candidate)
    pieces = GroupPieces(candidate, candidate.groups[0], own, other)
    mixed, inside = other[:15].copy(), [0, 3, 5]
    for j in inside:
        mixed[:, candidate.span(j)] = own[:15, candidate.span(j)]
    outside = np.isin(pieces.active, inside, invert=True)
    sums = pieces.own[~outside, :15].sum(0) + pieces.other[outside].sum(0) + pieces.fixed
    with torch.inference_mode():
        ours = (pieces.effect(sums) - pieces.effect(pieces.other.sum(0) + pieces.fixed)).numpy()
    # Dense connections also read the columns; their part of the difference is linear and stands in ``direct``.
    whole = candidate.group_effect(0, mixed) - candidate.group_effect(0, other[:15])
    if (through := candidate.module.groups[0].direct_readout()) is not None:
        ours = ours + (mixed - other[:15]) @ through.detach().numpy().T
    assert ours == pytest.approx(whole, abs=1e-10)


def test_sampled_values_are_as_near_to_the_exact_ones_as_their_errors_say(problem: Problem, made: Made) -> None:
    candidate = made(ALL)
    exact = group_values(candidate, candidate.groups[0], *banks(candidate))
    sampler = sampler_of(candidate, 12)
    off = (sampler.values - exact) / sampler.errors
    assert np.abs(off).max() < 4
    assert 0.8 < np.sqrt(np.mean(off**2)) < 1.2


def test_every_round_adds_up_exactly_and_makes_the_errors_smaller(problem: Problem, made: Made) -> None:
    candidate = made(ALL, connections="dense")
    own, other = banks(candidate)
    whole = candidate.group_effect(0, own) - candidate.group_effect(0, other).mean(0)
    sampler, errors = sampler_of(candidate, 0), []
    assert np.isinf(sampler.errors).all()
    for _ in range(16):
        sampler.round()
        assert np.abs(sampler.values.sum(1) - whole).max() <= 1e-11 * np.abs(whole).max()
        errors.append(np.sqrt(np.mean(sampler.errors**2)))
    assert errors[15] == pytest.approx(errors[0] / 4, rel=0.25)


@pytest.mark.parametrize("connections", ["full", "dense"])
def test_a_feature_without_weights_has_exactly_nothing(binary: Problem, connections: str) -> None:
    candidate = candidate_of(binary, ALL, connections=connections)
    without(candidate, 2)
    sampler = sampler_of(candidate, 3)
    assert (sampler.values[:, 2] == 0).all()
    assert (sampler.errors[:, 2] == 0).all()
    assert (sampler.errors[:, [0, 1, 3, 4, 5]] > 0).all()
    assert (group_values(candidate, candidate.groups[0], *banks(candidate))[:, 2] == 0).all()


def test_two_features_that_enter_alike_have_the_same_values(binary: Problem) -> None:
    candidate = candidate_of(binary, (0, 1, 2, 4), encoding="standardised")
    network, first, second = candidate.module.groups[0], candidate.span(0), candidate.span(1)
    own, other = banks(candidate)
    own[:, second], other[:, second] = own[:, first], other[:, first]
    with torch.no_grad():
        network.layers[0].linear.weight[:, second] = network.layers[0].linear.weight[:, first]
    sampler = PermutationSampler(GroupPieces(candidate, candidate.groups[0], own, other), 0)
    for _ in range(8):
        sampler.round()
    apart = np.abs(sampler.values[:, 0] - sampler.values[:, 1])
    assert (apart <= 4 * (sampler.errors[:, 0] + sampler.errors[:, 1])).all()
    assert apart.max() < 0.2 * np.abs(sampler.values[:, :2]).max()


def test_two_features_need_no_sampling_two_orders_are_all(binary: Problem) -> None:
    candidate = candidate_of(binary, (0, 1))
    sampler = sampler_of(candidate, 1)
    exact = group_values(candidate, candidate.groups[0], *banks(candidate))
    assert sampler.values == pytest.approx(exact, abs=1e-12)
    assert sampler.errors.max() < 1e-12


def test_the_seed_decides_the_orders_and_nothing_else(binary: Problem) -> None:
    candidate = candidate_of(binary, ALL)
    first, again, other = sampler_of(candidate, 6, 1), sampler_of(candidate, 6, 1), sampler_of(candidate, 6, 2)
    assert (first.values == again.values).all()
    assert (first.errors == again.errors).all()
    assert (first.values != other.values).any()
    apart = np.abs(first.values - other.values)
    assert (apart <= 4.5 * np.hypot(first.errors, other.errors)).all()


def test_refining_yields_shrinking_margins_and_stops_when_nobody_asks(wide: Problem) -> None:
    candidate = candidate_of(wide, tuple(range(15)), (20, 21))
    found = EXPLAINERS["mixed_shap"].refine(candidate, wide.valid.raw[:5], wide.train.raw[:10], seed=3)
    steps = list(islice(found, 6))
    margins = [a.margin for a in steps]
    assert margins[5] < margins[1] < margins[0]
    assert [a.passes for a in steps] == [(i + 1) * 4 * 14 * 5 * 10 for i in range(6)]
    assert all(a.errors is not None and (a.errors[:, [20, 21]] == 0).all() for a in steps)
    assert all(a.residual < 1e-10 for a in steps)
    assert steps[5].seconds < 1


def test_explaining_stops_when_the_values_are_good_or_when_the_time_is_over(wide: Problem) -> None:
    candidate = candidate_of(wide, tuple(range(15)))
    good = explain(candidate, wide.valid.raw[:3], wide.train.raw[:10])
    assert 0 < good.margin <= 0.01 * good.scale
    first = explain(candidate, wide.valid.raw[:3], wide.train.raw[:10], seconds=0)
    assert first.passes == 4 * 14 * 3 * 10
    assert first.margin > good.margin


def test_a_dense_candidate_agrees_with_the_shap_library(wide: Problem) -> None:
    candidate = candidate_of(wide, tuple(range(11)))
    rows, background = wide.valid.raw[:2], wide.train.raw[:8]
    ours = explain(candidate, rows, background)
    assert ours.method == "mixed_shap"
    assert ours.errors is not None
    used = slice(0, 11)
    exact = explain(candidate, rows, background, method="shap_exact")
    assert (np.abs(ours.values - exact.values)[:, used] <= 4 * ours.errors[:, used] + 1e-6).all()
    sampled = explain(candidate, rows, background, method="shap_permutation")
    assert np.abs(ours.values - sampled.values).max() <= 0.1 * ours.scale  # ten orders are noisy, and tell no error
