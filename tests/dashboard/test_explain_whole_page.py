"""The parts of the Explain tab that explain a candidate as a whole: curves, surrogate, importance."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import streamlit
from recorded import RUN, recorded_run
from recorded_signals import SIGNAL_RUN, recorded_signals
from safetensors.numpy import load, save
from streamlit.testing.v1 import AppTest

from dashboard import process
from dashboard.components.explain_curves import partners
from dashboard.components.explain_importance import shuffles
from dashboard.components.explain_surrogate import tree
from nas_core.records import Evaluation, WeightsRef
from nas_core.store import InMemoryStore, Store

APP = str(Path(process.__file__).with_name("app.py"))
Recorded = tuple[Store, list[Evaluation]]


@pytest.fixture(scope="module")
def dense() -> Recorded:
    """Two candidates on breast cancer; the first is one group of all features, trained for five epochs."""
    return recorded_run(count=3, dense=True, epochs=5)


@pytest.fixture(scope="module")
def additive() -> Recorded:
    return recorded_run()


@pytest.fixture(scope="module")
def classes() -> Recorded:
    return recorded_run(name="iris", count=3, dense=True, epochs=5)


@pytest.fixture(scope="module")
def numbers() -> Recorded:
    return recorded_run(name="diabetes", count=3, dense=True, epochs=5)


@pytest.fixture(autouse=True)
def _own_store() -> Iterator[None]:
    yield
    process.configure(opened=InMemoryStore())
    streamlit.cache_resource.clear()
    streamlit.cache_data.clear()


def open_part(recorded: Recorded, part: str, candidate: Evaluation | None = None, **session: object) -> AppTest:
    """Open a part of the Explain tab of a candidate, and look until its values get no better."""
    process.configure(opened=recorded[0])
    app = AppTest.from_file(APP, default_timeout=120)
    app.switch_page("pages/candidate.py")
    app.query_params["run"], app.query_params["cand"] = RUN, (candidate or recorded[1][0]).id
    for name, value in {"candidate_tab": "Explain", "explain_part": part, **session}.items():
        app.session_state[name] = value
    app.run()
    for _ in range(60):
        if "Getting better" not in said(app):
            break
        app.run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.info, app.warning, app.success, app.error)
    told = " | ".join(str(e.value) for kind in kinds for e in kind)
    return re.sub(r"\\(.)", r"\1", told)  # without the strokes that keep Markdown from reading names


def figure(app: AppTest, meta: str) -> dict:
    """Return the figure that has a trace of that kind."""
    found = [json.loads(chart.proto.spec or chart.proto.figure.spec) for chart in app.get("plotly_chart")]
    return next(f for f in found if any(t.get("meta") == meta or t["type"] == meta for t in f["data"]))


def named(recorded: Recorded, operator: str) -> Evaluation:
    return next(e for e in recorded[1] if e.operator == f"landmark: {operator}")


def test_curves_of_a_dense_network_have_a_band_and_its_strongest_interaction(dense: Recorded) -> None:
    app = open_part(dense, "curves")
    assert "Accumulated local effects over 341 training rows" in said(app)
    assert any(t.get("meta") == "band" for t in figure(app, "curve")["data"])
    feature = app.selectbox(key="whole_feature")
    assert feature.options[0].startswith("1. ")
    assert len(feature.options) == 30
    partner = app.selectbox(key=f"whole_partner_{feature.value}")
    found = partners(RUN, dense[1][0].id, feature.value, 0)
    assert [s for _, s in found] == sorted((s for _, s in found), reverse=True)
    assert partner.value == found[0][0]
    assert len(found) == 29
    assert "second-order ALE" in said(app)
    heat = next(t for t in figure(app, "heatmap")["data"] if t["type"] == "heatmap")
    assert heat["zmin"] == -heat["zmax"] < 0


@pytest.mark.parametrize(("kind", "words"), [("pdp", "Partial dependence"), ("ice", "One line for each of 60")])
def test_other_kinds_of_curves(dense: Recorded, kind: str, words: str) -> None:
    app = open_part(dense, "curves", whole_kind=kind)
    assert words in said(app)
    assert "joint partial dependence" in said(app)
    assert any(t.get("meta") == "lines" for t in figure(app, "curve")["data"]) == (kind == "ice")


def test_the_row_in_view_is_among_the_lines(dense: Recorded) -> None:
    app = open_part(dense, "waterfall")
    app.button(key="explain_most_wrong").click().run()
    row = app.session_state["explain_row"]
    app.segmented_control(key="explain_part").set_value("curves").run()
    app.segmented_control(key="whole_kind").set_value("ice").run()
    assert not app.exception
    assert any(t.get("meta") == "chosen" for t in figure(app, "curve")["data"])
    assert row is not None


def test_a_person_chooses_a_feature_and_another_to_go_with_it(dense: Recorded) -> None:
    app = open_part(dense, "curves")
    app.selectbox(key="whole_feature").set_value(0).run()
    assert figure(app, "curve")["layout"]["xaxis"]["title"]["text"] == "mean radius"
    app.selectbox(key="whole_partner_0").set_value(1).run()
    assert not app.exception
    assert "**mean radius × mean texture**" in said(app)
    app.selectbox(key="whole_feature").set_value(1).run()
    app.selectbox(key="whole_partner_1").set_value(0).run()
    assert "**mean texture × mean radius**" in said(app)


def test_an_additive_network_has_exact_curves_and_no_interaction(additive: Recorded) -> None:
    app = open_part(additive, "curves", named(additive, "5 monotone networks"))
    assert "Exact: the architecture" in said(app)
    assert "rules out interactions" in said(app)
    unread = app.selectbox(key="whole_feature").options[-1]
    assert unread.endswith("(not read)")
    app.selectbox(key="whole_feature").set_value(0 if unread.startswith("mean radius") else 9).run()
    assert not app.exception


def test_a_feature_that_is_not_read_says_so(additive: Recorded) -> None:
    one = named(additive, "3 monotone networks")
    used = {j for g in one.architecture.values["groups"] for j in g["features"]}
    other = min(set(range(30)) - used)
    app = open_part(additive, "curves", one, whole_feature=other)
    assert "the network does not read it" in said(app)
    assert "Together with" not in said(app)


def test_the_tree_is_drawn_with_what_it_is_worth(dense: Recorded) -> None:
    app = open_part(dense, "surrogate", whole_depth=4)
    grown = tree(RUN, dense[1][0].id, 4)
    words = said(app)
    assert f"This tree reproduces {100 * grown.matched:.0f} % of the network's answers on 114 validation rows" in words
    assert "A random forest of 100 trees" in words
    drawn = figure(app, "leaves")
    assert len(next(t for t in drawn["data"] if t.get("meta") == "leaves")["customdata"]) == len(grown.leaves)
    assert [c.value for c in app.code] == ["\n".join(r.words for r in grown.rules)]
    assert app.get("download_button")
    app.segmented_control(key="whole_depth").set_value(2).run()
    assert not app.exception
    assert max(n.depth for n in tree(RUN, dense[1][0].id, 2).nodes) <= 2


@pytest.mark.parametrize("part", ["curves", "surrogate", "compared"])
def test_several_classes(classes: Recorded, part: str) -> None:
    app = open_part(classes, part)
    app.selectbox(key="explain_class").select(2).run()
    assert not app.exception
    if part == "curves":
        assert "virginica" in figure(app, "curve")["layout"]["yaxis"]["title"]["text"]


@pytest.mark.parametrize(
    ("part", "words"),
    [("curves", "second-order ALE"), ("surrogate", "of the variation of the network's output"), ("compared", "R²")],
)
def test_a_regression(numbers: Recorded, part: str, words: str) -> None:
    assert words in said(open_part(numbers, part))


def test_importances_are_side_by_side(dense: Recorded) -> None:
    app = open_part(dense, "compared")
    assert [t["meta"] for t in figure(app, "attribution")["data"]] == ["attribution", "permutation", "information"]
    words = said(app)
    assert "how much ROC AUC gets worse" in words
    assert "10 times on 114 rows" in words
    assert "Where they differ" in words
    assert "is repeated by" in words
    assert shuffles(RUN, dense[1][0].id).finished


def test_more_shuffles_can_be_asked_for(dense: Recorded) -> None:
    process.configure(opened=dense[0])
    shuffles(RUN, dense[1][0].id).advance(0.0)
    app = open_part(dense, "compared")
    assert "1 of 10 shuffles so far" in said(app)
    app.button(key="whole_more").click().run()
    assert not app.exception
    assert "10 times on 114 rows" in said(app)
    assert "so far" not in said(app)


def test_a_network_of_few_features_names_what_it_leaves_out(additive: Recorded) -> None:
    app = open_part(additive, "compared", named(additive, "3 monotone networks"))
    words = said(app)
    assert "does not use it" in words
    assert any("not read" in label for label in figure(app, "attribution")["layout"]["yaxis"]["ticktext"])


def test_a_constant_network_is_told_as_one() -> None:
    """All weights are 0: no importance, a flat curve and a tree of one leaf, each with words."""
    store, evaluations = recorded_run(count=3)
    one = evaluations[0]
    assert one.weights is not None
    stored = load(store.get_artifact(one.weights.artifact))
    digest = store.put_artifact("zeros.safetensors", save({name: np.zeros_like(v) for name, v in stored.items()}))
    weights = WeightsRef(artifact="zeros.safetensors", prefix=one.weights.prefix, sha256=digest)
    store.commit(RUN, [one.model_copy(update={"weights": weights, "revision": 3})], None, {})
    recorded = store, evaluations
    assert "Exact: the architecture" in said(open_part(recorded, "curves"))
    words = said(open_part(recorded, "surrogate"))
    assert "one class" in words
    assert "asks nothing" in words
    assert "by itself tells much of the target" in said(open_part(recorded, "compared"))


def test_cells_of_images_are_shuffled_when_asked_for(tmp_path: Path) -> None:
    store, evaluations = recorded_signals("image", tmp_path)
    one = next(e for e in evaluations if e.weights is not None)
    process.configure(opened=store)
    app = AppTest.from_file(APP, default_timeout=120)
    app.switch_page("pages/candidate.py")
    app.query_params["run"], app.query_params["cand"] = SIGNAL_RUN, one.id
    app.session_state["candidate_tab"], app.session_state["signal_part"] = "Explain", "all"
    app.run()
    assert "costs to lose a cell" not in said(app)
    app.button(key="whole_cells").click().run()
    assert not app.exception
    found = shuffles(SIGNAL_RUN, one.id).latest
    assert found is not None
    assert f"{found.repeats} times on" in said(app)
    drawn = figure(app, "permutation")["data"][0]
    assert len(drawn["customdata"]) == min(14, int((found.value > 0).sum()))
