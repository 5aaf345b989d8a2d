"""How long a search takes is measured only when a person asks, once for the same data and space, and says so."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

import pytest
from recorded import run_problem
from streamlit.testing.v1 import AppTest

from dashboard import process, state
from dashboard.components import space_time
from dashboard.components.space_time import Measuring, measured_time
from nas_core.data import DataSource
from nas_core.evaluation.calibration import Calibration, Law
from nas_core.evaluation.calibration_cache import keep_calibration
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore

APP = str(Path(process.__file__).with_name("app.py"))
IRIS = state.Draft(source=DataSource(kind="builtin", location="iris"))


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("NASIGHT_CACHE", str(tmp_path))
    process.configure(opened=InMemoryStore())
    yield
    process.configure(opened=InMemoryStore())


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    return SearchSpace.for_problem(run_problem("iris"), "transparent")


@pytest.mark.slow
def test_a_measurement_gives_a_time_with_its_spread(space: SearchSpace) -> None:
    measuring = Measuring(run_problem("iris"), space, seconds=1.0)
    measuring.wait(60)
    assert not measuring.running
    assert measuring.result is not None, measuring.reason
    one, hundred = (measuring.result.run_seconds(n) for n in (1, 100))
    assert 0 < one.low <= one.value <= one.high
    assert hundred.value == pytest.approx(100 * one.value)


def test_a_measurement_that_fails_says_why(space: SearchSpace) -> None:
    empty = space.changed(constraints=space.constraints.model_copy(update={"max_operations": 1, "max_parameters": 1}))
    measuring = Measuring(run_problem("iris"), empty, seconds=1.0)
    measuring.wait(60)
    assert measuring.result is None
    assert "max_" in measuring.reason


@pytest.mark.slow
def test_the_page_measures_on_demand_and_remembers() -> None:
    app = AppTest.from_file(APP, default_timeout=60)
    app.switch_page("pages/space.py")
    app.session_state["nasight_draft"] = state.Draft(source=IRIS.source, preset="transparent")
    app.session_state["space_builds"] = "Cost and time"
    app.run()
    space = SearchSpace.for_problem(process.problem_of(process.Order(IRIS.source, settings=None)), "transparent")
    assert measured_time(IRIS, space) is None
    app.button(key="space_measure").click().run()
    measuring = measured_time(IRIS, space)
    assert measuring is not None
    measuring.wait(2 * space_time.SECONDS + 60)
    app.run()
    assert not app.exception
    words = " ".join([m.value for m in app.markdown] + [c.value for c in app.caption])
    assert "500 candidates take about" in words
    assert "Measured on this machine" in words
    app.number_input(key="space_time_count").set_value(50).run()
    assert "50 candidates take about" in " ".join(m.value for m in app.markdown)
    assert measured_time(IRIS, space) is measuring


def test_what_an_earlier_studio_measured_is_told_at_once(space: SearchSpace) -> None:
    made = process.problem_of(process.Order(IRIS.source, settings=None))
    keep_calibration(made, Calibration(space, Law(0.5), 1, (0.4, 0.6), "2 packs"))
    app = AppTest.from_file(APP, default_timeout=60)
    app.switch_page("pages/space.py")
    app.session_state["nasight_draft"] = state.Draft(source=IRIS.source, preset="transparent")
    app.session_state["space_builds"] = "Cost and time"
    with pytest.MonkeyPatch.context() as patch:  # what this process measured before comes first
        patch.setattr(space_time, "_measured", OrderedDict())
        app.run()
    assert not app.exception
    words = " ".join([m.value for m in app.markdown] + [c.value for c in app.caption])
    assert "500 candidates take about **4 min" in words
    assert "Measured on this machine: 2 packs." in words
    assert "kept in the cache" in words
    assert app.button(key="space_measure").label == "Measure again"
