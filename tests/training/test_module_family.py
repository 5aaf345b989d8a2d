"""The readable module: monotone by construction, no leaks between features and groups, parameters as counted."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from training_samples import Variant, make_problem, make_space, sampled

from nas_core.data import Problem
from nas_core.errors import SpaceError
from nas_core.records import Architecture
from nas_core.spaces import SearchSpace, facts
from nas_core.spaces.tabular.layout import network_layout
from nas_core.spaces.tabular.module import FeatureGroupNetwork, build, initial_values
from nas_core.spaces.tabular.noise import drop_threshold, keep_mask, row_keys, unit_keys

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def randomised(module: FeatureGroupNetwork, seed: int) -> FeatureGroupNetwork:
    """Replace every parameter and statistic by random ones: nothing may rest on how training starts."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
        for name, values in module.named_buffers():
            if name.endswith("running_mean"):
                values.copy_(torch.randn(values.shape, generator=generator))
            if name.endswith("running_var"):
                values.copy_(torch.rand(values.shape, generator=generator) + 0.1)
    return module.eval().double()


@QUICK
@given(
    seed=st.integers(0, 2**31),
    activation=st.sampled_from(["relu", "sigmoid", "tanh", "softplus", "identity"]),
    connections=st.sampled_from(["full", "sparse", "residual", "dense"]),
    normalisation=st.sampled_from(["none", "batch"]),
    encoding=st.sampled_from(["standardised", "quantile", "piecewise"]),
    depth=st.integers(1, 4),
    width=st.sampled_from([2, 4, 16]),
    marks=st.fixed_dictionaries({"0": st.sampled_from([-1, 1])}, optional={"1": st.just(1), "7": st.just(-1)}),
)
def test_marked_features_are_monotone_whatever_the_weights(
    problem: Problem, variant: Variant, seed: int, marks: dict[str, int], **values: object
) -> None:
    module = randomised(build(variant(marks=marks, **values), problem.encoder, 1), seed)
    rows = np.random.default_rng(seed).integers(0, len(problem.valid), 6)
    for name, sign in marks.items():
        grid = np.quantile(problem.train.X[:, int(name)], np.linspace(0, 1, 25))
        X = np.repeat(problem.valid.X[rows], len(grid), axis=0)
        X[:, int(name)] = np.tile(grid, len(rows))
        with torch.no_grad():
            f = module(torch.from_numpy(problem.encoder.transform(X)).double()).view(len(rows), len(grid)).numpy()
        steps = sign * np.diff(f, axis=1)
        assert steps.min() >= -1e-9 * (1 + np.abs(f).max())


@QUICK
@given(seed=st.integers(0, 2**31), index=st.integers(0, 19))
def test_unused_features_have_no_influence_and_groups_do_not_interact(
    problem: Problem, space: SearchSpace, seed: int, index: int
) -> None:
    architecture = sampled(space, 20, seed=8)[index]
    module = randomised(build(architecture, problem.encoder, 1), seed)
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, len(problem.valid), (2, 12))
    X, Z = problem.valid.X[first], problem.valid.X[second]

    def outputs(*features: int) -> np.ndarray:
        mixed = X.copy()
        mixed[:, list(features)] = Z[:, list(features)]
        with torch.no_grad():
            return module(torch.from_numpy(problem.encoder.transform(mixed)).double()).numpy()

    groups = [g["features"] for g in architecture.values["groups"]]
    used = {j for g in groups for j in g}
    assert np.array_equal(outputs(), outputs(*(set(range(problem.P)) - used)))
    scale = 1 + np.abs(outputs()).max()
    for a, b in pairwise(groups):
        second_difference = outputs(a[0], b[0]) - outputs(a[0]) - outputs(b[0]) + outputs()
        assert np.abs(second_difference).max() <= 1e-9 * scale


@pytest.mark.parametrize("name", ["breast_cancer", "wine", "diabetes"])
def test_parameters_are_those_the_space_counts(name: str) -> None:
    problem, space = make_problem(name), make_space(name)
    for architecture in sampled(space, 60, seed=2):
        layout = network_layout(architecture, problem.encoder, problem.C)
        module = build(architecture, problem.encoder, problem.C)
        masked = layout.size - layout.parameters
        assert layout.parameters == facts(space, architecture).parameters, architecture.values
        assert sum(p.numel() for p in module.parameters()) - masked == layout.parameters
        assert {b.name for b in layout.blocks} == set(dict(module.named_parameters()))


def test_sparse_layers_keep_half_of_the_inputs_of_every_unit(problem: Problem, variant: Variant) -> None:
    layout = network_layout(variant(connections="sparse", width=16), problem.encoder, 1)
    masks = [block.mask for block in layout.blocks if block.mask is not None]
    assert len(masks) == 4
    assert all((mask.sum(1) == 8).all() for mask in masks)
    assert not np.array_equal(masks[0], masks[1])


def test_initial_weights_depend_on_the_seed_alone(problem: Problem, variant: Variant) -> None:
    layout = network_layout(variant(), problem.encoder, 1)
    torch.manual_seed(1)
    first = initial_values(layout, 5)
    torch.manual_seed(2)
    assert torch.equal(first, initial_values(layout, 5))
    assert not torch.equal(first, initial_values(layout, 6))


def test_group_effects_and_the_bias_sum_to_the_output(problem: Problem, variant: Variant) -> None:
    module = randomised(build(variant(), problem.encoder, 1), 3)
    E = torch.from_numpy(problem.valid.E).double()
    with torch.no_grad():
        assert torch.allclose(module.group_effects(E).sum(1) + module.bias, module(E), atol=1e-9)


def test_another_family_is_refused(problem: Problem) -> None:
    with pytest.raises(SpaceError, match="Allowed: tabular"):
        build(Architecture(family="image", values={}), problem.encoder, 1)


def worst_correlation(matrix: np.ndarray) -> float:
    return float(np.abs(np.corrcoef(matrix)[np.triu_indices(len(matrix), 1)]).max())


@pytest.mark.parametrize("p", [0.05, 0.3, 0.5])
def test_dropout_noise_is_fair_and_unstructured(p: float) -> None:
    units = torch.from_numpy(np.stack([unit_keys(3, g, 1, 64) for g in range(4)])).view(-1, 1)
    rows = torch.from_numpy(np.concatenate([row_keys(0, step, 64) for step in range(64)]))
    keep = keep_mask(units, rows, drop_threshold(p)).numpy().astype(float)
    n = keep.size
    assert abs(keep.mean() - (1 - p)) < 5 * np.sqrt(p * (1 - p) / n)
    random = (np.random.default_rng(0).random(keep.shape) >= p).astype(float)
    assert worst_correlation(keep) < 1.3 * worst_correlation(random)
    assert worst_correlation(keep.T[:256]) < 1.3 * worst_correlation(random.T[:256])
    # products over the corners of rectangles (two units, two rows) show what the sum of two keys would leave
    z = keep - keep.mean()
    corners = z[:-1, :-1] * z[1:, :-1] * z[:-1, 1:] * z[1:, 1:]
    assert abs(corners.mean()) < 6 * corners.std() / np.sqrt(corners.size)
