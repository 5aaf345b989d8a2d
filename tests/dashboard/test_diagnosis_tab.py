"""The Diagnosis tab: its views and figures, and the page of a sound, a broken and a failed candidate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import streamlit
from recorded import RUN, recorded_run
from recorded_signals import SIGNAL_RUN, recorded_signals
from streamlit.testing.v1 import AppTest

from dashboard import process
from dashboard.components.diagnosed import diagnosed
from dashboard.figures.diagnosis import bars_figure, dots_figure, histogram_figure
from dashboard.theme import DARK, LIGHT
from dashboard.views.diagnosis import (
    QUANTITIES,
    SHOWN,
    diagnosis_view,
    dots_view,
    histogram_view,
    table_view,
    units_view,
)
from dashboard.views.overlay import gradient_overlay
from nas_core.explanations.diagnosis import Diagnosis, Finding, Flow, GradientCheck, LayerDiagnosis, Units
from nas_core.explanations.diagnosis_units import histogram
from nas_core.records import Evaluation, WeightsRef
from nas_core.store import InMemoryStore, Store

APP = str(Path(process.__file__).with_name("app.py"))
Recorded = tuple[Store, list[Evaluation]]
CHECK = GradientCheck(60, 16, 4, 2e-8, 1e-4, "groups.0.bias", 32)


def layer(name: str, gain: float | None = 0.5, *, trend: str = "", dead: int = 0, saturated: int = 0) -> LayerDiagnosis:
    flow = Flow(0.1, 2.0, 0.01, gain, trend, gain)
    units = Units("tanh", "units", 8, dead, saturated, tuple(range(dead)), tuple(range(dead, dead + saturated)))
    numbers = np.random.default_rng(0).normal(size=200)
    return LayerDiagnosis(
        name, f"layer {name}", (f"{name}.linear", f"{name}.activation"), 72, flow, Flow(0.2, 2.0, 0.1, 0.9, "", 0.9),
        (units,), histogram(numbers), histogram(numbers), 2.0, 64, 0,
    )  # fmt: skip


def made(*layers: LayerDiagnosis, findings: tuple[Finding, ...] = ()) -> Diagnosis:
    return Diagnosis((*layers, layer("output", 1.0)), CHECK, findings, 90, 100, 0.2, 0.7)


def test_the_head_says_what_was_compared_and_found() -> None:
    finding = Finding("warning", "dead", "5 of 8 units never fire.", "A narrower layer would do.", ("a",))
    view = diagnosis_view(made(layer("a"), findings=(finding,)))
    assert view.check.good is True
    assert "60 weights and 16 inputs" in view.check.words
    assert "4 more lie on a kink" in view.check.words
    assert view.findings == (("warning", finding.words, finding.advice),)
    assert view.healthy == ""
    assert "loss is 0.200; it began at 0.700" in view.summary
    assert diagnosis_view(made(layer("a"))).healthy.startswith("Nothing is wrong")


def test_gradients_that_were_not_compared_say_why() -> None:
    unknown = GradientCheck(0, 0, 7, None, 1e-4, "", 4, "every sampled point lies on a kink")
    view = diagnosis_view(Diagnosis((), unknown, (), 1, 1, 0.0, None))
    assert (view.check.good, view.check.words) == (None, "every sampled point lies on a kink")


def test_each_layer_is_drawn_with_its_beginning_and_a_cross_where_the_signal_vanishes() -> None:
    view = dots_view(made(layer("a", 1e-6, trend="vanishing"), layer("b", 0.0, trend="none"), layer("c")), "gain")
    assert view.labels == ("layer a", "layer b", "layer c")  # what leaves the output is 1 by definition
    trained, initial = view.series
    assert (trained.name, trained.values) == ("trained", (1e-6, 0.0, 0.5))
    assert initial.values == (0.9, 0.9, 0.9)
    assert "vanishes on its way here" in trained.hover[0]
    for colours in (LIGHT, DARK):
        figure = dots_figure(view, colours)
        dots = next(t for t in figure.data if t.meta == "trained")
        assert list(dots.marker.symbol) == ["x", "x", "circle"]
        assert dots.marker.color[0] == colours.chosen
        assert min(dots.x) == pytest.approx(1e-7)  # no signal at all: at the left end, a decade below the least
        assert figure.layout.xaxis.type == "log"
        assert set(next(t for t in figure.data if t.meta == "initial").marker.symbol) == {"circle-open"}
    assert "from 0 (layer b) to 0.500 (layer c)" in view.words


def test_an_axis_spans_two_decades_at_least() -> None:
    figure = dots_figure(dots_view(made(layer("a", 0.97)), "gain"), LIGHT)
    assert list(figure.layout.xaxis.ticktext) == ["0.1", "1", "10"]


def test_of_many_layers_the_most_conspicuous_are_drawn_in_their_order() -> None:
    layers = [layer(f"l{k:02}", 1.0 + k / 100) for k in range(40)]
    layers[33] = layer("l33", 1e-7, trend="vanishing")
    view = dots_view(made(*layers), "gain")
    assert view.total == 40
    assert len(view.labels) == SHOWN
    assert "layer l33" in view.labels
    assert list(view.labels) == sorted(view.labels)


def test_units_are_bars_of_dead_and_saturated_shares() -> None:
    view = units_view(made(layer("a", dead=2, saturated=4), layer("b")))
    assert [(b.dead, b.saturated) for b in view.bars] == [(0.25, 0.5)]
    assert (view.sound, view.total) == (2, 3)
    assert "6 of 24 units" in view.words
    figure = bars_figure(view, LIGHT)
    assert [t.meta for t in figure.data] == ["track", "dead", "saturated"]
    assert list(figure.data[2].base) == [0.25]  # behind the dead ones
    assert figure.data[2].marker.pattern.shape == "/"  # told apart without colour


def test_a_histogram_is_drawn_with_what_lies_outside() -> None:
    view = histogram_view(layer("a"), "weights")
    figure = histogram_figure(view, DARK)
    assert sum(figure.data[0].y) + 2 == 200
    assert view.outside == "Outside: 1 below and 1 above, of 200."


def test_the_table_has_a_line_for_every_layer() -> None:
    columns = table_view(made(layer("a", dead=2), layer("b"))).columns
    assert {len(values) for values in columns.values()} == {3}
    assert columns["dead"] == ["2 / 8", "0 / 8", "0 / 8"]
    assert columns["relative"] == [0.05] * 3


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_layers_without_a_signal_leave_the_figure_empty(quantity: str) -> None:
    nothing = Diagnosis((), CHECK, (), 1, 1, 0.0, None)
    view = dots_view(nothing, quantity)
    assert view.series == ()
    assert units_view(nothing).total == 0


@pytest.fixture(scope="module")
def binary() -> Recorded:
    return recorded_run(count=6, dense=True)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return recorded_signals("image", tmp_path_factory.mktemp("pictures"), count=2, epochs=1)


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
    app.session_state["candidate_tab"] = "Diagnosis"
    for name, value in session.items():
        app.session_state[name] = value
    return app.run()


def said(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.error, app.warning, app.info, app.success)
    return " | ".join(str(e.value) for kind in kinds for e in kind)


def figures(app: AppTest) -> list[dict]:
    return [json.loads(chart.proto.spec or chart.proto.figure.spec) for chart in app.get("plotly_chart")]


def test_a_table_candidate_is_diagnosed(binary: Recorded) -> None:
    one = binary[1][0]
    app = open_page(binary[0], RUN, one.id)
    assert not app.exception
    assert "Gradients are right" in said(app)
    assert "compared with finite differences" in said(app)
    assert "Test rows are never read" in said(app)
    metas = [t.get("meta") for figure in figures(app) for t in figure["data"]]
    assert {"trained", "initial", "weights", "activations"} <= set(metas)
    found = diagnosed(RUN, one.id).found
    assert [x.trained for x in found.layers] == [x.initial for x in found.layers]  # as initialised, from its own seed


def test_an_image_candidate_is_diagnosed_and_another_layer_can_be_looked_at(pictures: Recorded) -> None:
    one = next(e for e in pictures[1] if e.weights is not None)
    app = open_page(pictures[0], SIGNAL_RUN, one.id)
    assert not app.exception
    assert "Gradients are right" in said(app)
    choice = app.selectbox(key="diagnosis_layer")
    assert choice.options[-1] == "Readout"
    before = figures(app)[-2]["data"][0]["y"]
    choice.select_index(len(choice.options) - 1).run()
    assert not app.exception
    assert figures(app)[-2]["data"][0]["y"] != before


def test_what_is_wrong_stands_first() -> None:
    """The dense network of the run with first weights that are much too large: its tanh units are saturated."""
    from safetensors.numpy import load, save

    store, (one, *_) = recorded_run(count=6, dense=True)
    weights = load(store.get_artifact(one.weights.artifact, one.weights.sha256))
    first = f"{one.weights.prefix}groups.0.layers.0.linear.weight"
    digest = store.put_artifact("broken.safetensors", save({**weights, first: weights[first] * 1e5}))
    reference = WeightsRef(artifact="broken.safetensors", prefix=one.weights.prefix, sha256=digest)
    store.commit(RUN, [one.model_copy(update={"weights": reference})], None, {"evaluated": 6})
    app = open_page(store, RUN, one.id)
    assert not app.exception
    assert "16 of 16 units of layer 1 (tanh) are saturated" in app.error[0].value
    assert "Nothing is wrong" not in said(app)
    assert {"saturated", "track"} <= {t.get("meta") for figure in figures(app) for t in figure["data"]}
    assert app.selectbox(key="diagnosis_layer").value == "group0.layer1"  # the first layer with a finding


def test_a_candidate_without_weights_says_why(binary: Recorded) -> None:
    lost = next(e for e in binary[1] if e.weights is None)
    app = open_page(binary[0], RUN, lost.id)
    assert not app.exception
    assert any("no trained weights" in e.value for e in app.error)


def test_the_graph_can_be_coloured_by_the_gradient_that_arrives(binary: Recorded) -> None:
    one = binary[1][0]
    app = open_page(binary[0], RUN, one.id, graph_colour="gradient")
    assert not app.exception
    assert app.selectbox(key="graph_colour").value == "gradient"
    assert any("of that at the output" in json.dumps(figure, ensure_ascii=False) for figure in figures(app)[:1])


def test_a_box_of_several_layers_has_the_weakest_of_them() -> None:
    from graph_examples import tower

    from dashboard.views.collapse import Fold
    from dashboard.views.graph import graph_view

    network = tower(8, 0, stages=1)
    names = [str(n) for n in network.nodes]
    closed = graph_view(network, [f"f{i}" for i in range(50)], fold=Fold(frozenset({0}), 2))
    box = next(n for n in closed.nodes if n.closed)
    gains = {member: 10.0**-k for k, member in enumerate(box.members)}
    overlay = gradient_overlay(closed, gains)
    assert overlay.values[box.id] == pytest.approx(10.0 ** -(len(box.members) - 1))
    assert overlay.logarithmic
    assert gradient_overlay(closed, {names[0]: float("nan")}).values == {}
