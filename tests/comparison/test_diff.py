"""The difference of two architectures, and the way between them: exact, valid, symmetric, for every family."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from compared_spaces import FAMILIES, space_named
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_core.comparison.diff import architecture_diff, edit_path
from nas_core.comparison.list_edits import align
from nas_core.errors import SpaceError
from nas_core.records import Architecture
from nas_core.spaces import SearchSpace

SEEDS = st.integers(0, 10_000)


def pair(space: SearchSpace, seed: int) -> tuple[Architecture, Architecture]:
    """Return two architectures: of even seeds strangers, of odd ones relatives a few mutations apart."""
    rng = np.random.default_rng(seed)
    a = space.sample(rng)
    if seed % 2 == 0:
        return a, space.sample(rng)
    b = a
    for _ in range(1 + seed % 3):
        b, _ = space.mutate(b, rng)
    return a, b


@pytest.mark.parametrize("family", FAMILIES)
@given(seed=SEEDS)
@settings(max_examples=25, deadline=None)
def test_the_edits_lead_step_by_step_from_one_to_the_other(family: str, seed: int) -> None:
    space = space_named(family)
    a, b = pair(space, seed)
    diff = architecture_diff(space, a, b)
    assert diff.partial(()) == a
    assert diff.partial(diff.edits) == b
    steps = edit_path(diff)
    applied: list[Any] = []
    on_the_way = [a.id]
    for step in steps:
        applied += step.edits
        assert diff.partial(applied) == step.architecture
        assert space.validate_architecture(step.architecture) == []
        on_the_way.append(step.architecture.id)
    assert on_the_way[-1] == b.id
    assert len(set(on_the_way)) == len(on_the_way)
    idle = steps[-1].idle if steps else ()
    assert sorted(map(id, [*applied, *idle])) == sorted(map(id, diff.edits))


@pytest.mark.parametrize("family", FAMILIES)
@given(seed=SEEDS)
@settings(max_examples=25, deadline=None)
def test_the_difference_is_empty_of_the_same_and_counts_the_same_both_ways(family: str, seed: int) -> None:
    space = space_named(family)
    a, b = pair(space, seed)
    assert architecture_diff(space, a, a).edits == ()
    assert edit_path(architecture_diff(space, a, a)) == ()
    there, back = architecture_diff(space, a, b).edits, architecture_diff(space, b, a).edits
    assert len(there) == len(back)
    assert (len(there) == 0) == (a == b)
    opposite = {"add": "remove", "remove": "add"}
    assert sorted(opposite.get(e.verb, e.verb) for e in there) == sorted(e.verb for e in back)


@pytest.mark.parametrize("family", FAMILIES)
def test_joined_edits_cannot_be_fewer(family: str) -> None:
    space = space_named(family)
    joined = 0
    for seed in range(0, 60, 2):
        a, b = pair(space, seed)
        diff, applied, seen = architecture_diff(space, a, b), [], {a.id}
        for step in edit_path(diff):
            if step.joined:
                joined += 1
                for left_out in step.edits:
                    rest = diff.partial([*applied, *(e for e in step.edits if e is not left_out)])
                    assert isinstance(rest, str) or rest.id in seen
                for alone in (e for e in diff.edits if e not in applied):
                    single = diff.partial([*applied, alone])
                    assert isinstance(single, str) or single.id in seen
            applied += step.edits
            seen.add(step.architecture.id)
    if family == "tabular":
        assert joined, "no example needs joined edits, so nothing was tested"


def test_what_is_known_comes_first() -> None:
    space = space_named("tabular")
    a, b = pair(space, 4)
    diff = architecture_diff(space, a, b)
    singles = [diff.partial([e]) for e in diff.edits]
    last = next(s for s in reversed(singles) if isinstance(s, Architecture) and s != a)
    assert edit_path(diff, {last.id})[0].architecture == last
    assert edit_path(diff)[0].architecture != last


def tabular(groups: list[dict[str, Any]], **changes: Any) -> Architecture:
    space = space_named("tabular")
    scalars = {"depth": 1, "width": 8, "activation": "relu", "connections": "full", "normalisation": "none",
               "dropout": 0.0, "encoding": "standardised", "optimiser": "adam", "learning_rate": 0.01,
               "weight_decay": 0.0, "marks": {}}  # fmt: skip
    return space.architecture({**scalars, **changes, "groups": groups})


def group(*features: int, linear: bool = False) -> dict[str, Any]:
    return {"features": list(features), "linear": linear}


def test_a_feature_that_joins_a_group_is_one_move() -> None:
    diff = architecture_diff(space_named("tabular"), tabular([group(0, 1), group(2)]), tabular([group(0, 1, 2)]))
    (edit,) = diff.edits
    assert (edit.subject, edit.verb, edit.place) == ("feature", "move", 2)
    assert edit.before["features"] == [2]
    assert edit.after["features"] == [0, 1, 2]


def test_a_linear_network_that_gets_layers_needs_its_edits_together() -> None:
    flat = tabular([group(0, linear=True)], depth=0)
    deep = tabular([group(0)], depth=2, width=16)
    steps = edit_path(architecture_diff(space_named("tabular"), flat, deep))
    assert steps[0].joined
    told = {e.variable for e in steps[0].edits}
    assert {"groups", "depth"} <= told
    width = next(e for step in steps for e in step.edits if e.variable == "width")
    assert width.asleep == "before"


def test_layers_of_a_sequence_change_field_by_field() -> None:
    space = space_named("words")
    rest = {k: v for k, v in space.sample(np.random.default_rng(0)).values.items() if k != "layers"}
    conv = {"kind": "conv", "width": 8, "kernel": 3, "dilation": 1}
    a = space.architecture({**rest, "layers": [conv], "activation": "relu", "connections": "plain"})
    b = space.architecture({**a.values, "layers": [{**conv, "width": 16, "kernel": 5}]})
    edits = architecture_diff(space, a, b).edits
    assert [(e.verb, e.field, e.before, e.after) for e in edits] == [
        ("change", "kernel", 3, 5), ("change", "width", 8, 16)]  # fmt: skip


def test_architectures_of_other_families_are_refused() -> None:
    a = space_named("image").sample(np.random.default_rng(0))
    with pytest.raises(SpaceError, match="not made of the variables of this space"):
        architecture_diff(space_named("tabular"), a, a)


def test_an_end_outside_the_space_is_refused() -> None:
    wide, narrow = space_named("tabular"), space_named("tabular limited")
    a = tabular([group(0, 1, 2, 3, 4)])
    b = wide.sample(np.random.default_rng(1))
    with pytest.raises(SpaceError, match="not in this version of the search space"):
        edit_path(architecture_diff(narrow, a, b))


def levenshtein(one: list[int], two: list[int]) -> int:
    """Return the edit distance by its definition; the slow twin of the alignment."""
    if not one or not two:
        return len(one) + len(two)
    return min(
        levenshtein(one[1:], two) + 1, levenshtein(one, two[1:]) + 1,
        levenshtein(one[1:], two[1:]) + (one[0] != two[0]),
    )  # fmt: skip


@given(one=st.lists(st.integers(0, 3), max_size=5), two=st.lists(st.integers(0, 3), max_size=5))
@settings(deadline=None)
def test_the_alignment_has_the_fewest_edits(one: list[int], two: list[int]) -> None:
    pairs = align(one, two, lambda a, b: (int(a != b), int(a != b), 0))
    assert [a for a, _ in pairs if a is not None] == one
    assert [b for _, b in pairs if b is not None] == two
    assert sum(a != b for a, b in pairs) == levenshtein(one, two)


def test_the_fewest_features_move() -> None:
    """The assignment of groups is the best of all assignments (three groups on each side, tried one by one)."""
    rng = np.random.default_rng(3)
    for _ in range(20):
        sides = [rng.integers(0, 3, 7) for _ in range(2)]
        groups = [[group(*np.flatnonzero(s == g).tolist()) for g in range(3) if (s == g).any()] for s in sides]
        a, b = (tabular(g) for g in groups)
        longer, shorter = sorted(groups, key=len, reverse=True)
        stay = max(
            sum(len(set(x["features"]) & set(y["features"])) for x, y in zip(shorter, order))
            for order in itertools.permutations(longer, len(shorter))
        )
        assert len(architecture_diff(space_named("tabular"), a, b).edits) == 7 - stay
