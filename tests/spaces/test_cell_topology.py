"""Two cells have one identity exactly when they compute the same function."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Any

import numpy as np
import pytest
import torch
from cell_oracle import EDGES, fingerprint, literal, random_cell
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_core.errors import SpaceError
from nas_core.spaces.cell.topology import (
    CONSTANT,
    IDENTITY,
    OPERATIONS,
    all_cells,
    cell_of_string,
    cell_to_string,
    live_edges,
    normal_form,
    powers_of,
    representative,
    root_of,
)

LETTERS = {".": "none", "s": "skip_connect", "1": "nor_conv_1x1", "3": "nor_conv_3x3", "p": "avg_pool_3x3"}


def cell(letters: str) -> tuple[str, ...]:
    """Return the cell of six letters, one for each edge."""
    return tuple(LETTERS[x] for x in letters)


def test_there_are_5044_different_cells() -> None:
    assert len({representative(c) for c in all_cells()}) == 5044
    assert len(list(all_cells())) == 15625


@pytest.mark.parametrize(
    ("one", "two", "why"),
    [
        ("3..s..", "...s..", "an edge to a node that leads nowhere"),
        ("..3s..", "...s..", "an edge that nothing reaches"),
        ("s...3.", "...3..", "a skip before a convolution"),
        ("3...s.", "...3..", "a skip after a convolution"),
        ("3...1.", ".3...1", "the other node in between"),
        ("31..3s", "13..s3", "two nodes that change places"),
        ("3.s.1.", "3...1.", "a way that ends beside"),
        ("3..sp.", "3s.sp.", "a skip to a node that leads nowhere"),
        ("3ss..p", "3..pp.", "pooling behind a sum, or before it"),
        ("3.s.13", "3.s.31", "the names of two convolutions of one node"),
        ("......", "333...", "nothing leads to the output"),
    ],
)
def test_cells_that_are_the_same_have_one_representative(one: str, two: str, why: str) -> None:
    assert representative(cell(one)) == representative(cell(two)), why
    assert fingerprint(cell(one)) == fingerprint(cell(two)), why


@pytest.mark.parametrize(
    ("one", "two", "why"),
    [
        ("...3..", "3..ss.", "conv(x) and x + conv(x)"),
        ("3...1.", "1...3.", "the order of two convolutions"),
        ("3s.3s.", "3..s3.", "conv(x) + conv(x) and x + conv(conv(x))"),
        ("3.3s.s", "33.sss", "two convolutions in a row and beside each other"),
        ("s..ss.", "...s..", "2·x and x"),
        ("sss..3", "...3..", "a convolution of 2·x and of x"),
        ("p.p..p", "ppp...", "pooling three times and nothing"),
        ("3.s.13", "33..13", "one convolution read twice and two of them"),
    ],
)
def test_cells_that_differ_have_two_representatives(one: str, two: str, why: str) -> None:
    assert representative(cell(one)) != representative(cell(two)), why
    assert fingerprint(cell(one)) != fingerprint(cell(two)), why


def test_representatives_are_the_partition_of_the_oracle() -> None:
    """On 2,500 cells, most of them equal to others: the same groups as by evaluating them literally."""
    rng = np.random.default_rng(0)
    everything = list(all_cells())
    crowd = [everything[i] for i in rng.permutation(len(everything))[:2500]]
    prints: dict[Any, set[Any]] = defaultdict(set)
    classes: dict[Any, set[Any]] = defaultdict(set)
    for one in crowd:
        mark, class_ = fingerprint(one), representative(one)
        prints[mark].add(class_)
        classes[class_].add(mark)
    assert all(len(found) == 1 for found in prints.values())
    assert all(len(found) == 1 for found in classes.values())
    assert 500 < len(prints) < 2400


def test_no_two_of_the_5044_have_one_print() -> None:
    """With at most four convolutions, so that it takes seconds; the others are in the crowd above."""
    few = [c for c in {representative(c) for c in all_cells()} if sum(o.startswith("nor_conv") for o in c) <= 4]
    assert len({fingerprint(c) for c in few}) == len(few) > 4000


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_merged_cell_computes_the_same_with_matched_weights(seed: int) -> None:
    """The convolutions of the representative take the weights of the cell's own, in one of the possible orders."""
    rng = np.random.default_rng(seed)
    given_cell = random_cell(rng)
    stands = representative(given_cell)
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(2, 2, 5, 5, dtype=torch.float64, generator=generator)
    weights = {
        e: torch.randn(2, 2, k, k, dtype=torch.float64, generator=generator)
        for e, o in enumerate(given_cell)
        for k in ([3] if o == "nor_conv_3x3" else [1] if o == "nor_conv_1x1" else [])
    }
    wanted = literal(given_cell, x, weights)
    own = [e for e, o in enumerate(stands) if o.startswith("nor_conv")]
    kinds = [stands[e] for e in own]
    matches = (
        dict(zip(own, (weights[e] for e in order)))
        for order in itertools.permutations(weights, len(own))
        if [given_cell[e] for e in order] == kinds
    )
    assert any(torch.allclose(literal(stands, x, m), wanted, rtol=1e-9, atol=1e-9) for m in matches)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_representative_is_the_cheapest_and_stands_for_itself(seed: int) -> None:
    given_cell = random_cell(np.random.default_rng(seed))
    stands = representative(given_cell)
    assert representative(stands) == stands == live_edges(stands)
    assert normal_form(stands) == normal_form(given_cell)
    for operation in ("avg_pool_3x3", "nor_conv_1x1", "nor_conv_3x3"):
        assert stands.count(operation) <= live_edges(given_cell).count(operation)
    swapped = dict(zip(EDGES, given_cell))
    if swapped[1, 2] == "none":  # then nodes 1 and 2 can change places
        names = {0: 0, 1: 2, 2: 1, 3: 3}
        other = [swapped[names[i], names[j]] if (i, j) != (1, 2) else "none" for i, j in EDGES]
        assert representative(other) == stands


def test_cells_in_a_row_of_others_are_known_and_no_more() -> None:
    """Of all representatives, those whose square or cube is a single cell: found again by evaluating in a row."""
    roots = {c: root_of(c) for c in {representative(c) for c in all_cells()} if root_of(c) != (c, 1)}
    assert len(roots) == 10
    assert root_of(representative(cell("3.3..3"))) == (representative(cell("...3..")), 3)
    assert root_of(representative(cell("pppsss"))) == (representative(cell("p..ss.")), 2)
    assert root_of(IDENTITY) == (IDENTITY, 1)
    assert root_of(CONSTANT) == (CONSTANT, 1)
    for power, (root, times) in roots.items():
        assert normal_form(power) == normal_form(root, times)
        assert powers_of(root)[times] == power


def test_strings_of_nas_bench_201_go_there_and_back() -> None:
    text = "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|"
    assert cell_to_string(cell_of_string(text)) == text
    assert cell_of_string(text) == cell("33ps3s")
    for one in itertools.islice(all_cells(), 0, None, 97):
        assert cell_of_string(cell_to_string(one)) == one


@pytest.mark.parametrize(
    "text",
    [
        "",
        "|none~0|",
        "|none~0|+|none~0|none~1|+|none~0|none~1|conv~2|",
        "|none~1|+|none~0|none~1|+|none~0|none~1|none~2|",
        "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|none~0|",
    ],
)
def test_a_string_that_is_no_cell_is_refused(text: str) -> None:
    with pytest.raises(SpaceError, match=r"is no cell of NAS-Bench-201.*six operations"):
        cell_of_string(text)


def test_operations_are_those_of_the_benchmark() -> None:
    assert OPERATIONS == ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
