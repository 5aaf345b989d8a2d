"""The ``.ts`` format, and series of unequal length or with gaps."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from nas_core.data import Problem, load, load_data
from nas_core.data.series import filled, stacked
from nas_core.data.time_series import beside_name, parse_ts
from nas_core.errors import DataError

HEAD = "#made up\n@problemName Toy\n@timeStamps false\n@univariate true\n@classLabel true a b\n@data\n"
ROWS = "".join(f"{i}.5,{i},{-i}:{'ab'[i % 2]}\n" for i in range(12))


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_values_classes_and_the_test_file_beside(tmp_path: Path) -> None:
    file = write(tmp_path, "Toy_TRAIN.ts", HEAD + ROWS)
    alone = load_data(file)
    assert (alone.name, alone.signal.shape, alone.classes, alone.held_out) == ("Toy_TRAIN", (1, 3), ("a", "b"), None)
    assert alone.X[3].tolist() == [3.5, 3.0, -3.0]
    write(tmp_path, "Toy_TEST.ts", HEAD + "7,8,9:b\n1,2,3:a\n")
    dataset = load_data(file)
    assert dataset.held_out.tolist() == [12, 13]
    assert dataset.X[12].tolist() == [7, 8, 9]
    assert dataset.classes[dataset.y[12]] == "b"
    assert dataset.hash == load(dataset.source).hash
    assert dataset.source.reading.test == str(tmp_path / "Toy_TEST.ts")
    assert load_data(file, test="").hash == alone.hash == load(load_data(file, test="").source).hash
    other = write(tmp_path, "held.ts", HEAD + "7,8,9:b\n1,2,3:a\n")
    assert load_data(file, test=other).hash == dataset.hash


@pytest.mark.parametrize(
    ("train", "test"),
    [("X_TRAIN.ts", "X_TEST.ts"), ("X_train.ts", "X_test.ts"), ("XTrain.TS", "XTest.TS"), ("X.ts", None),
     ("TRAINS.ts", None)],
)  # fmt: skip
def test_the_name_of_the_test_file(train: str, test: str | None) -> None:
    assert beside_name(train) == test


def test_an_archive_of_both(tmp_path: Path) -> None:
    write(tmp_path, "Toy_TRAIN.ts", HEAD + ROWS)
    write(tmp_path, "Toy_TEST.ts", HEAD + "7,8,9:b\n1,2,3:a\n")
    expected = load_data(tmp_path / "Toy_TRAIN.ts")
    archive = tmp_path / "Toy.zip"
    with zipfile.ZipFile(archive, "w") as files:
        for name in ("Toy_TRAIN.ts", "Toy_TEST.ts"):
            files.write(tmp_path / name, f"Toy/{name}")
        files.writestr("Toy/Toy.txt", "about")
    dataset = load_data(archive)
    assert dataset.hash == expected.hash == load(dataset.source).hash
    with zipfile.ZipFile(archive, "a") as files:
        files.writestr("Toy/More_TRAIN.ts", HEAD + ROWS)
    with pytest.raises(DataError, match=r"several time series: Toy/More_TRAIN.ts, Toy/Toy_TRAIN.ts"):
        load_data(archive)


def test_dimensions_lengths_gaps_and_a_quantity(tmp_path: Path) -> None:
    lines = [f"{i},?,{i + 2},4:1,2,3,?:{i / 10}" for i in range(12)] + ["1,2:3,4,5:9.5"]
    head = "@dimensions 2\n@equalLength false\n@classLabel false\n@targetLabel true\n@data\n"
    dataset = load_data(write(tmp_path, "a.ts", head + "\n".join(lines)))
    X = dataset.X.reshape(13, 2, 4)
    assert (dataset.task, dataset.signal.padded) == ("regression", True)
    assert X[2].tolist() == [[2, 3, 4, 4], [1, 2, 3, 3]]
    assert np.array_equal(X[12], [[1, 2, 2, np.nan], [3, 4, 5, np.nan]], equal_nan=True)
    assert dataset.y[-1] == 9.5
    assert any("24 missing values are interpolated" in n for n in dataset.notes)
    assert any("3 to 4 steps" in n for n in dataset.notes)
    assert any("hold their last value" in n for n in dataset.notes)
    assert dataset.hash == load(dataset.source).hash
    assert np.isfinite(Problem.create(dataset).train.E).all()
    assert load_data(tmp_path / "a.ts", length=2).X.shape == (13, 4)


@pytest.mark.parametrize("stamp", ["{}", "2021-01-{:02d} 00:00:00", "2021-01-{:02d}", "2021-01-{:02d}T10:00Z"])
def test_time_stamps_order_the_values(stamp: str) -> None:
    t = [stamp.format(i) for i in (3, 1, 2)]
    line = f"({t[0]},30),({t[1]},10),({t[2]},?):({t[0]},3),({t[1]},1),({t[2]},2):a\n"
    cases = parse_ts(("@timeStamps true\n@classLabel true a b\n@data\n" + line).splitlines(), "x")
    assert np.array_equal(cases.series[0], [[10, np.nan, 30], [1, 2, 3]], equal_nan=True)
    assert cases.labels == ["a"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no cases"),
        (HEAD, "has no cases"),
        ("1,2,3:a\n", "line 1: '1,2,3:a' stands before @data"),
        (HEAD + "1,2,3\n", "line 7: no colon"),
        (HEAD + "1,2,x:a\n", "line 7: could not convert"),
        (HEAD + "1,2,3:c\n", "line 7: the label 'c' is not among a, b"),
        (HEAD + "1,2,3:\n", "line 7: it has no label"),
        (HEAD + ":a\n", "line 7: a dimension has no values"),
        (HEAD + "1,2:3,4:a\n1,2:a\n", "line 8: it has 1 dimensions, the first case has 2"),
        (HEAD.replace("@data", "@dimensions 2\n@data") + "1,2:a\n", "the header says 2"),
        (HEAD.replace("@classLabel true a b", "@classLabel maybe"), "neither true nor false"),
        (HEAD.replace("@classLabel true a b", "@classLabel false") + ROWS, "has no labels"),
        (HEAD.replace("@timeStamps false", "@timeStamps true") + "(1,2),(3:a\n", "is not a list of"),
        (HEAD.replace("@timeStamps false", "@timeStamps true") + "(x,2),(y,3):a\n", "'x' is no time"),
        (HEAD.replace("@timeStamps false", "@timeStamps true") + "(2021-99-99,2):a\n", "malformed in line 7"),
        (HEAD + ROWS + "inf,1,1:a\n", "Series 13 of a holds inf"),
        (HEAD + ROWS.replace("a", "b"), "one class only: 'b'"),
        (HEAD + "?:a\n?:b\n" * 6, "has no value in any series"),
    ],
)
def test_what_is_malformed_is_named(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        load_data(write(tmp_path, "a.ts", text))


def test_a_test_file_with_other_dimensions_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path, "a_TRAIN.ts", HEAD + ROWS)
    write(tmp_path, "a_TEST.ts", HEAD + "1,2:3,4:a\n")
    with pytest.raises(DataError, match="has 1 dimensions, its test file 2"):
        load_data(file)


line = st.lists(st.none() | st.integers(-9, 9), min_size=1, max_size=12).filter(lambda v: any(x is not None for x in v))


@given(line)
@example([None, 1, None, None, 4, None])
def test_gaps_lie_on_the_line_between_their_neighbours(values: list[int | None]) -> None:
    given_line = np.array([np.nan if v is None else float(v) for v in values])
    known = np.flatnonzero(~np.isnan(given_line))
    found = filled(given_line)
    for i in range(len(values)):
        before, after = known[known <= i], known[known >= i]
        if not len(before) or not len(after):
            expected = given_line[known[0] if not len(before) else known[-1]]
        elif before[-1] == after[0]:
            expected = given_line[i]
        else:
            a, b = before[-1], after[0]
            expected = given_line[a] + (given_line[b] - given_line[a]) * (i - a) / (b - a)
        assert found[i] == pytest.approx(expected)


@given(st.lists(line, min_size=1, max_size=5))
def test_stacked_series_keep_their_values_and_their_length(lines: list[list[int | None]]) -> None:
    series = [np.array([[np.nan if v is None else float(v) for v in values]]) for values in lines]
    X, padded, _ = stacked(series, "toy")
    longest = max(s.shape[1] for s in series)
    assert X.shape == (len(series), 1, longest)
    assert padded == (len({s.shape[1] for s in series}) > 1)
    for row, s in zip(X, series):
        steps = s.shape[1]
        assert np.isnan(row[0, steps:]).all()
        assert not np.isnan(row[0, :steps]).any()
        there = ~np.isnan(s[0])
        assert np.array_equal(row[0, :steps][there], s[0][there].astype(np.float32))


def test_a_channel_without_values_takes_the_mean_of_the_others() -> None:
    series = [np.array([[1.0, 3.0], [np.nan, np.nan]]), np.array([[5.0, 5.0], [2.0, 4.0]])]
    X, _, notes = stacked(series, "toy")
    assert X[0].tolist() == [[1, 3], [3, 3]]
    assert any("1 channels of a series" in n for n in notes)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.sampled_from([*"0123456789.,:()?-eE ab@\t", "nan", "inf", "\n", "2021-01-01", "@data\n"])),
    st.booleans(),
)
def test_any_text_after_the_header(pieces: list[str], stamped: bool) -> None:
    head = HEAD.replace("@timeStamps false", "@timeStamps true") if stamped else HEAD
    try:
        cases = parse_ts((head + "".join(pieces)).splitlines(), "x")
    except DataError as error:
        event(error.given.split(":")[-1][:30])
    else:
        event("read")
        assert len(cases.series) == len(cases.labels) > 0


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=300))
@example(b"@data\n\xff\xfe:1")
@example(b"@dimension " + b"9" * 5000 + b"\n@data\n1:a")
@example("@dimension ²\n@data\n1:a".encode())
def test_any_bytes(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "a.ts"
        file.write_bytes(content)
        with pytest.raises(DataError):
            load_data(file)
