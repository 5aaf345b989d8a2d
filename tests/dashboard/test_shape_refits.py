"""Curves with the band of networks trained again: the button, a cancel, the band in the picture, its words."""

from __future__ import annotations

import json
import threading
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import streamlit
from recorded import RUN, recorded_run
from streamlit.testing.v1 import AppTest

from dashboard import process
from dashboard.components.shape_refits import RefitJob, refit_job
from dashboard.figures.attributions import shape_figure
from dashboard.figures.explain_curves import curve_figure
from dashboard.texts import text
from dashboard.theme import LIGHT
from dashboard.views.attributions import ShapeView
from dashboard.views.explain_curves import CurveView
from dashboard.views.refit_bands import RefitBand, refit_band, refit_words
from nas_core.audit.shape_bands import Refits, ShapeBand
from nas_core.records import Evaluation
from nas_core.store import InMemoryStore, Store

APP = str(Path(process.__file__).with_name("app.py"))
Recorded = tuple[Store, list[Evaluation]]
BAND = RefitBand(np.array([1.0, 2, 4]), np.array([-2.0, -0.5, 0]), np.array([0.0, 0.5, 4]), (0.1, 0.9), 1.2, 0.4)


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    return recorded_run(count=6, epochs=2)


@pytest.fixture(autouse=True)
def _own_store(recorded: Recorded) -> Iterator[None]:
    process.configure(opened=recorded[0])
    yield
    process.configure(opened=InMemoryStore())
    streamlit.cache_resource.clear()
    streamlit.cache_data.clear()


def alone(recorded: Recorded) -> Evaluation:
    """Return a candidate with a feature that is alone in its group."""
    return next(
        e for e in recorded[1]
        if e.weights is not None and all(len(g["features"]) == 1 for g in e.architecture.values["groups"])
    )  # fmt: skip


def open_part(candidate: Evaluation, part: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=120)
    app.switch_page("pages/candidate.py")
    app.query_params["run"], app.query_params["cand"] = RUN, candidate.id
    app.session_state["candidate_tab"], app.session_state["explain_part"] = "Explain", part
    return app.run()


def said(app: AppTest) -> str:
    return " | ".join(str(e.value) for kind in (app.markdown, app.caption, app.info, app.warning) for e in kind)


def metas(app: AppTest) -> list[list[str]]:
    charts = [json.loads(c.proto.spec or c.proto.figure.spec) for c in app.get("plotly_chart")]
    return [[t.get("meta", "") for t in chart["data"]] for chart in charts]


def finished(candidate: Evaluation) -> RefitJob:
    job = refit_job(RUN, candidate.id)
    for thread in [t for t in threading.enumerate() if t.name == "nasight-refits"]:
        thread.join(120)
    return job


def test_a_button_trains_again_and_both_parts_have_the_band(recorded: Recorded) -> None:
    one = alone(recorded)
    app = open_part(one, "curves")
    assert not app.exception
    assert not any("refits" in chart for chart in metas(app))
    app.button(key="refits_ask").click().run()
    assert not app.exception
    assert finished(one).state == "done"
    app.run()
    assert any("refits" in chart for chart in metas(app))
    assert "12 refits of this architecture" in said(app)
    assert "of the range of the curve" in said(app)
    assert not [b for b in app.button if b.key == "refits_ask"]
    shapes = open_part(one, "shapes")
    drawn = [chart for chart in metas(shapes) if "density" in chart]
    assert drawn
    assert all("refits" in chart for chart in drawn)
    assert refit_job(RUN, one.id).refits.candidate.problem.test_opened == 0


def test_the_band_is_around_the_shape_function_that_is_drawn(recorded: Recorded) -> None:
    one = alone(recorded)
    refit_job(RUN, one.id).start()
    finished(one)
    app = open_part(one, "shapes")
    chart = next(c for c in app.get("plotly_chart") if '"refits"' in (c.proto.spec or c.proto.figure.spec))
    traces = {t["meta"]: t for t in json.loads(chart.proto.spec or chart.proto.figure.spec)["data"]}
    numbers = {
        (meta, axis): np.frombuffer(b64decode(traces[meta][axis]["bdata"]), float)
        for meta in ("curve", "refits") for axis in "xy"
    }  # fmt: skip
    M = len(numbers["refits", "x"]) // 2
    x, high, low = (numbers["refits", "x"][:M], numbers["refits", "y"][:M], numbers["refits", "y"][: M - 1 : -1])
    curve = np.interp(x, numbers["curve", "x"], numbers["curve", "y"])
    np.testing.assert_allclose((low + high) / 2, curve, atol=1e-6 * np.ptp(curve))
    assert (high > low).any()


