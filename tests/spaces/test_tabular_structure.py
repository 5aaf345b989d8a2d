"""Structural facts against the network itself: counted parameters, and claims checked on random weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from space_examples import WIDTHS, example_hints, example_space, features

from nas_core.records import Architecture
from nas_core.spaces import SearchSpace, facts, graph
from nas_core.spaces.tabular.rules import rules_of
from nas_core.spaces.tabular.structure import group_cost

torch = pytest.importorskip("torch")


class Bank:
    """Columns of every feature under one encoding at a time, as an encoder lays them out."""

    def __init__(self, space: SearchSpace, encoding: str) -> None:
        counts = [f.columns[encoding] for f in space.features]
        flags = [[True] * f.monotone_columns[encoding] for f in space.features]
        padded = [m + [False] * (n - len(m)) for m, n in zip(flags, counts, strict=True)]
        self.starts = np.concatenate([[0], np.cumsum(counts)])
        self.monotone = np.array([flag for part in padded for flag in part])
        self.D = int(self.starts[-1])

    def columns(self, encoding: str, feature: int, /) -> np.ndarray:
        return np.arange(self.starts[feature], self.starts[feature + 1])


def network(space: SearchSpace, a: Architecture, seed: int) -> tuple[Any, Bank]:
    """Return the module in double precision with random weights of all signs, ready to predict."""
    from nas_core.spaces.tabular.module import build

    bank = Bank(space, a.values["encoding"])
    module = build(a, bank, space.outputs, seed=seed).double().eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return module, bank


def drawn(count: int, outputs: int = 1) -> Iterator[tuple[SearchSpace, Architecture, int]]:
    space = example_space(6, outputs)
    for seed in range(count):
        yield space, space.sample(np.random.default_rng(seed)), seed


@pytest.mark.parametrize("outputs", [1, 3])
def test_parameters_are_those_of_the_network(outputs: int) -> None:
    for space, a, seed in drawn(120, outputs):
        module, _ = network(space, a, seed)
        masked = sum(int((b == 0).sum()) for n, b in module.named_buffers() if n.endswith(".mask"))
        assert facts(space, a).parameters == sum(p.numel() for p in module.parameters()) - masked


def weights_of(module: Any) -> int:
    """Return the number of weights that one prediction multiplies."""
    counted = 0
    for name, parameter in module.named_parameters():
        if parameter.ndim == 2:
            mask = dict(module.named_buffers()).get(name.removesuffix("weight") + "mask")
            counted += parameter.numel() if mask is None else int(mask.sum())
    return counted


def test_operations_are_weights_and_function_evaluations() -> None:
    for space, a, seed in drawn(120):
        module, _ = network(space, a, seed)
        values = a.values
        hidden = sum(not g["linear"] for g in values["groups"]) * values["depth"] * values["width"]
        per_unit = {"none": 0, "batch": 1, "layer": 3}[values["normalisation"]] + (values["activation"] != "identity")
        sums = hidden - hidden // max(1, values["depth"]) if values["connections"] == "residual" else 0
        assert facts(space, a).operations == weights_of(module) + hidden * per_unit + sums


def test_unused_features_have_no_influence() -> None:
    for space, a, seed in drawn(40):
        module, bank = network(space, a, seed)
        x = torch.randn(16, bank.D, dtype=torch.float64)
        other = x.clone()
        for j in set(range(6)) - set(facts(space, a).used_features):
            other[:, bank.starts[j] : bank.starts[j + 1]] = torch.randn(16, 1, dtype=torch.float64) * 1e3
        assert torch.equal(module(x), module(other))


def test_features_outside_a_pair_do_not_interact() -> None:
    """f(u,v) − f(u',v) − f(u,v') + f(u',v') = 0 for every pair of features that the facts do not count."""
    for space, a, seed in drawn(20):
        module, bank = network(space, a, seed)
        x, y = torch.randn(2, 8, bank.D, dtype=torch.float64)
        groups = [set(g["features"]) for g in a.values["groups"] if not g["linear"]]
        counted = 0
        for one in range(6):
            for two in range(one):
                if facts(space, a).pairs and any({one, two} <= g for g in groups):
                    counted += 1
                    continue
                assert mixed_difference(module, bank, x, y, one, two) < 1e-9
        assert facts(space, a).pairs == counted


def mixed_difference(module: Any, bank: Bank, x: Any, y: Any, one: int, two: int) -> float:
    def at(*changed: int) -> Any:
        moved = x.clone()
        for j in changed:
            moved[:, bank.starts[j] : bank.starts[j + 1]] = y[:, bank.starts[j] : bank.starts[j + 1]]
        with torch.no_grad():
            return module(moved)

    corners = (at(), at(one), at(two), at(one, two))
    scale = 1 + max(float(c.abs().max()) for c in corners)
    return float((corners[0] - corners[1] - corners[2] + corners[3]).abs().max()) / scale


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_certified_features_are_monotone_for_any_weights(seed: int) -> None:
    space = example_space(6)
    rng = np.random.default_rng(seed)
    a = space.sample(rng, example_hints(6, seed))
    module, bank = network(space, a, seed)
    for j, sign in facts(space, a).certified.items():
        span = slice(bank.starts[j], bank.starts[j] + space.features[j].monotone_columns[a.values["encoding"]])
        low = torch.from_numpy(rng.normal(size=(32, bank.D)) * 2)
        high = low.clone()
        high[:, span] += torch.from_numpy(
            rng.exponential(size=(32, 1)) * rng.integers(0, 2, size=(32, bank.D))[:, span]
        )
        change = (module(high) - module(low)).detach().numpy()
        slack = 1e-9 * (1 + np.abs(change).max())
        rises, falls = (change >= -slack).all(), (change <= slack).all()
        assert rises if sign == 1 else falls if sign == -1 else rises or falls


def test_a_linear_feature_on_one_column_is_certified_and_others_are_not() -> None:
    space = example_space(6)  # f3 is categorical, f4 has a missing indicator

    def certified(encoding: str, activation: str | None = None, norm: str = "none") -> dict[int, int]:
        base = space.sample(np.random.default_rng(0)).values
        groups = [{"features": [j], "linear": activation is None} for j in (0, 3, 4)]
        hidden = {"depth": 1, "width": 4, "activation": activation or "identity", "normalisation": norm}
        values = {**base, **hidden, "connections": "full", "dropout": 0.0, "marks": {}}
        return facts(space, space.architecture({**values, "groups": groups, "encoding": encoding})).certified

    assert certified("standardised") == certified("quantile") == {0: 0}
    assert certified("piecewise") == certified("periodic") == {}
    assert certified("standardised", "identity") == certified("standardised", "identity", "batch") == {0: 0}
    assert certified("standardised", "identity", "layer") == certified("standardised", "relu") == {}


@pytest.mark.parametrize("preset", ["transparent", "balanced", "accurate"])
def test_max_operations_bounds_every_sample_and_is_reached(preset: str) -> None:
    space = example_space(6, preset=preset)
    top = facts(space, space.sample(np.random.default_rng(0))).max_operations
    most = 0
    base = space.sample(np.random.default_rng(0)).values
    wanted = {n: space.by_name[n].choices for n in ("activation", "connections", "normalisation", "encoding")}
    groups = [{"features": [j], "linear": False} for j in range(6)]
    depth, width = space.by_name["depth"].high, max(space.by_name["width"].choices)
    for activation in wanted["activation"]:
        for connections in wanted["connections"]:
            for norm in wanted["normalisation"]:
                for encoding in wanted["encoding"]:
                    values = {**base, "groups": groups, "marks": {}, "depth": depth, "width": width, "dropout": 0.0}
                    kinds = {"activation": activation, "connections": connections, "normalisation": norm}
                    a = space.architecture({**values, **kinds, "encoding": encoding})
                    most = max(most, facts(space, a).operations)
    assert top == most
    assert all(facts(space, space.sample(np.random.default_rng(s))).operations <= top for s in range(200))


def test_max_operations_follows_the_limits() -> None:
    def most(**limits: Any) -> int:
        space = example_space(6, **limits)
        return facts(space, space.sample(np.random.default_rng(0))).max_operations

    free = most()
    assert most(max_operations=50) == 50
    assert most(max_features=2) < free
    assert most(max_groups=1) < free
    assert most(max_depth=0) == max(sum(f.columns[e] for f in features(6)) for e in WIDTHS)


def test_cost_of_a_group_is_affine_in_its_columns() -> None:
    for connections in ("full", "dense", "sparse", "residual"):
        costs = [group_cost(d, 2, 8, 3, "relu", connections, "layer") for d in (0, 1, 7)]
        for part in ("parameters", "operations"):
            zero, one, seven = (getattr(c, part) for c in costs)
            assert seven == zero + 7 * (one - zero)


def test_graph_names_features_marks_groups_and_skips() -> None:
    space = example_space(6)
    base = space.sample(np.random.default_rng(0)).values
    a = space.architecture(
        {
            **base, "groups": [{"features": [0, 1], "linear": False}, {"features": [2], "linear": True}],
            "marks": {"0": -1, "2": 1}, "depth": 2, "width": 4, "activation": "relu", "connections": "residual",
            "normalisation": "batch", "dropout": 0.2, "encoding": "piecewise",
        }
    )  # fmt: skip
    picture = graph(space, a)
    nodes = dict(picture.nodes(data=True))
    assert nodes["feature0"]["label"] == "f0 ↓"
    assert nodes["feature1"]["label"] == "f1"
    assert nodes["feature2"]["label"] == "f2 ↑"
    assert nodes["group0.layer1.linear"]["label"] == "Dense 8 → 4"
    assert nodes["group0.layer2.norm"]["shape"] == (4,)
    assert nodes["output"]["features"] == (0, 1, 2)
    assert {n["group"] for n in nodes.values()} == {-1, 0, 1}
    skips = [(u, v) for u, v, skip in picture.edges(data="skip") if skip]
    assert skips == [("group0.layer1.dropout", "group0.layer2.add")]
    assert [k for n in nodes if n.startswith("group0.layer2") for k in [nodes[n]["kind"]]] == [
        "linear", "norm", "activation", "dropout", "add",
    ]  # fmt: skip


def test_dense_graph_reads_the_input_and_every_layer() -> None:
    space = example_space(6)
    rng = np.random.default_rng(0)
    a = next(a for a in (space.sample(rng) for _ in range(500)) if a.values["connections"] == "dense")
    index = next(i for i, g in enumerate(a.values["groups"]) if not g["linear"])
    sources = set(graph(space, a).predecessors(f"group{index}.read"))
    assert {f"feature{j}" for j in a.values["groups"][index]["features"]} <= sources
    assert len(sources) == len(a.values["groups"][index]["features"]) + a.values["depth"]


def test_rules_count_columns_of_every_encoding() -> None:
    rules = rules_of(example_space(6))
    assert rules.columns["piecewise"] == (4, 4, 4, 3, 5, 4)
    assert rules.markable["piecewise"] == (True, True, True, False, True, True)
    assert not any(rules.markable["periodic"])
