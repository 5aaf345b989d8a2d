"""Versions of a space: what differs is said in words, and every version can be gone back to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import run_problem

from dashboard.drafts import Draft
from dashboard.views.space_diff import space_diff
from dashboard.views.space_history import KEPT, History, Version, frame_of, history_view
from nas_core.data import DataSource
from nas_core.errors import SpaceError
from nas_core.spaces import SearchSpace

BASE = SearchSpace.for_problem(run_problem("iris"), "balanced")
NAMES = [f.name for f in BASE.features]


def with_variable(space: SearchSpace, name: str, **changes: Any) -> SearchSpace:
    variables = tuple(
        type(v).model_validate({**v.model_dump(), **changes}) if v.name == name else v for v in space.variables
    )
    return space.changed(variables=variables)


def with_limits(space: SearchSpace, **changes: Any) -> SearchSpace:
    limits = space.constraints
    return space.changed(constraints=type(limits).model_validate({**limits.model_dump(), **changes}))


def test_the_same_space_at_another_version_has_no_difference() -> None:
    assert space_diff(BASE, BASE.model_copy(update={"version": 9})) == ()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (with_variable(BASE, "width", choices=(4, 8)), ("Units per layer: 16, 32 removed",)),
        (with_variable(BASE, "activation", choices=("relu", "gelu", "softplus", "tanh", "silu", "identity")),
         ("Activation: sigmoid removed",)),
        (with_variable(BASE, "depth", high=2), ("Hidden layers: 0–3 → 0–2",)),
        (with_variable(BASE, "dropout", zero=0.25), ("Dropout, share that is exactly 0: 0.5 → 0.25",)),
        (with_variable(BASE, "groups", linear=False), ("Features and groups: turned off",)),
        (with_variable(BASE, "learning_rate", label="Step"), ("Step, label: Learning rate → Step",)),
        (with_limits(BASE, max_parameters=5000), ("Parameters, at most: 5,000 added",)),
        (with_limits(BASE, features_required=(NAMES[0],)), (f"Features that must be used: {NAMES[0]} added",)),
        (with_limits(BASE, forbidden_pairs=((NAMES[0], NAMES[1]),)),
         (f"Pairs that may not interact: {NAMES[0]} – {NAMES[1]} added",)),
    ],
)  # fmt: skip
def test_a_difference_is_said_in_words(changed: SearchSpace, words: tuple[str, ...]) -> None:
    assert space_diff(BASE, changed) == words


def test_a_required_direction_is_said_in_words() -> None:
    space = SearchSpace.for_problem(run_problem("breast_cancer"))
    asked = with_limits(space, monotone_required={"mean radius": -1})
    assert space_diff(space, asked) == ("Direction of the effect, mean radius: decreasing added",)
    turned = with_limits(space, monotone_required={"mean radius": 1})
    assert space_diff(asked, turned) == ("Direction of the effect, mean radius: decreasing → increasing",)


def test_the_way_back_says_the_opposite() -> None:
    limited = with_limits(BASE, max_parameters=5000)
    assert space_diff(limited, BASE) == ("Parameters, at most: 5,000 removed",)
    assert space_diff(limited, with_limits(BASE, max_parameters=700)) == ("Parameters, at most: 5,000 → 700",)


def test_an_order_and_a_difference_beyond_the_shown_digits_are_differences_too() -> None:
    turned = with_variable(BASE, "activation", choices=tuple(reversed(BASE.by_name["activation"].choices)))  # type: ignore[attr-defined]
    assert space_diff(BASE, turned)[0].startswith("Activation: in the order ")
    near = with_variable(BASE, "dropout", zero=0.5000001)
    assert space_diff(BASE, near) == ("Dropout, share that is exactly 0: 0.5 → 0.5000001",)


@st.composite
def edits(draw: st.DrawFn) -> SearchSpace:
    """A space a few random edits away from the preset."""
    space = BASE
    for _ in range(draw(st.integers(0, 3))):
        kind = draw(st.integers(0, 5))
        if kind == 0:
            low = draw(st.integers(0, 3))
            space = with_variable(space, "depth", low=low, high=draw(st.integers(max(1, low), 6)))
        elif kind == 1:
            offered = ("relu", "tanh", "gelu", "silu")
            chosen = draw(st.permutations(offered))[: draw(st.integers(1, 4))]
            space = with_variable(space, "activation", choices=chosen)
        elif kind == 2:
            space = with_variable(space, "dropout", zero=draw(st.floats(0, 1)))
        elif kind == 3:
            space = with_limits(space, max_features=draw(st.none() | st.integers(1, 9)))
        elif kind == 4:
            space = with_limits(space, features_forbidden=tuple(draw(st.sets(st.sampled_from(NAMES), max_size=2))))
        else:
            space = with_variable(space, "groups", linear=draw(st.booleans()))
    return space


@given(edits(), edits())
@settings(max_examples=150, deadline=None)
def test_there_are_no_words_exactly_where_nothing_but_the_version_differs(one: SearchSpace, two: SearchSpace) -> None:
    assert (space_diff(one, two) == ()) == (one.id == two.id)
    assert bool(space_diff(one, two)) == bool(space_diff(two, one))
    assert all(words.strip() for words in space_diff(one, two))


def grown(*limits: int) -> History:
    history = History((Version("tabular", "balanced"),))
    for limit in limits:
        history = history.added(Version("tabular", "balanced", with_limits(BASE, max_features=limit)))
    return history


def test_undo_and_redo_walk_along_the_versions() -> None:
    history = grown(1, 2)
    assert (history.at, history.before, history.after) == (2, 1, None)
    history = history.moved(1)
    assert (history.before, history.after) == (0, 2)
    assert history.moved(0).before is None
    assert History().current is None
    assert (History().before, History().after) == (None, None)


def test_an_edit_of_an_older_version_loses_none() -> None:
    history = grown(1, 2).moved(1).added(Version("tabular", "balanced", with_limits(BASE, max_features=4)))
    assert [v.parent for v in history.versions] == [None, 0, 1, 1]
    assert history.before == 1
    assert history.moved(1).after == 3


def test_only_the_latest_versions_are_kept_and_links_still_lead_to_them() -> None:
    history = grown(*range(1, KEPT + 5))
    assert len(history.versions) == KEPT
    assert history.versions[0].parent is None
    seen = 0
    while history.before is not None:
        history, seen = history.moved(history.before), seen + 1
    assert seen == KEPT - 1


def test_versions_are_listed_newest_first_with_what_they_changed() -> None:
    history = grown(1, 2).moved(0).added(Version("tabular", "transparent"))
    problem = run_problem("iris")
    lines = history_view(history, lambda family, preset: SearchSpace.for_problem(problem, preset, family))
    assert [line.number for line in lines] == [4, 3, 2, 1]
    assert lines[2].words == ("Features, at most: 1 added",)
    assert lines[1].words == ("Features, at most: 1 → 2",)
    assert lines[3].words == ("the preset balanced, where it began",)
    assert lines[0].words[0] == "the preset transparent"
    assert lines[0].origin == "from version 1"
    assert [line.current for line in lines] == [True, False, False, False]


def test_the_versions_survive_being_written() -> None:
    history = grown(1, 2).moved(1)
    assert History.from_plain(history.to_plain()) == history
    draft = Draft(DataSource(kind="builtin", location="iris"), history=history, space=history.versions[1].space)
    assert Draft.from_json(draft.to_json()) == draft


@pytest.mark.parametrize("wrong", [{"at": 7}, {"at": -1}])
def test_versions_that_lead_nowhere_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="the version"):
        History.from_plain({**grown(1).to_plain(), **wrong})
    plain = grown(1).to_plain()
    plain["versions"][1]["parent"] = 5
    with pytest.raises(ValueError, match="the version"):
        History.from_plain(plain)


def test_a_frame_is_what_all_versions_share() -> None:
    assert frame_of(BASE) == frame_of(with_limits(BASE, max_features=1))
    assert frame_of(BASE) != frame_of(SearchSpace.for_problem(run_problem("wine")))
    with pytest.raises(SpaceError, match="is no feature"):
        with_limits(BASE, features_required=("nothing",))
    assert replace(grown(1), at=0).current == Version("tabular", "balanced")
