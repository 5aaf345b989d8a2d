"""Many candidates chosen on the front: as text, as a sentence with ranges, in the URL, in the table, for comparison."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from recorded import RUN, recorded_run
from streamlit.testing.v1 import AppTest
from test_front_axes import snapshot_of

from dashboard import process
from dashboard.views.front_chosen import chosen_view, readable, spelled, within_spelled
from dashboard.views.table_filter import TableFilter, wanted
from nas_core.preferences import Preference
from nas_core.store import InMemoryStore

APP = str(Path(process.__file__).with_name("app.py"))


@given(some.sets(some.integers(0, 400)), some.lists(some.integers(0, 400), unique=True))
def test_what_is_written_down_is_read_back(numbers: set[int], known: list[int]) -> None:
    told = spelled(numbers)
    assert readable(told)
    assert within_spelled(told, np.array(known, dtype=np.int64)).tolist() == [k in numbers for k in known]


@given(some.lists(some.tuples(some.integers(0, 60), some.integers(0, 60)), min_size=1, max_size=6))
def test_stretches_may_overlap_and_come_in_any_order(stretches: list[tuple[int, int]]) -> None:
    """Beside a slow twin: a number is in when one stretch has it."""
    told = ".".join(f"{low}-{high}" for low, high in stretches)
    expected = [any(low <= k <= high for low, high in stretches) for k in range(61)]
    assert within_spelled(told, np.arange(61)).tolist() == expected


def test_neighbours_become_a_stretch_and_the_longest_costs_nothing() -> None:
    assert spelled([12, 7, 8, 9, 3, 8]) == "3.7-9.12"
    assert within_spelled("0-999999999", np.arange(5)).all()


@pytest.mark.parametrize("told", ["x", "1,2", "1-", "-1", "1..2", "1-2-3", "1e9", "<b>", "9999999999", "1 2", "1\n"])
def test_what_is_no_selection_names_nobody(told: str) -> None:
    assert not readable(told)
    assert not within_spelled(told, np.arange(10)).any()


def test_the_view_has_ranges_and_the_best_first_and_passes_over_who_is_not_there() -> None:
    snapshot = snapshot_of((0.9, 0.2, 100), (0.8, 0.8, 50), (0.7, 0.1, 2))
    ranked = snapshot.rank(Preference(weight=1.0))
    view = chosen_view(snapshot, ranked, ("interpretability", "performance"), "0-1.77")
    assert view.ids == (snapshot.ids[1], snapshot.ids[0])
    ranges = {name: ends for name, *ends in view.ranges}
    assert ranges["ROC AUC"] == [0.8, 0.9]
    assert ranges["Parameters"] == [50, 100]
    assert chosen_view(snapshot, ranked, ("performance",), "77").ids == ()
    kept = wanted(snapshot, ranked, {}, (), lambda choice: np.ones(3, bool), TableFilter(chosen="1-2"))
    assert kept.tolist() == [False, True, True]
    assert TableFilter(chosen="1-2").count == 1


@pytest.fixture
def store() -> Iterator[InMemoryStore]:
    opened = InMemoryStore()
    process.configure(opened=opened)
    recorded_run(opened)
    yield opened
    process.configure(opened=InMemoryStore())


def opened(told: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params["run"], app.query_params["fs"] = RUN, told
    return app.run()


def words(app: AppTest) -> str:
    return "\n".join(e.value for kind in (app.markdown, app.caption, app.error, app.text) for e in kind)


def test_a_link_with_a_selection_tells_it_narrows_the_table_and_is_cleared(store: InMemoryStore) -> None:
    app = opened("0-5")
    assert not app.exception
    assert "chosen on the front · Interpretability" in words(app)
    app.button(key="chosen_to_table").click().run()
    assert not app.exception
    told = next(line for line in words(app).splitlines() if line.startswith("Only the "))
    shown = int(told.split()[2])
    assert 0 < shown <= 6
    assert len(app.dataframe[0].value) == shown
    app.button(key="chosen_drop").click().run()
    assert len(app.dataframe[0].value) > 6
    app.button(key="chosen_clear").click().run()
    assert "fs" not in app.query_params
    assert "chosen on the front" not in words(app)


def test_a_selection_that_cannot_be_read_is_told_with_what_is_allowed(store: InMemoryStore) -> None:
    app = opened("<b>4")
    assert not app.exception
    app.run()
    assert "fs=3.7-12.40" in words(app)
    assert "fs" not in app.query_params
