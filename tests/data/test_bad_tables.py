"""Every table nothing can be learned from is refused with what was given, what is allowed, and how to fix it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nas_core.data import ReadLimits, dataset_from_frame, load_data, read_table
from nas_core.errors import DataError

GOOD = "a,b,target\n" + "".join(f"{i * 7 % 13},{i % 5},{'yes' if i % 3 else 'no'}\n" for i in range(30))


def _with(column: str, row: int, value: str) -> str:
    lines = [line.split(",") for line in GOOD.strip().split("\n")]
    lines[row + 1][lines[0].index(column)] = value
    return "\n".join(",".join(line) for line in lines) + "\n"


def _column(name: str, values: Callable[[int], object]) -> str:
    head, *rows = GOOD.strip().split("\n")
    return "\n".join([f"{name},{head}", *(f"{values(i)},{row}" for i, row in enumerate(rows))]) + "\n"


TEXTS: dict[str, tuple[bytes | str, dict[str, Any], str]] = {
    "empty file": (b"", {}, r"is empty\. Allowed: a header line and rows"),
    "only blanks": ("\n \n\n", {}, "holds only blanks"),
    "header only": ("a,b,target\n", {}, "has column names but no rows"),
    "one column": ("a\n1\n2\n3\n", {}, "has only one column: its first line is 'a'.*comma, semicolon, tab"),
    "unknown delimiter": ("a~b~c\n1~2~3\n", {}, "check the delimiter"),
    "too many fields": (GOOD.replace("\n0,0,", "\n0,0,0,", 1), {}, "line 2 has 4 fields, the header has 3"),
    "too few fields": (GOOD + "1,2\n", {}, "line 32 has 2 fields, the header has 3"),
    "open quote": (GOOD + '1,2,"yes\n', {}, "malformed near line 32: unexpected end of data"),
    "latin-1": (_with("target", 3, "caf\xe9").encode("latin-1"), {}, "not UTF-8 text: byte 0xe9 in line 5.*CSV UTF-8"),
    "binary": (GOOD.encode()[:40] + b"\x00" + GOOD.encode()[40:], {}, "zero bytes: not a text file"),
    "repeated names": (GOOD.replace("a,b", "a,a", 1), {}, "the column name 'a' 2 times.*rename or remove"),
    "repeated after stripping": (GOOD.replace("a,b", "a, a ", 1), {}, "the column name 'a' 2 times"),
    "nameless column": (GOOD.replace("a,b", "a,", 1), {}, "Column 2 of .* has no name"),
    "no header": ("5.1,3.5,a\n4.9,3.0,b\n" * 10, {}, "first line .* looks like data.*add a header line"),
    "one row": ("a,b,target\n1,2,yes\n", {}, "has 1 row.*at least 10 rows"),
    "nine rows": ("\n".join(GOOD.split("\n")[:10]), {}, "has 9 rows"),
    "absent target": (GOOD, {"target": "goal"}, r"no column 'goal' to predict\. Allowed: a, b, target"),
    "empty target": (_column("t", lambda _: ""), {"target": "t"}, "'t' has no value in any row"),
    "target nearly empty": (_column("t", lambda i: i % 2 if i < 6 else ""), {"target": "t"}, "24 rows .* has 6 rows"),
    "one class": (_column("t", lambda _: "same"), {"target": "t"}, "'t' has one class only: 'same'"),
    "tiny class": (_with("target", 4, "maybe"), {}, r"too few rows: 'maybe' \(1\).*at least 3 rows in every class"),
    "many classes": (
        "a,b,target\n" + "".join(f"{i},{i % 7},k{i // 3}\n" for i in range(180)),
        {},
        "has 60 classes.*at most 50 classes",
    ),
    "constant quantity": (_column("t", lambda _: 5), {"target": "t", "task": "regression"}, "is 5 in every row"),
    "text as quantity": (GOOD, {"task": "regression"}, "holds text where numbers are expected: 'no' in row 1"),
    "unknown task": (GOOD, {"task": "ranking"}, "setting task is 'ranking'.*'classification' or 'regression'"),
    "unknown kind": (GOOD, {"kinds": {"a": "number"}}, "setting a of kinds is 'number'.*'numeric', 'categorical' or"),
    "infinite feature": (_with("a", 4, "inf"), {}, "Column 'a' holds an infinite value in row 5"),
    "overflowing feature": (_with("a", 4, "1e999"), {}, "Column 'a' holds an infinite value in row 5"),
    "huge feature": (_with("a", 4, "1e200"), {}, r"Column 'a' holds 1e\+200 in row 5"),
    "infinite target": (
        _column("t", lambda i: i * 1.5 if i else "-inf"),
        {"target": "t"},
        "'t' holds an infinite value",
    ),
    "infinite class": (
        _column("t", lambda i: "inf" if i % 2 else 1),
        {"target": "t"},
        "infinite value among its categ",
    ),
    "text in numbers": (
        _with("a", 6, "about 3"),
        {},
        "'a' holds text where numbers .*'about 3' in row 7.*'categorical'",
    ),
    "text forced numeric": (
        _column("c", lambda i: "red" if i % 2 else "blue"),
        {"kinds": {"c": "numeric"}},
        "'c' holds text where numbers are expected: 'blue' in row 1 and 29 more",
    ),
    "all-missing column kept": (
        _column("c", lambda _: ""),
        {"kinds": {"c": "numeric"}},
        "Column 'c' has no value in any row.*'ignore'",
    ),
    "kind of no column": (GOOD, {"kinds": {"z": "numeric"}}, "no column 'z'"),
    "kind of the target": (GOOD, {"kinds": {"target": "numeric"}}, "'target' is the target, not a feature"),
    "all ignored": (GOOD, {"kinds": {"a": "ignore", "b": "ignore"}}, "no column to learn from besides"),
    "only useless features": (
        "k,target\n" + "".join(f"1,{i % 2}\n" for i in range(20)),
        {},
        "no column to learn from .*Column 'k' is left out: it has one value only",
    ),
}


@pytest.mark.parametrize(("content", "options", "message"), TEXTS.values(), ids=TEXTS.keys())
def test_bad_text_is_refused_with_a_way_out(
    content: bytes | str, options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError, match=message) as caught:
        load_data(file, **options)
    assert caught.value.given
    assert caught.value.allowed
    assert caught.value.fix


def test_the_table_that_the_bad_ones_vary_is_good(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text(GOOD)
    dataset = load_data(file)
    assert (dataset.N, dataset.feature_names, dataset.classes) == (30, ("a", "b"), ("no", "yes"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", "no built-in data set or file 'nothing'.*breast_cancer"),
        ("missing.csv", "no file '.*missing.csv'"),
        ("table.xlsx", r"the ending '.xlsx'\. Allowed: a table \(.csv"),
    ],
)
def test_bad_locations(name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=message):
        load_data(name)


def test_bad_parquet(tmp_path: Path) -> None:
    broken = tmp_path / "broken.parquet"
    broken.write_text(GOOD)
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        read_table(broken)
    repeated = tmp_path / "repeated.parquet"
    pq.write_table(pa.Table.from_arrays([pa.array([1, 2]), pa.array([3, 4])], names=["a", "a"]), repeated)
    with pytest.raises(DataError, match="the column name 'a' 2 times"):
        read_table(repeated)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (ReadLimits(bytes=100), "MB.*at most"),
        (ReadLimits(rows=20), "has 30 rows. Allowed: at most 20 rows"),
        (ReadLimits(columns=2), "has 3 columns. Allowed: at most 2 columns"),
        (ReadLimits(cells=60), "has 90 cells"),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_size_is_bounded(limits: ReadLimits, message: str, suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"table{suffix}"
    file.write_text(GOOD)
    if suffix == ".parquet":
        csv = tmp_path / "table.csv"
        csv.write_text(GOOD)
        pd.read_csv(csv).to_parquet(file)
    with pytest.raises(DataError, match=message):
        read_table(file, limits)


@pytest.mark.parametrize("row", [0, 13, 29])
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_an_infinite_value_is_found_wherever_it_is(row: int, value: float) -> None:
    frame = pd.DataFrame({"a": np.arange(30) % 7 * 1.0, "target": np.arange(30) % 2})
    frame.loc[row, "a"] = value
    with pytest.raises(DataError, match=f"in row {row + 1}"):
        dataset_from_frame(frame)


def test_a_frame_with_repeated_names_or_one_column() -> None:
    frame = pd.DataFrame(np.zeros((12, 3)), columns=["a", "a", "target"])
    with pytest.raises(DataError, match="'a' 2 times"):
        dataset_from_frame(frame)
    with pytest.raises(DataError, match="a target and at least one feature"):
        dataset_from_frame(frame[["target"]])


def test_a_frame_with_a_task_or_a_kind_that_does_not_exist() -> None:
    frame = pd.DataFrame({"a": np.arange(30) % 7, "target": np.arange(30) % 2})
    with pytest.raises(DataError, match="no task 'ranking'"):
        dataset_from_frame(frame, task="ranking")
    with pytest.raises(DataError, match="'a' has the kind 'number'"):
        dataset_from_frame(frame, kinds={"a": "number"})  # type: ignore[dict-item]
