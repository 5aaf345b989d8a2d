"""The Run page without a browser: what it shows for a run, for no run, for a bad link, and how it starts one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from recorded import RUN, recorded_run, run_problem
from streamlit.testing.v1 import AppTest

from dashboard import process, state, watching
from nas_core.data import DataSource
from nas_core.errors import StoreError
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.preferences import Preference
from nas_core.records import RunState
from nas_core.runs.registry import start_run, stop_all
from nas_core.runs.run import Run
from nas_core.runs.settings import RunSettings
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore, Store, open_store

APP = str(Path(process.__file__).with_name("app.py"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path)
    process.configure(opened=opened)
    yield opened
    stop_all()
    process.configure(opened=InMemoryStore())
    opened.close()


def open_app(**query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def words(app: AppTest) -> str:
    """Return everything written on the page."""
    kinds = (app.markdown, app.caption, app.error, app.warning, app.info, app.subheader)
    return "\n".join(element.value for kind in kinds for element in kind)


def start_synthetic(store: Store, **settings: object) -> Run:
    problem = run_problem("iris")
    space = SearchSpace.for_problem(problem, "balanced")
    return start_run(
        store, problem, space, RunSettings(**settings), evaluator=lambda _p, s, own: SyntheticEvaluator(s, own.seed)
    )


def test_without_a_run_the_page_offers_to_start_one(store: Store) -> None:
    app = open_app()
    assert not app.exception
    assert "Start a search" in words(app)
    assert "No run yet" in words(app)
    assert app.selectbox[0].value.location == "breast_cancer"


def test_a_finished_run_shows_the_best_candidate_at_the_weight(store: Store) -> None:
    recorded_run(store)
    app = open_app(run=RUN)
    assert not app.exception
    assert "✓ done" in words(app)
    ranked = watching.ranking(watching.watch(RUN), Preference(weight=0.5))
    number = watching.watch(RUN).snapshot.index[ranked.best]
    assert f"At λ = 0.50: **#{number}**" in words(app)


def test_the_weight_comes_from_the_link(store: Store) -> None:
    recorded_run(store)
    assert "At λ = 0.90" in words(open_app(run=RUN, lam="0.9"))


def test_moving_the_weight_ranks_again(store: Store) -> None:
    recorded_run(store)
    app = open_app(run=RUN)
    app.slider(key="lam").set_value(0.0).run()
    assert not app.exception
    snapshot = watching.watch(RUN).snapshot
    best = max(range(len(snapshot)), key=lambda at: snapshot.performance[at] if snapshot.eligible[at] else -1)
    assert f"At λ = 0.00: **#{snapshot.index[best]}**" in words(app)


def test_a_candidate_in_the_link_is_the_one_in_the_panel(store: Store) -> None:
    _, evaluations = recorded_run(store)
    app = open_app(run=RUN, cand=evaluations[2].id)
    assert f"**#{evaluations[2].index}** &nbsp; :gray[Selected]" in words(app)
    app.button(key="back_to_best").click().run()
    assert "Selected" not in words(app)
    assert "cand" not in app.query_params


def test_an_unknown_run_is_said_in_one_sentence(store: Store) -> None:
    app = open_app(run="no-such-run")
    assert not app.exception
    assert "no-such-run" in app.error[0].value


def test_an_unknown_candidate_falls_back_to_the_best(store: Store) -> None:
    recorded_run(store)
    app = open_app(run=RUN, cand="feedfeedfeedfeed")
    assert not app.exception
    assert "At λ = 0.50" in words(app)


def test_a_run_can_be_paused_from_the_page_and_a_second_tab_sees_it(store: Store) -> None:
    problem = run_problem("iris")
    space = SearchSpace.for_problem(problem, "balanced")
    run = start_run(
        store, problem, space, RunSettings(candidates=5000),
        evaluator=lambda _p, s, own: SyntheticEvaluator(s, own.seed, delay=0.005),
    )  # fmt: skip
    app = open_app(run=run.id)
    app.button(key="pause").click().run()
    assert not app.exception
    wait_until(lambda: run.state is RunState.PAUSED)
    # a view that all tabs share looks again only after FRESH_SECONDS, so the second tab may be that much behind
    wait_until(lambda: "❚❚ paused" in words(open_app(run=run.id)))
    run.stop()
    assert run.wait(10)


def wait_until(true: object, seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_the_weight_of_the_tab_steers_the_run_unless_it_is_switched_off(store: Store) -> None:
    problem = run_problem("iris")
    space = SearchSpace.for_problem(problem, "balanced")
    run = start_run(
        store, problem, space, RunSettings(candidates=5000, pack_size=4),
        evaluator=lambda _p, s, own: SyntheticEvaluator(s, own.seed, delay=0.005),
    )  # fmt: skip
    open_app(run=run.id).slider(key="lam").set_value(0.8).run()

    def weight() -> float:
        return store.run(run.id).settings["preference"]["weight"]

    wait_until(lambda: weight() == 0.8)
    run.stop()
    assert run.wait(10)


def test_a_run_that_is_live_is_found_without_a_link(store: Store) -> None:
    run = start_synthetic(store, candidates=100_000)
    app = open_app()
    assert app.query_params["run"] in (run.id, [run.id])
    run.stop()
    assert run.wait(10)


def test_an_interrupted_run_says_so_and_resumes_where_it_was(store: Store) -> None:
    run = start_synthetic(store, candidates=100_000)
    wait_until(lambda: len(store.evaluations(run.id)) > 0)
    stop_all()
    app = open_app(run=run.id)
    assert "This run was interrupted" in words(app)
    assert "again" in {button.key for button in app.button}


def test_a_run_that_cannot_be_resumed_says_why(store: Store) -> None:
    recorded_run(store)
    store.update_run(RUN, state=RunState.STOPPED, problem={**store.run(RUN).problem, "data_hash": "0" * 64})
    app = open_app(run=RUN)
    app.button(key="again").click().run()
    launched = process.latest_launch()
    assert launched is not None
    launched.wait(30)
    app.run()
    assert not app.exception
    assert "changed" in words(app)


def test_a_launch_that_fails_says_why_and_leaves_the_form(store: Store) -> None:
    missing = DataSource(kind="file", location="/nowhere/table.csv", target="y")
    launched = process.launch(process.Order(missing, RunSettings()))
    launched.wait(30)
    assert launched.state == "failed"
    app = AppTest.from_file(APP, default_timeout=60)
    app.session_state[state.WAITING] = True
    app.run()
    assert "/nowhere/table.csv" in app.error[0].value
    assert "Start a search" in words(app)


def test_watching_an_unknown_run_raises_what_a_person_can_read(store: Store) -> None:
    with pytest.raises(StoreError, match="no run 'nothing'"):
        watching.watch("nothing")


def test_ranking_is_remembered_for_the_same_archive_and_preference(store: Store) -> None:
    recorded_run(store)
    watched = watching.watch(RUN)
    first = watching.ranking(watched, Preference(weight=0.3))
    assert watching.ranking(watched, Preference(weight=0.3)) is first
    assert watching.ranking(watched, Preference(weight=0.4)) is not first
