"""The pool of a run: what the store has, shared, of this process's store alone."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest
from recorded import RUN, recorded_run, run_problem

from dashboard import process
from dashboard.components.evidence import evidence_of
from dashboard.components.pool import pool_of
from nas_core.errors import StoreError
from nas_core.records import Evaluation
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore, Store


@pytest.fixture
def small() -> Iterator[tuple[Store, list[Evaluation]]]:
    yield recorded_run(count=6)
    process.configure(opened=InMemoryStore())


def test_it_holds_what_the_store_holds(small: tuple[Store, list[Evaluation]]) -> None:
    store, found = small
    process.configure(opened=store)
    pool = pool_of(RUN)
    assert [c.id for c in pool.candidates()] == [e.id for e in store.evaluations(RUN)]
    assert len(pool) == len(found)
    assert pool.evaluation(found[2].id) == store.evaluation(RUN, found[2].id)
    assert pool.evaluation("unknown") is pool.evaluation(None) is None
    assert [c.index for c in pool.some((found[3].id, "unknown", found[0].id))] == [found[3].index, found[0].index]
    assert pool_of(RUN) is pool
    with pytest.raises(StoreError, match="no run 'run-2'"):
        pool_of("run-2")


def test_what_is_newer_is_there_at_the_next_look(small: tuple[Store, list[Evaluation]]) -> None:
    store, found = small
    process.configure(opened=store)
    before = len(pool_of(RUN))
    again = found[0].model_copy(update={"reason": "seen again"})
    store.commit(RUN, [again], None, {})
    time.sleep(0.25)  # tabs share one look in 0.2 s
    assert len(pool_of(RUN)) == before
    assert next(c for c in pool_of(RUN).candidates() if c.id == again.id).reason == "seen again"


def test_two_stores_with_one_identity_of_a_run_do_not_mix(small: tuple[Store, list[Evaluation]]) -> None:
    store, found = small
    other, more = recorded_run(count=9)
    for opened, expected in ((store, found), (other, more), (store, found)):
        process.configure(opened=opened)
        assert len(pool_of(RUN)) == len(expected)


def test_the_evidence_is_that_of_whole_evaluations(small: tuple[Store, list[Evaluation]]) -> None:
    store, _ = small
    process.configure(opened=store)
    space, names = SearchSpace.for_problem(run_problem(), "balanced"), ("additivity", "feature_parsimony", "missing")
    told = evidence_of(RUN, space, names)
    fits = [e for e in store.evaluations(RUN) if e.eligible]
    assert len(fits) > 2
    assert np.array_equal(told.codes, np.stack([space.encode(e.architecture) for e in fits]))
    scores = [[e.measures[n].value if n in e.measures else np.nan for n in names] for e in fits]
    assert np.array_equal(told.measures, np.array(scores, dtype=float), equal_nan=True)
