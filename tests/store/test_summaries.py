"""Summaries say what the evaluations say: the fast reading of each database against whole records."""

from __future__ import annotations

import gc
import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_contract import NAMES, evaluation, record, same_summaries

from nas_core.errors import StoreError
from nas_core.records import Architecture, Cost, Estimate, Evaluation, Measurement, Status
from nas_core.store import Store, open_store
from nas_core.store.summaries import SCORES, summaries_of
from nas_core.store.uncollected import uncollected

NUMBER = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, -0.0, 1e-300, 5e-324, 1e308, 3.0])
PRINTABLE = st.characters(exclude_categories=["C", "Z"], include_characters=" ")
WORD = st.text(PRINTABLE, max_size=12) | st.sampled_from(['"', "\\", "網", ""])
ESTIMATE = st.builds(Estimate, value=NUMBER, low=NUMBER, high=NUMBER)
MEASUREMENT = st.builds(
    Measurement, value=st.none() | NUMBER, raw=st.none() | NUMBER, low=st.none() | NUMBER, high=st.none() | NUMBER
)


@st.composite
def evaluations(draw: st.DrawFn) -> list[Evaluation]:
    found = []
    for number in draw(st.lists(st.integers(0, 10**6), unique=True, max_size=6)):
        values = {"number": number, "marks": draw(st.dictionaries(WORD, NUMBER, max_size=2)), "none": None}
        architecture = Architecture(family="tabular", values=values)
        found.append(
            Evaluation(
                id=architecture.id,
                index=number,
                architecture=architecture,
                status=draw(st.sampled_from(Status)),
                reason=draw(WORD),
                performance=draw(st.none() | ESTIMATE),
                skill=draw(st.none() | ESTIMATE),
                measures=draw(st.dictionaries(st.sampled_from([*NAMES, "another"]), MEASUREMENT, max_size=4)),
                cost=Cost(parameters=draw(st.integers(0, 2**40)), operations=3, seconds=draw(NUMBER)),
                curves={"train_loss": [0.5, 0.25]},
                parents=tuple(draw(st.lists(WORD, max_size=3))),
                operator=draw(WORD),
                origin=draw(WORD),
                inherited=draw(WORD),
                space=draw(st.integers(1, 9)),
                finished=draw(NUMBER),
            )
        )
    return found


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path)
    store.create_run(record())
    yield store
    store.close()


def change(path: Path, **fields: object) -> None:
    """Write fields into the record of every candidate past the store."""
    with sqlite3.connect(path / "nasight.sqlite") as file:
        for key, body in file.execute("SELECT id, body FROM evaluations").fetchall():
            changed = {name: value for name, value in {**json.loads(body), **fields}.items() if value != "gone"}
            file.execute("UPDATE evaluations SET body = ? WHERE id = ?", (json.dumps(changed), key))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(evaluations(), st.sampled_from([NAMES, NAMES[:1], (), ("missing", *NAMES)]))
def test_whatever_was_stored_is_summarised_as_it_is_read(
    store: Store, found: list[Evaluation], names: tuple[str, ...]
) -> None:
    before = store.run("r1").revision
    store.commit("r1", found, None, {})
    same_summaries(store.summaries("r1", names, since=before), store.evaluations("r1", since=before), names)


@settings(max_examples=60, deadline=None)
@given(evaluations())
def test_a_summary_says_what_its_evaluation_says(found: list[Evaluation]) -> None:
    for e, told in zip(found, summaries_of(found, NAMES).rows(), strict=True):
        for name in ("id", "index", "revision", "status", "reason", "operator", "origin", "inherited", "space",
                     "parents", "eligible", "architecture", "performance"):  # fmt: skip
            assert getattr(told, name) == getattr(e, name)
        assert told.cost == e.cost
        assert told.scored == tuple(name for name in NAMES if name in e.scored)
        for name in (*NAMES, "not asked for"):
            value = e.measures[name].value if name in e.measures and name in NAMES else None
            assert np.array_equal(told.score(name), np.nan if value is None else value, equal_nan=True)
            assert name not in NAMES or np.array_equal(told.score(name), e.score(name), equal_nan=True)


def test_what_no_view_needs_is_not_read(store: Store, tmp_path: Path) -> None:
    store.commit("r1", [evaluation(0)], None, {})
    change(tmp_path, curves="no curves", metrics=[3])
    with pytest.raises(StoreError, match=r"metrics|curves"):
        store.evaluations("r1")
    assert store.summaries("r1", NAMES).ids == (evaluation(0).id,)


def test_a_record_of_an_older_version_has_the_defaults(store: Store, tmp_path: Path) -> None:
    store.commit("r1", [evaluation(0, inherited="x", space=3), evaluation(1)], None, {})
    change(tmp_path, inherited="gone", space="gone", parents="gone")
    told = store.summaries("r1", NAMES)
    assert (told.inherited, told.space, told.parents) == (("", ""), (1, 1), ((), ()))


@pytest.mark.parametrize(
    "damage",
    [
        {"status": "lost"},
        {"status": "gone"},
        {"performance": {"value": "high"}},
        {"cost": "free"},
        {"measures": {NAMES[0]: {"value": "much"}}},
        {"architecture": 7},
        {"parents": "gone", "space": "two"},
    ],
)
def test_a_damaged_record_is_refused_as_it_was(store: Store, tmp_path: Path, damage: dict[str, object]) -> None:
    store.commit("r1", [evaluation(0)], None, {})
    change(tmp_path, **damage)
    with pytest.raises(StoreError, match="damaged"):
        store.summaries("r1", NAMES)


def test_text_that_is_no_record_is_refused_as_it_was(store: Store, tmp_path: Path) -> None:
    store.commit("r1", [evaluation(0)], None, {})
    with sqlite3.connect(tmp_path / "nasight.sqlite") as file:
        file.execute("UPDATE evaluations SET body = '{'")
    with pytest.raises(StoreError, match="damaged"):
        store.summaries("r1", NAMES)


def test_a_measure_with_a_name_that_is_no_word_is_read_too(store: Store) -> None:
    odd = 'a"b.c'
    store.commit("r1", [evaluation(0, measures={odd: Measurement(value=0.25)})], None, {})
    assert store.summaries("r1", (odd,)).scores[0, 0, SCORES.index("value")] == 0.25


def test_hundreds_of_measures_are_read(store: Store) -> None:
    names = tuple(f"m{at}" for at in range(130))
    told = {name: Measurement(value=at / 200, raw=float(at)) for at, name in enumerate(names)}
    found = evaluation(0, measures=told)
    store.commit("r1", [found], None, {})
    same_summaries(store.summaries("r1", names), store.evaluations("r1"), names)


def test_an_unknown_run_is_named(store: Store) -> None:
    with pytest.raises(StoreError, match=r"no run 'r2'.*r1"):
        store.summaries("r2", NAMES)


def test_some_of_them_are_taken_in_any_order() -> None:
    found = [evaluation(at, measures={NAMES[0]: Measurement(value=at / 4)}) for at in range(4)]
    told = summaries_of(found, NAMES)
    same_summaries(told.take([3, 1]), [found[3], found[1]], NAMES)
    same_summaries(told.take([]), [], NAMES)
    assert told.take([0, 1, 2, 3]) is told


def test_the_collector_rests_until_the_last_has_left() -> None:
    assert gc.isenabled()
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with uncollected():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with uncollected():
        thread.start()
        inside.wait(10)
        assert not gc.isenabled()
    assert not gc.isenabled()
    leave.set()
    thread.join()
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), uncollected():
        _ = 1 / 0
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
