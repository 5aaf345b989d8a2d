"""Names that are commands in Markdown, HTML, charts and spreadsheets are shown as they are, on every page and file."""

from __future__ import annotations

import ast
import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit
from hostile import NOTE, foreign, hostile_table
from recorded import RUN, recorded_run
from streamlit.testing.v1 import AppTest

from dashboard import process
from dashboard.server import options
from nas_core.escaping import FORMULA
from nas_core.records import Evaluation
from nas_core.spaces import SearchSpace, graph
from nas_core.spaces.graph_drawing import draw_graph
from nas_core.store import InMemoryStore, Store, mark_candidate

APP = str(Path(process.__file__).with_name("app.py"))
ROOT = Path(process.__file__).parent


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, list[Evaluation]]:
    """A finished run on the hostile table, called by its file, with notes and tags."""
    table = hostile_table(tmp_path_factory.mktemp("hostile"))
    store, found = recorded_run(name=str(table), count=24)
    store.update_run(RUN, name=table.name)
    for evaluation in _done(found)[:3]:
        mark_candidate(store, RUN, evaluation.id, note=NOTE, tags=[NOTE[:30]], star=True)
    return store, found


@pytest.fixture(autouse=True)
def _own_store() -> Iterator[None]:
    yield
    process.configure(opened=InMemoryStore())
    streamlit.cache_resource.clear()


def _done(found: list[Evaluation]) -> list[Evaluation]:
    """Return the candidates with weights, those of the most features first."""
    known = [e for e in found if e.weights is not None]
    return sorted(known, key=lambda e: -sum(len(g["features"]) for g in e.architecture.values["groups"]))


PAGES = [
    ("run", {}),
    ("candidate", {"candidate_tab": "Performance"}),
    ("candidate", {"candidate_tab": "Why this score"}),
    ("candidate", {"candidate_tab": "Explain"}),
    ("candidate", {"candidate_tab": "What if"}),
    ("candidate", {"candidate_tab": "Lineage"}),
    ("compare", {"compare_tab": "How are they built?"}),
    ("compare", {"compare_tab": "What do they look at?"}),
    ("compare", {"compare_tab": "Where do they disagree?"}),
    ("insight", {}),
    ("report", {}),
    ("present", {}),
]


@pytest.mark.parametrize(("page", "tab"), PAGES, ids=[" ".join([page, *tab.values()]) for page, tab in PAGES])
def test_no_page_takes_a_name_for_markup(
    page: str, tab: dict[str, str], hostile: tuple[Store, list[Evaluation]]
) -> None:
    store, found = hostile
    process.configure(opened=store)
    app = AppTest.from_file(APP, default_timeout=120)
    app.switch_page(f"pages/{page}.py")
    app.query_params["run"] = RUN
    chosen = [e.id for e in _done(found)[:3]]
    app.query_params["compare" if page == "compare" else "cand"] = ",".join(chosen if page == "compare" else chosen[:1])
    for name, value in tab.items():
        app.session_state[name] = value
    app.run()
    assert not app.exception
    assert foreign(app) == []


def test_the_list_of_runs_takes_no_name_for_markup(hostile: tuple[Store, list[Evaluation]]) -> None:
    process.configure(opened=hostile[0])
    app = AppTest.from_file(APP, default_timeout=120)
    app.switch_page("pages/run.py")
    app.run()
    assert any("b1" in str(one.value) for one in app.markdown)  # the run is listed
    assert foreign(app) == []


@pytest.mark.parametrize("way", ["svg", "dot", "mermaid"])
def test_no_drawing_takes_a_name_for_markup(way: str, hostile: tuple[Store, list[Evaluation]]) -> None:
    store, found = hostile
    picture = graph(SearchSpace.model_validate(store.run(RUN).space), _done(found)[0].architecture)
    drawn = draw_graph(picture, way, NOTE).decode()
    assert "<img" not in drawn
    assert "<b>q1" not in drawn
    assert "<script>document" not in drawn
    assert "<a href" not in drawn


def test_cells_that_a_spreadsheet_would_run_get_an_apostrophe(hostile: tuple[Store, list[Evaluation]]) -> None:
    from nas_core.exports.rows import candidate_rows, csv_table
    from nas_core.runs.viewer import RunView

    written = csv_table(candidate_rows(RunView(hostile[0], RUN))).decode("utf-8-sig")
    cells = [cell for line in csv.reader(io.StringIO(written)) for cell in line]
    assert any("=1+1" in cell for cell in cells)
    assert [c for c in cells if c.startswith(FORMULA) and not _is_number(c)] == []
    assert options("127.0.0.1", 8501)["client.disableDataExport"]  # the only other way to a CSV escapes nothing


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_charts_and_markdown_have_one_way_to_escape() -> None:
    """``html.escape`` turns quotes into what charts show as letters; a local escape of Markdown forgets a sign."""
    found = [
        f"{path.relative_to(ROOT)}: {node.module}"
        for path in sorted((ROOT / "figures").glob("*.py"))
        if path.name != "labels.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module in ("html", "dashboard.views.lettering")
        and {alias.name for alias in node.names} & {"escape", "shorten"}
    ]  # fmt: skip
    assert found == []
