"""The Candidate page of networks on images, series and texts: every method, every part, and why some do not apply."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import streamlit
from recorded_signals import SIGNAL_RUN, recorded_signals
from streamlit.testing.v1 import AppTest

from dashboard import process
from dashboard.components.explained import candidate_of, explanation
from dashboard.components.performed import with_row
from dashboard.components.signal_plan import telling_rows
from nas_core.explanations import EXPLAINERS, SignalCandidate, next_explainer
from nas_core.explanations.occluded import fewest_cells
from nas_core.records import Evaluation
from nas_core.store import InMemoryStore, Store

APP = str(Path(process.__file__).with_name("app.py"))
Recorded = tuple[Store, list[Evaluation]]


@pytest.fixture(scope="module", params=["image", "series", "words"])
def recorded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return recorded_signals(request.param, tmp_path_factory.mktemp(request.param), epochs=8)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return recorded_signals("image", tmp_path_factory.mktemp("images"), epochs=8)


@pytest.fixture(autouse=True)
def _own_store() -> Iterator[None]:
    yield
    process.configure(opened=InMemoryStore())
    streamlit.cache_resource.clear()


def best(recorded: Recorded) -> Evaluation:
    eligible = [e for e in recorded[1] if e.eligible and e.weights is not None]
    return max(eligible, key=lambda e: e.performance.value)


def open_page(store: Store, candidate: str, tab: str = "Explain", **session: object) -> AppTest:
    process.configure(opened=store)
    app = AppTest.from_file(APP, default_timeout=120)
    app.switch_page("pages/candidate.py")
    app.query_params["run"], app.query_params["cand"] = SIGNAL_RUN, candidate
    app.session_state["candidate_tab"] = tab
    for name, value in session.items():
        app.session_state[name] = value
    return app.run()


def said(app: AppTest) -> str:
    return " | ".join(str(e.value) for kind in (app.markdown, app.caption, app.header, app.info) for e in kind)


def pictures(app: AppTest) -> list[dict]:
    return [json.loads(chart.proto.spec or chart.proto.figure.spec) for chart in app.get("plotly_chart")]


def metas(app: AppTest) -> set[str]:
    return {t.get("meta") for figure in pictures(app) for t in figure["data"]}


def test_the_measures_are_told_in_words(recorded: Recorded) -> None:
    app = open_page(recorded[0], best(recorded).id, "Why this score")
    assert not app.exception
    words = said(app)
    for label in ("Few interactions", "Additive", "Little arithmetic", "Locally additive", "Layers tell classes apart"):
        assert label in words
    assert "What would raise it" in words


def test_every_method_that_applies_is_drawn_and_the_others_say_why(recorded: Recorded) -> None:
    one = best(recorded)
    process.configure(opened=recorded[0])
    candidate = candidate_of(SIGNAL_RUN, one.id)
    assert isinstance(candidate, SignalCandidate)
    for name in [n for n, e in EXPLAINERS.items() if isinstance(candidate, e.explains)]:
        shown, why_not = next_explainer(candidate, name)
        app = open_page(recorded[0], one.id, signal_method=name)
        assert not app.exception, name
        assert f"**{shown.label}** · {shown.applies_to(candidate).reason}" in said(app)
        if why_not:
            assert f"{why_not}. In its place: **{shown.label}**" in said(app)
            assert f"⊘ **{EXPLAINERS[name].label}.**" in said(app)


def test_one_row_is_drawn_with_what_each_place_adds(recorded: Recorded) -> None:
    one = best(recorded)
    app = open_page(recorded[0], one.id)
    assert not app.exception
    app.button(key="explain_most_wrong").click().run()
    assert not app.exception
    row = app.session_state["explain_row"]
    found = with_row(SIGNAL_RUN, one.id, explanation(SIGNAL_RUN, one.id, False, "cell_shap").latest, row)
    position = list(found.rows).index(row)
    signal = found.candidate.problem.dataset.signal
    assert signal is not None
    drawn = metas(app)
    if signal.modality == "image":
        assert {"image", "overlay"} <= drawn
    elif signal.vocabulary:
        assert "What each word adds" in said(app)
    else:
        assert {"ground", "line", "bars"} <= drawn
    assert "The same as a table" in [e.label for e in app.expander]
    table = app.dataframe[0].value
    assert len(table) >= 1
    shares = found.attribution.outputs[position]
    assert np.isfinite(shares).all()


def test_all_rows_are_drawn_as_a_mean(recorded: Recorded) -> None:
    app = open_page(recorded[0], best(recorded).id, signal_part="all")
    assert not app.exception
    assert "mean" in metas(app)
    assert "Mean absolute contribution" in said(app)


def test_the_waterfall_begins_where_the_method_does(images: Recorded) -> None:
    process.configure(opened=images[0])
    voting = next(
        e
        for e in images[1]
        if e.weights is not None and EXPLAINERS["cam"].applies_to(candidate_of(SIGNAL_RUN, e.id)).ok
    )
    shap = open_page(images[0], voting.id)
    assert "From the mean output to this row's output" in said(shap)
    cam = open_page(images[0], voting.id, signal_method="cam")
    assert "From the output's bias to this row's output" in said(cam)
    assert "Completeness: base and contributions add up" in said(cam)
    grad = open_page(images[0], voting.id, signal_method="grad_cam")
    assert "do not add up to the output" in said(grad)
    assert "From the" not in said(grad)


def test_a_class_is_chosen_or_the_predicted_one(images: Recorded) -> None:
    one = best(images)
    app = open_page(images[0], one.id)
    options = app.selectbox(key="signal_class").options
    assert options[0] == "the predicted class"
    assert len(options) == 11
    row = app.session_state["explain_row"]
    found = explanation(SIGNAL_RUN, one.id, False, "cell_shap").latest
    predicted = int(np.argmax(found.attribution.outputs[list(found.rows).index(row)]))
    assert f"What each patch adds to {predicted}" in said(app)
    app.selectbox(key="signal_class").select(3).run()
    assert not app.exception
    assert "What each patch adds to 3" in said(app)


def test_the_most_wrong_and_the_least_sure_are_among_few_rows(images: Recorded) -> None:
    process.configure(opened=images[0])
    candidate = candidate_of(SIGNAL_RUN, best(images).id)
    assert isinstance(candidate, SignalCandidate)
    valid = candidate.problem.valid
    rows = telling_rows(candidate, 5, 500)
    assert len(rows) == 5
    assert (np.diff(rows) > 0).all()
    outputs = candidate.predict(valid.raw)
    grown = np.exp(outputs - outputs.max(1, keepdims=True))
    shares = grown / grown.sum(1, keepdims=True)
    assert int(np.argmin(shares[np.arange(len(valid)), valid.y])) in rows
    assert int(np.argmin(shares.max(1))) in rows
    assert np.array_equal(rows, telling_rows(candidate, 5, 500))


def test_sampled_values_are_there_soon_and_get_better(images: Recorded) -> None:
    process.configure(opened=images[0])
    one = explanation(SIGNAL_RUN, best(images).id, False, "cell_shap")
    first = one.latest.attribution
    assert first.seconds < 3  # about half a second on an idle processor
    while not one.finished:
        one.advance(0.3)
    assert one.latest.attribution.margin < first.margin
    assert one.latest.attribution.residual <= 1e-4 * max(1.0, one.latest.attribution.scale)


def test_a_candidate_without_weights_says_so(images: Recorded) -> None:
    store, found = images
    lost = found[0].model_copy(update={"id": "ffff", "index": 99, "weights": None, "revision": 3})
    store.commit(SIGNAL_RUN, [lost], None, {})
    app = open_page(store, "ffff")
    assert not app.exception
    assert "has no trained weights" in app.error[0].value


def test_places_are_taken_away_and_given_back(recorded: Recorded) -> None:
    one = best(recorded)
    app = open_page(recorded[0], one.id, "What if")
    assert not app.exception
    assert not app.error
    row = app.session_state["explain_row"]
    candidate = candidate_of(SIGNAL_RUN, one.id)
    assert isinstance(candidate, SignalCandidate)
    raw = candidate.problem.dataset.X[row]
    app.button(key="what_if_fewest").click().run()
    assert not app.exception
    found = fewest_cells(candidate, raw)
    assert app.session_state["what_if_gone"][SIGNAL_RUN, row] == sorted(found.cells)
    assert ("Predicted otherwise without" in said(app)) == found.reached
    assert f"{len(found.cells)} of {candidate.problem.P} places are taken away" in said(app) or not found.cells
    app.button(key="what_if_reset").click().run()
    assert app.session_state["what_if_gone"][SIGNAL_RUN, row] == []
    cell = int(candidate.used[0])
    if candidate.signal.vocabulary:
        cell = next(c for c in range(candidate.problem.P) if raw[candidate.signal.owner == c].any())
    app.session_state["what_if_gone"] = {(SIGNAL_RUN, row): [cell]}
    app.run()
    assert f"1 of {candidate.problem.P} places are taken away" in said(app)
    app.button(key="what_if_nearest").click().run()
    assert not app.exception
    assert "predicted otherwise" in said(app)


def test_a_signal_classifier_has_its_performance_told(recorded: Recorded) -> None:
    for part in ("confusion", "thresholds", "reliability", "subgroups"):
        app = open_page(recorded[0], best(recorded).id, "Performance", performance_part_classification=part)
        assert not app.exception
        assert not app.error
        assert "validation rows that candidates are compared on" in said(app)
        assert "The run noted" not in said(app)  # these were really trained: stored weights give what was noted


def test_any_row_of_a_signal_can_be_explained(recorded: Recorded) -> None:
    process.configure(opened=recorded[0])
    one = best(recorded)
    found = explanation(SIGNAL_RUN, one.id).latest
    row = next(int(r) for r in found.candidate.problem.valid.rows if r not in found.rows)
    app = open_page(recorded[0], one.id, explain_row=row)
    assert not app.exception
    assert all("Do not trust" in e.value for e in app.error)
    assert app.session_state["explain_row"] == row
