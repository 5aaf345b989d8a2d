"""Images, series and texts on the Data page: what is kept of an upload, what is asked, what is shown."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from openml_cache import put_openml
from PIL import Image
from streamlit.testing.v1 import AppTest

from dashboard import process
from dashboard.figures.signal_data import image_grid_figure, series_figure
from dashboard.theme import DARK, LIGHT
from dashboard.uploads import find_upload, keep_upload, keep_uploads, uploads
from dashboard.views.signal_data import UNKNOWN_MARK, image_grid, series_lines, signal_words, text_examples
from nas_core.data import Dataset, load, load_data
from nas_core.data.arrays import signal_dataset
from nas_core.data.signal import image_signal, sequence_signal
from nas_core.errors import DataError
from nas_core.store import InMemoryStore, Store, open_store

RNG = np.random.default_rng(0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path)
    process.configure(opened=opened)
    yield opened
    process.configure(opened=InMemoryStore())
    opened.close()


def images(channels: int = 1, classes: int = 3, rows: int = 60, held: int = 0) -> Dataset:
    X = RNG.integers(0, 256, (rows, channels, 6, 5))
    return signal_dataset(X, np.arange(rows) % classes, image_signal(channels, 6, 5), name="toy",
                          held_out=np.arange(rows - held, rows))  # fmt: skip


# --- uploads --------------------------------------------------------------------------------------------------------


def toy_ts(rows: int, first: int = 0) -> bytes:
    lines = [f"{i},{i + 1},{i % 3}:{'ab'[i % 2]}" for i in range(first, first + rows)]
    return ("@classLabel true a b\n@data\n" + "\n".join(lines) + "\n").encode()


def test_files_that_belong_together_are_kept_as_one(store: Store, tmp_path: Path) -> None:
    files = [("Toy_TRAIN.ts", toy_ts(20)), ("C:\\data\\Toy_TEST.ts", toy_ts(6, 20))]
    path = keep_uploads(store, files)
    assert path == keep_uploads(store, files[::-1])
    assert path.suffix == ".zip"
    assert [p.name for p in uploads(store)] == [path.name]
    dataset = load_data(path)
    assert (dataset.N, len(dataset.held_out)) == (26, 6)
    assert load(dataset.source).hash == dataset.hash


def test_one_file_is_kept_under_its_own_ending(store: Store) -> None:
    out = io.BytesIO()
    np.savez(out, x=RNG.random((30, 5, 5)), y=np.arange(30) % 2)
    path = keep_uploads(store, [("my data.npz", out.getvalue())])
    assert path.name.startswith("my_data-")
    assert path.suffix == ".npz"
    assert find_upload(store, path.name) == path
    assert load_data(path).modality == "image"
    assert keep_upload(store, "train-images-idx3-ubyte", b"x").suffix == ".idx3-ubyte"
    assert keep_upload(store, "train-images-idx3-ubyte.gz", b"x").name.endswith(".gz")


def test_files_that_do_not_belong_together_are_refused(store: Store) -> None:
    for names in (["a.csv", "b.csv"], ["a.ts", "b.npz"], ["a.ts", "x/a.ts"], ["1.png", "2.png"]):
        with pytest.raises(DataError, match=r"2 files were uploaded together.*IDX.*TRAIN.ts"):
            keep_uploads(store, [(n, b"x") for n in names])
    with pytest.raises(DataError, match=r"packed with gzip.*unpack it"):
        keep_upload(store, "table.csv.gz", b"x")
    assert uploads(store) == []


def test_a_table_of_openml_is_kept_like_an_upload(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "cache"))
    put_openml(tmp_path / "cache")
    app = AppTest.from_function(ask, default_timeout=60).run()
    box(app, "text_input", "openml_name").set_value("credit").run()
    box(app, "button", "openml_get").click().run()
    assert not app.exception
    kept = uploads(store)
    assert [p.name for p in kept] == [app.session_state["data_choice"]]
    assert kept[0].name.startswith("credit_version_1-")
    dataset = load_data(kept[0])
    assert (dataset.target, dataset.feature_names, dataset.N) == ("class", ("amount", "colour", "years"), 40)
    box(app, "text_input", "openml_name").set_value("no such name").run()
    box(app, "button", "openml_get").click().run()
    assert "names no data set of OpenML" in app.error[0].value
    assert uploads(store) == kept


def ask() -> None:
    """Draw the field alone."""
    from dashboard.components.data_openml import ask_openml

    ask_openml("data_choice")


# --- views ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_the_grid_shows_images_of_each_class_and_no_declared_test_rows(channels: int) -> None:
    dataset = images(channels, held=30)
    grid = image_grid(dataset, tiles=4)
    assert grid.labels == ("0", "1", "2")
    assert (grid.pixels.shape, grid.filled, grid.hidden) == ((3, 4, 6, 5, 3), (4, 4, 4), 0)
    for line in range(3):
        own = np.flatnonzero(dataset.y[:30] == line)
        shown = np.moveaxis(dataset.X[own].reshape(-1, channels, 6, 5), 1, -1)
        shown = shown if channels == 3 else np.repeat(shown[..., :1], 3, axis=-1)
        for tile in grid.pixels[line]:
            assert (np.abs(shown - tile).reshape(len(own), -1).max(axis=1) <= 1).any()
    assert "12 example images of 0, 1, 2" in grid.words


@pytest.mark.parametrize(("low", "high"), [(0, 16), (0, 1), (-3, 3), (0, 255), (0, 200), (100, 5000)])
def test_values_of_any_range_can_be_seen(low: float, high: float) -> None:
    X = np.linspace(low, high, 36 * 25).reshape(36, 1, 5, 5)
    dataset = signal_dataset(X, np.arange(36) % 2, image_signal(1, 5, 5), name="toy")
    grid = image_grid(dataset, tiles=18)
    assert grid.pixels.min() == 0
    assert grid.pixels.max() == (200 if high == 200 else 255)  # bytes keep their brightness


def test_a_class_of_few_images_leaves_blanks_and_many_classes_are_counted() -> None:
    many = images(classes=14, rows=56)
    grid = image_grid(many, tiles=9)
    assert (len(grid.labels), grid.hidden, set(grid.filled)) == (10, 4, {4})
    assert (grid.pixels[:, 4:] == 255).all()


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_the_figure_holds_every_pixel(colours: object) -> None:
    grid = image_grid(images(), tiles=4)
    figure = image_grid_figure(grid, colours)
    source = figure.data[0].source
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))))
    assert sheet.shape == (3 * 7 - 1, 4 * 6 - 1, 4)
    assert np.array_equal(sheet[7:13, 6:11, :3], grid.pixels[1, 1])
    assert (sheet[6, :, 3] == 0).all()
    assert list(figure.layout.yaxis.ticktext) == ["0", "1", "2"]
    assert list(figure.layout.yaxis.tickvals) == [2.5, 9.5, 16.5]


def test_series_are_drawn_with_the_mean_of_their_class() -> None:
    X = RNG.normal(size=(40, 2, 8)).astype(np.float32)
    X[::4, :, 6:] = np.nan
    dataset = signal_dataset(X, np.arange(40) % 2, sequence_signal(2, 8, padded=True), name="toy")
    view = series_lines(dataset, channel=1, most=3)
    assert (view.channels, [e.shape for e in view.examples]) == (2, [(3, 8), (3, 8)])
    assert np.allclose(view.means[0], np.nanmean(X[::2, 1], axis=0), atol=1e-6)
    figure = series_figure(view, LIGHT)
    assert len(figure.data) == 4
    assert np.allclose(figure.data[1].y, view.means[0])
    assert np.isnan(figure.data[0].y[8])  # a line ends before the next begins
    assert [a.text for a in figure.layout.annotations] == ["0", "1"]


def test_a_quantity_is_shown_from_low_to_high() -> None:
    X = RNG.random((40, 1, 6))
    dataset = signal_dataset(X, np.arange(40.0), sequence_signal(1, 6), name="toy", task="regression")
    view = series_lines(dataset)
    assert view.labels == ("0 – 9.00", "10.0 – 19.0", "20.0 – 29.0", "30.0 – 39.0")
    assert np.allclose(view.means[3], X[30:, 0].mean(axis=0), atol=1e-6)


def test_texts_are_shown_as_networks_read_them(tmp_path: Path) -> None:
    frame = pd.DataFrame({"text": [f"the good film no{i}" for i in range(20)], "label": ["up", "down"] * 10})
    frame.to_csv(tmp_path / "a.csv", index=False)
    dataset = load_data(tmp_path / "a.csv")
    found = text_examples(dataset, most=2, words=3)
    assert found.labels == ("down", "up")
    assert found.texts[0] == ("the good film …", "the good film …")
    assert text_examples(dataset, most=1).texts[0] == (f"the good film {UNKNOWN_MARK}",)


def test_words_say_what_a_row_is() -> None:
    assert signal_words(images(held=30)) == (
        "60 images of 6 × 5 pixels, grey. 30 patches of 1 × 1 pixels are the features that are measured and explained. "
        "30 declared test rows are not shown."
    )
    assert "2 channels" in signal_words(images(2))
    assert "in colour" in signal_words(images(3))


# --- the page -------------------------------------------------------------------------------------------------------


def draw(source: str) -> None:
    """Draw the form and the description of a source, as the Data page does."""
    import streamlit as st

    from dashboard import state
    from dashboard.components.signal_data import describe_signal, signal_options
    from nas_core.data import DataSource, load

    with state.shown_errors():
        wished = signal_options(DataSource.model_validate_json(source))
        st.session_state["wished"] = wished
        dataset = load(wished)
        if dataset.signal is not None:
            describe_signal(dataset)


def page(path: Path, kind: str = "file") -> AppTest:
    from nas_core.data import DataSource

    source = DataSource(kind=kind, location=str(path)).model_dump_json()
    app = AppTest.from_function(draw, args=(source,), default_timeout=60).run()
    assert not app.exception
    return app


def box(app: AppTest, kind: str, ending: str) -> Any:
    return next(e for e in getattr(app, kind) if e.key.endswith(ending))


def test_the_size_of_images_can_be_said(store: Store, tmp_path: Path) -> None:
    out = tmp_path / "pets.zip"
    with zipfile.ZipFile(out, "w") as archive:
        for name in ("cat", "dog"):
            for i in range(6):
                buffer = io.BytesIO()
                Image.fromarray(RNG.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(buffer, "PNG")
                archive.writestr(f"{name}/{i}.png", buffer.getvalue())
    app = page(out)
    assert "12 images of 8 × 8 pixels, in colour" in app.markdown[0].value
    box(app, "text_input", "_size").set_value("4x6").run()
    box(app, "selectbox", "_colour").set_value("grey").run()
    assert "12 images of 4 × 6 pixels, grey" in app.markdown[0].value
    assert app.session_state["wished"].reading.size == (4, 6)
    box(app, "text_input", "_size").set_value("big").run()
    assert "'big' is not a size of images" in app.error[0].value
    assert not app.exception


def test_arrays_can_be_read_as_what_they_are(store: Store, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=RNG.random((40, 5, 8)), y=np.arange(40) % 2)
    app = page(tmp_path / "a.npz")
    assert "40 images of 5 × 8" in app.markdown[0].value
    box(app, "selectbox", "_modality").set_value("sequence").run()
    assert "40 series of 8 steps in 5 channels. The 8 steps are the features" in app.markdown[0].value
    box(app, "number_input", "_length").set_value(4).run()
    assert "40 series of 4 steps" in app.markdown[0].value
    box(app, "selectbox", "signal_channel").set_value(3).run()
    assert not app.exception
    assert not app.error


def test_a_table_can_be_read_as_series_or_texts(store: Store, tmp_path: Path) -> None:
    s, t = np.divmod(np.arange(60), 5)
    frame = pd.DataFrame({"who": s, "when": t, "v": s * 1.5 + t, "label": np.where(s % 2, "b", "a"),
                          "said": [f"word{i % 2} and more of it {i}" for i in s]})  # fmt: skip
    frame.to_csv(tmp_path / "a.csv", index=False)
    app = page(tmp_path / "a.csv")
    assert not app.markdown  # a plain table is not described here
    box(app, "selectbox", "_modality").set_value("sequence").run()
    box(app, "selectbox", "_id").set_value("who").run()
    box(app, "selectbox", "_time").set_value("when").run()
    box(app, "multiselect", "_values").set_value(["v"]).run()
    assert "12 series of 5 steps. The 5 steps" in app.markdown[0].value
    wished = app.session_state["wished"].reading
    assert (wished.id, wished.time, wished.values) == ("who", "when", ("v",))
    box(app, "selectbox", "_id").set_value(None).run()
    box(app, "selectbox", "_time").set_value(None).run()
    box(app, "selectbox", "_text").set_value("said").run()
    assert "60 texts of up to" in app.markdown[0].value
    assert UNKNOWN_MARK in app.caption[0].value
    assert not app.exception


def test_built_in_images_are_described(store: Store) -> None:
    app = page(Path("digits_images"), kind="builtin")
    assert "1,797 images of 8 × 8 pixels, grey. 16 patches of 2 × 2 pixels" in app.markdown[0].value
