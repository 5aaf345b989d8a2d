"""The Data page: what it shows, what it keeps, and what it says about bad tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import process
from dashboard.figures.data import missing_figure, split_figure, target_figure
from dashboard.theme import LIGHT
from dashboard.uploads import find_upload, keep_upload, plain_name, title_of, uploads
from dashboard.views.data import corrections, split_view, table_view, target_view
from nas_core.data import DataSource, guess_columns, load_data, split
from nas_core.errors import DataError
from nas_core.store import InMemoryStore, Store, open_store

APP = str(Path(process.__file__).with_name("app.py"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path)
    process.configure(opened=opened)
    yield opened
    process.configure(opened=InMemoryStore())
    opened.close()


def open_page(**query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    app.switch_page("pages/data.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def table(rows: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"id": range(rows), "size": rng.normal(size=rows), "colour": rng.choice(["red", "blue"], rows)}
    )
    frame.loc[: rows // 2, "size"] = np.nan
    return frame.assign(same=1, target=np.where(rng.random(rows) < 0.5, "yes", "no"))


def as_csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


def test_a_table_is_told_with_its_flags() -> None:
    frame = table()
    guesses = guess_columns(frame, "target")
    view = table_view(frame, guesses, {})
    by_name = {c.name: c for c in view.columns}
    assert by_name["id"].flag == "like an identifier"
    assert by_name["same"].flag == "constant"
    assert by_name["size"].missing == 31
    assert view.words == "60 rows · 1 numeric, 1 categorical, 2 ignored columns"
    assert view.warnings == ("size has no value in 52 % of the rows; they are filled in and marked.",)
    used = table_view(frame, guesses, {"id": "numeric"})
    assert used.warnings[0] == "id is used as numeric although it looks like an identifier."
    assert corrections(view.columns, {"id": "numeric", "size": "numeric", "colour": "categorical"}) == {"id": "numeric"}
    figure = missing_figure(view, LIGHT)
    assert figure is not None
    assert list(figure.data[0].y) == ["size"]
    assert figure.data[0].x[0] == pytest.approx(100 * 31 / 60)


def test_no_missing_value_needs_no_picture() -> None:
    frame = table().assign(size=1.5)
    assert missing_figure(table_view(frame, guess_columns(frame, "target"), {}), LIGHT) is None


def test_classes_are_counted_the_largest_on_top() -> None:
    view = target_view(load_data("breast_cancer"))
    bars = target_figure(view, LIGHT).data[0]
    assert list(bars.y) == ["malignant", "benign"]  # plotly draws upwards
    assert list(bars.x) == [212, 357]
    assert bars.text[1] == "357 · 63 %"
    assert "always answering benign would be right for 63 %" in view.words


def test_a_quantity_is_a_histogram_of_all_rows() -> None:
    data = load_data("diabetes")
    view = target_view(data)
    bars = target_figure(view, LIGHT).data[0]
    assert sum(bars.y) == data.N
    assert len(bars.x) == 30
    assert view.labels == ()


def test_the_split_keeps_the_classes() -> None:
    data = load_data("breast_cancer")
    view = split_view(data, split(data, 0, (0.6, 0.2, 0.2)))
    assert sum(view.rows) == data.N
    assert np.allclose(view.shares, view.shares[0], atol=0.02)
    parts = split_figure(view, LIGHT).data
    assert [part.x[0] for part in parts] == list(view.rows)
    assert parts[2].marker.pattern.shape == "/"


def test_an_upload_is_kept_once_under_a_safe_name(store: Store, tmp_path: Path) -> None:
    first = keep_upload(store, "../../etc/My table.csv", b"a,b\n1,2\n")
    again = keep_upload(store, "../../etc/My table.csv", b"a,b\n1,2\n")
    other = keep_upload(store, "My table.csv", b"a,b\n1,3\n")
    assert first == again != other
    assert first.parent == tmp_path / "uploads"
    assert first.name.startswith("My_table-")
    assert first.read_bytes() == b"a,b\n1,2\n"
    assert {p.name for p in uploads(store)} == {first.name, other.name}
    assert find_upload(store, first.name) == first
    assert find_upload(store, "../nasight.sqlite") is None
    assert [p for p in first.parent.iterdir() if p not in (first, other)] == []


def test_an_upload_is_called_what_the_person_called_it(store: Store, tmp_path: Path) -> None:
    kept = keep_upload(store, "wines.csv", b"a,b\n1,2\n")
    assert (plain_name(kept.name), plain_name("train-images.zip")) == ("wines.csv", "train-images.zip")
    assert title_of(store, DataSource(kind="file", location=str(kept))) == "wines"
    elsewhere = tmp_path / kept.name
    assert title_of(store, DataSource(kind="file", location=str(elsewhere))) == ""
    assert title_of(store, DataSource(kind="builtin", location="iris")) == ""


def test_an_empty_upload_is_refused(store: Store) -> None:
    with pytest.raises(DataError, match="is empty"):
        keep_upload(store, "none.csv", b"")


def test_a_folder_that_cannot_be_written_is_said(store: Store, tmp_path: Path) -> None:
    (tmp_path / "uploads").write_text("in the way")
    with pytest.raises(DataError, match=r"could not be kept in .*uploads.*Allowed: a folder.*Fix: .*--store"):
        keep_upload(store, "mine.csv", b"a,b\n1,2\n")


def test_the_page_opens_on_a_built_in_set_and_prepares_it(store: Store) -> None:
    app = open_page()
    assert not app.exception
    assert app.selectbox(key="data_choice").value == "breast_cancer"
    offered = app.selectbox(key="data_metric_classification").options
    assert offered == ["ROC AUC", "Accuracy", "Balanced accuracy", "F1", "Precision", "Recall", "Log loss"]
    app.selectbox(key="data_metric_classification").select("accuracy")
    app.slider(key="data_split").set_range(50, 70)
    app.button(key="data_use").click().run()
    assert not app.exception
    assert "predicting diagnosis by Accuracy" in app.success[0].value
    draft = app.session_state["nasight_draft"]
    assert (draft.source.location, draft.metric, draft.split_seed) == ("breast_cancer", "accuracy", 0)
    assert draft.fractions == pytest.approx((0.5, 0.2, 0.3))


def test_the_address_names_the_data(store: Store) -> None:
    kept = keep_upload(store, "mine.csv", as_csv(table()))
    app = open_page(data=kept.name)
    assert app.selectbox(key="data_choice").value == kept.name
    assert app.query_params["data"] in (kept.name, [kept.name])
    app.button(key="data_use").click().run()
    source = app.session_state["nasight_draft"].source
    assert (source.kind, source.location, source.target) == ("file", str(kept), "target")


def test_another_target_changes_task_and_metric(store: Store) -> None:
    kept = keep_upload(store, "mine.csv", as_csv(table()))
    app = open_page(data=kept.name)
    app.selectbox(key=f"data_target_{kept}").select("colour").run()
    assert not app.exception
    assert "2 classes" in " ".join(c.value for c in app.caption)
    app = open_page(data="diabetes")
    assert app.selectbox(key="data_metric_regression").options == ["R²", "MSE", "MAE"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b,target\n1,2\n", "line 2 has 2 fields"),
        (b"a,a,target\n1,2,x\n", "column name 'a' 2 times"),
        (b"\xff\x00\xfe,b\n1,2\n", "is not UTF-8"),
        (b"a,target\n1,x\n", "1 row"),
        (as_csv(table().assign(target="one")), "one class only"),
        (as_csv(table().assign(target=np.nan)), "no value in any row"),
        (as_csv(table().assign(size=[np.inf, *range(59)])), "'size' holds an infinite value in row 1"),
        (as_csv(table().assign(size=["about", *range(59)])), "'size' holds text where numbers are expected"),
        (as_csv(table()[["target"]].assign(size=np.nan)), "no column to learn from"),
        (b'a,b,target\n1,2,"yes\n', "malformed near line 2"),
    ],
)
def test_a_bad_table_gets_a_message(store: Store, content: bytes, said: str) -> None:
    kept = keep_upload(store, "bad.csv", content)
    app = open_page(data=kept.name)
    assert not app.exception
    assert any(said in e.value and "Fix:" in e.value for e in app.error), [e.value for e in app.error]


def test_a_column_without_values_is_left_out_and_named(store: Store) -> None:
    kept = keep_upload(store, "mine.csv", as_csv(table().assign(nothing=np.nan)[["nothing", "size", "target"]]))
    app = open_page(data=kept.name)
    assert not app.exception
    assert not app.error
    assert any("Column 'nothing' is left out: every value is missing." in w.value for w in app.warning)


def test_two_thousand_columns_are_shown_and_can_be_used(store: Store) -> None:
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(rng.normal(size=(60, 2000)).round(3), columns=[f"c{j}" for j in range(2000)])
    kept = keep_upload(store, "wide.csv", as_csv(wide.assign(target=np.where(wide.c7 > 0, "yes", "no"))))
    app = open_page(data=kept.name)
    assert not app.exception
    assert any("first 100 of 2001 columns" in c.value for c in app.caption)
    app.button(key="data_use").click().run()
    assert not app.exception
    assert "predicting target" in app.success[0].value


def test_an_unknown_table_in_the_address_is_named(store: Store) -> None:
    app = open_page(data="gone.csv")
    assert not app.exception
    assert "gone.csv" in app.warning[0].value
    assert app.selectbox(key="data_choice").value == "breast_cancer"
