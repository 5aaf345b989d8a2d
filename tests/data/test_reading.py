"""Tables are read the same whatever their delimiter, encoding or format, and columns are understood."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nas_core.data import (
    Dataset,
    DataSource,
    builtin_names,
    choose_target,
    dataset_from_frame,
    guess_columns,
    guess_task,
    load,
    load_data,
    load_frame,
    read_table,
)
from nas_core.errors import DataError

FRAME = pd.DataFrame(
    {
        "length": [1.5, 2.25, 3.0, 4.75] * 5,
        "colour": ["red", "blue", "blue", "green"] * 5,
        "label": ["yes", "no", "no", "yes"] * 5,
    }
)


def test_importing_the_package_is_light() -> None:
    heavy = "pandas sklearn scipy torch streamlit plotly"
    code = f"import sys, nas_core.data; print([m for m in {heavy.split()} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize(
    ("suffix", "write"),
    [
        (".csv", lambda f: FRAME.to_csv(f, index=False)),
        (".csv", lambda f: FRAME.to_csv(f, index=False, sep=";")),
        (".csv", lambda f: FRAME.to_csv(f, index=False, sep=";", decimal=",")),
        (".txt", lambda f: FRAME.to_csv(f, index=False, sep="|")),
        (".tsv", lambda f: FRAME.to_csv(f, index=False, sep="\t", decimal=",")),
        (".csv", lambda f: FRAME.to_csv(f, index=False, encoding="utf-8-sig")),
        (".csv", lambda f: FRAME.to_csv(f, index=False, encoding="utf-16")),
        (".csv", lambda f: f.write_text(FRAME.to_csv(index=False).replace("\n", "\r\n").replace(",", ", "))),
        (".csv", lambda f: FRAME.to_csv(f, index=False, quoting=1)),
        (".parquet", lambda f: FRAME.to_parquet(f)),
    ],
    ids=["comma", "semicolon", "decimal comma", "bar", "tab", "bom", "utf-16", "crlf and blanks", "quoted", "parquet"],
)
def test_every_way_to_write_a_table_reads_the_same(suffix: str, write: object, tmp_path: Path) -> None:
    file = tmp_path / f"table{suffix}"
    write(file)
    expected = dataset_from_frame(FRAME)
    dataset = load_data(file)
    assert dataset.hash == expected.hash
    assert dataset.classes == ("no", "yes")
    assert dataset.features[1].levels == ("blue", "green", "red")


def test_a_quoted_field_may_hold_the_delimiter_and_a_line_break(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text("a,target\n" + '"x,\ny",1\nz,0\n' * 6)
    assert load_data(file).features[0].levels == ("x,\ny", "z")


def test_question_marks_and_blanks_are_missing(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text("a,b,target\n" + "1,x,0\n?,y,1\n,x,1\n4,?,0\n" * 3)
    dataset = load_data(file)
    assert [f.missing for f in dataset.features] == [6, 3]
    assert np.array_equal(np.isnan(dataset.X[:4, 0]), [False, True, True, False])


def test_builtin_sets() -> None:
    shapes = {n: (d.N, d.P, len(d.classes), d.task) for n in builtin_names() for d in [load_data(n)]}
    assert shapes == {
        "breast_cancer": (569, 30, 2, "classification"),
        "wine": (178, 13, 3, "classification"),
        "iris": (150, 4, 3, "classification"),
        "diabetes": (442, 10, 0, "regression"),
        "digits": (1797, 64, 10, "classification"),
        "digits_images": (1797, 16, 10, "classification"),
    }


def test_builtin_values_are_those_of_scikit_learn() -> None:
    from sklearn.datasets import load_breast_cancer

    reference, dataset = load_breast_cancer(), load_data("breast_cancer")
    assert np.array_equal(dataset.X, reference.data)
    assert np.array_equal(dataset.y, reference.target)
    assert dataset.classes == ("malignant", "benign")


def test_a_builtin_set_takes_corrections() -> None:
    dataset = load_data("iris", target="petal width (cm)", kinds={"species": "ignore"})
    assert (dataset.task, dataset.P) == ("regression", 3)
    assert load(dataset.source).hash == dataset.hash
    assert load_data("diabetes").features[1].kind == "categorical"


def test_a_table_in_memory_cannot_be_loaded_again() -> None:
    source = dataset_from_frame(FRAME).source
    assert source.kind == "memory"
    with pytest.raises(DataError, match=r"gone.*save the table"):
        load(source)


def test_the_preview_is_the_raw_table(tmp_path: Path) -> None:
    file = tmp_path / "table.parquet"
    FRAME.to_parquet(file)
    assert load_frame(DataSource(kind="file", location=str(file))).equals(read_table(file))
    assert list(load_frame(DataSource(kind="builtin", location="iris")).columns)[-1] == "species"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a", "Target", "b"], "Target"),
        (["y", "label", "b"], "label"),
        (["a", "CLASS", "b"], "CLASS"),
        (["a", "y", "b"], "y"),
        (["a", "b", "last"], "last"),
    ],
)
def test_the_target_is_chosen_by_name_else_last(names: list[str], expected: str) -> None:
    assert choose_target(pd.DataFrame(columns=names)) == expected


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["a", "b"] * 20, "classification"),
        ([True, False] * 20, "classification"),
        ([0.5, 1.5] * 20, "classification"),
        ([1, 2, 3] * 20, "classification"),
        (list(range(20)) * 5, "classification"),
        (list(range(21)) * 5, "regression"),
        (list(range(12)) * 3, "regression"),
        ([0.5, 1.5, 2.5] * 20, "regression"),
    ],
)
def test_the_task_is_guessed_from_the_target(values: list[object], task: str) -> None:
    assert guess_task(pd.Series(values))[0] == task


def test_column_guesses_say_why() -> None:
    n = 100
    frame = pd.DataFrame(
        {
            "customer_id": np.random.default_rng(0).permutation(n),
            "row": np.arange(5, 5 + n),
            "permuted": np.random.default_rng(0).permutation(n),
            "constant": 3.0,
            "empty": np.nan,
            "when": pd.date_range("2020-01-01", periods=n),
            "flag": np.arange(n) % 3 == 0,
            "code": [f"K{i:03d}" for i in range(n)],
            "free": [f"text {i % 60}" for i in range(n)],
            "city": [f"city {i % 7}" for i in range(n)],
            "dirty": [str(i % 9) if i != 50 else "n.n." for i in range(n)],
            "nested": [[i] for i in range(n)],
            "target": np.arange(n) % 2,
        }
    )
    guesses = {g.name: g for g in guess_columns(frame, "target")}
    assert "target" not in guesses
    assert {n: (g.kind, g.flag) for n, g in guesses.items()} == {
        "customer_id": ("ignore", "identifier"),
        "row": ("ignore", "identifier"),
        "permuted": ("numeric", ""),
        "constant": ("ignore", "constant"),
        "empty": ("ignore", "empty"),
        "when": ("ignore", "date"),
        "flag": ("categorical", ""),
        "code": ("ignore", "identifier"),
        "free": ("ignore", "text"),
        "city": ("categorical", ""),
        "dirty": ("numeric", "text"),
        "nested": ("ignore", "nested"),
    }
    assert all(g.reason for g in guesses.values())


@pytest.mark.parametrize(
    ("texts", "dates"),
    [
        (["2024-01-31", "2023-12-01", None], True),
        (["31.1.2024", "1.12.2023"], True),
        (["1/2/2024", "3/4/2023"], True),
        (["2024-01-31T10:00:00Z", "2024-01-31 11:30"], True),
        (["2024-01-31", "soon"], False),
        (["12-34", "5-3"], False),
        (["99.99.2024", "1.12.2023"], False),
        (["A-1", "B-2"], False),
    ],
)
def test_texts_that_are_all_dates_are_left_out_like_dates(texts: list[str | None], dates: bool) -> None:
    (guess,) = guess_columns(pd.DataFrame({"seen": texts * 20}))
    assert (guess.kind, guess.flag) == (("ignore", "date") if dates else ("categorical", ""))


def test_a_column_that_is_left_out_leaves_a_note_and_can_be_kept() -> None:
    frame = FRAME.assign(constant=1, empty=np.nan)
    dataset = dataset_from_frame(frame)
    assert dataset.feature_names == ("length", "colour")
    assert [n.split(" is")[0] for n in dataset.notes] == ["Column 'constant'", "Column 'empty'"]
    assert dataset_from_frame(frame, kinds={"constant": "numeric"}).feature_names == ("length", "colour", "constant")


def test_rows_without_a_target_are_left_out() -> None:
    frame = FRAME.assign(label=FRAME["label"].where(FRAME.index != 3))
    dataset = dataset_from_frame(frame)
    assert dataset.N == 19
    assert "1 rows are left out" in dataset.notes[0]


@pytest.mark.parametrize("levels", [9, 40, 200])
def test_rare_levels_are_merged_and_bounded(levels: int) -> None:
    rng = np.random.default_rng(0)
    codes = np.minimum(rng.geometric(3 / levels, size=2000), levels) - 1
    values = np.array([f"level {c}" for c in codes], dtype=object)
    dataset = dataset_from_frame(pd.DataFrame({"c": values, "target": np.arange(2000) % 2}), kinds={"c": "categorical"})
    spec, column = dataset.features[0], dataset.X[:, 0].astype(int)
    assert len(spec.levels) <= 32
    named = np.array(spec.levels, dtype=object)[column]
    kept = named != "other"
    assert np.array_equal(named[kept], values[kept])
    if (~kept).any():
        counts = pd.Series(values).value_counts()
        assert counts[values[~kept]].max() <= counts[values[kept]].min() or counts[values[~kept]].max() < 5


def test_numbers_as_categories_keep_numeric_order() -> None:
    frame = pd.DataFrame({"grade": [10.0, 2.0, 1.0, 10.0] * 5, "target": [0, 1] * 10})
    assert dataset_from_frame(frame, kinds={"grade": "categorical"}).features[0].levels == ("1", "2", "10")


def test_nullable_columns_are_numbers() -> None:
    frame = pd.DataFrame(
        {
            "i": pd.array([1, None, 3, 4] * 5, dtype="Int64"),
            "b": pd.array([True, None, False, True] * 5, dtype="boolean"),
            "target": [0, 1] * 10,
        }
    )
    dataset = dataset_from_frame(frame)
    assert [(f.kind, f.levels, f.missing) for f in dataset.features] == [
        ("numeric", (), 5),
        ("categorical", ("False", "True"), 5),
    ]


def _variant(dataset: Dataset, **changes: object) -> Dataset:
    from dataclasses import replace

    return replace(dataset, **changes)


def test_the_hash_is_that_of_the_content() -> None:
    dataset = load_data("iris")
    X = dataset.X.copy()
    X[0, 0] = np.nextafter(X[0, 0], 9)
    y = dataset.y.copy()
    y[0] = 1
    renamed = (dataset.features[1], *dataset.features[1:])
    others = [{"X": X}, {"y": y}, {"features": renamed}, {"classes": ("a", "b", "c")}, {"task": "regression"}]
    hashes = {dataset.hash, *(_variant(dataset, **o).hash for o in others)}
    assert len(hashes) == 6
    assert _variant(dataset, name="other", notes=("n",)).hash == dataset.hash


def test_the_hash_does_not_depend_on_the_sign_of_zero_or_the_bits_of_nan() -> None:
    X = np.zeros((10, 2))
    X[3, 0] = np.nan
    odd = -X
    odd[3, 0] = np.frombuffer(np.uint64(0xFFF8000000000123).tobytes())[0]
    frame = pd.DataFrame({"a": np.arange(10.0), "b": 1.0 * (np.arange(10) % 2), "target": [0, 1] * 5})
    dataset = dataset_from_frame(frame)
    assert _variant(dataset, X=X).hash == _variant(dataset, X=odd).hash


def test_arrays_cannot_be_changed_and_must_fit() -> None:
    dataset = load_data("iris")
    with pytest.raises(ValueError, match="read-only"):
        dataset.X[0, 0] = 1
    with pytest.raises(DataError, match="do not fit together"):
        _variant(dataset, y=dataset.y[:-1])
