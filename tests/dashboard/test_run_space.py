"""The tab "Space" of the Run page: proposals with their evidence, pin and forbid by hand, versions with undo."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit
from recorded import RUN, recorded_run, run_problem
from streamlit.testing.v1 import AppTest

from dashboard import process
from dashboard.views.run_space import choice_edit, edited, proposal_lines, restored, run_versions
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.records import Estimate, Event, RunState
from nas_core.runs.registry import start_run, stop_all
from nas_core.runs.settings import RunSettings
from nas_core.runs.versions import SpaceVersion
from nas_core.search.pruning import Removal
from nas_core.spaces import Choice, SearchSpace, choices_of, forbid, has
from nas_core.store import Store, open_store

APP = str(Path(process.__file__).with_name("app.py"))
USELESS = Choice("activation", "sigmoid")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path)
    process.configure(opened=opened)
    yield opened
    stop_all()
    process.configure()
    streamlit.cache_resource.clear()
    opened.close()


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    return SearchSpace.for_problem(run_problem("iris"))


def open_tab(**query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    app.session_state["run_tabs"] = "Space"
    return app.run()


def said(app: AppTest) -> str:
    return "\n".join(str(e.value) for kind in (app.markdown, app.caption, app.info, app.error) for e in kind)


def button(app: AppTest, key: str) -> Any:
    return next(b for b in app.button if b.key == key)


def test_an_edit_is_the_next_version_with_its_words(space: SearchSpace) -> None:
    changed, words = edited(space, USELESS, "forbid")
    assert changed.version == space.version + 1
    assert words == ("Activation: sigmoid removed",)
    assert "removed" in edited(space, USELESS, "pin")[1][0]
    back, undone = restored(changed, space)
    assert (back.id, back.version) == (space.id, 3)
    assert undone == ("Activation: sigmoid added",)


def test_what_is_refused_says_why(space: SearchSpace) -> None:
    assert choice_edit(space, USELESS, "forbid").refused == ""
    refused = choice_edit(space, Choice("depth", 1, "Hidden layers = 1"), "forbid")
    assert refused.words == ()
    assert "a range has no holes" in refused.refused


def test_versions_are_listed_newest_first_with_how_many_stay_inside(space: SearchSpace) -> None:
    second, third = space.changed(), space.changed().changed()
    versions = [
        SpaceVersion(space),
        SpaceVersion(second, "Activation: sigmoid removed", 100, 80, 20),
        SpaceVersion(third, "", 120, 120, 0),
    ]
    newest, first = run_versions(versions)
    assert (newest.number, newest.words) == (3, ("nothing changed", "120 of 120 candidates were still inside"))
    assert first.words == ("Activation: sigmoid removed", "80 of 100 candidates were still inside")
    assert (first.before, newest.before) == (space, second)
    assert run_versions(versions[:1]) == ()


def test_a_proposal_that_is_settled_already_is_not_shown(space: SearchSpace) -> None:
    choice = next(c for c in choices_of(space) if c == USELESS)
    removal = Removal(choice, 41, 41, 1, 7.4, 62, 0.004, 0.971)
    ((shown, sentence, edit),) = proposal_lines([removal], space)
    assert shown == choice
    assert sentence == removal.sentence
    assert edit.words == ("Activation: sigmoid removed",)
    assert proposal_lines([removal], forbid(space, choice)) == ()


def found_useless(store: Store) -> str:
    """Record a finished random search in which one activation is of no use, and return its id."""
    problem = run_problem("iris")
    space = SearchSpace.for_problem(problem)
    run = start_run(
        store, problem, space, RunSettings(strategy="random", candidates=260),
        evaluator=lambda _p, s, own: SyntheticEvaluator(s, own.seed),
    )  # fmt: skip
    assert run.wait(60)
    low = Estimate(value=0.51, low=0.5, high=0.52)
    found = [
        e.model_copy(update={"performance": low, "weights": None}) if has(e.architecture, USELESS) else e
        for e in store.evaluations(run.id)
    ]
    store.create_run(store.run(run.id).model_copy(update={"id": "planted", "owner": ""}))
    store.commit("planted", found, None, store.run(run.id).progress)
    return "planted"


def test_one_click_on_a_proposal_prepares_a_smaller_space_for_a_new_search(store: Store) -> None:
    planted = found_useless(store)
    app = open_tab(run=planted)
    assert not app.exception
    assert "This run has ended" in said(app)
    assert "Activation = sigmoid: tried" in said(app)
    assert "never on the front" in said(app)
    proposal = next(b for b in app.button if (b.key or "").startswith("run_space_proposal") and "sigmoid" in b.help)
    app = proposal.click().run()
    assert not app.exception
    assert "Prepared for a new search: Activation: sigmoid removed" in said(app)
    assert "Activation = sigmoid: tried" not in said(app)
    assert SearchSpace.model_validate(store.run(planted).space).version == 1, "the run stays as it was"
    app = button(app, "run_space_start").click().run()
    assert not app.exception
    assert "edited on the Search space page" in str([s.options for s in app.selectbox])


def test_by_hand_an_option_is_forbidden_then_another_pinned_and_both_are_kept(store: Store) -> None:
    recorded_run(store)
    app = open_tab(run=RUN)
    assert not app.exception
    assert "Nothing of 24 candidates shows that an option never helps" in said(app)
    app.selectbox(key="run_space_choice").set_value("Optimiser = sgd").run()
    app = button(app, "run_space_forbid").click().run()
    assert not app.exception
    app.selectbox(key="run_space_choice").set_value("Numeric encoding = quantile").run()
    app = button(app, "run_space_pin").click().run()
    assert not app.exception
    assert "Optimiser: sgd removed" in said(app)
    assert "Numeric encoding: standardised, piecewise, periodic removed" in said(app)


def test_a_refused_deed_is_a_button_that_says_why(store: Store) -> None:
    recorded_run(store)
    app = open_tab(run=RUN)
    app.selectbox(key="run_space_choice").set_value("Hidden layers = 1").run()
    refused = button(app, "run_space_forbid")
    assert refused.disabled
    assert "a range has no holes" in refused.help
    assert not button(app, "run_space_pin").disabled


def test_the_versions_of_a_run_can_be_undone(store: Store) -> None:
    recorded_run(store)
    before = store.run(RUN).space
    smaller = forbid(SearchSpace.model_validate(before), USELESS)
    payload = {"version": 2, "words": "Activation: sigmoid removed", "inside": 20, "outside": 4, "previous": before}
    event = Event(kind="space", time=1.0, payload=payload)
    store.commit(RUN, [], None, {"evaluated": 24}, [event], space=smaller.model_dump(mode="json"))
    store.update_run(RUN, state=RunState.DONE)
    app = open_tab(run=RUN)
    assert "**2** · Activation: sigmoid removed; 20 of 24 candidates were still inside" in said(app)
    app = button(app, "run_space_undo_2").click().run()
    assert not app.exception
    assert smaller.version == 2


def test_a_live_run_takes_the_change(store: Store) -> None:
    problem = run_problem("iris")
    run = start_run(
        store, problem, SearchSpace.for_problem(problem), RunSettings(candidates=5000, pack_size=8),
        evaluator=lambda _p, s, own: SyntheticEvaluator(s, own.seed, delay=0.005),
    )  # fmt: skip
    app = open_tab(run=run.id)
    app.selectbox(key="run_space_choice").set_value("Optimiser = sgd").run()
    button(app, "run_space_forbid").click().run()
    deadline = time.monotonic() + 20
    while not any(e.kind == "space" for e in store.events(run.id)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    run.stop()
    assert run.wait(10)
