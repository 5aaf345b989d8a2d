"""What a person prepares is kept: over a reload, beside the store, and all of it reaches the run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from recorded import run_problem
from streamlit.testing.v1 import AppTest

from dashboard import process
from dashboard.drafts import Draft, find_draft, keep_draft
from nas_core.data import DataSource
from nas_core.records import RunRecord
from nas_core.runs.registry import stop_all
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore, Store, open_store

APP = str(Path(process.__file__).with_name("app.py"))
IRIS = DataSource(kind="builtin", location="iris")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path)
    process.configure(opened=opened)
    yield opened
    stop_all()
    process.configure(opened=InMemoryStore())
    opened.close()


@pytest.fixture(scope="module")
def edited() -> Draft:
    space = SearchSpace.for_problem(run_problem("iris"), "accurate")
    narrow = space.changed(constraints=space.constraints.model_copy(update={"max_features": 2}))
    return Draft(IRIS, metric="accuracy", split_seed=7, fractions=(0.5, 0.3, 0.2), preset="accurate", space=narrow)


def words(app: AppTest) -> str:
    return "\n".join(e.value for kind in (app.markdown, app.caption, app.error, app.info) for e in kind)


def open_app(page: str, **query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    app.switch_page(f"pages/{page}.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def test_a_draft_comes_back_as_it_was(store: Store, edited: Draft) -> None:
    name = keep_draft(store, edited)
    assert name is not None
    assert find_draft(store, name) == edited
    assert keep_draft(store, edited) == name
    assert keep_draft(store, Draft()) != name


@pytest.mark.parametrize("name", ["0123456789abcdef", "../../secret", "", "0123456789ABCDEF"])
def test_a_name_that_was_never_given_finds_nothing(store: Store, name: str) -> None:
    assert find_draft(store, name) is None


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"source": 3}', "null"])
def test_a_file_that_is_no_draft_is_no_draft(store: Store, content: str) -> None:
    name = keep_draft(store, Draft())
    assert name is not None
    (Path(store.url).parent / "drafts" / f"{name}.json").write_text(content)
    assert find_draft(store, name) is None


def test_a_store_in_memory_keeps_no_draft() -> None:
    assert keep_draft(InMemoryStore(), Draft()) is None


def test_an_edited_space_survives_a_reload(store: Store) -> None:
    app = open_app("space")
    app.session_state["space_tabs"] = "Constraints"
    app.run()
    limit = next(field for field in app.number_input if (field.key or "").endswith("max_features"))
    limit.set_value(3)
    next(button for button in app.button if button.label == "Apply").click().run()
    assert not app.exception
    name = "".join(app.query_params["draft"])
    reloaded = open_app("space", draft=name)
    assert "at most 3 features" in words(reloaded)
    assert reloaded.session_state["nasight_draft"].source.location == "breast_cancer"


def test_an_address_with_an_unknown_draft_says_so(store: Store) -> None:
    app = open_app("space", draft="feedfeedfeedfeed")
    assert not app.exception
    assert "feedfeedfeedfeed" in app.error[0].value
    assert "draft" not in app.query_params


def started(store: Store, app: AppTest) -> RunRecord:
    """Press start and return the record of the run that it starts."""
    app.number_input[1].set_value(8)
    next(button for button in app.button if button.label == "Start search").click().run()
    assert not app.exception
    launched = process.latest_launch()
    assert launched is not None
    launched.wait(60)
    assert launched.run is not None, launched.message
    return store.run(launched.run)


@pytest.mark.slow
def test_everything_prepared_reaches_the_run(store: Store, edited: Draft) -> None:
    name = keep_draft(store, edited)
    assert name is not None
    record = started(store, open_app("run", draft=name))
    assert record.problem["metric"] == "accuracy"
    assert record.problem["split_seed"] == 7
    assert tuple(record.problem["fractions"]) == (0.5, 0.3, 0.2)
    assert record.problem["source"]["location"] == "iris"
    assert SearchSpace.model_validate(record.space) == edited.space


def test_an_edited_space_does_not_go_with_other_data(store: Store, edited: Draft) -> None:
    name = keep_draft(store, edited)
    assert name is not None
    app = open_app("run", draft=name)
    app.selectbox[0].set_value(DataSource(kind="builtin", location="wine"))
    next(button for button in app.button if button.label == "Start search").click().run()
    assert not app.exception
    assert "was made for iris, not for wine" in app.error[0].value
    assert process.latest_launch() is None
