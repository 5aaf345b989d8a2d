"""Choices that are pinned or forbidden: what they promise of every architecture, in every family and preset."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from space_examples import constrained_spaces, example_space, tiny_space

from nas_core.data.signal import image_signal, sequence_signal
from nas_core.errors import SpaceError
from nas_core.records import Architecture, canonical_json
from nas_core.spaces import (
    Choice,
    SearchSpace,
    cell_space,
    choices_of,
    family_names,
    forbid,
    has,
    image_space,
    pin,
    sequence_space,
)
from nas_core.spaces.choices import PAIRS
from nas_core.spaces.option_lists import option_lists

SPACES = {
    **{f"tabular {p}": example_space(preset=p) for p in ("transparent", "balanced", "accurate")},
    "tabular classes": example_space(5, 3),
    "tabular limited": example_space(
        8, max_features=5, max_group_size=2, features_required=("f1",), forbidden_pairs=(("f0", "f2"),),
        monotone_required={"f1": 1},
    ),
    **{f"image {p}": image_space(image_signal(1, 8, 8), 9, p) for p in ("transparent", "balanced", "lenet")},
    "image colour": image_space(image_signal(3, 28, 21), 1, "balanced"),
    "image accurate": image_space(image_signal(1, 8, 8), 10, "accurate"),
    "image tiny": image_space(image_signal(1, 3, 3), 3, "accurate"),
    **{f"sequence {p}": sequence_space(sequence_signal(2, 24), 3, p) for p in ("transparent", "balanced", "accurate")},
    "sequence words": sequence_space(sequence_signal(1, 12, vocabulary=30), 2),
    "sequence padded": sequence_space(sequence_signal(1, 40, padded=True), 1),
    "sequence short": sequence_space(sequence_signal(1, 1), 2),
    **{f"cell {p}": cell_space(image_signal(1, 8, 8), 10, p) for p in ("balanced", "small", "nas_bench_201")},
}  # fmt: skip

NOT_SAID = {
    "pin": {"groups", "marks", "layers.bidirectional", PAIRS, "weight_decay"},
    "forbid": {"depth", "hidden_depth", "layers.count", "stages", "repeats", "head"},
}
"""Lists with options that a declaration cannot pin, or cannot forbid: the middle of a range, for example."""

NEITHER = {
    ("cell balanced", "none"), ("cell small", "none"),  # every cell would be constant
    ("tabular limited", "periodic"),  # no promise of a direction
    ("sequence short", "conv"),  # every convolution reaches beyond a single step
    *((f"image {p}", "dense") for p in ("balanced", "accurate", "lenet", "colour", "tiny")),  # without a hidden layer
}  # fmt: skip
"""Options that leave nothing else in some spaces."""


def made_in(space: SearchSpace, before: list[Architecture], n: int = 3) -> Iterator[Architecture]:
    """Yield samples, landmarks, and what the operators make of architectures of an earlier version."""
    yield from (space.sample(np.random.default_rng([3, i])) for i in range(n))
    yield from (p.architecture for p in space.initial(3, np.random.default_rng(1)))
    rng = np.random.default_rng(5)
    yield from (space.mutate(a, rng)[0] for a in before[:3])
    for a, b in pairwise(before[:4]):
        child = space.crossover(a, b, rng)
        if child != a:  # no valid child: a copy of a parent of the earlier version
            yield child


@pytest.mark.parametrize("name", SPACES)
def test_what_is_forbidden_is_nowhere_and_what_is_pinned_is_everywhere(name: str) -> None:
    space = SPACES[name]
    before = [space.sample(np.random.default_rng([7, i])) for i in range(4)]
    lists = option_lists(space.family)
    for choice in choices_of(space, pairs=len(space.features) <= 8):
        try:
            without = forbid(space, choice)
        except SpaceError:
            assert choice.variable in NOT_SAID["forbid"] or name == "tabular limited", choice
        else:
            assert without.version == space.version + 1
            assert not any(has(a, choice) for a in made_in(without, before)), choice
        try:
            only = pin(space, choice)
        except SpaceError:
            assert choice.variable in NOT_SAID["pin"] or (name, choice.option) in NEITHER, choice
        else:
            assert only.version == space.version + 1
            for a in made_in(only, before):
                assert has(a, choice) or not lists[choice.variable].held(a.values, choice.frame), (choice, a.values)


@pytest.mark.parametrize("name", SPACES)
def test_every_option_an_architecture_has_is_offered(name: str) -> None:
    space = SPACES[name]
    offered = {(c.variable, c.option) for c in choices_of(space, pairs=True)}
    lists = {key: listed for key, listed in option_lists(space.family).items() if listed.offered(space)}
    for seed in range(30):
        a = space.sample(np.random.default_rng([11, seed]))
        for key, listed in lists.items():
            held = listed.held(a.values, choices_of(space)[0].frame)
            if key not in ("features", "dropout", "weight_decay", "layers.bidirectional", "cell.operations"):
                assert {(key, option) for option in held} <= offered, (key, held)


@settings(max_examples=25, deadline=None)
@given(constrained_spaces(), st.data())
def test_constrained_tables_keep_both_promises(space: SearchSpace, data: Any) -> None:
    try:
        space.sample(np.random.default_rng(0))
    except SpaceError:
        return
    choice = data.draw(st.sampled_from(choices_of(space, pairs=True) or (Choice("features", 0),)))
    for change in (forbid, pin):
        try:
            changed = change(space, choice)
        except SpaceError:
            continue
        for seed in range(5):
            try:
                a = changed.sample(np.random.default_rng(seed))
            except SpaceError:  # limits that hardly leave anything
                continue
            assert has(a, choice) is (change is pin) or not option_lists("tabular")[choice.variable].held(
                a.values, choice.frame
            )


def test_choices_have_labels_that_differ_and_a_list_of_one_is_no_choice() -> None:
    for space in SPACES.values():
        found = choices_of(space)
        assert len({str(c) for c in found}) == len(found) == len(set(found))
    pinned = pin(SPACES["tabular balanced"], Choice("activation", "relu"))
    assert not [c for c in choices_of(pinned) if c.variable == "activation"]
    assert next(c for c in choices_of(SPACES["tabular balanced"], pairs=True) if c.variable == PAIRS).option == (0, 1)


def test_every_family_offers_choices() -> None:
    assert all(option_lists(name) for name in family_names())


def test_a_linear_network_has_no_activation() -> None:
    space = SPACES["tabular balanced"]
    drawn = [space.sample(np.random.default_rng(i)) for i in range(60)]
    flat = [a for a in drawn if a.values["depth"] == 0]
    assert flat
    assert not any(has(a, Choice("activation", "identity")) for a in flat)
    assert all(has(a, Choice("depth", 0)) for a in flat)
    pinned = pin(space, Choice("activation", "tanh"))
    assert all(pinned.validate_architecture(a) == [] for a in flat), "a linear network has nothing to decide"


def test_a_pinned_feature_is_used_by_all_and_a_pinned_operation_in_every_network() -> None:
    space = pin(SPACES["tabular balanced"], Choice("features", 3))
    assert all(3 in {j for g in space.sample(np.random.default_rng(i)).values["groups"] for j in g["features"]}
               for i in range(20))  # fmt: skip
    images = pin(SPACES["image balanced"], Choice("stages.operations", "sep3"))
    assert all(has(images.sample(np.random.default_rng(i)), Choice("stages.operations", "sep3")) for i in range(20))


def test_a_cell_has_an_operation_only_where_no_other_cell_does_without_it() -> None:
    from nas_core.spaces.cell.rules import classes_over
    from nas_core.spaces.cell.topology import OPERATIONS, all_cells, representative

    for operation in OPERATIONS:
        others = [o for o in OPERATIONS if o != operation]
        without = {representative(cell) for cell in all_cells(others)}  # the slow twin: by listing them
        choice = Choice("cell.operations", operation)
        for cell in sorted(classes_over(OPERATIONS))[::97]:
            a = Architecture(family="cell", values={"cell": list(cell)})
            assert has(a, choice) is (cell not in without)


def test_refusals_say_why() -> None:
    space = SPACES["tabular balanced"]
    with pytest.raises(SpaceError, match=r"Hidden layers = 1 cannot be forbidden: .*0 to 3.*no holes.*0 or 3"):
        forbid(space, Choice("depth", 1))
    with pytest.raises(SpaceError, match=r"activation = cosine is nothing this space leaves open.*relu"):
        forbid(space, Choice("activation", "cosine"))
    with pytest.raises(SpaceError, match=r"no list of options 'colour'.*activation"):
        pin(space, Choice("colour", "red"))
    with pytest.raises(SpaceError, match=r"act together cannot be pinned: a space cannot say"):
        pin(space, Choice("groups", "together"))
    with pytest.raises(SpaceError, match=r"increasing by construction cannot be pinned: a network promises"):
        pin(space, Choice("marks", 1))
    with pytest.raises(SpaceError, match=r"together with f1 cannot be pinned: .*two features must act together"):
        pin(space, Choice(PAIRS, (0, 1)))
    with pytest.raises(SpaceError, match=r"Weight decay = 0 cannot be pinned: .*logarithmic scale"):
        pin(space, Choice("weight_decay", 0.0))
    one = tiny_space(2, features_required=("f0",))
    with pytest.raises(SpaceError, match=r"activation = relu is nothing this space leaves open.*one option is left"):
        forbid(forbid(one, Choice("activation", "gelu")), Choice("activation", "relu"))
    words = SPACES["sequence words"]
    with pytest.raises(SpaceError, match="read both ways cannot be pinned: a space may allow"):
        pin(words, Choice("layers.bidirectional", True))
    with pytest.raises(SpaceError, match="layers = 1 cannot be forbidden: there are 0 to 3 layers"):
        forbid(words, Choice("layers.count", 1))
    with pytest.raises(SpaceError, match="Head = gap_linear cannot be forbidden: The head is dense"):
        forbid(SPACES["image balanced"], Choice("head", "gap_linear"))


def test_nothing_left_is_refused_with_the_constraint_in_the_way() -> None:
    space = example_space(4, max_features=1, features_required=("f0",))
    with pytest.raises(SpaceError, match="uses f1 cannot be pinned: 2 features are required, the limits leave room"):
        pin(space, Choice("features", 1))
    narrow = example_space(3, max_parameters=1)
    with pytest.raises(SpaceError, match=r"cannot be forbidden: .*no valid candidate.*max_parameters"):
        forbid(narrow, Choice("features", 0))


@pytest.mark.parametrize("name", SPACES)
def test_an_architecture_of_an_earlier_version_is_repaired_to_the_next(name: str) -> None:
    space = SPACES[name]
    before = [space.sample(np.random.default_rng([13, i])) for i in range(6)]
    for choice in choices_of(space)[::5]:
        try:
            after = forbid(space, choice)
        except SpaceError:
            continue
        for a in before:
            values = canonical_json(a.values)
            repaired = after.refit(a, np.random.default_rng(0))
            assert canonical_json(a.values) == values
            assert repaired is None or after.validate_architecture(repaired) == []
            if not after.validate_architecture(a):
                assert repaired == a
            else:
                assert repaired is not None
                assert not has(repaired, choice)
    other = SPACES["cell small" if space.family != "cell" else "image lenet"]
    assert other.refit(before[0], np.random.default_rng(0)) is None
