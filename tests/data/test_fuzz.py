"""Whatever a file holds, it becomes a data set that can be encoded, or a DataError: never another exception."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from nas_core.data import Dataset, Problem, dataset_from_frame, load_data
from nas_core.errors import DataError

cell = st.one_of(
    st.sampled_from(
        ["", "1", "0", "2.5", "-3", "1e5", "NA", "inf", "yes", "no", "true", "1e400", '"', "1,5", "é", "00"]
    ),
    st.integers(-(10**25), 10**25).map(str),
    st.text(max_size=4),
)


pools = st.lists(cell, min_size=2, max_size=5)
good_pools = st.sampled_from(
    [["a", "b"], ["1", "2", "3"], ["0.5", "1.5", "2.25", "-1"], ["", "x", "y"], ["1", "?", "3"]]
)
names = st.one_of(
    st.sampled_from(["a", "b", "c", "d", "e f", "é"]), st.sampled_from(["a", "b", "c", "target", "", "1.5"])
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Return something near a CSV file: a few columns drawn from small pools of cells, sometimes broken."""
    width, rows = draw(st.integers(2, 4)), draw(st.sampled_from([0, 5, 12, 40, 40, 90]))
    delimiter = draw(st.sampled_from([",", ";", "\t", "|"]))
    chosen = [draw(st.one_of(good_pools, good_pools, pools)) for _ in range(width)]
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    lines = [delimiter.join(pool[rng.integers(len(pool))] for pool in chosen) for _ in range(rows)]
    header = delimiter.join(draw(st.lists(names, min_size=width, max_size=width, unique=draw(st.booleans()))))
    return "\n".join([header, *lines])


def _use(dataset: Dataset) -> None:
    problem = Problem.create(dataset)
    assert np.isfinite(problem.train.E).all()
    assert np.isfinite(problem.valid.E).all()
    assert np.isfinite(problem.hints.relevance).all()
    assert np.isfinite(problem.hints.interaction).all()
    assert np.isfinite(problem.train.y).all()
    assert len(problem.valid) > 0


def _load(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "table.csv"
        file.write_bytes(content)
        try:
            dataset = load_data(file)
        except DataError as error:
            event(f"refused: {error.allowed[:40]}")
        else:
            event("used")
            _use(dataset)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(texts())
def test_any_text(text: str) -> None:
    _load(text.encode("utf-8", "surrogatepass"))


@settings(deadline=None)
@given(st.binary(max_size=200))
@example(b"\xff\xfe")
@example(b"\xff\xfea")
@example(b"\xef\xbb\xbf")
def test_any_bytes(content: bytes) -> None:
    _load(content)


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.text(max_size=3),
    st.dates(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.tuples(st.integers()),
    st.binary(max_size=2),
)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.lists(values, min_size=2, max_size=4), min_size=1, max_size=4),
    st.sampled_from([None, "numeric", "categorical"]),
    st.sampled_from(["y", "y", "c0"]),
)
def test_any_frame(columns: list[list[object]], kind: str | None, target: str) -> None:
    frame = pd.DataFrame(
        {f"c{j}": pd.Series([pool[(i * (j + 1)) % len(pool)] for i in range(36)]) for j, pool in enumerate(columns)}
    )
    frame["y"], frame["x"] = np.arange(36) % 2, np.arange(36) % 5
    kinds = {"c0": kind} if kind and target != "c0" else None
    try:
        dataset = dataset_from_frame(frame, target, kinds)
    except DataError as error:
        event(f"refused: {error.allowed[:40]}")
    else:
        event("used")
        _use(dataset)


@pytest.mark.parametrize("line", [3, 60_000, 120_000])
def test_a_bad_byte_is_found_wherever_it_is(line: int, tmp_path: Path) -> None:
    lines = [b"length,colour,target"] + [b"1.5,r\xc3\xb8d,%d" % (i % 2) for i in range(120_000)]
    lines[line - 1] = b"1.5,r\xf8d,1"
    file = tmp_path / "table.csv"
    file.write_bytes(b"\n".join(lines))
    assert file.stat().st_size > 1 << 20  # more than one piece
    with pytest.raises(DataError, match=f"byte 0xf8 in line {line}"):
        load_data(file)
