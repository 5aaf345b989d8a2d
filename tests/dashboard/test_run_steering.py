"""Steering from the studio: what was done to a run in words, who is in work, and the controls of the Run page."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from recorded import RUN, recorded_run, run_problem
from streamlit.testing.v1 import AppTest

from dashboard import process
from dashboard.views.history import history_view
from dashboard.views.work import work_view
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.objectives import metric_objective
from nas_core.records import Event, Proposal, RunState, Status
from nas_core.runs.progress import PackState, Progress, Working
from nas_core.runs.registry import start_run, stop_all
from nas_core.runs.run import Run
from nas_core.runs.settings import RunSettings
from nas_core.search import STRATEGIES
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore, Store, open_store

APP = str(Path(process.__file__).with_name("app.py"))
LABELS = {name: strategy.label for name, strategy in STRATEGIES.items()}
AUC = metric_objective("roc_auc")


def told(kind: str, **payload: object) -> str:
    """Return the words for one act, empty where it has none."""
    words = history_view([Event(kind=kind, time=0.0, payload=payload)], AUC, LABELS).words
    return words[0] if words else ""


def test_every_act_has_words() -> None:
    goals = [{"name": "performance", "value": 0.95}, {"name": "feature_parsimony", "value": 0.8}]
    settings = {"strategy": "nsga2", "preference": {"weight": 0.5}, "seed": 3}
    assert told("started", settings=settings) == "Started with NSGA-II, λ 0.50, seed 3."
    assert told("steered", preference={"weight": 0.8}) == "λ 0.80."
    assert (
        told("steered", preference={"weight": 0.8, "goals": goals})
        == "λ 0.80, goals: ROC AUC ≥ 0.950, few features ≥ 0.800."
    )
    assert told("budget", candidates=1200, seconds=90.0) == "Budget: 1,200 candidates, 1 min 30 s."
    assert told("budget", candidates=None, seconds=None) == "Budget: no limit."
    assert (
        told("rules", until_goals=True, plateau=200)
        == "Ends: when the goals are met, after 200 candidates without progress."
    )
    assert told("rules", until_goals=False, plateau=None) == "Ends: at the budget only."
    assert (
        told("strategy", **{"from": "nsga2", "to": "random", "told": 64})
        == "Strategy: Random search instead of NSGA-II; it was told 64 candidates."
    )
    assert told("halving", on=True).startswith("Hopeless candidates are stopped early")
    assert told("space", version=2, words="activation: sigmoid forbidden", inside=60, outside=4) == (
        "Search space, version 2: activation: sigmoid forbidden. 60 of the candidates so far lie in it, 4 do not."
    )
    assert told("space", version=3, words="", inside=1, outside=0).startswith("Search space, version 3. 1 of")
    assert told("killed", candidates=["a", "b"]) == "2 candidates given up."
    assert told("replaced", candidate="abc", before="pruned", now="done") == (
        "Candidate abc trained to the end: done instead of pruned."
    )
    assert told("done", reason="All 40 candidates are evaluated") == "Done: All 40 candidates are evaluated."
    assert told("something new") == told("proposed", candidates=[]) == ""


def test_the_newest_act_comes_first() -> None:
    events = [Event(kind="paused", time=0.0, evaluated=5), Event(kind="resumed", time=60.0, evaluated=6)]
    view = history_view(events, AUC, LABELS)
    assert view.words == ("Went on.", "Paused.")
    assert view.evaluated == (6, 5)


def test_those_in_training_come_before_those_that_wait() -> None:
    problem = run_problem("iris")
    space = SearchSpace.for_problem(problem, "balanced")
    first, second, third = space.initial(3, np.random.default_rng(0))
    pack = PackState(number=0, phase="train", size=2, candidates=(Working(number=7, proposal=first),))
    view = work_view(Progress(pack=pack, waiting=(second, Proposal(architecture=first.architecture), third)), space)
    assert view.labels == ("#7", "waits 1", "waits 2")
    assert view.ids == tuple(p.architecture.id for p in (first, second, third))
    assert (view.training, view.phase) == (1, "train")
    assert work_view(Progress(), space).ids == ()


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


def start_slow(store: Store, **settings: object) -> Run:
    """Start a run whose candidates take a twentieth of a second."""
    problem = run_problem("iris")
    space = SearchSpace.for_problem(problem, "balanced")
    return start_run(
        store, problem, space, RunSettings(candidates=5000, pack_size=8, first_pack=8, **settings),
        evaluator=lambda _p, s, own: SyntheticEvaluator(s, own.seed, delay=0.05),
    )  # fmt: skip


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until ``holds``, at most 20 seconds."""
    deadline = time.monotonic() + 20.0
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def status_of(store: Store, run: Run, candidate: str) -> Status | None:
    """Return how a candidate ended, None while it has not."""
    return next((e.status for e in store.evaluations(run.id) if e.id == candidate), None)


