"""Goals on the Run page: set and removed by hand, followed by λ and the bands, drawn, and told in a sentence."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from recorded import RUN, recorded_run, run_problem
from streamlit.testing.v1 import AppTest
from test_run_views import WORDS, archive_of, decode, evaluation

from dashboard import process, watching
from dashboard.figures.front import MISSES, ON_FRONT, front_payload
from dashboard.views.front import FrontView, front_view
from dashboard.views.goals import GoalMark, goal_marks, goal_sentence
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.objectives import metric_objective
from nas_core.preferences import Goal, Preference
from nas_core.runs.registry import start_run, stop_all
from nas_core.runs.settings import RunSettings
from nas_core.search import Archive
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore, Store

APP = str(Path(process.__file__).with_name("app.py"))
THREE = archive_of(evaluation(3, 0.99, 0.2), evaluation(5, 0.95, 0.8), evaluation(8, 0.90, 0.5))


def goals(**wanted: float) -> tuple[Goal, ...]:
    return tuple(Goal(name=name, value=value) for name, value in wanted.items())


def view_of(archive: Archive, *wanted: Goal, weight: float = 0.5) -> FrontView:
    ranked = archive.snapshot().rank(Preference(weight=weight, goals=wanted))
    return front_view("run-1", archive.snapshot(), ranked, selected=None, words=WORDS, x_label="x")


def sentence(archive: Archive, **wanted: float) -> str:
    return goal_sentence(archive.snapshot(), archive.rank(Preference(goals=goals(**wanted))))


def test_what_misses_a_goal_is_flagged_and_the_whole_front_stays() -> None:
    view = view_of(THREE, *goals(performance=0.96))
    assert view.meets.tolist() == [True, False, False]
    assert view.on_front.tolist() == [True, True, False]
    flags = decode(front_payload(view))[4]
    assert ((flags & MISSES) > 0).tolist() == [False, True, True]
    assert ((flags & ON_FRONT) > 0).tolist() == [True, True, False]
    assert not (decode(front_payload(view_of(THREE)))[4] & MISSES).any()


def test_the_bands_and_the_best_follow_the_goals() -> None:
    for weight in (0.0, 1.0):
        view = view_of(THREE, *goals(performance=0.96), weight=weight)
        assert view.best == 3
        assert [(b.number, b.low, b.high) for b in view.bands] == [(3, 0.0, 1.0)]
    nearest = view_of(THREE, *goals(interpretability=0.9), weight=0.0)
    assert [b.number for b in nearest.bands] == [5] == [nearest.best]


def test_goals_of_the_axes_become_lines_and_stay_in_view() -> None:
    view = view_of(THREE, *goals(performance=0.999, interpretability=0.4, additivity=0.9))
    assert view.goals == (
        GoalMark("y", 0.999, True, "goal 0.999"),
        GoalMark("x", 0.4, True, "goal 0.4"),
    )
    assert view.y_range[0] < 0.999 <= view.y_range[1]
    assert [g["axis"] for g in decode(front_payload(view))[0]["goals"]] == ["y", "x"]
    (line,) = goal_marks(goals(performance=0.2), metric_objective("mse"))
    assert not line.at_least
    empty = view_of(Archive(metric_objective("roc_auc")), *goals(performance=0.9))
    assert len(empty.numbers) == 0
    assert len(empty.goals) == 1


def test_the_sentence_counts_or_names_the_nearest_and_what_it_lacks() -> None:
    assert sentence(THREE) == ""
    assert sentence(THREE, performance=0.95) == "Meets the goal: **2 of 3** candidates."
    both = sentence(THREE, performance=0.95, interpretability=0.7)
    assert both == "Meets both goals: **1 of 3** candidates. Each alone: ROC AUC 2 · Interpretability 1."
    assert "all 3 goals" in sentence(THREE, performance=0.5, interpretability=0.1, additivity=0.1)
    none = sentence(THREE, performance=0.96, interpretability=0.75)
    assert none == "No candidate meets the goals; nearest: **#5**, ROC AUC 0.950 (goal 0.96)."
    assert "0.9900 (goal 0.99001)" not in sentence(THREE, performance=0.99001)
    assert "ROC AUC 0.990 (goal 0.99001)" in sentence(THREE, performance=0.99001)
    assert sentence(Archive(metric_objective("roc_auc")), performance=0.9).startswith("No candidate can be compared")


@pytest.fixture
def store() -> Iterator[Store]:
    opened = InMemoryStore()
    process.configure(opened=opened)
    yield opened
    stop_all()
    process.configure(opened=InMemoryStore())


def open_run(run: str = RUN) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params["run"] = run
    app.session_state["goals"] = True
    return app.run()


def words(app: AppTest) -> str:
    return "\n".join(e.value for kind in (app.markdown, app.caption, app.error) for e in kind)


def test_a_goal_is_set_changed_and_removed_by_hand(store: Store) -> None:
    recorded_run(store)
    app = open_run()
    assert not app.exception
    assert "Meets" not in words(app)
    assert app.number_input(key="goal_performance").value is None
    snapshot = watching.watch(RUN).snapshot
    goal = float(np.nanmedian(snapshot.performance[snapshot.eligible]))
    app.number_input(key="goal_performance").set_value(goal).run()
    ranked = snapshot.rank(Preference(goals=goals(performance=goal)))
    assert f"Meets the goal: **{ranked.meets.sum()} of {snapshot.eligible.sum()}** candidates." in words(app)
    assert f"At λ = 0.50: **#{snapshot.index[ranked.best]}**" in words(app)
    app.number_input(key="goal_interpretability").set_value(1.0).run()
    nearest = snapshot.rank(Preference(goals=goals(performance=goal, interpretability=1.0)))
    assert not nearest.meets.any()
    assert f"No candidate meets the goals; nearest: **#{snapshot.index[nearest.best]}**" in words(app)
    assert "Nearest to the goals" in words(app)
    app.number_input(key="goal_interpretability").set_value(None).run()
    assert "Meets the goal: " in words(app)
    next(b for b in app.button if b.label == "Remove all goals").click().run()
    assert not app.exception
    assert "Meets" not in words(app)
    assert app.number_input(key="goal_performance").value is None


def test_a_goal_for_a_measure_is_added_and_removed(store: Store) -> None:
    recorded_run(store)
    app = open_run()
    app.selectbox(key="goal_add_0").set_value("feature_parsimony").run()
    assert not app.exception
    assert app.number_input(key="goal_feature_parsimony").value == 0.5
    assert "feature_parsimony" not in app.selectbox(key="goal_add_1").options
    assert "Meets the goal: " in words(app)
    app.number_input(key="goal_feature_parsimony").set_value(0.9).run()
    snapshot = watching.watch(RUN).snapshot
    met = int((snapshot.measure("feature_parsimony")[snapshot.eligible] >= 0.9).sum())
    if met:
        assert f"**{met} of " in words(app)
    app.button(key="goal_feature_parsimony_remove").click().run()
    assert not app.exception
    assert "Meets" not in words(app)


def test_goals_steer_the_run_and_a_new_tab_finds_them(store: Store) -> None:
    problem = run_problem("iris")
    space = SearchSpace.for_problem(problem, "balanced")
    run = start_run(
        store, problem, space, RunSettings(candidates=5000, pack_size=8, first_pack=8),
        evaluator=lambda _p, s, own: SyntheticEvaluator(s, own.seed, delay=0.002),
    )  # fmt: skip
    app = open_run(run.id)
    app.number_input(key="goal_interpretability").set_value(0.8).run()
    assert not app.exception
    deadline = time.monotonic() + 30

    def steered() -> tuple[Goal, ...]:
        return RunSettings.model_validate(store.run(run.id).settings).preference.goals

    while not steered():
        assert time.monotonic() < deadline, "it was never steered"
    assert steered() == goals(interpretability=0.8)
    run.stop()
    run.wait(20)
    again = open_run(run.id)
    assert again.number_input(key="goal_interpretability").value == 0.8
    assert "goal" in words(again)
