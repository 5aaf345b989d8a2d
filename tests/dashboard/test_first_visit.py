"""The first visit: the recorded example on every page, and nothing of it in a person's own store."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard import process, state
from dashboard.watching import watch
from nas_core.errors import StoreError
from nas_core.records import RunState
from nas_core.runs.registry import resume_run
from nas_core.store import InMemoryStore, open_store
from nas_core.store.packed import LARGEST

APP = str(Path(dashboard.__file__).parent / "app.py")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def empty(tmp_path: Path) -> Iterator[Path]:
    """A store in which nothing has ever been run."""
    process.configure(str(tmp_path / "store"))
    yield tmp_path / "store"
    process.store().close()
    process.configure(opened=InMemoryStore())


def opened(page: str = "", **query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=90)
    if page:
        app.switch_page(f"pages/{page}.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def words(app: AppTest) -> str:
    return " ".join(str(e.value) for e in (*app.markdown, *app.caption, *app.header, *app.subheader, *app.info))


@pytest.mark.parametrize("page", state.PAGES)
def test_every_page_begins_with_the_recorded_example(page: str) -> None:
    app = opened("" if page == "run" else page)
    assert not app.exception
    assert not app.error
    assert app.query_params["run"] == process.EXAMPLE
    if page == "run":  # AppTest draws no frame around another page
        assert "recorded example" in words(app)
        assert app.button("start_own").label == "Start your own"


def test_the_example_is_a_real_run_of_the_search() -> None:
    found = watch(process.EXAMPLE)
    assert found.record.state is RunState.DONE
    assert found.progress.evaluated == len(found.snapshot) == 300
    kinds = [event.kind for event in found.view.events]
    assert {"started", "steered", "space", "halving"} <= set(kinds)
    assert len(found.view.versions) == 2
    done = [e for e in process.store().evaluations(process.EXAMPLE) if e.eligible]
    assert all(e.weights is not None for e in done)


def test_the_file_is_small_and_holds_only_json_and_tensors() -> None:
    path = Path(dashboard.__file__).parent / "example" / "breast_cancer.zip"
    assert path.stat().st_size < 3_000_000
    with zipfile.ZipFile(path) as pack:
        assert sum(m.file_size for m in pack.infolist()) < LARGEST
        assert {Path(m.filename).suffix for m in pack.infolist()} == {".json", ".safetensors"}
        told = b"".join(pack.read(m) for m in pack.infolist() if m.filename.endswith(".json"))
        assert json.loads(pack.read("run.json"))["owner"] == ""
    assert b"/tmp" not in told
    assert b"/home" not in told


def test_nothing_is_written_to_it_and_it_is_not_listed(empty: Path) -> None:
    opened()
    assert process.store().runs() == []
    with pytest.raises(StoreError, match=r"recorded example.*start a run of your own"):
        resume_run(process.store(), process.EXAMPLE, candidates=400)
    own = open_store(str(empty))
    assert own.runs() == []
    with pytest.raises(StoreError, match="no run"):
        own.run(process.EXAMPLE)
    own.close()


def test_whoever_wants_a_new_search_is_not_sent_back_to_the_example() -> None:
    app = opened()
    app.button("new_search").click().run()
    assert not app.exception
    assert any("Start search" in b.label for b in app.button)
    assert "run" not in app.query_params


def test_whoever_has_a_run_is_not_shown_the_example_but_can_open_it() -> None:
    example = process.store().run(process.EXAMPLE)
    process.store().create_run(example.model_copy(update={"id": "own", "name": "mine"}))
    app = opened()
    assert not app.exception
    assert "run" not in app.query_params
    app.button("open_example").click().run()
    assert app.query_params["run"] == process.EXAMPLE


def test_a_store_without_examples_begins_with_the_form() -> None:
    process.configure(opened=InMemoryStore())
    app = opened()
    assert not app.exception
    assert any("Start search" in b.label for b in app.button)


def test_the_example_and_both_languages_are_in_the_wheel(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for package in ("dashboard", "nas_core"):
        shutil.copytree(ROOT / package, source / package, ignore=shutil.ignore_patterns("__pycache__"))
    code = f"import setuptools.build_meta as b; print(b.build_wheel({str(tmp_path)!r}))"
    built = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=source, check=True, capture_output=True, text=True
    )
    with zipfile.ZipFile(tmp_path / built.stdout.split()[-1]) as wheel:
        names: Any = set(wheel.namelist())
    assert "dashboard/example/breast_cancer.zip" in names
    assert {"dashboard/texts/en/tour.json", "dashboard/texts/zh/tour.json"} <= names
