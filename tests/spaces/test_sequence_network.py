"""The module of a sequence architecture: facts hold for it, padding never matters, attention is visible."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sequence_examples import PADDED, SERIES, TEXT, architecture, attention, conv, gru, limited, network, rows
from torch import nn

from nas_core.data.signal import Signal, sequence_signal
from nas_core.records import Architecture
from nas_core.spaces import Categorical, SearchSpace, facts, graph, sequence_space
from nas_core.spaces.layers import seed_dropout
from nas_core.spaces.sequence.blocks import SelfAttention, SequenceLayer, StepNorm, WeightedMean, Weights
from nas_core.spaces.sequence.network import Pooling

SIGNALS = (SERIES, PADDED, TEXT, sequence_signal(1, 1), sequence_signal(1, 9, padded=True))


def spaces() -> list[SearchSpace]:
    return [sequence_space(s, 3, p) for s in SIGNALS for p in ("transparent", "balanced", "accurate")]


@settings(max_examples=60, deadline=None)
@given(space=st.sampled_from(spaces()), seed=st.integers(0, 10**6))
def test_the_module_has_the_parameters_layers_and_shapes_of_facts_and_graph(space: SearchSpace, seed: int) -> None:
    a = space.sample(np.random.default_rng(seed))
    net: Any = network(space, a)
    known, picture = facts(space, a), graph(space, a)
    assert sum(p.numel() for p in net.parameters()) == known.parameters
    seen = {}
    for name, module in net.named_modules():
        module.register_forward_hook(lambda m, i, o, name=name: seen.setdefault(name, o))
    assert space.signal is not None
    x = rows(space.signal, 4)
    assert net(x).shape == (4, 3)
    assert set(net.layers) <= set(seen)
    for _, node in picture.nodes(data=True):
        if node["module"]:
            output, own = seen[node["module"]], net.get_submodule(node["module"])
            assert tuple(output.shape[1:]) == node["shape"]
            assert sum(p.numel() for p in own.parameters()) == node["parameters"] or node["kind"] == "add"
    assert set(picture.graph["groups"]) == {n["group"] for _, n in picture.nodes(data=True)} - {-1}


@settings(max_examples=40, deadline=None)
@given(space=st.sampled_from(spaces()), seed=st.integers(0, 10**6))
def test_every_module_is_used_at_most_once_and_nothing_works_in_place(space: SearchSpace, seed: int) -> None:
    net: Any = network(space, space.sample(np.random.default_rng(seed)))
    calls: dict[str, int] = {}
    for name, module in net.named_modules():
        assert not getattr(module, "inplace", False)
        module.register_forward_hook(lambda m, i, o, name=name: calls.update({name: calls.get(name, 0) + 1}))
    assert space.signal is not None
    x = rows(space.signal, 3)
    before = x.clone()
    net(x)
    assert torch.equal(x, before)
    assert set(calls.values()) == {1}


@settings(max_examples=60, deadline=None)
@given(signal=st.sampled_from([PADDED, TEXT]), seed=st.integers(0, 10**6), more=st.integers(1, 9))
def test_appending_padding_never_changes_the_output(signal: Signal, seed: int, more: int) -> None:
    space = sequence_space(signal, 2, "accurate")
    a = space.sample(np.random.default_rng(seed))
    if a.values["pooling"] == "flat":
        a = space.architecture({**a.values, "pooling": "attention"})
    net, x = network(space, a, seed), rows(signal, 5, seed)
    longer = torch.cat([x, x.new_zeros(*x.shape[:2], more)], dim=-1)
    torch.testing.assert_close(net(longer), net(x), rtol=1e-9, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(signal=st.sampled_from([PADDED, TEXT]), seed=st.integers(0, 10**6))
def test_a_short_sequence_is_read_as_by_the_network_for_its_length(signal: Signal, seed: int) -> None:
    space = sequence_space(signal, 2, "accurate")
    a = space.sample(np.random.default_rng(seed))
    if a.values["pooling"] in ("flat", "sum"):
        a = space.architecture({**a.values, "pooling": "last"})
    net, x = network(space, a, seed), rows(signal, 4, seed)
    for row in x:
        end = int((row[-1] != 0).sum())
        torch.testing.assert_close(net(row[None, :, :end]), net(row[None]), rtol=1e-9, atol=1e-9)


def test_an_empty_sequence_gives_a_number() -> None:
    for signal, pooling in itertools.product((PADDED, TEXT), ("mean", "sum", "last", "max", "attention", "flat")):
        space = sequence_space(signal, 2, "accurate")
        for layers in ([], [conv(8)], [gru(8, True)], [attention(8)]):
            net = network(space, architecture(space, layers, pooling=pooling))
            assert torch.isfinite(net(torch.zeros(2, *signal.encoded_shape, dtype=torch.float64))).all()


def seen_cells(net: nn.Module, signal: Signal) -> set[int]:
    """Return the cells that change an output when they are changed (the slow twin of ``used_features``)."""
    x, found = rows(signal, 400, 3), set()
    for cell in range(signal.features):
        other, steps = x.clone(), slice(cell * signal.cell[1], (cell + 1) * signal.cell[1])
        other[..., steps] = rows(signal, 400, 4)[..., steps]
        if not torch.allclose(net(x), net(other), rtol=1e-9, atol=1e-11):
            found.add(cell)
    return found


def acting_pairs(net: nn.Module, signal: Signal) -> set[tuple[int, int]]:
    """Return the pairs of cells with a second difference that is not 0 (the slow twin of ``pairs``)."""
    found, owner = set(), torch.tensor(signal.owner.reshape(signal.channels, -1)[0])
    many = 400 if getattr(net, "pooling", "") == "max" else 30
    x, y = rows(signal, many, 1), rows(signal, many, 2)
    scale = float(net(x).abs().max())
    for a, b in itertools.combinations(range(signal.features), 2):
        one, two = owner == a, owner == b
        mixed = sum(
            sign * net(torch.where(chosen, y, x))
            for sign, chosen in ((1, one | two), (-1, one), (-1, two), (1, torch.zeros_like(one)))
        )
        if float(torch.as_tensor(mixed).abs().max()) > 1e-9 * scale:
            found.add((a, b))
    return found


CASES: list[tuple[list[dict[str, Any]], dict[str, Any]]] = [
    ([], {"pooling": "mean"}), ([], {"pooling": "flat"}), ([], {"pooling": "last"}), ([], {"pooling": "max"}),
    ([], {"pooling": "attention"}),
    ([conv(8, 3)], {}), ([conv(8, 3)], {"pooling": "last"}), ([conv(8, 5)], {"pooling": "flat"}),
    ([conv(8, 3, 4)], {}), ([conv(8, 3, 4)], {"pooling": "last"}),
    ([conv(8, 3, 2), conv(8, 3, 4)], {"connections": "residual"}),
    ([conv(8, 5), conv(16, 3)], {"activation": "silu", "normalisation": "batch"}),
    ([conv(8, 5), conv(8, 3)], {"activation": "identity"}),
    ([conv(8, 3)], {"activation": "identity", "normalisation": "layer"}),
    ([conv(8, 3)], {"activation": "identity", "normalisation": "batch", "pooling": "last"}),
    ([conv(8, 3)], {"activation": "identity", "pooling": "max"}),
    ([gru(8)], {}), ([gru(8)], {"pooling": "last"}), ([gru(8, True, "lstm")], {"pooling": "flat"}),
    ([attention(8, 2)], {}), ([conv(8), attention(8)], {"pooling": "last"}),
]  # fmt: skip


@pytest.mark.parametrize(("layers", "changes"), CASES)
@pytest.mark.parametrize("signal", [sequence_signal(2, 13), sequence_signal(1, 40)])
def test_used_features_and_pairs_are_those_that_act(
    signal: Signal, layers: list[dict[str, Any]], changes: dict[str, Any]
) -> None:
    space = sequence_space(signal, 1, "accurate")
    activation = Categorical(name="activation", choices=("relu", "silu", "identity"))
    space = space.changed(variables=tuple(activation if v.name == "activation" else v for v in space.variables))
    a = architecture(space, layers, activation="silu", **{k: v for k, v in changes.items() if k != "activation"})
    if "activation" in changes:
        a = space.architecture({**a.values, "activation": changes["activation"]})
    net, known = network(space, a, 5), facts(space, a)
    assert seen_cells(net, signal) == set(known.used_features)
    assert len(acting_pairs(net, signal)) == known.pairs


@pytest.mark.parametrize(
    ("layers", "pooling", "additive"),
    [
        ([], "sum", True), ([], "flat", True), ([], "mean", False), ([], "last", False), ([], "max", False),
        ([conv(8, 3)], "sum", False), ([conv(8, 3)], "flat", False), ([conv(8, 3)], "mean", False),
    ],
)  # fmt: skip
def test_where_lengths_differ_pairs_act_through_what_is_there(
    layers: list[dict[str, Any]], pooling: str, additive: bool
) -> None:
    signal = sequence_signal(1, 9, padded=True)
    space = sequence_space(signal, 1, "accurate")
    a = architecture(space, layers, pooling=pooling, activation="silu")
    found = acting_pairs(network(space, a, 2), signal)
    assert len(found) <= facts(space, a).pairs
    assert (found == set()) == additive == (facts(space, a).pairs == 0)


def test_attention_weights_sum_to_one_skip_padding_and_are_what_is_used() -> None:
    for signal in (PADDED, TEXT, SERIES):
        space = sequence_space(signal, 2, "accurate")
        net: Any = network(space, architecture(space, [attention(8, 2), conv(8)], pooling="attention"))
        x = rows(signal, 5)
        weights = net.attention_weights(x)
        assert tuple(weights) == net.visible == ("stack.0.mixer.weights", "pool.attention.weights")
        steps = signal.shape[-1]
        assert weights["stack.0.mixer.weights"].shape == (5, 2, steps, steps)
        assert weights["pool.attention.weights"].shape == (5, steps)
        for w in weights.values():
            torch.testing.assert_close(w.sum(-1), torch.ones_like(w.sum(-1)))
        if signal is not SERIES:
            gone = x[:, -1] == 0
            assert gone.any()
            assert float(weights["pool.attention.weights"][gone].abs().max()) == 0.0
            assert float(weights["stack.0.mixer.weights"].mean((1, 2))[gone].abs().max()) == 0.0
        maps = net.features(x)
        maps = maps[:, :-1] if net.pool.told else maps
        pooled = torch.einsum("nfl,nl->nf", maps, weights["pool.attention.weights"])
        torch.testing.assert_close(net.readout(pooled), net(x))


def test_attention_reads_where_a_step_is() -> None:
    space = sequence_space(SERIES, 2, "accurate")
    net = network(space, architecture(space, [attention(8, 2)]))
    x = rows(SERIES, 4)
    assert not torch.allclose(net(x), net(x.flip(-1)))


def test_reading_both_ways_turns_with_the_sequence() -> None:
    space = sequence_space(SERIES, 2, "accurate")
    net: Any = network(space, architecture(space, [gru(8, True)]))
    mixer = net.stack[0].mixer
    mixer.backwards.load_state_dict(mixer.forwards.state_dict())
    x = rows(SERIES, 4)
    forwards, backwards = mixer(x, None).split(8, dim=1)
    turned_forwards, turned_backwards = mixer(x.flip(-1), None).split(8, dim=1)
    torch.testing.assert_close(forwards, turned_backwards.flip(-1))
    torch.testing.assert_close(backwards, turned_forwards.flip(-1))


def test_map_weights_explain_the_output_exactly() -> None:
    for signal, pooling in itertools.product((SERIES, PADDED, TEXT), ("mean", "sum")):
        if signal is SERIES and pooling == "sum":
            continue
        space = sequence_space(signal, 3, "accurate")
        net: Any = network(space, architecture(space, [conv(8), gru(8)], pooling=pooling))
        x = rows(signal, 4)
        exact = torch.einsum("cf,nfl->nc", net.map_weights, net.features(x)) / signal.shape[-1] + net.readout.bias
        torch.testing.assert_close(exact, net(x))
    space = sequence_space(SERIES, 3)
    assert network(space, architecture(space, [conv(8)], pooling="max")).map_weights is None


def test_step_norm_is_batch_norm_and_leaves_padding_out() -> None:
    ours, theirs = StepNorm(4), nn.BatchNorm1d(4)
    x = torch.randn(6, 4, 10, generator=torch.Generator().manual_seed(0)) * 3 + 1
    torch.testing.assert_close(ours(x, None), theirs(x))
    torch.testing.assert_close(ours.running_mean, theirs.running_mean)
    torch.testing.assert_close(ours.running_var, theirs.running_var)
    torch.testing.assert_close(ours.eval()(x, None), theirs.eval()(x))
    padded = torch.cat([x, torch.full((6, 4, 5), 100.0)], dim=-1)
    present = (torch.arange(15) < 10).float().expand(6, 1, 15)
    fresh, longer = StepNorm(4), StepNorm(4)
    torch.testing.assert_close(longer(padded, present)[..., :10], fresh(x, None))
    torch.testing.assert_close(longer.running_var, fresh.running_var)


def test_dropout_is_repeatable_and_off_in_prediction() -> None:
    space = sequence_space(SERIES, 2, "accurate")
    net = network(space, architecture(space, [conv(8), gru(8)], dropout=0.5))
    x = rows(SERIES, 4)
    torch.testing.assert_close(net(x), net(x), rtol=0, atol=0)
    net.train()
    outputs = []
    for seed in (1, 1, 2):
        seed_dropout(net, seed, torch.device("cpu"))
        outputs.append(net(x))
    assert torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[0], outputs[2])


def counted_operations(net: nn.Module, x: torch.Tensor, a: Architecture) -> int:
    """Return the operations by looking at what each torch module did (the slow twin of the plan's formulas)."""
    total = 0

    def watch(module: nn.Module, inputs: Any, output: Any) -> None:
        nonlocal total
        if isinstance(module, nn.Conv1d):
            total += output[0].numel() * module.weight[0].numel()
        elif isinstance(module, nn.Linear):
            total += output[0].numel() * module.in_features
        elif isinstance(module, nn.GRU | nn.LSTM):
            gates, functions, products = (3, 3, 3) if isinstance(module, nn.GRU) else (4, 5, 3)
            each = gates * module.hidden_size * (module.input_size + module.hidden_size)
            total += inputs[0].shape[1] * (each + (functions + products) * module.hidden_size)
        elif isinstance(module, nn.ReLU | nn.SiLU | StepNorm):
            total += output[0].numel()
        elif isinstance(module, nn.LayerNorm):
            total += 3 * output[0].numel()
        elif isinstance(module, Weights):
            total += output[0].numel()
        elif isinstance(module, SelfAttention):
            total += 2 * module.out.in_features * x.shape[-1] ** 2
        elif isinstance(module, SequenceLayer) and module.residual:
            total += output[0].numel()
        elif isinstance(module, WeightedMean) or (isinstance(module, Pooling) and module.name in ("mean", "max")):
            total += inputs[0][0].numel()

    for module in net.modules():
        module.register_forward_hook(watch)
    net(x)
    return total


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_operations_are_those_of_the_modules(seed: int) -> None:
    space = sequence_space(SERIES, 3, "accurate")
    activation = Categorical(name="activation", choices=("relu", "silu"))
    space = space.changed(variables=tuple(activation if v.name == "activation" else v for v in space.variables))
    a = space.sample(np.random.default_rng(seed))
    assert counted_operations(network(space, a), rows(SERIES, 2), a) == facts(space, a).operations


def test_a_line_for_a_person() -> None:
    space = limited(TEXT)
    a = architecture(space, [conv(16, 5, 2), gru(8, True)], normalisation="batch", dropout=0.25, pooling="last")
    assert space.engine.describe(space, a.values) == (
        "embedding 16 · conv 5/2 × 16 → GRU 8 both ways · last pooling · relu · batch norm · dropout 0.25 · adam 0.01"
    )
    assert space.engine.describe(space, architecture(space, []).values).startswith("embedding 16 · linear · mean")