def test_strategy_budget_and_rules_are_changed_in_a_live_run(store: Store) -> None:
    run = start_slow(store)
    app = open_app(run=run.id)
    app.selectbox(key="steer_strategy").set_value("random")
    app.number_input(key="steer_candidates").set_value(3000)
    app.number_input(key="steer_plateau").set_value(400)
    app.button(key="steer_apply").click().run()
    assert not app.exception

    def changed() -> bool:
        settings = RunSettings.model_validate(run.snapshot().record.settings)
        return (settings.strategy, settings.candidates, settings.plateau) == ("random", 3000, 400)

    eventually(changed)
    assert [e.kind for e in store.events(run.id)][-3:] == ["budget", "rules", "strategy"]


def test_a_candidate_in_work_is_given_up_and_later_trained_to_the_end(store: Store) -> None:
    run = start_slow(store)
    eventually(lambda: run.snapshot().progress.pack is not None and len(run.snapshot().progress.pack.candidates) > 4)
    app = open_app(run=run.id)
    app.session_state["run_tabs"] = "In work"
    app.run()
    working = [c.id for c in run.snapshot().progress.pack.candidates]
    victim = working[-1]
    app.multiselect(key="give_up").set_value([victim])
    app.button(key="give_up_do").click().run()
    assert not app.exception

    eventually(lambda: status_of(store, run, victim) is Status.CANCELLED)
    app.session_state["run_tabs"] = "Failures"
    eventually(lambda: any(box.key == "overrule" for box in app.run().selectbox))  # the page looks five times a second
    assert app.selectbox(key="overrule").value == victim
    app.button(key="overrule_do").click().run()
    assert not app.exception
    eventually(lambda: status_of(store, run, victim) is Status.DONE)


def test_a_finished_run_goes_on_with_a_larger_budget_and_another_strategy(store: Store) -> None:
    problem = run_problem("iris")
    settings = RunSettings(candidates=8, seconds=3000.0, pack_size=8)
    run = start_run(store, problem, SearchSpace.for_problem(problem, "balanced"), settings)
    assert run.wait(60)
    app = open_app(run=run.id)
    app.number_input(key="steer_candidates").set_value(16)
    app.number_input(key="steer_seconds").set_value(0)
    app.selectbox(key="steer_strategy").set_value("random")
    assert app.button(key="steer_apply").label == "Apply and go on"
    app.button(key="steer_apply").click().run()
    assert not app.exception
    eventually(lambda: store.run(run.id).state is RunState.DONE and len(store.evaluations(run.id)) == 16)
    settings = RunSettings.model_validate(store.run(run.id).settings)
    assert (settings.candidates, settings.seconds, settings.strategy) == (16, None, "random")


def test_who_watches_a_finished_run_is_told_that_nothing_is_in_training(store: Store) -> None:
    recorded_run(store)
    assert store.run(RUN).state is RunState.DONE
    app = open_app(run=RUN)
    app.session_state["run_tabs"] = "In work"
    app.run()
    assert "Nothing is in training now." in [c.value for c in app.caption]


def test_decisions_and_looks_at_the_test_rows_are_acts() -> None:
    assert told("decision", record={"chosen": {"number": 12}}) == "#12 was decided for"
    assert told("decision") == "#? was decided for"  # of a later version: said, not read
    assert told("test_opened") == "The test rows were looked at"
