"""The tabs below the front, the marks and the replay, without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit
from recorded import RUN, recorded_run
from streamlit.testing.v1 import AppTest

from dashboard import process, state, watching
from dashboard.components.scrubber import SCRUB
from dashboard.components.table_filters import keep_brush
from nas_core.preferences import Preference
from nas_core.records import Evaluation, Status
from nas_core.store import Store, mark_candidate, open_store

APP = str(Path(process.__file__).with_name("app.py"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path)
    process.configure(opened=opened)
    yield opened
    process.configure()
    streamlit.cache_resource.clear()
    opened.close()


@pytest.fixture
def found(store: Store) -> list[Evaluation]:
    return recorded_run(store)[1]


def app_of(tab: str = "Table", **query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params["run"] = RUN
    for name, value in query.items():
        app.query_params[name] = value
    app.session_state["run_tabs"] = tab
    return app


def said(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.info, app.error, app.warning, app.text)
    return "\n".join(str(e.value) for kind in kinds for e in kind)


@pytest.mark.parametrize("tab", ["Table", "Parallel", "Learning curves", "Hypervolume", "Failures", "Time"])
@pytest.mark.parametrize("count", [2, 3, 24])
def test_every_tab_opens_for_runs_of_every_size(store: Store, tab: str, count: int) -> None:
    recorded_run(store, count=count)  # the last two of them failed
    app = app_of(tab).run()
    assert not app.exception
    assert not app.error
    app.session_state[SCRUB] = (RUN, 1)
    assert not app.run().exception


def test_all_candidates_are_listed_and_a_search_narrows_them(found: list[Evaluation]) -> None:
    app = app_of().run()
    assert "All 24 candidates" in said(app)
    assert len(app.dataframe[0].value) == 24
    app.text_input(key=f"wish_{RUN}_words").set_value("#3").run()
    assert "1 of 24 candidates" in said(app)
    assert app.dataframe[0].value["number"].tolist() == [3]
    app.button(key="table_clear").click().run()
    assert len(app.dataframe[0].value) == 24


def test_a_filter_that_keeps_nothing_says_what_to_do(found: list[Evaluation]) -> None:
    app = app_of()
    app.session_state[f"wish_{RUN}_starred"] = True
    app.run()
    assert "None of the 24 candidates meets all conditions" in said(app)
    assert not app.exception


def test_ranges_choices_and_status_work_from_the_state_of_the_session(found: list[Evaluation]) -> None:
    app = app_of()
    app.session_state[f"wish_{RUN}_statuses"] = ["failed"]
    app.run()
    assert app.dataframe[0].value["number"].tolist() == [e.index for e in found if e.status is Status.FAILED]
    app = app_of()
    app.session_state[f"wish_{RUN}_axes"] = ["performance"]
    app.session_state[f"wish_{RUN}_performance_low"] = 0.8
    app.run()
    expected = {e.index for e in found if e.performance is not None and e.performance.value >= 0.8}
    assert set(app.dataframe[0].value["number"]) == expected != set()


def test_a_brushed_range_is_told_and_can_be_dropped(found: list[Evaluation]) -> None:
    app = app_of()
    app.session_state["nasight_brush"] = (RUN, (("performance", 0.8, 1.0),))
    app.run()
    assert "Brushed on the parallel coordinates: ROC AUC 0.800 to 1.00" in said(app)
    assert 0 < len(app.dataframe[0].value) < 24
    app.button(key="brush_drop").click().run()
    assert len(app.dataframe[0].value) == 24
    assert callable(keep_brush)


def test_several_rows_are_compared_where_there_is_a_page_for_it(
    found: list[Evaluation], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_of().run()
    app.session_state["candidates_0"] = {"selection": {"rows": [0, 2], "columns": [], "cells": []}}
    app.run()
    assert not app.exception
    if "compare" not in state.PAGES:
        assert "2 selected" in said(app)


def test_a_star_and_a_note_reach_the_store(store: Store, found: list[Evaluation]) -> None:
    app = app_of(cand=found[2].id).run()
    app.button(key="mark_star").click().run()
    assert store.marks(RUN)[found[2].id].star
    assert "Starred" in [b.label for b in app.button]
    app.button(key="mark_star").click().run()
    assert store.marks(RUN) == {}


def test_the_candidate_page_has_the_same_marks(store: Store, found: list[Evaluation]) -> None:
    mark_candidate(store, RUN, found[2].id, star=True)
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params["run"], app.query_params["cand"] = RUN, found[2].id
    app.run()
    app.switch_page("pages/candidate.py").run()
    assert not app.exception
    app.button(key="mark_star").click().run()
    assert store.marks(RUN) == {}


def test_what_is_said_of_a_candidate_is_in_the_table(store: Store, found: list[Evaluation]) -> None:
    mark_candidate(store, RUN, found[2].id, note="<script>=1+1</script>", tags=["kept"])
    app = app_of()
    app.session_state[f"wish_{RUN}_columns"] = ["number", "tags", "note"]
    app.session_state[f"wish_{RUN}_tags"] = ["kept"]
    app.run()
    assert app.dataframe[0].value.to_dict("list") == {
        "number": [found[2].index], "tags": ["kept"], "note": ["<script>=1+1</script>"],
    }  # fmt: skip


def test_the_page_shows_the_run_as_it_was(found: list[Evaluation]) -> None:
    app = app_of(cand=found[20].id)
    app.session_state[SCRUB] = (RUN, 10)
    app.run()
    assert not app.exception
    then = watching.watch(RUN).snapshot.first(10)
    best = then.rank(Preference(weight=0.5)).best
    assert best is not None
    assert f"At λ = 0.50: **#{then.index[best]}**" in said(app)
    assert f"**#{then.index[best]}** &nbsp; :gray[Best at λ]" in said(app), "the selected one was not there yet"
    assert len(app.dataframe[0].value) == 10
    app.session_state["run_tabs"] = "Hypervolume"
    assert "after 10 candidates" in said(app.run())
    del app.session_state[SCRUB]
    app.session_state["run_tabs"] = "Table"
    assert "All 24 candidates" in said(app.run())
    assert ":gray[Selected]" in said(app)


def test_a_moment_of_another_run_or_beyond_the_end_changes_nothing(found: list[Evaluation]) -> None:
    for kept in (("another", 3), (RUN, 24), (RUN, 9_999)):
        app = app_of()
        app.session_state[SCRUB] = kept
        assert "All 24 candidates" in said(app.run())


def test_the_first_failure_is_said_until_it_is_put_away(found: list[Evaluation]) -> None:
    app = app_of().run()
    failed = next(e for e in found if e.status is Status.FAILED)
    assert f"Candidate #{failed.index} failed:" in said(app)
    assert failed.reason.splitlines()[0] in said(app)
    assert "Where it failed (traceback)" in [e.label for e in app.expander]
    app.button(key="failure_dismiss").click().run()
    assert f"Candidate #{failed.index} failed:" not in said(app)
