"""Starting from an earlier run in the studio: only runs that fit are offered, and the order says which were chosen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit
from recorded import RUN, recorded_run, run_problem
from streamlit.testing.v1 import AppTest

from dashboard import process, state
from dashboard.components.run_warm import offered_runs
from nas_core.data import DataSource
from nas_core.runs.registry import stop_all
from nas_core.runs.settings import RunSettings
from nas_core.store import InMemoryStore, Store

APP = str(Path(process.__file__).with_name("app.py"))
IRIS = state.Draft(source=DataSource(kind="builtin", location="iris"))


@pytest.fixture
def store() -> Iterator[Store]:
    opened = InMemoryStore()
    process.configure(opened=opened)
    yield opened
    stop_all()
    process.configure(opened=InMemoryStore())
    streamlit.cache_resource.clear()


def open_form(prepared: state.Draft | None = None) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    app.switch_page("pages/run.py")
    app.session_state[state.CHOOSING] = True
    if prepared is not None:
        app.session_state["nasight_draft"] = prepared
    return app.run()


def test_without_an_earlier_run_nothing_is_offered(store: Store) -> None:
    app = open_form()
    assert not app.exception
    assert not app.multiselect


def test_a_run_on_the_same_data_is_offered_in_a_sentence(store: Store) -> None:
    recorded_run(store)
    app = open_form()
    assert not app.exception
    (choice,) = app.multiselect
    assert choice.label == "Start from an earlier run"
    (sentence,) = choice.options
    assert sentence.startswith("breast_cancer, 20")
    assert sentence.endswith("24 candidates on the same data")


def test_only_runs_that_fit_what_is_prepared_are_offered(store: Store) -> None:
    recorded_run(store)
    assert offered_runs(IRIS) == []
    recorded = store.run(RUN)
    problem = run_problem("iris")
    prepared = state.Draft(source=DataSource(kind="builtin", location="breast_cancer"))
    assert [run.record.id for run in offered_runs(prepared)] == [RUN]
    assert problem.spec.data_hash != recorded.data_hash


def test_the_chosen_run_starts_the_next_one(store: Store) -> None:
    recorded_run(store)
    app = open_form()
    app.multiselect(key="start_warm").set_value([RUN])
    app.number_input[1].set_value(5)
    pressed = next(b for b in app.button if b.label == "Start search")
    app = pressed.click().run()
    assert not app.exception
    launched = process.latest_launch()
    assert launched is not None
    launched.wait(120)
    assert launched.run is not None, launched.message
    settings = RunSettings.model_validate(store.run(launched.run).settings)
    assert settings.warm == (RUN,)
    assert settings.candidates == 5


def test_a_run_on_other_data_is_refused_when_the_search_is_prepared(store: Store) -> None:
    recorded_run(store)
    launched = process.launch(process.Order(IRIS.source, RunSettings(candidates=4), warm=(RUN,)))
    launched.wait(60)
    assert launched.state == "failed"
    assert "is no start for this search: its task is classification with 1 outputs" in launched.message
