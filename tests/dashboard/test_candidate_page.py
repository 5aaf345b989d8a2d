"""The Candidate page: what it says of a candidate that was trained, one that failed, and when none is chosen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import streamlit
from hypothesis import given
from hypothesis import strategies as st
from recorded import RUN, recorded_run
from streamlit.testing.v1 import AppTest

from dashboard import process
from dashboard.components.explained import Explained, check, cost, explanation, sizes
from nas_core.explanations import EXPLAINERS, TrainedCandidate
from nas_core.records import Evaluation, RunRecord, RunState
from nas_core.store import InMemoryStore, Store

APP = str(Path(process.__file__).with_name("app.py"))
Recorded = tuple[Store, list[Evaluation]]


@pytest.fixture(scope="module")
def binary() -> Recorded:
    return recorded_run()


@pytest.fixture(scope="module")
def classes() -> Recorded:
    return recorded_run(name="iris")


@pytest.fixture(scope="module")
def dense() -> Recorded:
    return recorded_run(count=3, dense=True)


@pytest.fixture(autouse=True)
def _own_store() -> Iterator[None]:
    yield
    process.configure(opened=InMemoryStore())
    for cached in (explanation, check):
        cached.clear()
    streamlit.cache_resource.clear()


def open_page(store: Store, candidate: str | None = None, tab: str = "Why this score", **session: str) -> AppTest:
    process.configure(opened=store)
    app = AppTest.from_file(APP, default_timeout=120)
    app.switch_page("pages/candidate.py")
    if candidate is not None:
        app.query_params["run"], app.query_params["cand"] = RUN, candidate
    app.session_state["candidate_tab"] = tab
    for name, value in session.items():
        app.session_state[name] = value
    return app.run()


def said(app: AppTest) -> str:
    return " | ".join(str(e.value) for kind in (app.markdown, app.caption, app.header, app.info) for e in kind)


def figures(app: AppTest) -> list[dict]:
    return [json.loads(chart.proto.spec or chart.proto.figure.spec) for chart in app.get("plotly_chart")]


def explained(candidate: str) -> Explained:
    return explanation(RUN, candidate).latest


def seen_to_the_end(app: AppTest) -> AppTest:
    """Look at the page again and again, as its refreshes do, until nothing gets better any more."""
    for _ in range(60):
        if "Getting better" not in said(app):
            return app
        app.run()
    raise AssertionError("it never ended")


def named(recorded: Recorded, operator: str) -> Evaluation:
    return next(e for e in recorded[1] if e.operator == f"landmark: {operator}")


def test_without_a_run_the_page_says_what_to_do() -> None:
    app = open_page(InMemoryStore())
    assert not app.exception
    assert "Start one on the Run page" in app.info[0].value


def test_without_a_candidate_it_offers_the_best_ones(binary: Recorded) -> None:
    app = open_page(binary[0])
    assert not app.exception
    assert "No candidate is chosen" in app.info[0].value
    links = [link.proto.label for link in app.get("page_link")]
    assert any("30 of 30 features" in label for label in links)
    assert any("1 of 30 features" in label for label in links)


def test_a_run_without_candidates_says_so() -> None:
    store = InMemoryStore()
    known = recorded_run()[0].run(RUN)
    store.create_run(RunRecord(**{**known.model_dump(), "id": "empty", "state": RunState.RUNNING}))
    app = open_page(store)
    assert not app.exception
    assert "no finished candidate yet" in app.info[0].value


def test_an_unknown_run_or_candidate_is_named(binary: Recorded) -> None:
    app = open_page(binary[0], "feedbeef")
    assert "has no candidate feedbeef" in app.warning[0].value
    process.configure(opened=InMemoryStore())
    app = AppTest.from_file(APP, default_timeout=60)
    app.switch_page("pages/candidate.py")
    app.query_params["run"] = "gone"
    app.run()
    assert not app.exception
    assert "gone" in app.error[0].value


def test_a_candidate_is_told_with_its_graph_and_measures(binary: Recorded) -> None:
    one = named(binary, "3 linear features")
    app = open_page(binary[0], one.id)
    assert not app.exception
    assert app.header[0].value == f"Candidate #{one.index}"
    assert {m.label: m.value for m in app.metric}["Parameters"] == str(one.cost.parameters)
    assert "Uses 3 of 30 features." in said(app)
    assert "What would raise it: Drop a feature" in said(app)
    near = [link.proto.label for link in app.get("page_link") if "Nearest candidate" in link.proto.label]
    assert near
    assert "ROC AUC" in near[0]
    graph, measures = figures(app)
    assert len(next(t for t in graph["data"] if t["meta"] == "hover")["customdata"]) == 7
    assert len(next(t for t in measures["data"] if t["meta"] == "numbers")["text"]) == len(one.measures)


def test_a_parent_is_a_link(binary: Recorded) -> None:
    app = open_page(binary[0], binary[1][2].id)
    assert any(link.proto.label == "parent #1" for link in app.get("page_link"))


@pytest.mark.parametrize(("which", "words"), [(-2, "This candidate failed: The loss became NaN"), (-1, "not eligible")])
def test_a_candidate_without_a_result_says_why(binary: Recorded, which: int, words: str) -> None:
    store, found = binary
    for tab in ("Why this score", "Explain", "Training"):
        app = open_page(store, found[which].id, tab)
        assert not app.exception
        assert words in app.warning[0].value
        assert app.info or app.error, tab


def test_training_curves_mark_the_kept_epoch(binary: Recorded) -> None:
    app = open_page(binary[0], binary[1][0].id, "Training")
    curves = figures(app)[1]
    assert curves["data"][2]["x"] == [5]


def test_an_additive_candidate_is_explained_exactly(binary: Recorded) -> None:
    one = named(binary, "5 monotone networks")
    app = open_page(binary[0], one.id, "Explain")
    assert not app.exception
    assert "Exact group SHAP" in said(app)
    assert "Completeness: base and contributions add up" in said(app)
    swarm, bars = figures(app)[1:]
    assert len([t for t in swarm["data"] if t["meta"] == "swarm"]) == 5
    assert len(bars["layout"]["yaxis"]["ticktext"]) == 5


def test_a_chosen_row_is_drawn_as_a_waterfall(binary: Recorded) -> None:
    one = named(binary, "5 monotone networks")
    app = open_page(binary[0], one.id, "Explain", explain_part="waterfall")
    assert not app.exception
    app.button(key="explain_most_wrong").click().run()
    row = app.session_state["explain_row"]
    found = explained(one.id)
    at = list(found.rows).index(row)
    bar = figures(app)[1]["data"][0]
    assert bar["base"][0] == pytest.approx(found.attribution.base[0])
    assert bar["base"][-1] + bar["x"][-1] == pytest.approx(found.attribution.outputs[at, 0])
    shares = 1 / (1 + np.exp(-found.attribution.outputs[:, 0]))
    true = found.candidate.problem.dataset.y[found.rows]
    error = np.where(true == 1, 1 - shares, shares)
    assert error[at] == pytest.approx(error.max())


def test_features_alone_in_their_group_have_shape_functions(binary: Recorded) -> None:
    one = named(binary, "3 monotone networks")
    app = open_page(binary[0], one.id, "Explain", explain_part="shapes")
    assert not app.exception
    assert "3 features act alone" in said(app)
    curves = figures(app)[1:]
    assert len(curves) == 3
    for curve in curves:
        y = next(t for t in curve["data"] if t["meta"] == "curve")["y"]
        assert len(y) > 50 if isinstance(y, list) else y["bdata"]


def test_the_shap_library_agrees(binary: Recorded) -> None:
    one = named(binary, "3 monotone networks")
    app = open_page(binary[0], one.id, "Explain", explain_part="check")
    assert not app.success
    app.button(key="explain_check").click().run()
    assert not app.exception
    assert "largest difference" in app.success[0].value
    assert check(RUN, one.id).difference <= 1e-9


def test_with_several_classes_one_is_chosen(classes: Recorded) -> None:
    one = next(e for e in classes[1] if e.weights is not None and len(e.architecture.values["groups"]) > 1)
    app = open_page(classes[0], one.id, "Explain", explain_part="waterfall")
    assert not app.exception
    assert app.selectbox(key="explain_class").options == ["setosa", "versicolor", "virginica"]
    before = figures(app)[1]["data"][0]["base"][0]
    app.selectbox(key="explain_class").select(2).run()
    assert not app.exception
    found = explained(one.id)
    assert figures(app)[1]["data"][0]["base"][0] == pytest.approx(found.attribution.base[2])
    assert before == pytest.approx(found.attribution.base[0])
    assert "virginica" in figures(app)[1]["layout"]["xaxis"]["title"]["text"]


@pytest.mark.parametrize("name", [n for n, e in EXPLAINERS.items() if issubclass(TrainedCandidate, e.explains)])
def test_every_method_for_tables_is_drawn_or_another_in_its_place(binary: Recorded, name: str) -> None:
    one = named(binary, "5 monotone networks")
    for part in ("importance", "waterfall"):
        app = open_page(binary[0], one.id, "Explain", explain_method=name, explain_part=part)
        assert not app.exception
    found = explanation(RUN, one.id, False, name).latest
    attribution = found.attribution
    assert f"**{found.label}** · {attribution.reason}" in said(app)
    drawn = {t.get("meta") for figure in figures(app) for t in figure["data"]}
    assert ("contributions" in drawn) == (not attribution.additive)
    assert ("do not add up from the mean output" in said(app)) == (not attribution.additive)
    assert ("Completeness: base and contributions add up" in said(app)) == attribution.additive
    assert ("the linear fit has R²" in said(app)) == (attribution.fit is not None)


def test_a_method_that_does_not_apply_is_replaced_with_the_reason(dense: Recorded) -> None:
    app = open_page(dense[0], dense[1][0].id, "Explain", explain_method="shap_exact")
    assert not app.exception
    assert "SHAP, exact does not apply: it uses 30 features; at most 12 can be enumerated. In its place" in said(app)
    assert "⊘ SHAP, exact" in app.selectbox(key="explain_method").options


def test_the_check_is_of_the_method_that_fits(binary: Recorded) -> None:
    one = named(binary, "3 monotone networks")
    app = open_page(binary[0], one.id, "Explain", explain_part="check", explain_method="saliency")
    assert "Exact group SHAP, which fits this candidate" in app.info[0].value


@given(st.integers(0, 500_000), st.integers(1, 100))
def test_the_rows_fit_the_budget_unless_they_are_few(cost: int, wanted: int) -> None:
    rows, against = sizes(cost, 25_000_000, wanted)
    assert 25 <= against <= 100
    assert min(10, wanted) <= rows <= wanted
    assert rows <= 10 or rows * against * cost <= 25_000_000
    if cost * 100 * wanted <= 25_000_000:
        assert (rows, against) == (wanted, 100)


def test_groups_of_one_are_explained_completely_and_at_once(binary: Recorded) -> None:
    process.configure(opened=binary[0])
    one = explanation(RUN, named(binary, "5 monotone networks").id)
    assert one.finished
    assert one.latest.complete
    assert cost(one.latest.candidate, EXPLAINERS["group_shap"]) == 0


def test_a_large_group_is_sampled_quickly_first_and_gets_better_while_it_is_looked_at(dense: Recorded) -> None:
    process.configure(opened=dense[0])
    one = explanation(RUN, dense[1][0].id)
    first = one.latest.attribution
    assert not one.finished
    assert not one.latest.exact
    assert first.residual <= 1e-9 * max(1.0, first.scale)
    while not one.finished:
        before = one.latest.attribution
        one.advance(0.2)
        assert one.latest.attribution.passes > before.passes
    assert one.latest.attribution.margin < first.margin / 1.5
    assert one.latest.attribution.seconds < 6
    last = one.latest
    one.advance(0.2)
    assert one.latest is last


def test_a_dense_candidate_says_how_near_its_values_are(dense: Recorded) -> None:
    one = dense[1][0]
    app = open_page(dense[0], one.id, "Explain")
    assert not app.exception
    assert "Exact and sampled group SHAP" in said(app)
    assert "ampled values are known to ±" in said(app)
    assert [t["meta"] for t in figures(app)[1]["data"]].count("swarm") == 12
    seen_to_the_end(app)
    assert "Sampled values are known to ±" in said(app)
    assert "Getting better" not in said(app)


def test_a_person_can_have_it_refined(dense: Recorded) -> None:
    one = dense[1][0]
    app = seen_to_the_end(open_page(dense[0], one.id, "Explain"))
    app.button(key="explain_more").click().run()
    assert not app.exception
    assert "against 100 training rows" in said(app)
    assert not [b for b in app.button if b.key == "explain_more"]
