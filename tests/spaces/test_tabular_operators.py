"""Sampling, mutation, crossover and neighbours under random constraints, and what each move does."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from space_examples import constrained_spaces, example_hints, example_space, tiny_space

from nas_core.errors import SpaceError
from nas_core.records import Architecture
from nas_core.spaces import SearchSpace, facts
from nas_core.spaces.tabular.canonical import as_blocks
from nas_core.spaces.tabular.limits import fit_blocks
from nas_core.spaces.tabular.moves import MOVES
from nas_core.spaces.tabular.rules import rules_of


def promises(space: SearchSpace, a: Architecture) -> None:
    """Assert every constraint from its own words, apart from the code that enforces it."""
    limits: Any = space.constraints
    values, known = a.values, facts(space, a)
    used = {f"f{j}" for j in known.used_features}
    groups = [{f"f{j}" for j in g["features"]} for g in values["groups"]]
    assert space.validate_architecture(a) == []
    assert set(limits.features_required) <= used
    assert not set(limits.features_forbidden) & used
    assert not any({one, two} <= g for g in groups for one, two in limits.forbidden_pairs)
    for name, sign in limits.monotone_required.items():
        assert name not in used or known.certified[int(name[1:])] == sign
    for found, most in (
        (len(used), limits.max_features), (len(groups), limits.max_groups), (values["depth"], limits.max_depth),
        (max(map(len, groups)), limits.max_group_size), (known.parameters, limits.max_parameters),
        (known.operations, limits.max_operations),
    ):  # fmt: skip
        assert most is None or found <= most


def has_candidates(space: SearchSpace) -> bool:
    try:
        space.sample(np.random.default_rng(0))
    except SpaceError:
        return False
    return True


@settings(max_examples=150, deadline=None)
@given(space=constrained_spaces(), seed=st.integers(0, 10**6), informed=st.booleans())
def test_every_operator_keeps_every_constraint(space: SearchSpace, seed: int, informed: bool) -> None:
    rng = np.random.default_rng(seed)
    hints = example_hints(len(space.features), seed) if informed else None
    assume(has_candidates(space))
    a, b = space.sample(rng, hints), space.sample(rng, hints)
    children = [space.mutate(a, rng, hints)[0], space.crossover(a, b, rng), space.crossover(b, a, rng)]
    near = list(itertools.islice(space.neighbours(a), 12))
    initial = [p.architecture for p in space.initial(20, rng, hints)]
    for architecture in (a, b, *children, *near, *initial):
        promises(space, architecture)


@settings(max_examples=60, deadline=None)
@given(before=constrained_spaces(), seed=st.integers(0, 10**6))
def test_parents_of_another_version_of_the_space_have_valid_children(before: SearchSpace, seed: int) -> None:
    rng = np.random.default_rng(seed)
    assume(has_candidates(before))
    old = before.sample(rng)
    P = len(before.features)
    now = example_space(P, before.outputs, "transparent", max_features=min(P, 4), max_groups=3, max_depth=1)
    promises(now, now.mutate(old, rng)[0])
    promises(now, now.crossover(now.sample(rng), old, rng))


@pytest.mark.parametrize("name", MOVES)
def test_each_move_does_what_it_says(name: str) -> None:
    space = example_space(8)
    rules = rules_of(space)
    seen = Counter[str]()
    for seed in range(200):
        rng = np.random.default_rng(seed)
        blocks = as_blocks(space.sample(rng).values["groups"])
        moved = MOVES[name](rules, list(blocks), None, rng)
        if moved is None:
            continue
        before, after = {j for f, _ in blocks for j in f}, {j for f, _ in moved for j in f}
        seen["features"] += len(after) - len(before)
        seen["swapped"] += len(after - before) if len(after) == len(before) else 0
        seen["groups"] += len(moved) - len(blocks)
        seen["moves"] += 1
        assert sum(len(f) for f, _ in moved) == len(after), "a feature is in two groups"
    per_move = {k: v / seen["moves"] for k, v in seen.items()}
    wanted = {"add feature": (1, 0), "drop feature": (-1, 0), "swap feature": (0, 1)}
    assert (per_move["features"], per_move["swapped"]) == wanted.get(name, (0, 0))
    grouping = {"merge groups": -1, "split group": 1, "toggle linear": 0, "swap feature": 0}
    if name in grouping:
        assert per_move["groups"] == grouping[name]


def test_crossover_injects_a_whole_group_and_drops_its_features_elsewhere() -> None:
    space = example_space(9)
    kept_whole = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        a, b = space.sample(rng), space.sample(rng)
        child = space.crossover(a, b, rng)
        groups = [tuple(g["features"]) for g in child.values["groups"]]
        parents = {tuple(g["features"]) for p in (a, b) for g in p.values["groups"]}
        flat = [j for g in groups for j in g]
        assert len(flat) == len(set(flat))
        assert set(flat) <= {j for g in parents for j in g}
        kept_whole += any(g in parents for g in groups)
    assert kept_whole > 150


def test_child_of_equal_parents_is_the_parent_when_nothing_is_blended() -> None:
    space = example_space(8)
    for seed in range(50):
        rng = np.random.default_rng(seed)
        a = space.sample(rng)
        assert space.crossover(a, a, rng) == a


def test_hints_favour_relevant_features_and_their_direction() -> None:
    space = example_space(20, preset="balanced")
    hints = example_hints(20)
    drawn = [space.sample(np.random.default_rng(i), hints) for i in range(600)]
    plain = [space.sample(np.random.default_rng(i)) for i in range(600)]
    first = [sum(0 in facts(space, a).used_features for a in group) for group in (drawn, plain)]
    assert first[0] > 1.8 * first[1] > 0
    signs = Counter(a.values["marks"].get("0") for a in drawn)
    assert signs[-1] > 10 * signs[1] > 0


def test_sizes_are_about_log_uniform_and_reach_both_ends() -> None:
    space = example_space(20)
    sizes = Counter(len(facts(space, space.sample(np.random.default_rng(i))).used_features) for i in range(3000))
    for k in (1, 2, 5, 10):
        assert sizes[k] / 3000 == pytest.approx(np.log((k + 1) / k) / np.log(21), abs=0.03)
    assert sizes[20] > 0
    assert max(sizes) == 20


def test_broken_hints_do_no_harm() -> None:
    space, hints = example_space(8), example_hints(8)
    hints.relevance[:] = np.nan
    hints.direction[:] = np.nan
    hints.interaction[:] = np.nan
    for seed in range(50):
        promises(space, space.mutate(space.sample(np.random.default_rng(seed), hints), np.random.default_rng(seed))[0])


def test_hints_of_another_problem_are_refused() -> None:
    with pytest.raises(SpaceError, match="hints describe 5 features, the space has 8"):
        example_space(8).sample(np.random.default_rng(0), example_hints(5))


def test_landmarks_mark_the_corners() -> None:
    space, hints = example_space(12), example_hints(12)
    chosen = {p.operator: p.architecture for p in space.initial(40, np.random.default_rng(0), hints)}
    best = chosen["landmark: one feature, rank 1"].values
    assert best["groups"] == [{"features": [0], "linear": True}]
    assert (best["marks"], best["depth"]) == ({"0": -1}, 0)
    glm = chosen["landmark: linear model of all features"].values
    assert len(glm["groups"]) == 12
    assert all(g["linear"] for g in glm["groups"])
    additive = chosen["landmark: additive network of all features"].values
    assert [g["linear"] for g in additive["groups"]] == [False] * 12
    mixed = chosen["landmark: one network of all features"].values
    assert mixed["groups"] == [{"features": list(range(12)), "linear": False}]
    few = facts(space, chosen["landmark: 3 monotone networks"])
    assert len(few.used_features) == 3
    assert few.pairs == 0


def test_repair_merges_groups_before_it_drops_features() -> None:
    space = example_space(6, max_groups=2)
    fitted = fit_blocks(rules_of(space), [((j,), False) for j in range(6)], np.random.default_rng(0))
    assert len(fitted) == 2
    assert sorted(j for f, _ in fitted for j in f) == list(range(6))


@pytest.mark.parametrize(
    ("limits", "named"),
    [
        ({"max_parameters": 1}, "max_parameters"),
        ({"features_required": ("f0", "f1", "f2"), "max_operations": 2}, "max_operations"),
        ({"features_required": ("f0", "f1"), "max_groups": 1, "forbidden_pairs": (("f0", "f1"),)}, "max_groups"),
        ({"features_required": ("f0", "f3"), "max_groups": 1, "max_group_size": 1}, None),
    ],
)
def test_space_without_candidates_names_the_constraint(limits: dict[str, object], named: str | None) -> None:
    if named is None:
        with pytest.raises(SpaceError, match="2 features are required, the limits leave room for 1"):
            example_space(6, **limits)
        return
    with pytest.raises(SpaceError, match=f"no valid candidate: the constraint {named} refused 200 of 200 tries"):
        example_space(6, **limits).sample(np.random.default_rng(0))


def test_marks_that_no_encoding_can_keep_are_named() -> None:
    space = tiny_space(monotone_required={"f0": 1}, features_required=("f0",))
    periodic = space.by_name["encoding"].model_copy(update={"choices": ("periodic",)})
    variables = tuple(periodic if v.name == "encoding" else v for v in space.variables)
    with pytest.raises(SpaceError, match=r"no valid candidate: the constraint monotone_required"):
        space.changed(variables=variables).sample(np.random.default_rng(0))


def test_space_of_one_architecture_does_not_hang() -> None:
    space = tiny_space(P=2, depth=(0, 0), features_required=("f1",), max_features=1)
    only = space.sample(np.random.default_rng(0))
    assert space.size().text == "1 architectures"
    assert space.mutate(only, np.random.default_rng(0)) == (only, "unchanged")
    assert list(space.neighbours(only)) == []
    assert [p.architecture for p in space.initial(5, np.random.default_rng(0))] == [only]
