"""The drawing on the Search space page: changes are kept, refused ones say why, and the drawing can be trained."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from recorded import recorded_run
from streamlit.testing.v1 import AppTest

from dashboard import process, state
from dashboard.drafts import find_draft
from nas_core.data import DataSource
from nas_core.records import Evaluation
from nas_core.runs.registry import get, stop_all
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore, Store, open_store

APP = str(Path(process.__file__).with_name("app.py"))
IRIS = DataSource(kind="builtin", location="iris")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path)
    process.configure(opened=opened)
    yield opened
    stop_all()
    process.configure(opened=InMemoryStore())
    opened.close()


@pytest.fixture
def run(store: Store) -> list[Evaluation]:
    """The evaluations of a finished run on breast cancer."""
    return recorded_run(store, count=8)[1]


def open_drawing(draft: state.Draft | None = None, **query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    app.switch_page("pages/space.py")
    app.session_state["nasight_draft"] = draft or state.Draft(source=IRIS)
    for name, value in {"view": "draw", **query}.items():
        app.query_params[name] = value
    return app.run()


def choose(app: AppTest, place: str, verb: str | None, words: str) -> AppTest:
    """Choose a change; ``verb`` is None where a place has only one."""

    def box(prefix: str):  # type: ignore[no-untyped-def]
        return next(s for s in app.selectbox if (s.key or "").startswith(prefix))

    box("draw_place_").select(place).run()
    if verb is not None:
        next(g for g in app.button_group if (g.key or "").startswith("draw_verb_")).set_value(verb).run()
    box("draw_change_").select(words).run()
    assert not app.exception
    return app


def drawn(app: AppTest) -> dict:
    return app.session_state["nasight_draft"].drawing.values


def start_from(app: AppTest, name: str) -> AppTest:
    app.selectbox(key="draw_from").select(name).run()
    return app


def test_a_change_is_applied_undone_and_redone(store: Store) -> None:
    app = start_from(open_drawing(), "one network of all features")
    assert not app.error
    assert len(app.get("plotly_chart")) == 1
    assert app.session_state["nasight_draft"].drawing is None
    choose(app, "Hidden layers", None, "3")
    app.button(key="draw_apply").click().run()
    assert drawn(app)["depth"] == 3
    assert "Hidden layers: Change to 3" in " ".join(c.value for c in app.caption)
    app.button(key="draw_undo").click().run()
    assert drawn(app)["depth"] == 1
    app.button(key="draw_redo").click().run()
    assert drawn(app)["depth"] == 3


def test_a_refused_change_says_why_and_cannot_be_applied(store: Store) -> None:
    app = start_from(open_drawing(), "one feature, rank 1")
    place = next(o for o in next(s for s in app.selectbox if (s.key or "").startswith("draw_place_")).options
                 if o.startswith("Group of"))  # fmt: skip
    choose(app, place, "remove", place.removeprefix("Group of "))
    assert "at least one group" in app.warning[0].value
    assert app.button(key="draw_apply").disabled
    assert app.session_state["nasight_draft"].drawing is None


def test_the_drawing_survives_a_reload(store: Store) -> None:
    app = start_from(open_drawing(), "one network of all features")
    choose(app, "Activation", None, "tanh")
    app.button(key="draw_apply").click().run()
    again = AppTest.from_file(APP, default_timeout=60)
    again.switch_page("pages/space.py")
    again.query_params["draft"] = "".join(app.query_params["draft"])
    again.query_params["view"] = "draw"
    again.run()
    assert not again.exception
    assert drawn(again) == drawn(app)
    assert drawn(again)["activation"] == "tanh"
    assert not again.button(key="draw_undo").disabled


def test_another_beginning_can_be_undone(store: Store) -> None:
    app = start_from(open_drawing(), "one network of all features")
    choose(app, "Activation", None, "tanh")
    app.button(key="draw_apply").click().run()
    before = drawn(app)
    start_from(app, "a random architecture")
    app.button(key="draw_begin").click().run()
    assert drawn(app) != before
    app.button(key="draw_undo").click().run()
    assert drawn(app) == before


def test_an_architecture_can_be_pasted_and_a_wrong_one_gets_a_reason(store: Store) -> None:
    app = start_from(open_drawing(), "one network of all features")
    app.session_state["draw_text_open"] = True
    app.run()
    area = app.text_area[0]
    pasted = json.loads(area.value)
    pasted["values"]["depth"] = 2
    area.set_value(json.dumps(pasted))
    app.button(key="draw_read").click().run()
    assert not app.exception
    assert drawn(app)["depth"] == 2
    app.text_area[0].set_value('{\n"depth": 2,\n}')
    app.button(key="draw_read").click().run()
    assert "line 3" in app.error[0].value
    assert drawn(app)["depth"] == 2


def test_a_candidate_of_a_run_is_drawn_on_in_the_space_of_its_run(run: list[Evaluation]) -> None:
    found = run[2]
    app = open_drawing(state.Draft(source=IRIS), run="run-1", cand=found.id, draw="candidate")
    assert not app.exception
    assert not app.error
    draft = app.session_state["nasight_draft"]
    assert draft.source.location == "breast_cancer"
    assert draft.drawing.values == found.architecture.values
    assert draft.drawing.parent == found.id
    assert "draw" not in app.query_params
    assert "started from candidate #3 of breast_cancer" in " ".join(c.value for c in app.caption)


def test_a_candidate_that_the_space_in_use_holds_leaves_it_alone(run: list[Evaluation], store: Store) -> None:
    cancer = DataSource(kind="builtin", location="breast_cancer")
    app = open_drawing(state.Draft(source=cancer), run="run-1", cand=run[2].id, draw="candidate")
    draft = app.session_state["nasight_draft"]
    assert draft.space is None
    assert draft.drawing.values == run[2].architecture.values


def test_a_candidate_that_a_narrower_space_refuses_brings_the_space_of_its_run(run: list[Evaluation]) -> None:
    problem = process.problem_of(process.Order(DataSource(kind="builtin", location="breast_cancer"), settings=None))
    space = SearchSpace.for_problem(problem)
    narrow = space.changed(constraints=space.constraints.model_copy(update={"max_features": 1}))
    wide = next(e for e in run if len(e.architecture.values["groups"]) > 1)
    draft = state.Draft(source=problem.spec.source, space=narrow)
    app = open_drawing(draft, run="run-1", cand=wide.id, draw="candidate")
    assert not app.exception
    after = app.session_state["nasight_draft"]
    assert after.space.constraints.max_features is None
    assert after.history.versions[0].space == narrow
    assert after.drawing.values == wide.architecture.values


def test_a_candidate_that_is_not_there_gets_a_message(run: list[Evaluation]) -> None:
    app = open_drawing(run="run-1", cand="0" * 16, draw="candidate")
    assert not app.exception
    assert app.error


def test_a_drawing_that_the_space_no_longer_holds_says_so(store: Store) -> None:
    app = start_from(open_drawing(), "one network of all features")
    choose(app, "Activation", None, "tanh")
    app.button(key="draw_apply").click().run()
    draft = app.session_state["nasight_draft"]
    space = SearchSpace.for_problem(process.problem_of(process.Order(IRIS, settings=None)))
    narrow = space.changed(constraints=space.constraints.model_copy(update={"max_features": 1}))
    app = open_drawing(state.Draft(source=IRIS, space=narrow, drawing=draft.drawing))
    assert not app.exception
    assert "max_features" in app.error[0].value
    app.button(key="draw_discard").click().run()
    assert app.session_state["nasight_draft"].drawing is None
    assert not app.error


@pytest.mark.slow
def test_a_run_can_be_started_with_the_drawing_first(store: Store) -> None:
    app = start_from(open_drawing(), "one network of all features")
    choose(app, "Activation", None, "tanh")
    app.button(key="draw_apply").click().run()
    values = drawn(app)
    app.session_state["draw_train"] = True
    app.run()
    app.number_input(key="draw_budget").set_value(4)
    app.button(key="draw_start_run").click().run()
    assert not app.exception
    launched = process.latest_launch()
    assert launched is not None
    launched.wait(60)
    assert launched.run is not None, launched.message
    running = get(launched.run)
    assert running is not None
    assert running.wait(90)
    evaluations = store.evaluations(launched.run)
    assert evaluations[0].architecture.values == values
    assert evaluations[0].origin == "manual"
    name = "".join(app.query_params["draft"])
    kept = find_draft(store, name)
    assert kept is not None
    assert kept.drawing is not None


def test_what_a_drawing_is_expected_to_reach_is_told_before_it_is_trained(store: Store) -> None:
    breast = DataSource(kind="builtin", location="breast_cancer")
    known = recorded_run(store, count=40)[1]
    app = open_drawing(state.Draft(source=breast), run="run-1")
    assert not app.exception
    told = {m.label: m.value for m in app.metric}
    assert set(told) == {"ROC AUC", "Interpretability", "On the front"}
    low, high = (float(v) for v in told["ROC AUC"].split(" – "))
    measured = [e.performance.value for e in known if e.performance is not None]
    assert min(measured) - 0.01 <= low <= high <= max(measured) + 0.01
    assert told["On the front"].endswith("%")
    assert any(r"candidates of breast\_cancer" in c.value for c in app.caption)


def test_without_a_run_on_the_same_data_it_says_what_a_prediction_needs(store: Store) -> None:
    recorded_run(store, count=12)
    app = open_drawing(run="run-1")  # the draft is about other data
    assert not app.metric
    assert any("Open a run on the same data" in c.value for c in app.caption)
