"""The size of a tabular space against enumeration, and the reach of its operators."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from space_examples import ExampleHints, enumerate_space, example_space, tiny_space

from nas_core.records import canonical_json
from nas_core.spaces import Context, SearchSpace
from nas_core.spaces.tabular.count import limited_stirling

CASES: dict[str, dict[str, Any]] = {
    "free": {},
    "three outputs": {"outputs": 3},
    "no linear groups": {"linear": False},
    "a hidden layer at least": {"depth": (1, 2)},
    "linear only": {"depth": (0, 0)},
    "required": {"features_required": ("f1",)},
    "required categorical": {"features_required": ("f2",)},
    "forbidden": {"features_forbidden": ("f0",)},
    "at most two features": {"max_features": 2},
    "two groups": {"max_groups": 2},
    "one group": {"max_groups": 1},
    "group size": {"max_group_size": 2},
    "monotone": {"monotone_required": {"f0": -1}},
    "depth": {"max_depth": 1},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_size_equals_enumeration(case: dict[str, Any]) -> None:
    space = tiny_space(**case)
    everything = enumerate_space(space)
    size = space.size()
    assert size.exact
    assert round(10**size.log10) == len(everything)
    assert size.text == f"{len(everything):,} architectures"


@pytest.mark.parametrize("case", [{"forbidden_pairs": (("f0", "f1"),)}, {"max_parameters": 12}, {"max_operations": 5}])
def test_size_is_an_upper_bound_where_it_cannot_be_counted(case: dict[str, Any]) -> None:
    space = tiny_space(**case)
    size = space.size()
    assert not size.exact
    assert 0 < len(enumerate_space(space)) < round(10**size.log10)
    assert size.text.startswith("at most")


def test_bound_of_a_wide_space_is_above_the_exact_count_of_a_narrower_one() -> None:
    exact, bound = example_space(60).size(), example_space(70).size()
    assert exact.exact
    assert not bound.exact
    assert exact.log10 < bound.log10 < 70 * math.log10(70 * 6 * 2)


def test_size_of_2000_features_is_finite_and_said_in_words() -> None:
    size = example_space(2000).size()
    assert math.isfinite(size.log10)
    assert "10^" in size.text


@pytest.mark.parametrize(("n", "bell"), [(0, 1), (1, 1), (2, 2), (5, 52), (10, 115975)])
def test_groups_of_any_size_are_counted_by_bell_numbers(n: int, bell: int) -> None:
    assert sum(limited_stirling(max(n, 1), max(n, 1))[n]) == bell


def test_groups_of_at_most_two_are_counted_by_involutions() -> None:
    assert [sum(row) for row in limited_stirling(6, 2)] == [1, 1, 2, 4, 10, 26, 76]


def test_groups_variable_counts_groupings() -> None:
    space = example_space(3)
    # each subset of the three features in groups, each single feature also as a linear group
    linear_or_not = sum(math.comb(3, s) * b * 2 ** (3 - s) for s, b in enumerate([1, 1, 2, 5]))
    assert space.by_name["groups"].count(Context(space)) == linear_or_not - 1


def reachable(space: SearchSpace) -> set[str]:
    start = space.sample(np.random.default_rng(0))
    found, todo = {canonical_json(start.values)}, [start]
    while todo:
        for near in space.neighbours(todo.pop()):
            text = canonical_json(near.values)
            if text not in found:
                found.add(text)
                todo.append(near)
    return found


@pytest.mark.parametrize("case", ["free", "linear only", "no linear groups", "two groups", "monotone"])
def test_neighbours_reach_the_whole_space(case: str) -> None:
    space = tiny_space(**{**CASES[case], "P": 2})
    assert reachable(space) == enumerate_space(space)


WEAK = ExampleHints(np.array([1.0, 0.03]), np.eye(2), np.array([-0.05, 0.03]))


@pytest.mark.parametrize("hints", [None, WEAK], ids=["without hints", "with hints"])
def test_sampling_covers_the_whole_space(hints: ExampleHints | None) -> None:
    space = tiny_space(P=2, depth=(0, 1))
    rng = np.random.default_rng(0)
    everything = enumerate_space(space)
    drawn = {canonical_json(space.sample(rng, hints).values) for _ in range(25_000)}
    missing = [json.loads(text) for text in sorted(everything - drawn)]
    assert missing == []


def test_mutation_alone_reaches_the_whole_space() -> None:
    space = tiny_space(P=2, depth=(0, 1))
    rng = np.random.default_rng(0)
    at = space.sample(rng)
    seen = set()
    for _ in range(25_000):
        at, _ = space.mutate(at, rng)
        seen.add(canonical_json(at.values))
    assert seen == enumerate_space(space)
