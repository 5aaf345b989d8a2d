"""The Insight page without a browser: what each tab says, with too little to say, of a live run, of other families."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import streamlit
from recorded import RUN, recorded_run, run_problem
from signal_examples import problem_of
from streamlit.testing.v1 import AppTest

from dashboard import process
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.records import Evaluation, RunRecord, RunState, derive_seed
from nas_core.runs.registry import start_run, stop_all
from nas_core.runs.settings import RunSettings
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore, Store, open_store

APP = str(Path(process.__file__).with_name("app.py"))
TABS = ("What matters", "One choice", "Pairs", "From A to B", "Map", "Proposals")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path)
    process.configure(opened=opened)
    yield opened
    stop_all()
    process.configure(opened=InMemoryStore())
    streamlit.cache_resource.clear()
    opened.close()


@pytest.fixture(scope="module")
def finished() -> Iterator[Store]:
    """A store with a run of 60 candidates of which two did not end well; what is worked out is shared by the tests."""
    filled, _ = recorded_run(count=60)
    yield filled
    process.configure(opened=InMemoryStore())


@pytest.fixture
def recorded(finished: Store) -> Store:
    process.configure(opened=finished)
    streamlit.cache_resource.clear()
    return finished


def open_page(tab: str = "What matters", run: str | None = RUN) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=120)
    if run is not None:
        app.query_params["run"] = run
    app.session_state["insight_tab"] = tab
    app.run()
    app.switch_page("pages/insight.py").run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.error, app.warning, app.info, app.header)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def test_without_a_run_the_page_says_what_to_do(store: Store) -> None:
    assert "There is no run yet" in said(open_page(run=None))


def test_too_few_candidates_say_how_many_are_missing(store: Store) -> None:
    recorded_run(store, count=12)
    words = said(open_page())
    assert "10 candidates have ended well so far, and 30 are needed" in words
    assert "20 are missing" in words
    assert "2 are left out" in words
    assert "larger budget" in words


def test_what_matters_is_said_with_intervals_beside_how_well_it_is_predicted(recorded: Store) -> None:
    words = said(open_page())
    assert "58 candidates that ended well" in words
    assert "2 are left out: failed, ineligible or stopped early." in words
    assert "**Which features** explains **" in words
    assert "of the variation of ROC AUC" in words
    assert "of the variation of interpretability" in words
    assert "Of candidates it has not seen, the surrogate explains" in words


def test_another_aim_can_be_looked_at(recorded: Store) -> None:
    app = open_page()
    app.selectbox(key="insight_left").set_value("feature_parsimony").run()
    assert not app.exception
    assert "of the variation of “few features”" in said(app)


def test_an_aim_that_does_not_vary_is_said_and_not_drawn(recorded: Store) -> None:
    app = open_page()
    app.selectbox(key="insight_left").set_value("seconds").run()
    assert not app.exception
    assert "There is no variation of training time among these candidates" in said(app)
    for tab in TABS[1:]:
        app.session_state["insight_tab"] = tab
        app.run()
        assert not app.exception
        assert not app.error


def test_what_is_not_predicted_has_no_bars(store: Store) -> None:
    filled, evaluations = recorded_run(count=60)
    for seed in range(20):  # noise that happens to be predicted would be no example
        noisy = [_noisy(e, seed) for e in evaluations]
        if _silent(noisy):
            break
    store.create_run(filled.run(RUN).model_copy(update={"id": "noise", "created": time.time()}))
    store.commit("noise", noisy, None, {"evaluated": len(noisy)}, state=RunState.DONE)
    words = said(open_page(run="noise"))
    assert "The choices do not predict ROC AUC" in words
    assert "No importances are shown" in words


def _noisy(e: Evaluation, seed: int) -> Evaluation:
    if e.performance is None:
        return e
    value = 0.7 + 0.1 * float(np.random.default_rng(derive_seed(seed, e.id)).normal())
    return e.model_copy(update={"performance": e.performance.model_copy(
        update={"value": value, "low": value - 0.01, "high": value + 0.01})})  # fmt: skip


def _silent(evaluations: list[Evaluation]) -> bool:
    from nas_core.insight.facets import facets_of
    from nas_core.insight.forest import Forest

    fine = [e for e in evaluations if e.eligible]
    space = SearchSpace.for_problem(run_problem(), "balanced")
    facets, _ = facets_of(space, [e.architecture for e in fine])
    return not Forest(facets, np.array([e.performance.value for e in fine])).reliability().predicts


def test_one_choice_shows_options_beside_what_was_observed(recorded: Store) -> None:
    app = open_page("One choice")
    assert "all else alike" in said(app)
    app.selectbox(key="insight_choice").set_value("activation").run()
    assert not app.exception
    assert "had nothing to decide here" in said(app)


def test_pairs_can_be_chosen(recorded: Store) -> None:
    app = open_page("Pairs")
    assert "Mean ROC AUC, all else alike" in said(app)
    app.selectbox(key="insight_pair_one").set_value("depth").run()
    app.selectbox(key="insight_pair_other").set_value("depth").run()
    assert "Choose two different choices" in said(app)


def test_the_path_begins_with_the_first_landmark_and_can_end_elsewhere(recorded: Store) -> None:
    app = open_page("From A to B")
    assert app.selectbox(key="insight_path_from").value == recorded.evaluations(RUN)[0].id
    assert "ROC AUC changes most with" in said(app)
    table = app.dataframe[0].value
    assert table.iloc[0, 0] == "start"
    app.selectbox(key="insight_path_to").set_value(app.selectbox(key="insight_path_from").value).run()
    assert "Choose two different candidates" in said(app)


def test_the_map_says_how_much_it_holds(recorded: Store) -> None:
    app = open_page("Map")
    assert "of the variation, so candidates that look near may differ" in said(app)


def test_proposals_are_those_of_the_run_page(recorded: Store) -> None:
    assert "What the search could do without" in said(open_page("Proposals"))


def test_a_live_run_stays_as_it_was_until_a_person_asks_for_more(store: Store) -> None:
    problem = run_problem("iris")
    space = SearchSpace.for_problem(problem, "balanced")
    run = start_run(
        store, problem, space, RunSettings(candidates=5000, pack_size=16),
        evaluator=lambda _p, s, own: SyntheticEvaluator(s, own.seed, delay=0.01),
    )  # fmt: skip
    wait_until(lambda: len(store.evaluations(run.id)) >= 48)
    app = open_page("Proposals", run=run.id)
    first = as_of(app)
    wait_until(lambda: len(store.evaluations(run.id)) >= first + 48)
    app.run()
    assert as_of(app) == first
    wait_until(lambda: "insight_update" in {b.key for b in app.run().button})
    app.button(key="insight_update").click().run()
    assert as_of(app) > first
    run.stop()
    assert run.wait(20)


def as_of(app: AppTest) -> int:
    return next(int(c.value.rpartition(" ")[2].replace(",", "")) for c in app.caption if c.value.startswith("As of"))


def wait_until(true: object, seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.mark.parametrize("kind", ["image", "series"])
def test_networks_on_signals_have_every_tab(store: Store, kind: str) -> None:
    problem = problem_of(kind)
    space = SearchSpace.for_problem(problem, "balanced")
    found = SyntheticEvaluator(space).evaluate(space.initial(40, np.random.default_rng(0)), stop=threading.Event())
    evaluations = [e.model_copy(update={"index": i, "revision": 2}) for i, e in enumerate(found, 1)]
    store.create_run(RunRecord(
        id=kind, name=kind, created=time.time(), state=RunState.CREATED, problem=problem.spec.model_dump(mode="json"),
        space=space.model_dump(mode="json"), settings={}, data_hash=problem.spec.data_hash,
    ))  # fmt: skip
    store.commit(kind, evaluations, None, {"evaluated": len(evaluations)}, state=RunState.DONE)
    app = open_page(run=kind)
    for tab in TABS:
        app.session_state["insight_tab"] = tab
        app.run()
        assert not app.exception
        assert not app.error
