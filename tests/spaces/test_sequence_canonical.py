"""What does not matter to a sequence network does not tell two of them apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sequence_examples import SERIES, TEXT, architecture, attention, conv, gru, network, rows

from nas_core.data.signal import sequence_signal
from nas_core.spaces import Categorical, SequenceLayers, sequence_space
from nas_core.spaces.sequence.rules import rules_of


@pytest.mark.parametrize(
    ("layers", "one", "two"),
    [
        ([gru(8)], {"activation": "relu"}, {"activation": "tanh"}),
        ([attention(8)], {"activation": "relu"}, {"activation": "gelu"}),
        ([conv(8)], {"connections": "plain"}, {"connections": "residual"}),
        ([conv(8), conv(16), conv(8)], {"connections": "plain"}, {"connections": "residual"}),
        ([], {"normalisation": "batch", "dropout": 0.3}, {"normalisation": "none", "dropout": 0.0}),
        ([], {"activation": "relu", "connections": "residual"}, {"activation": "silu"}),
    ],
)
def test_what_means_nothing_is_not_told_apart(
    layers: list[dict[str, Any]], one: dict[str, Any], two: dict[str, Any]
) -> None:
    space = sequence_space(SERIES, 2, "accurate")
    a, b = architecture(space, layers, **one), architecture(space, layers, **two)
    assert a.id == b.id
    wider = network(space, b, 3)
    x = rows(SERIES, 3)
    assert (network(space, a, 3)(x) == wider(x)).all()


@pytest.mark.parametrize(
    ("layers", "one", "two"),
    [
        ([conv(8), gru(8)], {"activation": "relu"}, {"activation": "tanh"}),
        ([conv(8), conv(8)], {"connections": "plain"}, {"connections": "residual"}),
        ([gru(8), gru(8)], {"connections": "plain"}, {"connections": "residual"}),
        ([gru(8, True), conv(16)], {"connections": "plain"}, {"connections": "residual"}),
        ([gru(8)], {"normalisation": "batch"}, {"normalisation": "layer"}),
        ([], {"pooling": "mean"}, {"pooling": "flat"}),
    ],
)
def test_what_means_something_is_told_apart(
    layers: list[dict[str, Any]], one: dict[str, Any], two: dict[str, Any]
) -> None:
    space = sequence_space(SERIES, 2, "accurate")
    assert architecture(space, layers, **one).id != architecture(space, layers, **two).id


def test_an_embedding_as_wide_as_a_layer_makes_a_residual_sum_possible() -> None:
    space = sequence_space(TEXT, 2, "accurate")
    same = [architecture(space, [conv(16)], embedding=e, connections="residual") for e in (16, 32)]
    assert [a.values["connections"] for a in same] == ["residual", "plain"]


def test_a_kernel_of_one_step_has_no_dilation() -> None:
    space = sequence_space(SERIES, 2, "accurate")
    layers = SequenceLayers(name="layers", kinds=("conv",), widths=(8,), kernels=(1, 3), dilations=(1, 2))
    space = space.changed(variables=(layers, *space.variables[1:]))
    assert architecture(space, [conv(8, 1, 2)]) == architecture(space, [conv(8, 1, 1)])
    assert len(rules_of(space).options) == 3


def test_taps_that_never_meet_a_step_are_not_offered() -> None:
    for length, kernels in ((1, set()), (2, {3}), (3, {3, 5}), (5, {3, 5, 7, 9})):
        rules = rules_of(sequence_space(sequence_signal(1, length), 2, "balanced"))
        assert {o["kernel"] for o in rules.options if o["kind"] == "conv"} == kernels


def test_a_single_step_has_one_pooling() -> None:
    space = sequence_space(sequence_signal(3, 1), 2, "balanced")
    poolings = {architecture(space, [gru(8)], pooling=p).id for p in ("mean", "last", "max", "attention", "flat")}
    assert len(poolings) == 1


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), words=st.booleans())
def test_canonical_values_are_a_fixed_point_and_another_id_is_another_network(seed: int, words: bool) -> None:
    space = sequence_space(TEXT if words else SERIES, 2, "accurate")
    rng = np.random.default_rng(seed)
    a, b = space.sample(rng), space.sample(rng)
    assert space.engine.canonical(space, a.values) == a.values
    shapes = [{n: tuple(v.shape) for n, v in network(space, x).state_dict().items()} for x in (a, b)]
    said = [space.engine.describe(space, x.values) for x in (a, b)]
    decay = [x.values["weight_decay"] for x in (a, b)]
    heads = [[layer.get("heads") for layer in x.values["layers"]] for x in (a, b)]
    same = shapes[0] == shapes[1] and said[0] == said[1] and decay[0] == decay[1] and heads[0] == heads[1]
    assert (a == b) == same


def test_a_choice_that_the_space_lacks_is_still_what_means_nothing() -> None:
    space = sequence_space(SERIES, 2, "accurate")
    only = Categorical(name="connections", choices=("residual",))
    space = space.changed(variables=tuple(only if v.name == "connections" else v for v in space.variables))
    a = architecture(space, [conv(8)], connections="residual")
    assert a.values["connections"] == "plain"
    assert space.validate_architecture(a) == []
