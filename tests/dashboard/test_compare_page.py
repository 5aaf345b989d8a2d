"""The Compare page without a browser: what it suggests, how candidates get in and out, and what each tab answers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import streamlit
from recorded import RUN, recorded_run, run_problem
from recorded_signals import SIGNAL_RUN, recorded_signals
from streamlit.testing.v1 import AppTest

from dashboard import process
from dashboard.components.compare_work import together
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.records import Evaluation, RunRecord, RunState, Status
from nas_core.runs.registry import start_run, stop_all
from nas_core.runs.settings import RunSettings
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore, Store

APP = str(Path(process.__file__).with_name("app.py"))
Recorded = tuple[Store, list[Evaluation]]


@pytest.fixture(scope="module")
def binary() -> Recorded:
    return recorded_run()


@pytest.fixture(scope="module")
def classes() -> Recorded:
    return recorded_run(name="iris")


@pytest.fixture(autouse=True)
def _own_store() -> Iterator[None]:
    yield
    stop_all()
    process.configure(opened=InMemoryStore())
    streamlit.cache_resource.clear()


def open_page(store: Store, *ids: str, run: str = RUN, tab: str = "At a glance", page: str = "compare") -> AppTest:
    process.configure(opened=store)
    app = AppTest.from_file(APP, default_timeout=120)
    app.switch_page(f"pages/{page}.py")
    app.query_params["run"] = run
    if ids:
        app.query_params["compare"] = ",".join(ids)
    app.session_state["compare_tab"] = tab
    return app.run()


def said(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.header, app.info, app.warning, app.error)
    found = [str(e.value) for kind in kinds for e in kind]
    return " | ".join([*found, *(str(h.proto.body) for h in app.get("html"))])


def explained(app: AppTest, run: str, ids: tuple[str, ...]) -> AppTest:
    """Wait until the candidates are explained, and draw the page again."""
    together(run, ids).wait(60)
    return app.run()


def link(app: AppTest) -> str:
    """Return the candidates that the address names."""
    found = app.query_params["compare"]
    return found if isinstance(found, str) else found[0]


def done(recorded: Recorded) -> list[Evaluation]:
    return [e for e in recorded[1] if e.status is Status.DONE]


def test_without_a_run_it_says_what_to_do() -> None:
    process.configure(opened=InMemoryStore())
    app = AppTest.from_file(APP, default_timeout=60)
    app.switch_page("pages/compare.py").run()
    assert not app.exception
    assert "Start one on the Run page" in app.info[0].value


@pytest.mark.parametrize("count", [0, 1])
def test_a_run_with_too_few_candidates_says_so(binary: Recorded, count: int) -> None:
    store = InMemoryStore()
    store.create_run(RunRecord(**{**binary[0].run(RUN).model_dump(), "id": RUN, "state": RunState.CREATED}))
    if count:
        store.commit(RUN, binary[1][:1], None, {"evaluated": 1}, state=RunState.DONE)
    app = open_page(store)
    assert not app.exception
    assert f"{count} candidates so far" in app.info[0].value


def test_it_suggests_the_winners_at_three_weights_and_says_why(binary: Recorded) -> None:
    app = open_page(binary[0])
    assert not app.exception
    assert "Nobody has chosen yet" in said(app)
    assert "ranks first at λ = 0.2" in said(app)
    ids = link(app).split(",")
    assert 2 <= len(ids) <= 3
    assert set(ids) <= {e.id for e in binary[1]}


def test_a_deep_link_shows_its_candidates_side_by_side(binary: Recorded) -> None:
    one, two = done(binary)[:2]
    app = open_page(binary[0], one.id, two.id)
    assert not app.exception
    assert "Nobody has chosen yet" not in said(app)
    assert "How good is it?" in said(app)
    labels = [link.proto.label for link in app.get("page_link")]
    assert f"#{one.index}" in labels
    assert f"#{two.index}" in labels
    assert link(app) == f"{one.id},{two.id}"


def test_a_candidate_is_taken_out_and_another_found_by_its_number(binary: Recorded) -> None:
    one, two, three = done(binary)[:3]
    app = open_page(binary[0], one.id, two.id)
    app.button(key="compare_out_0").click().run()
    assert link(app) == two.id
    assert "Choose two to four candidates" in said(app)
    app.multiselect(key="compare_pick").set_value([str(two.index), f"#{three.index}"]).run()
    assert not app.exception
    assert link(app) == f"{two.id},{three.id}"


def test_a_number_that_nobody_has_is_refused_with_the_reason(binary: Recorded) -> None:
    one, two = done(binary)[:2]
    app = open_page(binary[0], one.id, two.id)
    app.multiselect(key="compare_pick").set_value([str(one.index), str(two.index), "999"]).run()
    assert "has the number 999" in app.error[0].value
    assert link(app) == f"{one.id},{two.id}"


def test_an_unknown_candidate_is_named_and_left_out(binary: Recorded) -> None:
    one, two = done(binary)[:2]
    app = open_page(binary[0], one.id, "feedbeef", two.id)
    assert not app.exception
    assert "no candidate feedbeef" in app.warning[0].value


def test_it_answers_whether_one_is_better(binary: Recorded) -> None:
    one, two = done(binary)[:2]
    app = open_page(binary[0], one.id, two.id, tab="Is it really better?")
    assert not app.exception
    assert "is better than" in said(app) or "cannot be told apart" in said(app)
    assert "95 % interval" in said(app)


def test_graphs_are_marked_and_differences_in_words(binary: Recorded) -> None:
    one, two = done(binary)[:2]
    app = open_page(binary[0], one.id, two.id, tab="How are they built?")
    assert not app.exception
    assert "single differences lead from" in said(app)
    figures = [json.loads(c.proto.spec or c.proto.figure.spec) for c in app.get("plotly_chart")]
    marks = {t.get("meta") for f in figures for t in f["data"]} & {"mark_only", "mark_changed"}
    assert marks


def test_the_same_candidate_twice_is_one_and_equal_architectures_do_not_differ(binary: Recorded) -> None:
    one = done(binary)[0]
    app = open_page(binary[0], one.id, one.id)
    assert "Choose two to four candidates" in said(app)


def test_step_by_step_measured_and_predicted_are_told_apart(binary: Recorded) -> None:
    one, two = done(binary)[0], done(binary)[4]
    app = open_page(binary[0], one.id, two.id, tab="Step by step")
    assert not app.exception
    assert "steps. Of the networks between" in said(app)
    assert "predicted" in said(app)
    assert "resume the run on the Run page" in said(app)  # nothing can be trained in a run that has ended


def test_attributions_of_the_same_rows_agree_or_not(binary: Recorded) -> None:
    ids = tuple(e.id for e in done(binary)[:3])
    app = explained(open_page(binary[0], *ids, tab="What do they look at?"), RUN, ids)
    assert not app.exception
    for pair in ("A and B", "A and C", "B and C"):
        assert pair in said(app)
    assert "Rows shuffled" in said(app)


@pytest.mark.parametrize("by", ["attribution", "prediction"])
def test_a_row_on_which_they_part_is_opened_side_by_side(binary: Recorded, by: str) -> None:
    ids = tuple(e.id for e in done(binary)[:2])
    app = explained(open_page(binary[0], *ids, tab="Where do they disagree?"), RUN, ids)
    if by == "prediction":
        app.session_state["compare_rows_by"] = by
        app.run()
    assert not app.exception
    rows = app.radio(key=f"compare_row_{by}")
    assert len(rows.options) > 1
    rows.set_value(int(rows.options[1].split()[1])).run()
    assert not app.exception
    assert len(app.get("plotly_chart")) == 2


def test_several_classes_are_explained_for_one_of_them(classes: Recorded) -> None:
    ids = tuple(e.id for e in done(classes)[:2])
    app = explained(open_page(classes[0], *ids, tab="Where do they disagree?"), RUN, ids)
    assert not app.exception
    app.selectbox(key="compare_class").set_value(1).run()
    assert not app.exception
    assert len(app.get("plotly_chart")) == 2


def test_a_candidate_without_weights_says_why(binary: Recorded) -> None:
    failed = next(e for e in binary[1] if e.status is Status.FAILED)
    one, two = done(binary)[:2]
    ids = (one.id, two.id, failed.id)
    app = open_page(binary[0], *ids, tab="Is it really better?")
    assert not app.exception
    assert any("no trained weights" in w.value for w in app.warning)
    app = explained(open_page(binary[0], *ids, tab="What do they look at?"), RUN, ids)
    assert not app.exception
    assert any(w.value.startswith("C cannot be explained") for w in app.warning)
    assert "A and B" in said(app)
    app = open_page(binary[0], *ids)
    assert not app.exception
    assert "✕ failed" in said(app)


@pytest.mark.parametrize("kind", ["image", "series"])
def test_images_and_series_are_compared_cell_by_cell(kind: str, tmp_path: Path) -> None:
    recorded = recorded_signals(kind, tmp_path)
    ids = tuple(e.id for e in recorded[1] if e.weights is not None)[:2]
    for tab in ("At a glance", "Is it really better?", "How are they built?", "Step by step"):
        app = open_page(recorded[0], *ids, run=SIGNAL_RUN, tab=tab)
        assert not app.exception
    app = explained(open_page(recorded[0], *ids, run=SIGNAL_RUN, tab="Where do they disagree?"), SIGNAL_RUN, ids)
    assert not app.exception
    assert len(app.get("plotly_chart")) == (3 if kind == "image" else 2)


def test_a_network_between_is_trained_in_a_live_run() -> None:
    store = InMemoryStore()
    process.configure(opened=store)
    problem = run_problem("iris")
    space = SearchSpace.for_problem(problem, "balanced")
    run = start_run(store, problem, space, RunSettings(candidates=4000, seed=3),
                    evaluator=lambda _p, s, own: SyntheticEvaluator(s, own.seed, delay=0.05))  # fmt: skip
    deadline = time.monotonic() + 60
    while len(store.evaluations(run.id)) < 12:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    found = [e for e in store.evaluations(run.id) if e.eligible]
    counts = [len(json.dumps(e.architecture.values)) for e in found]
    ids = found[int(np.argmin(counts))].id, found[int(np.argmax(counts))].id
    app = open_page(store, *ids, run=run.id, tab="Step by step")
    assert not app.exception
    app.button(key="compare_train").click().run()
    assert not app.exception
    assert not app.error
    deadline = time.monotonic() + 60
    while not any(e.operator == "compared" for e in store.evaluations(run.id)):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_candidate_page_collects_for_comparison(binary: Recorded) -> None:
    one, two = done(binary)[:2]
    process.configure(opened=binary[0])
    app = AppTest.from_file(APP, default_timeout=120)
    app.switch_page("pages/candidate.py")
    app.query_params["run"], app.query_params["cand"] = RUN, one.id
    app.run()
    app.button(key="candidate_compare").click().run()
    assert not app.exception
    assert link(app) == one.id
    assert any(link.proto.label == "1 to compare" for link in app.get("page_link"))
    app.query_params["cand"] = two.id
    app.run()
    app.button(key="candidate_compare").click().run()
    assert link(app) == f"{one.id},{two.id}"
    app.button(key="candidate_compare").click().run()
    assert link(app) == one.id


def test_a_fifth_candidate_is_refused(binary: Recorded) -> None:
    five = [e.id for e in done(binary)[:5]]
    process.configure(opened=binary[0])
    app = AppTest.from_file(APP, default_timeout=120)
    app.switch_page("pages/candidate.py")
    app.query_params["run"], app.query_params["cand"] = RUN, five[4]
    app.query_params["compare"] = ",".join(five[:4])
    app.run()
    app.button(key="candidate_compare").click().run()
    assert "4 candidates in the comparison already" in app.error[0].value
    assert link(app) == ",".join(five[:4])
