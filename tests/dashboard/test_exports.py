"""Exports in the studio: files made in the background, what their check found, and reasons where there is none."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit
from recorded import RUN, recorded_run
from streamlit.testing.v1 import AppTest

from dashboard import process
from dashboard.components.exports import Preparation, candidate_preparation, run_preparation
from dashboard.views.exports import check_words, reason_words, size_words
from nas_core.errors import ExportError
from nas_core.exports.exporting import Told
from nas_core.exports.formats import CANDIDATE_FORMATS, RUN_FORMATS, ExportFile
from nas_core.exports.portable import Check
from nas_core.records import Evaluation
from nas_core.secrecy import HIDDEN
from nas_core.store import InMemoryStore, Store

APP = str(Path(process.__file__).with_name("app.py"))


@pytest.fixture(scope="module")
def recorded() -> tuple[Store, list[Evaluation]]:
    return recorded_run(InMemoryStore(), count=6)


@pytest.fixture(autouse=True)
def _own_store(recorded: tuple[Store, list[Evaluation]]) -> Iterator[None]:
    process.configure(opened=recorded[0])
    yield
    process.configure(opened=InMemoryStore())
    streamlit.cache_resource.clear()


def candidate_page(candidate: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=120)
    app.switch_page("pages/candidate.py")
    app.query_params["run"], app.query_params["cand"] = RUN, candidate
    app.session_state["candidate_export"] = True
    return app.run()


def run_page() -> None:
    from dashboard.components.exports import run_exports

    run_exports("run-1")


def press(app: AppTest, key: str) -> AppTest:
    return next(b for b in app.button if b.key == key).click().run()


def captions(app: AppTest) -> str:
    return " | ".join(str(c.value) for c in app.caption)


def test_a_file_is_prepared_and_offered_with_its_check(recorded: tuple[Store, list[Evaluation]]) -> None:
    found = recorded[1][3]
    app = candidate_page(found.id)
    assert not app.exception
    assert {f"export_{found.id}_{name}_make" for name in CANDIDATE_FORMATS} <= {b.key for b in app.button}
    app = press(app, f"export_{found.id}_source_make")
    job = candidate_preparation(RUN, found.id, "source")
    job.wait(120)
    assert (job.state, job.message) == ("done", "")
    app = app.run()
    assert not app.exception
    assert f"export_{found.id}_source_make" not in {b.key for b in app.button}
    (download,) = app.get("download_button")
    assert download.proto.label.startswith("Download (")
    assert "Largest difference to the candidate on 114 validation rows" in captions(app)


def test_a_candidate_without_weights_says_why(recorded: tuple[Store, list[Evaluation]]) -> None:
    failed = recorded[1][-2]
    app = candidate_page(failed.id)
    assert not app.exception
    assert "Needs trained weights" in captions(app)
    keys = {b.key for b in app.button}
    assert f"export_{failed.id}_json_make" in keys
    assert f"export_{failed.id}_onnx_make" not in keys


def test_a_run_is_exported_as_tables() -> None:
    app = AppTest.from_function(run_page, default_timeout=120).run()
    assert not app.exception
    assert {f"export_{RUN}_{name}_make" for name in RUN_FORMATS} == {b.key for b in app.button}
    app = press(app, f"export_{RUN}_csv_make")
    job = run_preparation(RUN, "csv", process.store().run(RUN).revision)
    job.wait(60)
    assert job.state == "done"
    app = app.run()
    assert len(app.get("download_button")) == 1


def test_a_run_that_goes_on_offers_new_files(recorded: tuple[Store, list[Evaluation]]) -> None:
    app = AppTest.from_function(run_page, default_timeout=120).run()
    before = process.store().run(RUN).revision
    app = press(app, f"export_{RUN}_csv_make")
    run_preparation(RUN, "csv", before).wait(60)
    recorded[0].update_run(RUN, reason="looked at")
    app = app.run()
    assert "has gone on" in captions(app)
    assert len(app.get("download_button")) == 1
    app = press(app, f"export_revision_{RUN}_again")
    assert "has gone on" not in captions(app)
    assert not app.get("download_button")


def test_a_preparation_tells_how_far_it_is_and_why_it_failed() -> None:
    go = threading.Event()

    def slow(told: Told) -> ExportFile:
        told("half", 0.5)
        assert go.wait(30)
        return ExportFile("a", b"x", "text/plain")

    job = Preparation(slow)
    job.start()
    job.start()
    while job.share < 0.5:
        job.wait(0.01)
    assert job.state == "running"
    go.set()
    job.wait(30)
    assert job.file is not None

    def wrong(told: Told) -> ExportFile:
        raise ExportError("It cannot be exported", fix="try source")

    broken = Preparation(wrong)
    broken.start()
    broken.wait(30)
    assert (broken.state, broken.message) == ("failed", "It cannot be exported. Fix: try source.")

    def refused(told: Told) -> ExportFile:
        raise OSError("cannot reach postgresql://me:s3cret@db/runs")

    leaking = Preparation(refused)
    leaking.start()
    leaking.wait(30)
    assert leaking.message == f"OSError: cannot reach postgresql://me:{HIDDEN}@db/runs"


def test_numbers_are_told_in_words() -> None:
    assert [size_words(n) for n in (812, 57_400, 3_400_000)] == ["812 B", "57 kB", "3.4 MB"]
    told = check_words(Check(3.2e-7, 1114, "probability", "ONNX Runtime 1.32"))
    assert "1,114 validation rows: 3e-7 in a probability (ONNX Runtime 1.32)" in told
    assert "0 standard deviations" in check_words(Check(0.0, 5, "target_sd", "PyTorch"))
    lacking = replace(CANDIDATE_FORMATS["onnx"], packages=("no_such_package",))
    assert "pip install 'nasight[onnx]'" in reason_words(lacking, None)
    assert reason_words(RUN_FORMATS["csv"], None) == ""
