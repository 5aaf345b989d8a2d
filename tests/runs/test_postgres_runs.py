"""Runs on one PostgreSQL server: side by side, killed, and while the server restarts."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
from postgres_server import Server
from run_examples import numbers, synthetic, until
from test_kill import SETTINGS, search, wait_for

from nas_core.data import Problem
from nas_core.records import RunState
from nas_core.runs import registry
from nas_core.runs.books import misfits
from nas_core.runs.run import Run
from nas_core.runs.settings import RunSettings
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore, Store, open_store
from nas_core.store.checking import check_store
from nas_core.store.sql import SqlStore

Launch = Callable[..., Run]


def opened(url: str) -> SqlStore:
    store = open_store(url)
    assert isinstance(store, SqlStore)
    return store


@pytest.mark.slow
def test_two_processes_search_side_by_side(postgres: Server, problem: Problem, space: SearchSpace) -> None:
    url = postgres.place()
    seeds = (0, 1)
    processes = [search(url, 0.0, "new", str(seed), "200") for seed in seeds]
    try:
        assert [process.wait(120) for process in processes] == [0, 0]
    finally:
        for process in processes:
            process.kill()
    store = opened(url)
    assert check_store(store, misfits).findings == ()
    found = {record.settings["seed"]: record for record in store.runs()}
    assert sorted(found) == list(seeds)
    for seed, record in found.items():
        reference = InMemoryStore()
        wanted = RunSettings.model_validate(record.settings)
        alone = registry.start_run(reference, problem, space, wanted, evaluator=synthetic())
        assert alone.wait(60)
        assert (record.state, len(store.evaluations(record.id))) == (RunState.DONE, 200), seed
        assert numbers(store.evaluations(record.id)) == numbers(reference.evaluations(alone.id))
    store.close()


@pytest.mark.slow
def test_a_killed_run_continues_exactly(postgres: Server, problem: Problem, space: SearchSpace) -> None:
    url = postgres.place()
    store = opened(url)
    process = search(url, 0.02)
    run_id = wait_for(store, 20)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = store.evaluations(run_id)
    assert store.run(run_id).state is RunState.INTERRUPTED
    assert check_store(store, misfits).sound
    assert registry.resume_run(store, run_id, evaluator=synthetic()).wait(60)
    reference = InMemoryStore()
    whole = registry.start_run(reference, problem, space, SETTINGS, evaluator=synthetic())
    assert whole.wait(60)
    found = store.evaluations(run_id)
    assert numbers(found) == numbers(reference.evaluations(whole.id))
    assert {e.id for e in kept} < {e.id for e in found}
    assert check_store(store, misfits).sound
    store.close()


@pytest.mark.parametrize("how", ["immediate", "fast"])
def test_a_run_waits_for_a_server_that_restarts(postgres: Server, launch: Launch, store: Store, how: str) -> None:
    whole = launch()
    assert whole.wait(20)
    remote = opened(postgres.place())
    run = launch(synthetic(0.005), into=remote)
    until(lambda: len(remote.evaluations(run.id)) >= 8)
    postgres.stop(how)
    try:
        until(lambda: run.state is RunState.PAUSED)
        reason = run.snapshot().record.reason
        assert "The server of postgresql://tester@127.0.0.1" in reason
        assert "finished candidates are kept in memory; resume tries to save them again" in reason
        run.resume()  # it is still down
        until(lambda: run.state is RunState.PAUSED)
    finally:
        postgres.start()
    run.resume()
    assert run.wait(20)
    assert numbers(remote.evaluations(run.id)) == numbers(store.evaluations(whole.id))
    assert "store_failed" in [e.kind for e in remote.events(run.id)]
    assert check_store(remote, misfits).findings == ()
    remote.close()
