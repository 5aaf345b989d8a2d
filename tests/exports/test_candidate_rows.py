"""The table of a run: a row for each candidate, no formula in it, the same rows as Parquet."""

from __future__ import annotations

import csv
import io
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded import RUN, recorded_run

from nas_core.escaping import FORMULA, safe_cell
from nas_core.exports.rows import candidate_rows, csv_table, flattened, parquet_table
from nas_core.runs.viewer import RunView
from nas_core.store import InMemoryStore


@pytest.fixture(scope="module")
def view() -> RunView:
    return RunView(recorded_run(InMemoryStore(), count=12)[0], RUN)


def test_there_is_a_row_for_each_candidate(view: RunView) -> None:
    rows = candidate_rows(view)
    evaluations = view.store.evaluations(RUN)
    assert [row["id"] for row in rows] == [e.id for e in evaluations]
    assert len({tuple(row) for row in rows}) == 1
    for row, e in zip(rows, evaluations):
        assert row["status"] == e.status.value
        assert row["performance"] == (None if e.performance is None else e.performance.value)
        assert row["additivity"] == (e.measures["additivity"].value if "additivity" in e.measures else None)
        used = {j for group in e.architecture.values["groups"] for j in group["features"]}
        assert row["variable.features_used"] == len(used)
        assert row["variable.uses.mean radius"] == (0 in used)
    ranking = view.snapshot.rank(view.settings.preference, view.inside())
    assert {row["id"] for row in rows if row["on_front"]} == {
        i for i, on in zip(view.snapshot.ids, ranking.on_front) if on
    }


def test_both_tables_hold_the_same_rows(view: RunView) -> None:
    rows = candidate_rows(view)
    table = pq.read_table(io.BytesIO(parquet_table(rows)))
    assert table.to_pylist() == rows
    assert str(table.schema.field("performance").type) == "double"
    assert str(table.schema.field("number").type) == "int64"
    assert str(table.schema.field("on_front").type) == "bool"
    read = list(csv.DictReader(io.StringIO(csv_table(rows).decode("utf-8-sig"))))
    assert [r["id"].removeprefix("'") for r in read] == [row["id"] for row in rows]
    assert [float(r["performance"]) if r["performance"] else None for r in read] == [row["performance"] for row in rows]


def test_a_run_without_candidates_is_an_empty_table() -> None:
    assert csv_table([]).decode("utf-8-sig") == ""
    assert pq.read_table(io.BytesIO(parquet_table([]))).num_rows == 0


texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",)))


@given(st.lists(st.one_of(texts, st.sampled_from(FORMULA).flatmap(lambda f: texts.map(lambda t: f + t))), min_size=1))
def test_no_text_is_a_formula_and_every_text_can_be_read_back(cells: list[str]) -> None:
    rows = list(csv.reader(io.StringIO(csv_table([dict(enumerate(cells))]).decode("utf-8-sig"), newline="")))[-1]
    for cell, read in zip(cells, rows, strict=True):
        assert not read.startswith(FORMULA)
        assert read == (f"'{cell}" if cell.startswith(FORMULA) else cell)


@given(st.one_of(st.floats(), st.integers(), st.booleans(), st.none()))
def test_numbers_stay_numbers(value: Any) -> None:
    assert safe_cell(value) is value


def test_headers_are_no_formulas_either() -> None:
    assert csv_table([{"=cmd|' /C calc'!A0": 1}]).decode("utf-8-sig").splitlines()[0] == "'=cmd|' /C calc'!A0"


def test_variables_become_single_values() -> None:
    values = {"cell": ["none", "skip_connect"], "layers": [{"kind": "gru"}], "width": 8, "marks": {"0": 1}}
    assert flattened(values) == {"cell.1": "none", "cell.2": "skip_connect", "layers": 1, "width": 8, "marks": 1}
    groups = {"groups": [{"features": [0, 2], "linear": True}, {"features": [1], "linear": False}]}
    found = flattened(groups, ["a", "b", "c", "d"])
    assert found == {"groups": 2, "features_used": 3, "largest_group": 2, "linear_groups": 1, "uses.a": True,
                     "uses.b": True, "uses.c": True, "uses.d": False}  # fmt: skip
    assert flattened({"stages": [{"blocks": [1, 2]}, {"blocks": [3]}]}) == {"stages": 2, "blocks": 3}


def test_values_of_two_kinds_share_a_type() -> None:
    rows = [{"a": 1, "b": "x"}, {"a": 0.5, "b": 2}, {"a": None, "b": None}]
    table = pq.read_table(io.BytesIO(parquet_table(rows)))
    assert table.to_pydict() == {"a": [1.0, 0.5, None], "b": ["x", "2", None]}
