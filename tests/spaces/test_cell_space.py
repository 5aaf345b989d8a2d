"""Cell spaces: operators inside every constraint, the canonical form, the count, facts, graph and module."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from cell_oracle import CONV, OPERATIONS, POOL, SKIP, architecture, constrained_spaces, ops, random_cell, tiny_space
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nas_core.data.signal import image_signal
from nas_core.errors import SpaceError
from nas_core.records import Architecture, canonical_json
from nas_core.spaces import (
    Categorical,
    CellConstraints,
    CellEdges,
    Context,
    Integer,
    SearchSpace,
    cell_space,
    facts,
)
from nas_core.spaces.cell.rules import room_for, rules_of
from nas_core.spaces.cell.topology import all_cells, representative

DIGITS, PHOTOS = image_signal(1, 8, 8), image_signal(3, 21, 13)


def promises(space: SearchSpace, a: Architecture) -> None:
    """Assert every constraint from its own words."""
    limits: Any = space.constraints
    known = facts(space, a)
    assert space.validate_architecture(a) == []
    assert known.receptive_field is not None
    assert known.operations <= known.max_operations
    assert limits.allow_constant or known.used_features
    convolutions = sum("conv" in o for o in a.values["cell"])
    for found, most in (
        (convolutions, limits.max_convolutions), (known.parameters, limits.max_parameters),
        (known.operations, limits.max_operations), (max(known.receptive_field), limits.max_receptive_field),
    ):  # fmt: skip
        assert most is None or found <= most


@settings(max_examples=40, deadline=None)
@given(data=st.data(), seed=st.integers(0, 10**6))
def test_every_operator_keeps_every_constraint(data: st.DataObject, seed: int) -> None:
    try:
        space = data.draw(constrained_spaces())
        space.sample(np.random.default_rng(0))
    except SpaceError:
        assume(False)
    rng = np.random.default_rng(seed)
    a, b = space.sample(rng), space.sample(rng)
    children = [space.mutate(a, rng)[0], space.crossover(a, b, rng), space.crossover(b, a, rng)]
    near = list(itertools.islice(space.neighbours(a), 12))
    initial = [p.architecture for p in space.initial(12, rng)]
    for one in (a, b, *children, *near, *initial):
        promises(space, one)


def test_drawing_meets_the_limits_almost_always_at_once() -> None:
    for limits in (
        {"max_operations": 60_000},
        {"max_parameters": 500},
        {"max_receptive_field": 5},
        {"max_convolutions": 1},
    ):
        space = cell_space(DIGITS, 10).changed(constraints=CellConstraints(**limits))
        drawn = [space.engine.draw(space, np.random.default_rng(i), None) for i in range(60)]
        assert sum(space.engine.rejection(space, v) is None for v in drawn) >= 57


@pytest.mark.parametrize(
    ("operations", "repeats", "limits"),
    [
        (("none", SKIP, CONV), (1, 3), {}),
        ((SKIP, POOL), (1, 4), {}),
        (("none", CONV), (1, 2), {"allow_constant": True}),
        (("none", POOL, SKIP), (2, 3), {"allow_constant": True}),
    ],
)
def test_the_size_is_that_of_trying_everything(
    operations: tuple[str, ...], repeats: tuple[int, int], limits: dict[str, Any]
) -> None:
    space = tiny_space(operations, repeats, **limits)
    found = set()
    for cell in all_cells(operations):
        for stages, times in itertools.product((1, 2), range(repeats[0], repeats[1] + 1)):
            values = {
                "cell": list(cell), "stages": stages, "repeats": times, "width": 2, "optimiser": "adam",
                "learning_rate": 0.01, "weight_decay": 0.01,
            }  # fmt: skip
            assert space.engine.problems(space, values) == []
            canonical = space.engine.canonical(space, values)
            if space.engine.rejection(space, canonical) is None:
                found.add(canonical_json(canonical))
    assert space.size().exact
    assert round(10 ** space.size().log10) == len(found)


def test_the_benchmark_preset_has_every_class_once() -> None:
    space = cell_space(image_signal(3, 32, 32), 10, "nas_bench_201")
    assert space.by_name["cell"].count(Context(space)) == 5044
    rest = (
        4 * space.by_name["learning_rate"].count(Context(space)) * space.by_name["weight_decay"].count(Context(space))
    )
    assert round(10 ** space.size().log10 / rest) == 5044


def test_stages_that_are_the_same_are_one_architecture_and_one_function() -> None:
    space = tiny_space(OPERATIONS, (1, 6))
    chain = ops(e01=CONV, e13=CONV)
    for cell, times, other, others in (
        (chain, 1, ops(e03=CONV), 2),
        (ops(e01=CONV, e12=CONV, e23=CONV), 2, chain, 3),
        (ops(e03=SKIP), 1, ops(e01=SKIP, e13=SKIP), 5),
        (["avg_pool_3x3"] * 3 + [SKIP] * 3, 1, ops(e01=POOL, e03=SKIP, e13=SKIP), 2),
    ):
        assert architecture(space, cell, repeats=times) == architecture(space, other, repeats=others)
    double, four = ops(e01=SKIP, e13=SKIP, e03=SKIP), [SKIP] * 6
    assert architecture(space, double, repeats=2) == architecture(space, four)
    assert architecture(space, double) != architecture(space, four)
    assert architecture(space, chain) != architecture(space, ops(e03=CONV))
    fixed = cell_space(image_signal(3, 32, 32), 10, "nas_bench_201")
    kept = architecture(fixed, ops(e03=CONV), repeats=5)
    assert kept.values["repeats"] == 5


def test_most_operations_is_what_the_dearest_architecture_takes() -> None:
    space = tiny_space(("none", SKIP, CONV), (1, 2))
    most = 0
    for cell in all_cells(("none", SKIP, CONV)):
        if representative(cell) != ("none",) * 6:
            for stages in (1, 2):
                most = max(most, facts(space, architecture(space, cell, stages=stages, repeats=2)).operations)
    assert rules_of(space).most_operations == most


def test_a_cell_and_its_representative_train_the_same_numbers() -> None:
    """Parameters of the canonical network are those of the literal one without what nothing reaches."""
    rng = np.random.default_rng(4)
    space = cell_space(DIGITS, 2)
    for _ in range(30):
        cell = random_cell(rng)
        if representative(cell) != ("none",) * 6:
            a = architecture(space, cell)
            assert a == architecture(space, list(representative(cell)))
            assert a.values["cell"].count(CONV) <= cell.count(CONV)


def test_edits_are_valid_or_refused_with_a_reason() -> None:
    space = cell_space(DIGITS, 10)
    value = ops(e01=CONV, e13=CONV, e03=SKIP)
    edits = list(space.by_name["cell"].edits(value, Context(space)))
    assert {e.verb for e in edits} == {"add", "remove", "change", "rewire"}
    assert {e.place for e in edits} == {f"edge {i} → {j}" for i, j in ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))}
    assert all(architecture(space, e.value) for e in edits)
    lone = list(space.by_name["cell"].edits(ops(e03=SKIP), Context(space)))
    refused = [e for e in lone if e.verb == "remove"]
    assert len(refused) == 1
    with pytest.raises(SpaceError, match="no way leads from the cell's input"):
        architecture(space, refused[0].value)


def test_neighbours_reach_longer_ways_from_the_smallest_cell() -> None:
    space = tiny_space(("none", SKIP, CONV, POOL), (1, 1))
    seen, front = set(), [architecture(space, ops(e03=SKIP))]
    while front:
        a = front.pop()
        if a.id not in seen:
            seen.add(a.id)
            front += [b for b in space.neighbours(a) if b.id not in seen]
    assert len(seen) == round(10 ** space.size().log10)


def test_a_line_for_a_person() -> None:
    space = cell_space(DIGITS, 10)
    a = architecture(space, ops(e03=CONV), stages=2, width=16)
    assert space.engine.describe(space, a.values) == "conv 3×3 0→3 · 2 × 1 cells · 16 maps · adam 0.01"


def test_landmarks_are_different_and_belong_to_the_space() -> None:
    for preset in ("balanced", "small", "nas_bench_201"):
        space = cell_space(image_signal(1, 28, 28), 10, preset)
        marks = space.engine.landmarks(space, None)
        assert len(marks) >= 10
        assert all(space.architecture(v).values == v for _, v in marks)


def test_room_for_stages() -> None:
    assert [room_for((n, n)) for n in (2, 3, 5, 8, 9, 16, 28, 32)] == [0, 1, 2, 2, 3, 3, 4, 4]


def _with(space: SearchSpace, variable: Any) -> dict[str, Any]:
    return {"variables": tuple(variable if v.name == variable.name else v for v in space.variables)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: {"variables": s.variables[1:]}, "'cell' is missing"),
        (lambda s: _with(s, Integer(name="stages", low=1, high=3)), "images of 8×8 pixels have room for 2"),
        (lambda s: _with(s, Integer(name="repeats", low=0, high=3)), "repeats runs from 0 to 3"),
        (lambda s: _with(s, CellEdges(name="cell", operations=("none",))), "Every cell of the space is constant"),
        (lambda s: _with(s, Categorical(name="width", choices=(0,))), "the choice 0"),
        (lambda s: _with(s, Categorical(name="repeats", choices=(1,))), "of kind 'categorical'"),
        (lambda s: {"features": s.features[1:]}, "one feature for each cell"),
    ],
)  # fmt: skip
def test_a_declaration_that_contradicts_itself_is_refused(change: Any, message: str) -> None:
    space = cell_space(DIGITS, 10)
    with pytest.raises(SpaceError, match=message):
        space.changed(**change(space))


def test_images_that_are_too_small_are_sent_to_another_family() -> None:
    with pytest.raises(SpaceError, match=r"have room for 0.*choose the family image"):
        cell_space(image_signal(1, 2, 9), 2)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("|none~0|", "allowed: a list of six operations"),
        (["none"] * 5, "allowed: a list of six operations"),
        (["conv"] + ["none"] * 5, "the edge 0 → 1 is 'conv'; allowed: none, nor_conv_3x3"),
        (ops(e03=POOL), "the cell needs avg_pool_3x3; allowed: none, nor_conv_3x3"),
    ],
)
def test_values_outside_the_space_are_refused_with_the_reason(cell: Any, message: str) -> None:
    space = tiny_space(("none", CONV))
    a = architecture(space, ops(e03=CONV))
    with pytest.raises(SpaceError, match=message):
        space.architecture({**a.values, "cell": cell})


def test_a_variable_with_unknown_operations_is_refused() -> None:
    with pytest.raises(ValueError, match="offers 'conv'"):
        CellEdges(name="cell", operations=("conv",))