def test_it_can_be_cancelled_and_asked_again(recorded: Recorded) -> None:
    one = alone(recorded)
    job = refit_job(RUN, one.id)
    job.start()
    job.cancel()
    finished(one)
    assert job.state == "cancelled"
    assert job.refits is None
    app = open_part(one, "curves")
    assert "Cancelled; there is no band." in said(app)
    assert app.button(key="refits_ask")


def test_a_job_that_fails_says_why(recorded: Recorded) -> None:
    one = alone(recorded)
    job = refit_job(RUN, one.id)
    job._device = "abacus"
    job.start()
    finished(one)
    assert job.state == "failed"
    assert "abacus" in job.message
    app = open_part(one, "curves")
    assert "abacus" in app.warning[0].value


def test_two_clicks_train_once(recorded: Recorded) -> None:
    one = alone(recorded)
    job = refit_job(RUN, one.id)
    job.start()
    stop = job._stop
    job.start()
    assert job._stop is stop
    job.cancel()
    finished(one)


def a_curve(**changes: object) -> CurveView:
    y = np.array([-1.0, 0, 2])
    fields: dict = {
        "name": "age", "x": np.array([1.0, 2, 4]), "y": y, "low": y, "high": y, "levels": (),
        "edges": np.array([1.0, 2, 4]), "counts": np.array([4, 8]), "missing": 0.5, "lines": np.zeros((0, 3)),
        "rows": np.zeros(0, int), "own": np.zeros((0, 2)), "unit": "log-odds", "note": "", "reason": "", "spoken": "",
        "refits": BAND,
    }  # fmt: skip
    return CurveView(**{**fields, **changes})


def test_the_ribbon_is_dashed_and_all_of_it_is_above_the_density() -> None:
    figure = curve_figure(a_curve(), LIGHT)
    ribbon = next(t for t in figure.data if t.meta == "refits")
    assert ribbon.line.dash == "dash"
    assert (min(ribbon.y), max(ribbon.y)) == (-2, 4)
    rows = next(t for t in figure.data if t.meta == "density")
    assert rows.base + max(rows.y) < -2
    assert [a.text for a in figure.layout.annotations] == ["missing +0.50, +0.10 to +0.90"]


def test_levels_of_a_category_have_whiskers() -> None:
    figure = curve_figure(a_curve(levels=("a", "b", "c"), edges=np.zeros(0), counts=np.array([1, 2, 1])), LIGHT)
    bars = next(t for t in figure.data if t.meta == "curve")
    assert list(bars.error_y.array) == [1.0, 0.5, 2.0]
    assert list(bars.error_y.arrayminus) == [1.0, 0.5, 2.0]
    shape = ShapeView("g", np.arange(3), np.array([-1.0, 0, 2]), ("a", "b", "c"), np.zeros(0), np.array([1, 2, 1]),
                      None, 0, "log-odds", BAND)  # fmt: skip
    assert list(shape_figure(shape, LIGHT).data[0].error_y.array) == [1.0, 0.5, 2.0]


def test_the_view_is_that_of_one_output() -> None:
    effect = np.array([[0.0, 1.0], [2.0, 1.0]])
    half = np.array([[0.5, 0.1]])
    band = ShapeBand(0, "x", np.array([3.0, 5.0]), effect, np.stack([effect, effect]), effect - half,
                     effect + half, np.array([[0.0, 1.0], [2.0, 3.0]]))  # fmt: skip
    first, second = (refit_band(band, output, category=False) for output in (0, 1))
    assert (first.half, first.share, first.missing) == (0.5, 0.25, (0.0, 2.0))
    assert second.half == pytest.approx(0.1)
    assert second.share is None  # a flat curve has no range to be a share of
    assert list(refit_band(band, 0, category=True).x) == [0.0, 1.0]


def test_refits_that_were_lost_are_said(recorded: Recorded) -> None:
    one = alone(recorded)
    candidate = refit_job(RUN, one.id)._candidate
    words = refit_words(Refits(candidate, (candidate,) * 9, ("the loss became infinite",) * 3, 2.0), "log-odds", BAND)
    assert "9 refits" in words
    assert "3 more could not be trained" in words
    assert "± 1.2 log-odds: 40 % of the range" in words
    assert text("refits.limits") in words


def test_a_feature_that_is_not_read_asks_for_no_refits(recorded: Recorded) -> None:
    one = alone(recorded)
    app = open_part(one, "curves")
    used = {j for g in one.architecture.values["groups"] for j in g["features"]}
    app.session_state["whole_feature"] = next(j for j in range(30) if j not in used)
    app.run()
    assert not app.exception
    assert not [b for b in app.button if b.key == "refits_ask"]
