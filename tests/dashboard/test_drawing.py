"""Drawing by hand: every change leads to an architecture of the space or to a reason, and nothing is lost."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import run_problem

from dashboard.drafts import Draft
from dashboard.views.drawing import (
    Drawing,
    Step,
    change_at,
    cost_rows,
    outcome,
    places,
    read_architecture,
    starts,
)
from nas_core.errors import SpaceError
from nas_core.records import Architecture
from nas_core.spaces import SearchSpace, facts

SPACE = SearchSpace.for_problem(run_problem("iris"), "balanced")


def landmark(name: str) -> Architecture:
    return next(a for n, a in starts(SPACE, None) if n == name)


def apply(space: SearchSpace, architecture: Architecture, label: str, verb: str, words: str) -> Architecture:
    place = next(p for p in places(space, architecture) if p.label == label)
    change = next(c for c in place.changes if (c.verb, c.words) == (verb, words))
    found = outcome(space, architecture, place.variable, change_at(space, architecture, place, change)[0])
    assert found.architecture is not None, found.refused
    return found.architecture


def test_a_drawing_can_start_from_every_landmark_that_the_constraints_allow() -> None:
    found = starts(SPACE, None)
    assert len({a.id for _, a in found}) == len(found) > 5
    assert all(SPACE.validate_architecture(a) == [] for _, a in found)
    limits = SPACE.constraints.model_copy(update={"max_features": 1})
    narrow = SPACE.changed(constraints=limits)
    assert all(len(facts(narrow, a).used_features) == 1 for _, a in starts(narrow, None))


def test_every_variable_can_be_changed_somewhere() -> None:
    found = places(SPACE, landmark("one network of all features"))
    assert {p.variable for p in found} == {v.name for v in SPACE.variables}
    assert all(p.complete and p.changes for p in found)
    assert len({p.label for p in found}) == len(found)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_a_change_leads_to_a_valid_architecture_or_to_a_reason(seed: int) -> None:
    rng = np.random.default_rng(seed)
    architecture = SPACE.sample(rng)
    offered = places(SPACE, architecture)
    place = offered[int(rng.integers(len(offered)))]
    change = place.changes[int(rng.integers(len(place.changes)))]
    edit, words = change_at(SPACE, architecture, place, change)
    found = outcome(SPACE, architecture, place.variable, edit)
    assert change.words in words
    if found.architecture is None:
        assert found.refused
    else:
        assert not found.refused
        assert found.architecture != architecture
        assert SPACE.validate_architecture(found.architecture) == []


def test_removing_the_last_feature_is_refused_with_the_reason() -> None:
    architecture = landmark("one feature, rank 1")
    place = next(p for p in places(SPACE, architecture) if p.label.startswith("Group of"))
    removal = next(c for c in place.changes if c.verb == "remove")
    found = outcome(SPACE, architecture, "groups", change_at(SPACE, architecture, place, removal)[0])
    assert found.architecture is None
    assert "at least one group" in found.refused


def test_a_constraint_that_refuses_a_change_is_named() -> None:
    limits = SPACE.constraints.model_copy(update={"max_features": 1})
    narrow = SPACE.changed(constraints=limits)
    _, architecture = starts(narrow, None)[0]
    place = next(p for p in places(narrow, architecture) if any(c.verb == "add" for c in p.changes))
    addition = next(c for c in place.changes if c.verb == "add")
    found = outcome(narrow, architecture, place.variable, change_at(narrow, architecture, place, addition)[0])
    assert "max_features" in found.refused


def test_a_change_that_means_nothing_alone_takes_the_smallest_other_one_with_it() -> None:
    architecture = landmark("2 linear features")
    place = next(p for p in places(SPACE, architecture) if p.label.startswith("Group of"))
    change = next(c for c in place.changes if c.words == "a small network")
    found = outcome(SPACE, architecture, "groups", change_at(SPACE, architecture, place, change)[0])
    assert found.architecture is not None
    assert found.also == "Hidden layers: 1; Units per layer: 4"
    assert found.architecture.values["depth"] == 1


def test_a_change_that_leaves_the_network_as_it_is_says_so() -> None:
    architecture = landmark("2 linear features")
    place = next(p for p in places(SPACE, architecture) if p.variable == "width")
    found = outcome(SPACE, architecture, "width", change_at(SPACE, architecture, place, place.changes[0])[0])
    assert found.architecture is not None or "changes nothing" in found.refused


def test_a_change_of_an_older_drawing_is_not_applied_to_a_newer_one() -> None:
    before, after = landmark("2 linear features"), landmark("one feature, rank 1")
    place = places(SPACE, before)[0]
    joining = next(c for c in place.changes if c.words.startswith("together with"))
    with pytest.raises(SpaceError, match="changed meanwhile"):
        change_at(SPACE, after, place, joining)


def test_the_cost_before_and_after_is_that_of_the_facts() -> None:
    one, two = landmark("2 linear features"), landmark("one network of all features")
    rows = {r.label: r for r in cost_rows(SPACE, one, two)}
    assert rows["Parameters"].now == str(facts(SPACE, one).parameters)
    assert rows["Operations"].after == f"{facts(SPACE, two).operations:,}"
    assert rows["Few features"].changed
    assert "Receptive field" not in rows
    alone = cost_rows(SPACE, one)
    assert all(r.after == "" and not r.changed for r in alone)
    assert not any(r.changed for r in cost_rows(SPACE, one, one))


def test_an_architecture_survives_its_text() -> None:
    architecture = landmark("one network of all features")
    whole = json.dumps({"family": "tabular", "values": architecture.values})
    assert read_architecture(SPACE, whole) == architecture
    assert read_architecture(SPACE, json.dumps(architecture.values)) == architecture


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('{\n"depth": }', "line 2"),
        ("[1]", "not an object"),
        ('{"family": "cell", "values": {}}', "of the family cell"),
        ("{}", "groups is missing"),
        ('{"depth": NaN}', "cannot be read"),
        ('{"depth": "\\ud800"}', "Unicode text"),
        ('{"depth": ' + "9" * 5000 + "}", "4,300 digits"),
        ('{"depth": ' + "[" * 100_000 + "}", "nested too deeply|not JSON|longer"),
    ],
)
def test_a_text_that_is_no_architecture_gets_a_reason(written: str, said: str) -> None:
    with pytest.raises(SpaceError, match=said):
        read_architecture(SPACE, written)


def test_steps_can_be_undone_and_redone_until_another_one_is_made() -> None:
    drawing = Drawing("tabular", (Step("started", {"n": 0}),))
    for n in (1, 2):
        drawing = drawing.added(Step(f"step {n}", {"n": n}))
    assert drawing.values == {"n": 2}
    back = drawing.moved(-1)
    assert back.values == {"n": 1}
    assert back.moved(1) == drawing
    assert back.moved(-9).values == {"n": 0}
    assert [s.words for s in back.added(Step("other", {"n": 5})).steps] == ["started", "step 1", "other"]


def test_a_drawing_survives_a_reload() -> None:
    drawing = Drawing("tabular", (Step("started", {"n": 0}), Step("more", {"n": 1})), 1, "abc")
    assert Draft.from_json(Draft(drawing=drawing).to_json()).drawing == drawing
    with pytest.raises(ValueError, match="the step"):
        Drawing.from_plain({**drawing.to_plain(), "at": 2})


def test_a_group_can_be_split_and_joined_again() -> None:
    whole = landmark("one network of all features")
    place = next(p for p in places(SPACE, whole) if p.variable == "groups")
    first = SPACE.features[0].name
    split = apply(SPACE, whole, place.label, "rewire", f"{first} to a group of its own")
    assert len(split.values["groups"]) == 2
    near = [p for p in places(SPACE, split) if p.variable == "groups" and p.label == f"Group of {first}"]
    joined = apply(SPACE, split, near[0].label, "rewire",
                   next(c.words for c in near[0].changes if c.words.startswith("together")))  # fmt: skip
    assert joined.values["groups"] == whole.values["groups"]


def test_a_change_of_an_edge_that_leaves_the_cell_the_same_network_changes_nothing_else() -> None:
    space = SearchSpace.for_problem(run_problem("digits_images"), family="cell")
    cut = ["none", "none", "none", "nor_conv_3x3", "none", "none"]  # nothing leads into node 2
    settings_of_it = space.sample(np.random.default_rng(0)).values
    architecture = space.architecture({**settings_of_it, "cell": cut})
    place = next(p for p in places(space, architecture) if p.label == "Edge 1 → 2")
    addition = next(c for c in place.changes if c.verb == "add")
    found = outcome(space, architecture, "cell", change_at(space, architecture, place, addition)[0])
    assert found.architecture is None
    assert "changes nothing" in found.refused
