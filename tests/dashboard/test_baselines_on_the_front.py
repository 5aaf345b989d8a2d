"""Plain models on the Run page: where they lie, what is said of those without a place, and the switch."""

from __future__ import annotations

import json
import struct
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard import process
from dashboard.components.plain_models import PlainModels
from dashboard.figures.front import front_payload
from dashboard.views.front import FrontView, PlainPoint, front_view
from nas_core import InMemoryStore, Problem, RunSettings, SearchSpace, load_data, start_run
from nas_core.evaluation.baselines import Baseline
from nas_core.objectives import METRICS
from nas_core.preferences import STRUCTURE_MEASURES, Preference
from nas_core.records import Architecture, Estimate, Evaluation, Measurement, Status
from nas_core.search import Archive

APP = str(Path(dashboard.__file__).parent / "app.py")
WORDS = dict.fromkeys(("cloud", "recent", "front", "floors", "plain", "best", "selected", "ribbon", "band"), "word")
WORDS["summary"] = "{count} {front} {metric} {low} {high}"


@pytest.fixture(scope="module")
def store() -> Any:
    """Return a store with one short finished run."""
    found = InMemoryStore()
    problem = Problem.create(load_data("iris"))
    start_run(found, problem, SearchSpace.for_problem(problem), RunSettings(candidates=8)).wait()
    return found


def baseline(name: str, performance: float, scores: dict[str, float | None], reason: str = "") -> Baseline:
    return Baseline(
        name=name, label=name.replace("_", " ").title(), reason=reason,
        performance=Estimate(value=performance, low=performance, high=performance),
        measures={n: Measurement(value=v, reason=None if v is not None else "why") for n, v in scores.items()},
    )  # fmt: skip


def shown(baselines: tuple[Baseline, ...], preference: Preference) -> FrontView:
    """Return the front of one candidate with ``baselines`` beside it."""
    architecture = Architecture(family="tabular", values={})
    archive = Archive(METRICS["roc_auc"])
    archive.add(
        [
            Evaluation(
                id=architecture.id, architecture=architecture, status=Status.DONE,
                performance=Estimate(value=0.95, low=0.9, high=0.99),
                measures=dict.fromkeys(STRUCTURE_MEASURES, Measurement(value=0.8)),
            )
        ]
    )  # fmt: skip
    snapshot = archive.snapshot()
    return front_view(
        "run", snapshot, snapshot.rank(preference), selected=None, words=WORDS, x_label="x", baselines=baselines
    )


def test_they_lie_where_their_measures_put_them() -> None:
    names = ("feature_parsimony", "additivity")
    tree = baseline("decision_tree", 0.7, {"feature_parsimony": 0.5, "additivity": 1.0})
    view = shown((tree,), Preference(measures=dict.fromkeys(names, 1.0)))
    ((point),) = view.plain
    assert (point.label, point.short, point.y) == ("Decision Tree", "tree", 0.7)
    assert point.x == pytest.approx(np.sqrt(0.51 / 1.01))
    moved = shown((tree,), Preference(measures={"additivity": 1.0})).plain[0]
    assert moved.x == pytest.approx(1.0)
    assert view.y_range[0] < 0.7 < view.y_range[1]


def test_one_without_skill_or_without_a_weighted_measure_has_no_place() -> None:
    wish = Preference(measures={"additivity": 1.0})
    useless = baseline("linear", 0.5, {"additivity": None}, "No better than a model that ignores its inputs")
    unmeasured = baseline("linear", 0.9, {"additivity": None})
    assert shown((useless, unmeasured), wish).plain == ()


def test_the_payload_names_them() -> None:
    view = shown((baseline("linear", 0.9, {"additivity": 1.0}),), Preference(measures={"additivity": 1.0}))
    raw = front_payload(view)
    (length,) = struct.unpack("<I", raw[:4])
    head = json.loads(raw[4 : 4 + length])
    assert head["plain"] == [{"label": "Linear", "short": "linear", "x": 1.0, "y": 0.9}]
    assert view.plain == (PlainPoint("Linear", "linear", 1.0, 0.9),)


def test_the_switch_fits_them_once_and_says_which_are_not_drawn(store: Any) -> None:
    process.configure(opened=store)
    page = AppTest.from_file(APP, default_timeout=120)
    page.query_params["run"] = store.runs()[0].id
    page.run()
    assert not page.exception
    (switch,) = [t for t in page.toggle if t.label == "Baselines"]
    assert not switch.value
    switch.set_value(True).run()
    assert not page.exception
    said = " ".join(c.value for c in page.caption)
    assert "Fitting" in said or "Loading the data" in said or "Not drawn" in said
    for thread in threading.enumerate():
        if thread.name == "nasight-baselines":
            thread.join(120)
    page.run()
    assert not page.exception
    assert "Not drawn: No feature at all" in " ".join(c.value for c in page.caption)
    process.configure(opened=InMemoryStore())


def test_data_that_are_gone_are_a_sentence(store: Any) -> None:
    record = store.runs()[0]
    problem = {**record.problem, "data_hash": "0" * 16}
    models = PlainModels(json.dumps(problem), SearchSpace.model_validate(record.space), ("additivity",))
    models.wait(60)
    assert models.finished
    assert models.found == ()
    assert "changed" in models.failure
