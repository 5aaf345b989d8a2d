"""Operators of the image space inside constraints, edits, landmarks, bounds and receptive fields by themselves."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from image_examples import SCALARS, build, open_space, pixels, stage

from nas_core.data.signal import Signal, image_signal
from nas_core.errors import SpaceError
from nas_core.spaces import (
    Categorical,
    Context,
    ImageBlocks,
    ImageConstraints,
    Integer,
    SearchSpace,
    facts,
    families_for,
    image_space,
)
from nas_core.spaces.image.presets import PRESETS
from nas_core.spaces.image.rules import CONVOLUTIONS, OPERATIONS
from nas_core.spaces.receptive import Windows, axis_of, field_of, joined, pairs_together, slide

DIGITS, CLOTHES = image_signal(1, 8, 8), image_signal(1, 28, 28)


@st.composite
def constrained_spaces(draw: st.DrawFn) -> SearchSpace:
    """Return spaces with bounds, domains and constraints that leave some architecture."""
    signal = draw(
        st.sampled_from([DIGITS, pixels(5, 9, channels=3), pixels(12, 12, cell=3), pixels(3, 2), pixels(1, 1)])
    )
    space = image_space(signal, draw(st.sampled_from([1, 3])), draw(st.sampled_from(list(PRESETS))))
    operations = draw(st.lists(st.sampled_from(OPERATIONS[:-1]), min_size=1, unique=True))
    least, most = sorted(draw(st.tuples(st.integers(1, 3), st.integers(1, 4))))
    blocks = ImageBlocks(
        name="stages", operations=tuple(operations), widths=draw(st.sampled_from([(4,), (2, 5, 9), (4, 8, 16, 32)])),
        transitions=draw(st.sampled_from([("max",), ("avg", "conv"), ("max", "avg", "conv")])),
        min_stages=0, max_stages=draw(st.integers(0, 3)), min_blocks=least, max_blocks=most,
    )  # fmt: skip
    replaced = {
        "stages": blocks,
        "connections": Categorical(
            name="connections", choices=draw(st.sampled_from([("plain", "dense"), ("residual",)]))
        ),
        "head": Categorical(name="head", choices=("gap_linear", "dense")),
        "hidden_depth": Integer(name="hidden_depth", low=draw(st.integers(0, 1)), high=2),
    }
    return space.changed(
        variables=tuple(replaced.get(v.name, v) for v in space.variables),
        constraints=ImageConstraints(
            max_layers=draw(st.none() | st.integers(2, 6)),
            max_parameters=draw(st.none() | st.integers(2_000, 9_000)),
            max_operations=draw(st.none() | st.integers(20_000, 200_000)),
            max_receptive_field=draw(st.none() | st.integers(1, 9)),
        ),
    )


@settings(max_examples=150, deadline=None)
@given(constrained_spaces(), st.integers(0, 10**6))
def test_operators_stay_inside_every_constraint(space: SearchSpace, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = space.sample(rng), space.sample(rng)
    for _ in range(6):
        a, _ = space.mutate(a, rng)
        b = space.crossover(a, b, rng)
        near = list(itertools.islice(space.neighbours(a), 10))
        for architecture in (a, b, *near):
            assert space.validate_architecture(architecture) == []
    for name, landmark in space.engine.landmarks(space, None):
        if space.engine.rejection(space, landmark) is None:
            assert not space.engine.problems(space, landmark), name


@settings(max_examples=40, deadline=None)
@given(constrained_spaces(), st.integers(0, 10**6))
def test_no_architecture_needs_more_operations_than_the_bound(space: SearchSpace, seed: int) -> None:
    free = space.changed(constraints=ImageConstraints())
    for at in range(5):
        known = facts(free, free.sample(np.random.default_rng([seed, at])))
        assert known.operations <= known.max_operations


@pytest.mark.parametrize("connections", ["plain", "dense"])
def test_the_bound_is_reached_where_the_most_expensive_network_is_plain(connections: str) -> None:
    """Three stages of convolutions with stride-2 convolutions: nothing is larger, so the bound is exact there."""
    space = open_space(DIGITS, 10)
    only = {
        "stages": ImageBlocks(
            name="stages", operations=("conv5",), widths=(16,), transitions=("conv",), max_stages=2, max_blocks=2
        ),
        "connections": Categorical(name="connections", choices=(connections,)),
        "head": Categorical(name="head", choices=("gap_linear",)),
    }
    space = space.changed(variables=tuple(only.get(v.name, v) for v in space.variables))
    full = stage("conv5-16", "conv5-16", to="conv-16")
    known = facts(space, build(space, full, full, normalisation="batch", connections=connections))
    assert (
        known.operations == known.max_operations if connections == "plain" else known.operations < known.max_operations
    )


def test_every_single_edit_is_another_architecture_or_is_refused_in_words() -> None:
    space = open_space(DIGITS, 10)
    architecture = build(space, stage("conv3-8", "max", to="max"), stage("conv5-16", "se"), connections="dense")
    accepted, verbs = set(), set()
    for edit in space.by_name["stages"].edits(
        architecture.values["stages"], Context(space, values=architecture.values)
    ):
        verbs.add(edit.verb)
        assert edit.words
        try:
            accepted.add(space.architecture({**architecture.values, "stages": edit.value}).id)
        except SpaceError as error:
            assert "stage" in str(error)  # noqa: PT017 - most edits are accepted
    assert architecture.id not in accepted
    assert len(accepted) > 60
    assert verbs == {"add", "remove", "rewire", "change"}


def test_edits_reach_every_operation_width_and_transition_of_every_block() -> None:
    space = open_space(DIGITS, 10)
    architecture = build(space, stage("conv3-8", "conv3-8", to="max"), stage("conv3-16"))
    edits = list(space.by_name["stages"].edits(architecture.values["stages"], Context(space)))
    for s, b in ((0, 0), (0, 1), (1, 0)):
        changed = [
            e.value[s]["blocks"][b] for e in edits if e.place == f"stage {s + 1}, block {b + 1}" and e.verb == "change"
        ]
        assert {block["operation"] for block in changed} == set(OPERATIONS[:-1])
        assert {block["width"] for block in changed if block["operation"] == "conv3"} >= {4, 64}
        assert any(e.verb == "remove" and e.place == f"stage {s + 1}, block {b + 1}" for e in edits)
    transitions = [e.value[0]["transition"]["operation"] for e in edits if e.place == "stage 1, transition"]
    assert {"avg", "conv"} <= set(transitions)


def test_mutation_uses_every_operator() -> None:
    space = image_space(CLOTHES, 10, "accurate")
    rng, names = np.random.default_rng(0), set()
    architecture = space.sample(rng)
    for _ in range(800):
        architecture, operator = space.mutate(architecture, rng)
        names.update(operator.split(" + "))
    wanted = {"add block", "remove block", "change operation", "widen", "narrow", "move border", "swap blocks",
              "change transition", "add stage", "remove stage", "head", "activation", "connections",
              "learning_rate"}  # fmt: skip
    assert wanted <= names


def test_neighbours_reach_every_variable_early() -> None:
    space = open_space(DIGITS, 10)
    architecture = build(
        space, stage("conv3-8", "conv3-8", to="max"), stage("conv3-16"), connections="residual", head="dense",
        hidden_depth=1,
    )  # fmt: skip
    first = list(itertools.islice(space.neighbours(architecture), 30))
    changed = {n for a in first for n in space.by_name if a.values[n] != architecture.values[n]}
    assert changed == set(space.by_name)


def test_crossover_of_two_parents_takes_stages_of_both() -> None:
    space = open_space(DIGITS, 10)
    a = build(space, stage("conv3-8", to="max"), stage("conv3-16"))
    b = build(space, stage("sep5-4", "sep5-4", to="avg"), stage("sep3-64"))
    children = [space.crossover(a, b, np.random.default_rng(i)) for i in range(60)]
    kinds = [{block["operation"] for s in c.values["stages"] for block in s["blocks"]} for c in children]
    assert sum("conv3" in k and len(k) > 1 for k in kinds) > 10
    assert all(space.validate_architecture(c) == [] for c in children)


@pytest.mark.parametrize("signal", [DIGITS, CLOTHES, image_signal(3, 64, 64)])
def test_images_start_from_linear_local_residual_and_dense_networks(signal: Signal) -> None:
    space = image_space(signal, 10, "balanced")
    marks = dict(space.engine.landmarks(space, None))
    assert facts(space, space.architecture(marks["linear model of the pixels"])).pairs == 0
    assert max(facts(space, space.architecture(marks["patches voting"])).receptive_field) <= 5
    assert marks["small residual network"]["connections"] == "residual"
    assert marks["LeNet"]["hidden_depth"] == 2
    sizes = [facts(space, space.architecture(v)).operations for v in marks.values()]
    assert max(sizes) > 50 * min(sizes)
    assert len({space.architecture(v).id for v in marks.values()}) == len(marks)


def test_samples_span_transparent_to_opaque_and_small_to_large() -> None:
    space = image_space(CLOTHES, 10, "balanced")
    known = [facts(space, space.sample(np.random.default_rng(i))) for i in range(300)]
    pairs, operations = [k.pairs for k in known], [k.operations for k in known]
    assert np.quantile(pairs, 0.1) < 200
    assert max(pairs) == 49 * 48 // 2
    assert np.quantile(operations, 0.9) > 20 * np.quantile(operations, 0.1)


def test_the_transparent_preset_keeps_what_a_place_sees_small() -> None:
    space = image_space(CLOTHES, 10, "transparent")
    for i in range(60):
        architecture = space.sample(np.random.default_rng(i))
        assert max(facts(space, architecture).receptive_field) <= 14
        assert architecture.values["head"] == "gap_linear"


def test_images_have_convolutional_networks_as_their_first_family() -> None:
    assert families_for("image")[0] == "image"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stages": ImageBlocks(name="stages", min_stages=4)}, "4 stages are asked, 8×8 pixels have room for fewer"),
        ({"head": Categorical(name="head", choices=("dense",))}, "gap_linear among the heads"),
        ({"head": Categorical(name="head", choices=("gap_linear", "vote"))}, "the choice 'vote'"),
        ({"hidden_width": Categorical(name="hidden_width", choices=("wide",))}, "the choice 'wide'"),
        ({"hidden_depth": Integer(name="hidden_depth", low=0, high=9)}, "hidden_depth runs from 0 to 9"),
        ({"dropout": Integer(name="dropout", low=0, high=1)}, "'dropout' is of kind 'integer'"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(changes: dict[str, Any], message: str) -> None:
    space = open_space(DIGITS, 10)
    with pytest.raises(SpaceError, match=message):
        space.changed(variables=tuple(changes.get(v.name, v) for v in space.variables))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"operations": ("conv7",)}, "offers 'conv7'"),
        ({"operations": ("conv3", "conv3")}, "twice"),
        ({"operations": ()}, "offers no operations"),
        ({"widths": (8, 4)}, "ascending"),
        ({"min_blocks": 3, "max_blocks": 2}, "smallest number"),
        ({"transitions": ()}, "no transition"),
    ],
)
def test_a_variable_that_contradicts_itself_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ImageBlocks(name="stages", **fields)


@pytest.mark.parametrize(
    ("limits", "constraint"),
    [
        ({"max_layers": 2}, "max_layers"),
        ({"max_parameters": 500}, "max_parameters"),
        ({"max_operations": 5_000}, "max_operations"),
        ({"max_receptive_field": 3}, "max_receptive_field"),
    ],
)
def test_a_broken_constraint_is_named(limits: dict[str, int], constraint: str) -> None:
    space = open_space(DIGITS, 10, **limits)
    values = {"stages": [stage("conv3-8", "conv3-8")], **SCALARS}
    with pytest.raises(SpaceError, match=rf"{constraint} refuses this architecture: .* at most {limits[constraint]:,}"):
        space.architecture(values)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 20),
    st.lists(st.sampled_from([(1, 1), (3, 1), (5, 1), (3, 2), (2, 2)]), max_size=6),
    st.integers(1, 5),
)
def test_windows_of_stacked_layers_are_those_found_place_by_place(
    size: int, layers: list[tuple[int, int]], cell: int
) -> None:
    """The closed form against sets of input places, followed through every layer."""
    axis, seen = axis_of(size), [{i} for i in range(size)]
    for kernel, stride in layers:
        padding, ceil = (0, True) if kernel == 2 else (kernel // 2, False)
        axis = slide(axis, kernel, stride, padding, ceil=ceil)
        starts = [i * stride - padding for i in range(axis.places)]
        seen = [set().union(*(seen[j] for j in range(s, s + kernel) if 0 <= j < len(seen))) for s in starts]
    assert len(seen) == axis.places
    assert field_of(axis) == max(len(s) for s in seen)
    cells = [{i // cell for i in s} for s in seen]
    expected = {p for c in cells for p in itertools.combinations(sorted(c), 2)}
    assert pairs_together([Windows(axis_of(1), axis)], (1, cell)) == len(expected)


def test_joined_axes_see_what_either_sees() -> None:
    wide, narrow = slide(axis_of(9), 5, padding=2), slide(axis_of(9), 3, padding=1)
    assert joined(wide, narrow) == joined(narrow, wide) == wide
    assert field_of(joined(narrow, axis_of(9))) == 3


def test_convolutions_have_a_word_and_a_kernel() -> None:
    assert set(CONVOLUTIONS) < set(OPERATIONS)
