"""The module of a cell architecture: facts and graph hold for it, and equal stages compute the same."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from cell_oracle import CONV, OPERATIONS, POOL, SKIP, architecture, network, ops, tiny_space
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from nas_core.data.signal import image_signal
from nas_core.errors import SpaceError
from nas_core.spaces import CellConstraints, cell_space, facts, graph

DIGITS, PHOTOS = image_signal(1, 8, 8), image_signal(3, 21, 13)


def test_equal_stages_compute_the_same() -> None:
    """x + 2·pool(x) + pool²(x) once, and x + pool(x) twice, in the whole network with equal weights."""
    space = tiny_space(OPERATIONS, (1, 2))
    once = network(space, architecture(space, ["avg_pool_3x3"] * 3 + [SKIP] * 3, stages=2))
    x = torch.randn(3, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))

    def twice(maps: torch.Tensor) -> torch.Tensor:
        pool = nn.AvgPool2d(3, 1, 1, count_include_pad=False)
        maps = maps + pool(maps)
        return maps + pool(maps)

    maps = twice(once.stem(x))
    reductions = [b for b in once.blocks if hasattr(b, "shortcut")]
    assert len(reductions) == 1
    maps = twice(reductions[0](maps))
    torch.testing.assert_close(once.head(once.activation(once.norm(maps))), once(x))


def test_a_constant_cell_is_refused_with_the_reason_or_is_a_constant_network() -> None:
    space = cell_space(DIGITS, 10)
    with pytest.raises(SpaceError, match=r"allow_constant refuses.*gives zeros and the network is constant"):
        architecture(space, ops(e01=CONV))
    space = space.changed(constraints=CellConstraints(allow_constant=True))
    a = architecture(space, ops(e01=CONV), stages=2, repeats=2)
    assert a == architecture(space, ["none"] * 6, stages=2, repeats=1)
    known = facts(space, a)
    assert (known.used_features, known.pairs, known.receptive_field) == ((), 0, (0, 0))
    outputs = network(space, a)(torch.randn(4, 1, 8, 8, dtype=torch.float64))
    assert torch.equal(outputs, outputs[:1].expand_as(outputs))
    assert space.engine.describe(space, a.values).startswith("zeros")


@settings(max_examples=40, deadline=None)
@given(
    signal=st.sampled_from([DIGITS, PHOTOS, image_signal(2, 3, 5)]),
    preset=st.sampled_from(["balanced", "small", "nas_bench_201"]),
    seed=st.integers(0, 10**6),
)
def test_module_graph_and_facts_agree(signal: Any, preset: str, seed: int) -> None:
    space = cell_space(signal, 3, preset)
    a = space.sample(np.random.default_rng(seed))
    net, known, picture = network(space, a), facts(space, a), graph(space, a)
    assert sum(p.numel() for p in net.parameters()) == known.parameters
    seen: dict[str, torch.Tensor] = {}
    calls: list[str] = []
    for name, module in net.named_modules():
        assert not getattr(module, "inplace", False)
        module.register_forward_hook(_noted(name, calls, seen))
    x = torch.randn(2, *signal.shape, dtype=torch.float64)
    assert net(x).shape == (2, 3)
    assert len(calls) == len(set(calls))
    assert set(net.layers) <= set(seen)
    for _, node in picture.nodes(data=True):
        if node["module"]:
            assert tuple(seen[node["module"]].shape[1:]) == node["shape"]
            own = net.get_submodule(node["module"])
            if node["kind"] in ("conv", "norm", "readout"):
                assert sum(p.numel() for p in own.parameters()) == node["parameters"]
    assert set(picture.graph["groups"]) == {n["group"] for _, n in picture.nodes(data=True)} - {-1} | (
        {b for b, label in picture.graph["groups"].items() if a.values["cell"] == ops(e03=SKIP)}
    )


def _noted(name: str, calls: list[str], seen: dict[str, torch.Tensor]) -> Any:
    def note(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        calls.append(name)
        seen[name] = output

    return note


def counted_operations(net: nn.Module, x: torch.Tensor) -> int:
    """Return the operations by looking at what each torch module did; sums by their number of terms."""
    total = 0

    def watch(module: nn.Module, inputs: Any, output: Any) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += output[0].numel() * module.weight[0].numel()
        elif isinstance(module, nn.Linear):
            total += module.weight.numel()
        elif isinstance(module, nn.ReLU | nn.BatchNorm2d):
            total += output[0].numel()
        elif isinstance(module, nn.AvgPool2d):
            total += output[0].numel() * int(module.kernel_size) ** 2
        elif isinstance(module, nn.AdaptiveAvgPool2d):
            total += inputs[0][0].numel()
        elif type(module).__name__ == "Sum":
            total += output[0].numel() * (len(inputs) - 1)
        elif type(module).__name__ == "Reduction":
            total += output[0].numel()

    for module in net.modules():
        module.register_forward_hook(watch)
    net(x)
    return total


@settings(max_examples=25, deadline=None)
@given(signal=st.sampled_from([DIGITS, PHOTOS]), seed=st.integers(0, 10**6))
def test_operations_are_those_of_the_modules(signal: Any, seed: int) -> None:
    space = cell_space(signal, 3)
    a = space.sample(np.random.default_rng(seed))
    x = torch.randn(1, *signal.shape, dtype=torch.float64)
    assert counted_operations(network(space, a), x) == facts(space, a).operations


@pytest.mark.parametrize(
    "cell", [ops(e03=SKIP), ops(e03=POOL), ops(e03=CONV), ops(e01=CONV, e13=POOL, e03=SKIP), ops(e03="nor_conv_1x1")]
)
@pytest.mark.parametrize("stages", [1, 2])
def test_pairs_and_receptive_field_are_those_that_act(cell: list[str], stages: int) -> None:
    signal = image_signal(1, 9, 14)
    space = cell_space(signal, 1)
    a = architecture(space, cell, stages=stages)
    net, known = network(space, a, 3), facts(space, a)
    generator = torch.Generator().manual_seed(5)
    x, y = torch.randn(2, 80, 1, 9, 14, dtype=torch.float64, generator=generator)
    owner = torch.tensor(signal.owner.reshape(9, 14))
    start = net(x)
    alone = [net(torch.where(owner == one, y, x)) for one in range(signal.features)]
    found = 0
    for one, two in itertools.combinations(range(signal.features), 2):
        both = net(torch.where((owner == one) | (owner == two), y, x))
        found += float((both - alone[one] - alone[two] + start).abs().max()) > 1e-10 * float(start.abs().max())
    assert found == known.pairs
    maps = net.features(x)
    moved = torch.zeros(9, 14, dtype=torch.bool)
    for row, column in itertools.product(range(9), range(14)):
        other = x.clone()
        other[:, :, row, column] = y[:, :, row, column]
        middle = net.features(other)[..., maps.shape[2] // 2, maps.shape[3] // 2]
        moved[row, column] = not torch.equal(middle, maps[..., maps.shape[2] // 2, maps.shape[3] // 2])
    assert (int(moved.any(1).sum()), int(moved.any(0).sum())) == known.receptive_field


def test_map_weights_explain_the_output_exactly() -> None:
    space = cell_space(PHOTOS, 3)
    net = network(space, architecture(space, ops(e01=CONV, e13=CONV, e03=SKIP), stages=2))
    x = torch.randn(4, *PHOTOS.shape, dtype=torch.float64)
    exact = torch.einsum("cf,nfhw->nchw", net.map_weights, net.features(x)).mean((2, 3)) + net.readout.bias
    torch.testing.assert_close(exact, net(x))


def test_a_repeated_cell_is_a_group_with_its_own_words() -> None:
    space = cell_space(PHOTOS, 10)
    a = architecture(space, ops(e01=CONV, e13=CONV, e03=SKIP), stages=2, repeats=2)
    picture = graph(space, a)
    assert list(picture.graph["groups"].values()) == [
        "Stage 1: cell 1", "Stage 1: cell 2", "Stage 2: reduction", "Stage 2: cell 1", "Stage 2: cell 2",
    ]  # fmt: skip
    inside = [n["label"] for _, n in picture.nodes(data=True) if n["group"] == 1]
    assert sorted(inside) == ["3×3 convolution 0 → 2", "3×3 convolution 2 → 3", "Sum at node 3"]
    assert sum(e["skip"] for _, _, e in picture.edges(data=True)) == 4 + 1
    twice = graph(space, architecture(space, ops(e01=SKIP, e13=SKIP, e03=SKIP)))
    assert [n["label"] for _, n in twice.nodes(data=True) if n["kind"] == "identity"]
