"""The tab "Why this score": measures by family, the rest on request, and why some are not defined."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit
from recorded import RUN, recorded_run, run_problem
from recorded_signals import SIGNAL_RUN, recorded_signals
from streamlit.testing.v1 import AppTest

from dashboard import process
from dashboard.figures.measures import measures_figure
from dashboard.theme import DARK, LIGHT, Palette
from dashboard.views.measures import FAMILIES, MeasureBar, MeasuresView, measures_view
from nas_core.interpretability import MEASURES
from nas_core.records import Evaluation, Measurement
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore, Store

APP = str(Path(process.__file__).with_name("app.py"))
Recorded = tuple[Store, list[Evaluation]]


@pytest.fixture(scope="module")
def table() -> Recorded:
    return recorded_run(count=4, dense=True)


@pytest.fixture(autouse=True)
def _own_store() -> Iterator[None]:
    yield
    process.configure(opened=InMemoryStore())
    streamlit.cache_resource.clear()


def open_tab(store: Store, candidate: str, run: str = RUN) -> AppTest:
    process.configure(opened=store)
    app = AppTest.from_file(APP, default_timeout=120)
    app.switch_page("pages/candidate.py")
    app.query_params["run"], app.query_params["cand"] = run, candidate
    app.session_state["candidate_tab"] = "Why this score"
    return app.run()


def said(app: AppTest) -> str:
    return " | ".join(str(e.value) for kind in (app.markdown, app.caption, app.info, app.error) for e in kind)


def drawn(app: AppTest) -> dict[str, dict]:
    """Return the traces of the picture of measures."""
    for chart in app.get("plotly_chart"):
        spec = json.loads(chart.proto.spec or chart.proto.figure.spec)
        traces = {t["meta"]: t for t in spec["data"] if isinstance(t.get("meta"), str)}
        if "numbers" in traces:
            return traces
    raise AssertionError("no picture of measures")


def rest(app: AppTest) -> list:
    return [b for b in app.button if b.key == "measure_rest"]


def test_the_rest_is_measured_when_asked_for_and_kept(table: Recorded) -> None:
    store, evaluations = table
    one = evaluations[0]
    app = open_tab(store, one.id)
    assert not app.exception
    missing = [name for name in MEASURES if name not in one.measures]
    assert f"{len(missing)} more measures can be taken" in said(app)
    assert "explainers agree" in said(app)
    (button,) = rest(app)
    app = button.click().run()
    assert not app.exception
    assert not app.error
    assert not rest(app)
    taken = [n for n in missing if n != "introspectability"]
    assert len(drawn(app)["numbers"]["text"]) == len(one.measures) + len(taken)
    words = said(app)
    assert "**Explainers agree" in words
    assert "in the same order of influence in" in words
    assert "**Structure** ·" in words
    assert "**Summary** ·" in words
    assert "**Explanation** ·" in words
    assert "Measured here and not by the run" in words
    assert "**Not defined for this candidate**" in words
    assert f"{MEASURES['introspectability'].label}: tables are read by separate networks per group" in words
    again = open_tab(store, one.id)  # another visitor has them at once
    assert not rest(again)
    assert "**Explainers agree" in said(again)
    other = open_tab(store, evaluations[1].id)
    assert rest(other)


def test_a_candidate_without_a_result_is_offered_nothing(table: Recorded) -> None:
    store, evaluations = table
    for e in evaluations[-2:]:
        app = open_tab(store, e.id)
        assert not app.exception
        assert not rest(app)


def test_weights_that_are_gone_are_an_error_in_words(table: Recorded) -> None:
    store, evaluations = table
    empty = InMemoryStore()
    empty.create_run(store.run(RUN))
    empty.commit(RUN, [evaluations[0].model_copy(update={"revision": 1})], None, {})
    app = open_tab(empty, evaluations[0].id)
    (button,) = rest(app)
    app = button.click().run()
    assert not app.exception
    assert app.error
    assert rest(app)


def test_words_say_why_gradients_do_not_apply(tmp_path: Path) -> None:
    store, evaluations = recorded_signals("words", tmp_path, count=1, epochs=1)
    one = next(e for e in evaluations if e.weights is not None)
    if not one.eligible:
        one = one.model_copy(update={"status": "done"})
    app = open_tab(store, one.id, SIGNAL_RUN)
    (button,) = rest(app)
    app = button.click().run()
    assert not app.exception
    assert "Explainers agree: words are looked up in a table" in said(app)


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    return SearchSpace.for_problem(run_problem(), "balanced")


def test_the_view_orders_by_family_and_keeps_what_is_missing(table: Recorded, space: SearchSpace) -> None:
    own = {name: table[1][0].measures[name] for name in ("feature_parsimony", "additivity", "operation_economy")}
    one = table[1][0].model_copy(update={"measures": own})
    later = {
        "explanation_stability": Measurement(value=0.5, raw=0.5, low=0.4, high=0.6),
        "tree_fidelity": Measurement(value=0.9, raw=0.9),
        "introspectability": Measurement(reason="no layers"),
        "additivity": Measurement(value=0.123),  # the run's own counts
    }
    view = measures_view(one, space, {}, later)
    order = [FAMILIES.index(b.family) for b in view.bars]
    assert order == sorted(order)
    assert [f.name for f in view.families] == list(FAMILIES)
    assert [b.name for f in view.families for b in f.bars] == [b.name for b in view.bars]
    assert [b.name for b in view.bars if not b.by_run] == ["tree_fidelity", "explanation_stability"]
    assert next(b for b in view.bars if b.name == "additivity").value == one.measures["additivity"].value
    assert [(b.name, b.reason) for b in view.not_applicable] == [("introspectability", "no layers")]
    assert set(view.missing) == set(MEASURES) - set(one.measures) - set(later)
    assert view.missing_labels == tuple(MEASURES[n].label for n in view.missing)
    by_name = {b.name: b for b in view.bars}
    assert by_name["explanation_stability"].interval == "(0.40 to 0.60)"
    assert by_name["tree_fidelity"].interval == ""


def test_a_measure_of_an_older_version_is_still_shown(table: Recorded, space: SearchSpace) -> None:
    old = table[1][0].model_copy(update={"measures": {"beauty": Measurement(value=0.3, raw=0.3)}})
    view = measures_view(old, space, {})
    assert [(b.label, b.value, b.words) for b in view.bars] == [("beauty", 0.3, "")]
    assert [f.label for f in view.families] == ["Others"]


def bar(label: str, family: str, value: float | None = 0.5) -> MeasureBar:
    return MeasureBar(label, label, value, 0.4, 0.6, "w", "", "r", "", None, family)


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_each_family_has_a_line_with_its_name(colours: Palette) -> None:
    view = MeasuresView((bar("A", "structure"), bar("B", "structure"), bar("C", "explanation", None)))
    figure = measures_figure(view, colours)
    assert list(figure.layout.yaxis.categoryarray) == ["C", "<b>Explanation</b>", "B", "A", "<b>Structure</b>"]
    assert list(figure.layout.yaxis.range) == [-0.5, 4.5]
    track, value, numbers = figure.data
    assert list(track.y) == list(value.y) == list(numbers.y) == ["C", "B", "A"]
    assert list(numbers.text) == ["not defined", "0.50", "0.50"]
    alone = measures_figure(MeasuresView((bar("A", "structure"),)), colours)
    assert list(alone.layout.yaxis.categoryarray) == ["A"]
    empty = measures_figure(MeasuresView(()), colours)
    assert list(empty.layout.yaxis.range) == [-0.5, 0.5]
