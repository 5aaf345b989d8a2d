"""All candidates as data: axes, filters, ranks, and a CSV that no spreadsheet runs."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from recorded import recorded_run, run_problem

from dashboard.components.run_memory import choices_of_run, memory_of
from dashboard.views.axes import Axis, axes_view, code_of, variables_of
from dashboard.views.candidates import Candidates, all_candidates, as_csv
from dashboard.views.table_filter import TableFilter, wanted, within
from nas_core.escaping import safe_cell
from nas_core.preferences import Preference
from nas_core.records import Evaluation, Status
from nas_core.runs.viewer import RunView
from nas_core.spaces import Choice, SearchSpace, has
from nas_core.store import Mark, mark_candidate

STORE, FOUND = recorded_run(count=24)
VIEW = RunView(STORE, "run-1")
SNAPSHOT = VIEW.snapshot
RANKED = SNAPSHOT.rank(Preference(weight=0.3))
AXES = axes_view(SNAPSHOT, RANKED, memory_of(VIEW).variables(VIEW, SNAPSHOT))
STARRED = FOUND[4].id
MARKS = {
    STARRED: Mark(candidate=STARRED, star=True, note="=1+1 Look at 7 of these", tags=("Simple", "keep")),
    FOUND[9].id: Mark(candidate=FOUND[9].id, tags=("keep",)),
}


def found(wish: TableFilter) -> list[Evaluation]:
    memory = memory_of(VIEW)
    kept = wanted(SNAPSHOT, RANKED, MARKS, AXES, lambda c: memory.holding(VIEW, SNAPSHOT, c), wish)
    ids = {SNAPSHOT.ids[i] for i in np.flatnonzero(kept)}
    return [e for e in FOUND if e.id in ids]


def table(kept: np.ndarray | None = None) -> Candidates:
    return all_candidates(SNAPSHOT, RANKED, MARKS, AXES, np.ones(len(SNAPSHOT), bool) if kept is None else kept)


def test_an_empty_filter_keeps_all_and_has_no_condition() -> None:
    assert (len(found(TableFilter())), TableFilter().count) == (24, 0)


def test_each_condition_keeps_what_it_says() -> None:
    assert {e.status for e in found(TableFilter(statuses=("failed", "ineligible")))} == {
        Status.FAILED,
        Status.INELIGIBLE,
    }
    front = {SNAPSHOT.ids[i] for i in np.flatnonzero(RANKED.on_front)}
    assert {e.id for e in found(TableFilter(on_front=True))} == front
    assert [e.id for e in found(TableFilter(starred=True))] == [STARRED]
    assert [e.id for e in found(TableFilter(noted=True))] == [STARRED]
    assert [e.id for e in found(TableFilter(tags=("keep",)))] == [STARRED, FOUND[9].id]
    assert [e.id for e in found(TableFilter(tags=("keep", "Simple")))] == [STARRED]
    low, high = 0.6, 0.9
    ranged = found(TableFilter(ranges=(("performance", low, high),)))
    assert ranged == [e for e in FOUND if e.performance is not None and low <= e.performance.value <= high] != []
    choice = next(c for c in choices_of_run(VIEW) if c.variable == "activation")
    assert found(TableFilter(choices=(choice,))) == [e for e in FOUND if has(e.architecture, choice)]
    feature = Choice("features", 3)
    assert found(TableFilter(choices=(feature, choice))) == [
        e for e in FOUND if has(e.architecture, choice) and has(e.architecture, feature)
    ]


@pytest.mark.parametrize(
    ("words", "numbers"),
    [("#7", [7]), ("7", [7, 5]), ("simple LOOK", [5]), ("keep", [5, 10]), ("nothing-like-that", []), ("failed", [23])],
)
def test_words_are_looked_for_in_number_operator_status_and_notes(words: str, numbers: list[int]) -> None:
    assert sorted(e.index for e in found(TableFilter(words=words))) == sorted(numbers)


@given(
    some.lists(some.floats(allow_nan=True, allow_infinity=False), min_size=1, max_size=8),
    some.floats(-5, 5),
    some.floats(-5, 5),
)
def test_a_range_keeps_what_lies_in_it_and_nothing_without_a_value(values: list[float], one: float, two: float) -> None:
    low, high = min(one, two), max(one, two)
    axis = Axis("x", "x", "measure", np.array(values))
    kept = within([axis], [("x", low, high), ("unknown", 0, 0)], len(values))
    assert kept.tolist() == [low <= value <= high for value in values]


def test_axes_hold_objectives_measures_costs_and_the_choices_that_differ() -> None:
    by_name = {axis.name: axis for axis in AXES}
    assert {"performance", "interpretability", *SNAPSHOT.names, "parameters", "choice:activation"} <= set(by_name)
    activation = by_name["choice:activation"]
    told = [activation.options[int(v)] for v in activation.values]
    assert told == [VIEW.architecture(key).values["activation"] for key in SNAPSHOT.ids]
    assert by_name["choice:depth"].options == ()
    assert all(len(axis.values) == 24 for axis in AXES)
    assert by_name["performance"].range == (np.nanmin(SNAPSHOT.performance), np.nanmax(SNAPSHOT.performance))


def test_options_of_all_versions_of_a_space_have_a_place() -> None:
    space = SearchSpace.for_problem(run_problem("iris"))
    narrow = [
        v.model_copy(update={"choices": ("tanh", "own")}) if v.name == "activation" else v for v in space.variables
    ]
    known = variables_of([space, space.model_copy(update={"variables": tuple(narrow)})])
    (activation,) = [v for v in known if v.name == "activation"]
    assert activation.options[-1] == "own"
    assert code_of(activation, "own") == len(activation.options) - 1
    assert np.isnan(code_of(activation, "never"))
    assert np.isnan(code_of(activation, None))


def test_the_memory_of_a_view_grows_with_it_and_knows_the_past() -> None:
    memory = memory_of(VIEW)
    first = SNAPSHOT.first(5)
    for (_, whole), (_, part) in zip(memory.variables(VIEW, SNAPSHOT), memory.variables(VIEW, first)):
        assert np.array_equal(whole[:5], part, equal_nan=True)
    choice = Choice("features", 0)
    assert memory.holding(VIEW, first, choice).tolist() == memory.holding(VIEW, SNAPSHOT, choice)[:5].tolist()


def test_rows_are_ranked_and_those_without_a_rank_come_last() -> None:
    rows = table()
    ranks = rows.columns["rank"]
    known = ~np.isnan(ranks)
    assert ranks[known].tolist() == list(range(1, int(known.sum()) + 1))
    assert not known[-2:].any()
    assert rows.ids[0] == SNAPSHOT.ids[RANKED.order[0]]
    assert rows.columns["star"][rows.ids.index(STARRED)] == "★"
    kept = np.zeros(24, bool)
    kept[[3, 8]] = True
    few = table(kept)
    assert set(few.ids) == {SNAPSHOT.ids[3], SNAPSHOT.ids[8]}
    assert few.columns["rank"].tolist() == [ranks[rows.ids.index(key)] for key in few.ids]
    assert set(few.labels) == set(few.columns)


def test_a_csv_reads_as_the_table_and_starts_no_formula() -> None:
    shown = ["rank", "number", "performance", "note", "operator", "choice:activation", "on_front"]
    data = as_csv(table(), shown)
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(data[3:].decode())))
    assert len(rows) == 25
    assert rows[0][:2] == ["id", "rank at λ"]
    by_id = {row[0]: row for row in rows[1:]}
    assert by_id[STARRED][4] == "'=1+1 Look at 7 of these"
    for e in FOUND:
        assert int(by_id[e.id][2]) == e.index
        if e.performance is not None:
            assert float(by_id[e.id][3]) == pytest.approx(e.performance.value, abs=1e-5)
        else:
            assert by_id[e.id][3] == ""


@given(some.text(some.characters(exclude_categories=["Cs"])))
def test_no_cell_begins_like_a_formula_and_nothing_else_is_changed(words: str) -> None:
    cell = safe_cell(words)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert cell in (words, f"'{words}")
    assert (cell != words) == (words[:1] in tuple("=+-@\t\r") and bool(words))


def test_marks_that_a_store_holds_are_those_the_table_shows() -> None:
    store, evaluations = recorded_run(count=6)
    mark_candidate(store, "run-1", evaluations[0].id, note="x", tags=["b", "a"])
    view = RunView(store, "run-1")
    ranked = view.snapshot.rank(Preference())
    axes = axes_view(view.snapshot, ranked, memory_of(view).variables(view, view.snapshot))
    rows = all_candidates(view.snapshot, ranked, store.marks("run-1"), axes, np.ones(6, bool))
    assert rows.columns["tags"][rows.ids.index(evaluations[0].id)] == "b, a"
