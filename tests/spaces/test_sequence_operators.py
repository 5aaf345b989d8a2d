"""Sequence spaces: every operator keeps every constraint, and the count is that of trying everything."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sequence_examples import (
    PADDED,
    SERIES,
    TEXT,
    architecture,
    attention,
    constrained_spaces,
    conv,
    enumerate_space,
    gru,
    limited,
    tiny_space,
)

from nas_core.data.signal import Signal, sequence_signal
from nas_core.errors import SpaceError
from nas_core.records import Architecture
from nas_core.spaces import Categorical, Context, SearchSpace, SequenceLayers, facts, sequence_space
from nas_core.spaces.sequence.moves import MOVES
from nas_core.spaces.sequence.rules import rules_of

_TWO = SequenceLayers(name="layers", min_layers=2)


def promises(space: SearchSpace, a: Architecture) -> None:
    """Assert every constraint from its own words."""
    limits: Any = space.constraints
    known = facts(space, a)
    assert space.validate_architecture(a) == []
    assert known.receptive_field is not None
    for found, most in (
        (len(a.values["layers"]), limits.max_layers), (known.parameters, limits.max_parameters),
        (known.operations, limits.max_operations), (known.receptive_field[1], limits.max_receptive_field),
        (known.operations, known.max_operations),
    ):  # fmt: skip
        assert most is None or found <= most


def has_candidates(space: SearchSpace) -> bool:
    try:
        space.sample(np.random.default_rng(0))
    except SpaceError:
        return False
    return True


@settings(max_examples=80, deadline=None)
@given(space=constrained_spaces(), seed=st.integers(0, 10**6))
def test_every_operator_keeps_every_constraint(space: SearchSpace, seed: int) -> None:
    assume(has_candidates(space))
    rng = np.random.default_rng(seed)
    a, b = space.sample(rng), space.sample(rng)
    children = [space.mutate(a, rng)[0], space.crossover(a, b, rng), space.crossover(b, a, rng)]
    near = list(itertools.islice(space.neighbours(a), 12))
    initial = [p.architecture for p in space.initial(15, rng)]
    for one in (a, b, *children, *near, *initial):
        promises(space, one)


@settings(max_examples=40, deadline=None)
@given(before=constrained_spaces(), seed=st.integers(0, 10**6))
def test_parents_of_another_version_of_the_space_have_valid_children(before: SearchSpace, seed: int) -> None:
    assume(has_candidates(before))
    rng = np.random.default_rng(seed)
    assert before.signal is not None
    now = limited(before.signal, before.outputs, "transparent")
    old = before.sample(rng)
    promises(now, now.mutate(old, rng)[0])
    promises(now, now.crossover(now.sample(rng), old, rng))


def test_drawing_reaches_almost_always_the_limits_at_once() -> None:
    for limits in ({"max_operations": 3000}, {"max_parameters": 300}, {"max_receptive_field": 5}, {"max_layers": 1}):
        space = limited(SERIES, 2, "accurate", **limits)
        drawn = [space.engine.draw(space, np.random.default_rng(i), None) for i in range(60)]
        assert sum(space.engine.rejection(space, v) is None for v in drawn) >= 57


@pytest.mark.parametrize(
    ("signal", "kinds", "limits"),
    [
        (sequence_signal(2, 3), ("conv",), {}),
        (sequence_signal(1, 6), ("conv", "gru"), {}),
        (sequence_signal(2, 6), ("lstm", "attention"), {"max_layers": 1}),
        (sequence_signal(1, 1), ("conv", "attention"), {}),
        (sequence_signal(1, 4, vocabulary=5), ("gru", "conv"), {"max_layers": 1}),
        (sequence_signal(1, 4, padded=True), ("conv",), {"max_layers": 0}),
    ],
)
def test_the_size_is_that_of_trying_everything(signal: Signal, kinds: tuple[str, ...], limits: dict[str, Any]) -> None:
    space = tiny_space(signal, kinds, **limits)
    assert space.size().exact
    assert round(10 ** space.size().log10) == len(enumerate_space(space)) > 1


def test_the_size_is_a_bound_where_a_budget_limits_it() -> None:
    space = tiny_space(sequence_signal(1, 6), ("conv", "gru"), max_parameters=20)
    assert not space.size().exact
    assert space.size().text.startswith("at most")
    assert math.log10(len(enumerate_space(space))) < space.size().log10


def test_most_operations_is_what_the_dearest_architecture_takes() -> None:
    for signal, kinds in (
        (sequence_signal(2, 5), ("conv", "gru")),
        (sequence_signal(1, 4, vocabulary=5), ("attention",)),
    ):
        space = tiny_space(signal, kinds)
        dearest = max(
            facts(space, Architecture(family="sequence", values=json.loads(v))).operations
            for v in enumerate_space(space)
        )
        assert rules_of(space).most_operations == dearest


@pytest.mark.parametrize("name", MOVES)
def test_each_move_does_what_it_says(name: str) -> None:
    space = sequence_space(SERIES, 2, "accurate")
    before = [conv(8, 5, 2), gru(16), attention(16, 2)]
    for seed in range(30):
        after = MOVES[name](rules_of(space), before, np.random.default_rng(seed))
        assert after is not None
        assert len(after) - len(before) == {"add a layer": 1, "remove a layer": -1}.get(name, 0)
        if name == "tune a layer":
            assert sum(a != b for a, b in zip(before, after)) == 1
            assert [a["kind"] for a in after] == [b["kind"] for b in before]
        if name == "swap two layers":
            assert sorted(map(str, after)) == sorted(map(str, before)) != list(map(str, after))


def test_edits_are_all_valid_or_refused_with_a_reason() -> None:
    space = limited(SERIES, 2, "accurate", max_layers=3)
    a = architecture(space, [conv(8), gru(16), attention(8, 2)])
    edits = list(space.by_name["layers"].edits(a.values["layers"], Context(space, values=a.values)))
    assert {e.verb for e in edits} == {"add", "remove", "rewire", "change"}
    assert {e.place for e in edits} == {"input", "layer 1", "layer 2", "layer 3"}
    results = [_result(space, {**a.values, "layers": e.value}) for e in edits]
    reasons = [r for r in results if isinstance(r, str)]
    assert a not in results
    assert 0 < len(reasons) < len(edits)
    assert all("max_layers" in r or "heads" in r for r in reasons)
    assert len({str(e.value) for e in edits}) > 40


def test_landmarks_go_from_a_linear_model_to_recurrent_ones() -> None:
    for signal in (SERIES, PADDED, TEXT):
        space = sequence_space(signal, 2, "balanced")
        marks = dict(space.engine.landmarks(space, None))
        assert len(marks) == 14
        assert facts(space, space.architecture(marks["linear model of all steps"])).pairs == 0
        assert facts(space, space.architecture(marks["linear model of the mean step"])).pairs == 0
        assert marks["GRU and its last state"]["layers"] == [gru(16)]
        assert len({Architecture(family="sequence", values=v).id for v in marks.values()}) == 14


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": "deep"}, "layers is 'deep'; allowed: a list of layers"),
        ({"layers": [{"kind": "pool"}]}, "layer 1 is .*whose kind is one of conv, gru, lstm, attention"),
        ({"layers": [{"kind": "gru", "width": 8}]}, "layer 1 has the fields kind, width; allowed: exactly both, kind"),
        ({"layers": [gru(8, 1)]}, "layer 1 has both 1; allowed: true or false"),
        ({"layers": [conv(True)]}, "layer 1 has width True; allowed: a whole number"),
        ({"layers": [conv(9)]}, "layer 1 has width 9; allowed: 8, 16, 32, 64"),
        ({"layers": [conv(8, 9, 2)]}, "layer 1 has kernel 9; allowed: 3, 5, 7|sees"),
        ({"layers": [conv(8)] * 5}, "layers has 5 layers; allowed: 0 to 4"),
        ({"layers": [conv(8, 7, 4)]}, "sees 12 steps to either side of sequences of 12 steps; allowed: fewer"),
        ({"pooling": "median"}, "pooling is 'median'; allowed: mean, last"),
        ({"depth": 3}, "depth is unknown"),
    ],
)
def test_values_outside_the_space_are_refused_with_the_reason(changes: dict[str, Any], message: str) -> None:
    space = sequence_space(sequence_signal(1, 12), 2, "accurate")
    layers = SequenceLayers(name="layers", widths=(8, 16, 32, 64), kernels=(3, 5, 7), dilations=(1, 2, 4), max_layers=4)
    space = space.changed(variables=(layers, *space.variables[1:]))
    a = architecture(space, [conv(8)])
    with pytest.raises(SpaceError, match=message):
        space.architecture({**a.values, **changes})


def test_a_missing_value_and_a_broken_constraint_are_named() -> None:
    space = limited(max_operations=2000)
    values = dict(architecture(limited(), [conv(64)]).values)
    with pytest.raises(SpaceError, match=r"max_operations refuses this architecture: .* at most 2,000 allowed"):
        space.architecture(values)
    values.pop("pooling")
    with pytest.raises(SpaceError, match="pooling is missing"):
        space.architecture(values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: {"variables": s.variables[1:]}, "'layers' is missing"),
        (lambda s: {"variables": (*s.variables, Categorical(name="embedding", choices=(4,)))}, "'embedding' is not"),
        (lambda s: {"variables": (Categorical(name="layers", choices=(1,)), *s.variables[1:])}, "sequence_layers"),
        (lambda s: _with(s, Categorical(name="pooling", choices=("mean", "sum"))), "'sum' is the mean"),
        (lambda s: _with(s, Categorical(name="pooling", choices=("middle",))), "the choice 'middle'"),
        (lambda s: _with(s, SequenceLayers(name="layers", kinds=("conv",), kernels=(99,), min_layers=1)), "No layer"),
        (lambda s: {"constraints": {"max_layers": 1}, **_with(s, _TWO)}, "At least 2 layers are asked, max"),
        (lambda s: {"features": s.features[1:]}, "one feature for each cell"),
    ],
)  # fmt: skip
def test_a_declaration_that_contradicts_itself_is_refused(change: Any, message: str) -> None:
    space = sequence_space(SERIES, 2)
    with pytest.raises((SpaceError, ValueError), match=message):
        space.changed(**change(space))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kernels": (4,)}, "a kernel of 4 steps"),
        ({"widths": (8, 4)}, "ascending"),
        ({"kinds": ("conv", "conv")}, "twice"),
        ({"kinds": ()}, "no kind of layer"),
        ({"min_layers": 3, "max_layers": 2}, "min_layers 3 above"),
    ],
)
def test_a_layer_variable_that_contradicts_itself_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SequenceLayers(name="layers", **fields)


def _result(space: SearchSpace, values: dict[str, Any]) -> Architecture | str:
    try:
        return space.architecture(values)
    except SpaceError as error:
        return str(error)


def _with(space: SearchSpace, variable: Any) -> dict[str, Any]:
    return {"variables": tuple(variable if v.name == variable.name else v for v in space.variables)}
