"""Facts of image architectures against their modules: parameters, operations, fields, pairs; graph against both."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from image_examples import build, network, open_space, pixels, stage, weights_of
from torch import nn

from nas_core.data.signal import Signal, image_signal
from nas_core.records import Architecture
from nas_core.spaces import SearchSpace, facts, graph, image_space
from nas_core.spaces.image.rules import rules_of
from nas_core.spaces.image.structure import acting_together

SIGNALS = [image_signal(1, 8, 8), image_signal(3, 12, 9), pixels(5, 5), pixels(1, 6), pixels(2, 2), pixels(3, 7, 2)]


PRESETS = ["transparent", "balanced", "accurate", "lenet"]


def drawn(space: SearchSpace, seed: int) -> Architecture:
    return space.sample(np.random.default_rng(seed))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SIGNALS), st.sampled_from(PRESETS), st.integers(0, 10**6))
def test_module_graph_and_facts_agree(signal: Signal, preset: str, seed: int) -> None:
    space = image_space(signal, 3, preset)
    architecture = drawn(space, seed)
    module, known, picture = network(space, architecture), facts(space, architecture), graph(space, architecture)
    assert weights_of(module) == known.parameters
    seen: dict[str, tuple[int, ...]] = {}
    for name, data in picture.nodes(data=True):
        if data["module"]:
            part = module.get_submodule(data["module"])
            part.register_forward_hook(lambda m, i, o, name=name: seen.__setitem__(name, tuple(o.shape[1:])))
            assert weights_of(part) == data["parameters"]
    with torch.no_grad():
        outputs = module(torch.randn(2, *signal.encoded_shape, dtype=torch.float64))
    assert outputs.shape == (2, 3)
    assert seen == {name: tuple(d["shape"]) for name, d in picture.nodes(data=True) if d["module"]}
    assert all(data["group"] in {-1, *picture.graph["groups"]} for _, data in picture.nodes(data=True))
    assert all(module.get_submodule(name) is not None for name in module.layers)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SIGNALS), st.integers(0, 10**6))
def test_operations_are_those_the_layers_of_the_module_do(signal: Signal, seed: int) -> None:
    space = open_space(signal)
    architecture = drawn(space, seed)
    module = network(space, architecture)
    done = [0]
    for part in module.modules():
        part.register_forward_hook(lambda m, i, o: done.__setitem__(0, done[0] + operations_of(m, i, o)))
    with torch.no_grad():
        module(torch.randn(1, *signal.encoded_shape, dtype=torch.float64))
    assert facts(space, architecture).operations == done[0]


def operations_of(part: nn.Module, given: tuple[torch.Tensor, ...], made: torch.Tensor) -> int:
    """Count the slow way what one layer did for one image."""
    kind = type(part).__name__
    if isinstance(part, nn.Conv2d):
        return made.numel() * part.weight[0].numel()
    if isinstance(part, nn.Linear):
        return part.weight.numel()
    if isinstance(part, (nn.MaxPool2d, nn.AvgPool2d)):
        return made.numel() * int(part.kernel_size) ** 2
    if isinstance(part, nn.AdaptiveAvgPool2d):
        return given[0].numel()
    if kind == "ChannelSummary":
        return 2 * given[0].numel()
    functions = (nn.ReLU, nn.Sigmoid, nn.Tanh, nn.GELU, nn.SiLU, nn.Softplus, nn.BatchNorm1d, nn.BatchNorm2d)
    return made.numel() if isinstance(part, functions) or kind in ("Add", "Scale") else 0


@settings(max_examples=50, deadline=None)
@given(st.sampled_from([pixels(8, 8), pixels(9, 5), pixels(13, 13), pixels(1, 9)]), st.integers(0, 10**6))
def test_receptive_field_is_what_the_gradient_of_one_place_shows(signal: Signal, seed: int) -> None:
    space = open_space(signal)
    architecture = drawn(space, seed)
    module = network(space, architecture)
    images = torch.randn(1, *signal.encoded_shape, dtype=torch.float64, requires_grad=True)
    maps = module.features(images)
    height = width = 0
    for row, column in itertools.product(range(maps.shape[2]), range(maps.shape[3])):
        seen = structural_reach(module, images, row, column)
        rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
        height, width = max(height, rows[-1] - rows[0] + 1), max(width, columns[-1] - columns[0] + 1)
    assert facts(space, architecture).receptive_field == (height, width)


def structural_reach(module: Any, images: torch.Tensor, row: int, column: int) -> np.ndarray:
    """Return (H, W) whether a pixel reaches a place: gradients with smooth stand-ins, since a dead unit hides paths."""
    smooth = {nn.ReLU: nn.Softplus(), nn.MaxPool2d: None}
    swapped = []
    for name, part in list(module.named_modules()):
        owner = module.get_submodule(name.rpartition(".")[0]) if name else None
        if isinstance(part, nn.MaxPool2d):
            other: nn.Module = nn.AvgPool2d(
                part.kernel_size, part.stride, part.padding, part.ceil_mode, count_include_pad=False
            ).double()
        elif type(part) in smooth or isinstance(part, (nn.GELU, nn.SiLU)):
            other = nn.Softplus()
        else:
            continue
        swapped.append((owner, name.rpartition(".")[2], part))
        setattr(owner, name.rpartition(".")[2], other)
    (grad,) = torch.autograd.grad(module.features(images)[0, :, row, column].sum(), images)
    for owner, name, part in swapped:
        setattr(owner, name, part)
    return (grad[0].abs().sum(0) > 0).numpy()


PAIR_SIGNALS = [pixels(5, 5), pixels(8, 8, cell=2), pixels(7, 4), pixels(9, 9, cell=2), pixels(1, 9), pixels(6, 6, 2)]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(PAIR_SIGNALS), st.sampled_from(["transparent", "balanced"]), st.integers(0, 10**6))
def test_only_pairs_of_the_facts_interact(signal: Signal, preset: str, seed: int) -> None:
    """Random weights and steps: the mixed difference of any other pair is 0, that of nearly all of these is not."""
    space = open_space(signal, 2, preset)
    architecture = drawn(space, seed)
    found, expected = interacting(space, architecture, tries=4), expected_pairs(space, architecture)
    assert not (found & ~expected).any()
    assert expected.sum() == facts(space, architecture).pairs
    if len(architecture.values["stages"]) < 2:  # many bends in a row leave far pairs below the rounding
        assert found.sum() >= 0.8 * expected.sum()


CASES = [
    (pixels(5, 5), [stage("conv1-8", to="max")], {"activation": "identity"}),
    (pixels(5, 5), [stage("conv3-8", to="max")], {"activation": "identity"}),
    (pixels(7, 7), [stage("conv3-4", to="max"), stage("conv1-4", to="max")], {"activation": "identity"}),
    (pixels(6, 6), [stage("conv1-4", to="avg"), stage("conv1-4", to="max")], {"activation": "identity"}),
    (pixels(6, 6), [stage("conv1-4", to="avg"), stage("conv1-4", to="max")], {"activation": "softplus"}),
    (pixels(9, 9), [stage("conv3-4", to="max"), stage("conv3-4", to="max")], {"activation": "identity"}),
    (pixels(5, 5), [stage("conv3-8", to="max")], {"activation": "relu"}),
    (pixels(8, 8), [stage("conv3-8", "avg")], {"activation": "relu"}),
    (pixels(8, 8), [stage("conv3-8", to="avg"), stage("conv1-8")], {"activation": "tanh"}),
    (pixels(6, 6), [stage("conv3-8", "avg", "avg", to="avg")], {"activation": "identity"}),
    (pixels(6, 6), [stage("conv3-8")], {"activation": "identity", "head": "dense", "hidden_depth": 1}),
    (pixels(6, 6), [stage("conv3-8")], {"activation": "relu", "head": "dense"}),
    (pixels(6, 6), [stage("conv1-4", "se")], {"activation": "identity"}),
    (pixels(6, 6), [stage("conv1-4", "attention")], {"activation": "identity"}),
    (pixels(6, 6), [stage("max")], {}),
    (pixels(6, 6), [], {"head": "dense", "hidden_depth": 1}),
    (pixels(6, 6), [], {"head": "dense"}),
    (pixels(6, 6), [], {}),
    (pixels(8, 8), [stage("conv3-8", "conv3-8", to="conv-8")], {"connections": "dense", "normalisation": "batch"}),
]


@pytest.mark.parametrize(("signal", "stages", "scalars"), CASES)
def test_pairs_of_chosen_architectures(signal: Signal, stages: list[Any], scalars: dict[str, Any]) -> None:
    space = open_space(signal, 2)
    architecture = build(space, *stages, **scalars)
    found, expected = interacting(space, architecture), expected_pairs(space, architecture)
    assert (found == expected).all()
    assert found.sum() == facts(space, architecture).pairs


def test_a_linear_network_has_no_pairs_and_a_squeezed_one_all() -> None:
    space = open_space(image_signal(1, 8, 8))
    assert facts(space, build(space, stage("conv5-8", "avg"), activation="identity")).pairs == 0
    assert facts(space, build(space, stage("conv1-8", "se"))).pairs == 16 * 15 // 2
    assert facts(space, build(space, stage("conv1-8"))).pairs == 0  # 1×1 places lie inside one patch


def expected_pairs(space: SearchSpace, architecture: Architecture) -> np.ndarray:
    together = acting_together(rules_of(space), architecture.values)
    assert (together == together.T).all()
    return together[np.triu_indices(len(together), 1)]


def interacting(space: SearchSpace, architecture: Architecture, tries: int = 60) -> np.ndarray:
    """Return, for each pair of cells, whether a mixed finite difference is not 0 under some random weights."""
    signal = space.signal
    assert signal is not None
    expected = expected_pairs(space, architecture)
    P = signal.features
    owner = torch.from_numpy(np.array(signal.owner)).reshape(signal.shape)
    i, j = (torch.from_numpy(side) for side in np.triu_indices(P, 1))
    found = torch.zeros(len(i), dtype=torch.bool)
    for seed in range(tries):
        generator = torch.Generator().manual_seed(1000 + seed)
        module = network(space, architecture, seed, scale=2.0)
        base, step = (torch.randn(signal.shape, generator=generator, dtype=torch.float64) for _ in range(2))
        step = step.abs() * (10 if seed % 2 else -10)  # so that a maximum changes hands
        masks = torch.stack([owner == c for c in range(P)])
        with torch.no_grad():
            one, none = module(base + step * masks), module(base[None])
            two = module(base + step * (masks[i] | masks[j]))
        mixed = (two - one[i] - one[j] + none).abs().amax(1)
        found |= mixed > 1e-11 * torch.cat([one, none]).abs().amax()
        if (found.numpy() == expected).all():
            break
    return found.numpy()
