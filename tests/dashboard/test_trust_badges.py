"""The trust badges beside an explanation: what they say of a candidate that may be trusted, and of one that may not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit
from recorded import RUN, recorded_run
from recorded_signals import SIGNAL_RUN, recorded_signals
from streamlit.testing.v1 import AppTest

from dashboard import process
from dashboard.views.trust import trust_view
from nas_core.explanations.trust import GATES, Gate, Trust
from nas_core.records import Evaluation
from nas_core.store import InMemoryStore, Store

APP = str(Path(process.__file__).with_name("app.py"))
Recorded = tuple[Store, list[Evaluation]]


def gate(name: str, ok: bool | None, value: float | None = 0.2, threshold: float | None = 0.1) -> Gate:
    return Gate(name, name.capitalize(), value, threshold, ok, f"{name} says so.", "≤")


class TestView:
    """What a verdict is in words."""

    def test_a_passed_one_says_how_many_checks(self) -> None:
        view = trust_view(Trust((gate("one", True, 0.05), gate("two", None, None, None), gate("three", None))))
        assert view.state == "passed"
        assert view.headline == "May be trusted: 1 of 1 checks"
        assert view.why == ()
        assert view.unknown == "2 checks cannot tell or do not apply"
        assert [r.state for r in view.rows] == ["passed", "not_asked", "skipped"]
        assert [r.number for r in view.rows] == ["0.0500 (≤ 0.10)", "–", "0.200"]

    def test_a_failed_one_says_why(self) -> None:
        view = trust_view(Trust((gate("one", True), gate("two", False), gate("three", False), gate("four", None))))
        assert view.state == "failed"
        assert view.headline == "Do not trust this attribution"
        assert view.why == ("two says so.", "three says so.")
        assert view.rows[1].number == "0.200 (should be ≤ 0.10)"
        assert view.unknown == "1 check cannot tell or does not apply"

    def test_where_nothing_could_be_checked_it_says_so(self) -> None:
        view = trust_view(Trust((gate("one", None, None, None),)))
        assert view.state == "skipped"
        assert view.why == ("one says so.",)


@pytest.fixture(scope="module")
def tables() -> Recorded:
    return recorded_run(count=8, dense=True, epochs=15)


@pytest.fixture(autouse=True)
def _own_store() -> Iterator[None]:
    yield
    process.configure(opened=InMemoryStore())
    streamlit.cache_resource.clear()


def open_page(store: Store, run: str, candidate: str, **session: object) -> AppTest:
    process.configure(opened=store)
    app = AppTest.from_file(APP, default_timeout=120)
    app.switch_page("pages/candidate.py")
    app.query_params["run"], app.query_params["cand"] = run, candidate
    app.session_state["candidate_tab"] = "Explain"
    for name, value in session.items():
        app.session_state[name] = value
    return app.run()


def said(app: AppTest) -> str:
    return " | ".join(str(e.value) for kind in (app.markdown, app.caption, app.info, app.error) for e in kind)


def settled(app: AppTest) -> AppTest:
    for _ in range(60):
        if "once they have settled" not in said(app):
            return app
        app.run()
    raise AssertionError("it never settled")


def test_an_additive_network_may_be_trusted(tables: Recorded) -> None:
    store, found = tables
    additive = next(
        e for e in found if e.weights and all(len(g["features"]) == 1 for g in e.architecture.values["groups"])
    )
    app = open_page(store, RUN, additive.id)
    assert not app.exception
    words = said(app)
    assert "May be trusted: " in words
    assert "Do not trust" not in words
    assert ":material/verified_user:" in words
    for label, _ in GATES.values():
        assert f"**{label}**" in words  # every check is in the list, whether it applies or not
    assert any(e.label.startswith("All checks") for e in app.expander)


def test_a_dense_network_is_checked_once_its_values_have_settled(tables: Recorded) -> None:
    store, found = tables
    dense = next(e for e in found if e.operator == "dense")
    strong = dense.measures["additivity"].model_copy(update={"value": 0.4, "raw": 0.6})
    told = dense.model_copy(update={"measures": {**dense.measures, "additivity": strong}})
    store.commit(RUN, [told], None, {})
    app = settled(open_page(store, RUN, dense.id))
    assert not app.exception
    assert any("Do not trust this attribution, because: " in e.value for e in app.error)
    assert any("Interactions make 60.0% of the output's variation" in e.value for e in app.error)
    assert "0.600 (should be ≤ 0.10)" in said(app)
    assert "May be trusted" not in said(app)


def test_every_method_of_a_signal_has_its_own_verdict(tmp_path: Path) -> None:
    store, found = recorded_signals("image", tmp_path, epochs=4, count=2)
    one = next(e for e in found if e.weights is not None)
    for method in ("cell_shap", "occlusion"):
        app = settled(open_page(store, SIGNAL_RUN, one.id, signal_method=method))
        assert not app.exception
        assert "**Faithful**" in said(app)
        adds = "are not meant to add up to the output" in said(app)
        assert adds == (method == "occlusion")
