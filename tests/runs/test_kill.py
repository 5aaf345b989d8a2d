"""kill -9 at any moment: what was finished is there, and the run continues as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from run_examples import numbers, synthetic

from nas_core.data import Problem
from nas_core.errors import StoreError
from nas_core.preferences import Preference
from nas_core.records import RunState
from nas_core.runs import registry
from nas_core.runs.settings import RunSettings
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore, Store, open_store

SETTINGS = RunSettings(candidates=120, pack_size=16, first_pack=8, preference=Preference(weight=0.4))

SCRIPT = """
    import sys
    sys.path.insert(0, sys.argv[1])
    from run_examples import synthetic
    from test_kill import SETTINGS
    from nas_core.data import Problem, load_data
    from nas_core.runs import registry
    from nas_core.spaces import SearchSpace
    from nas_core.store import open_store
    store = open_store(sys.argv[2])
    delay = synthetic(float(sys.argv[3]))
    settings = SETTINGS
    if sys.argv[4:5] == ["new"]:
        settings = SETTINGS.model_copy(update={"seed": int(sys.argv[5]), "candidates": int(sys.argv[6])})
    if settings is SETTINGS and (runs := store.runs()):
        run = registry.resume_run(store, runs[0].id, evaluator=delay)
    else:
        problem = Problem.create(load_data("breast_cancer"))
        run = registry.start_run(store, problem, SearchSpace.for_problem(problem), settings, evaluator=delay)
    run.wait()
"""


def search(place: Path | str, delay: float, *new: str) -> subprocess.Popen[bytes]:
    """Start or continue a search in another process; ``new`` is "new", a seed and how many candidates."""
    script = textwrap.dedent(SCRIPT)
    command = [sys.executable, "-c", script, str(Path(__file__).parent), str(place), str(delay), *new]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})


def wait_for(store: Store, count: int) -> str:
    """Wait until a run has ``count`` candidates; return its id."""
    deadline = time.monotonic() + 60
    while not (runs := store.runs()) or len(store.evaluations(runs[0].id)) < count:
        assert time.monotonic() < deadline, "the other process finds nothing"
        time.sleep(0.01)
    return runs[0].id


@pytest.mark.slow
def test_a_killed_run_continues_exactly(tmp_path: Path, problem: Problem, space: SearchSpace) -> None:
    reference = InMemoryStore()
    whole = registry.start_run(reference, problem, space, SETTINGS, evaluator=synthetic())
    assert whole.wait(60)
    store = open_store(tmp_path)
    dice = random.Random(7)
    kept = 0
    for kill in range(3):  # twice within slow packs, committed one by one, and once between fast ones
        process = search(tmp_path, 0.25 if kill < 2 else 0.002)
        run_id = wait_for(store, kept + dice.randint(1, 6))
        time.sleep(dice.uniform(0.0, 0.2))
        process.send_signal(signal.SIGKILL)
        process.wait()
        found = store.evaluations(run_id)
        assert len(found) > kept, "nothing committed is lost"
        assert store.run(run_id).state is RunState.INTERRUPTED
        kept = len(found)
    last = registry.resume_run(store, run_id, evaluator=synthetic())
    assert last.wait(60)
    assert numbers(store.evaluations(run_id)) == numbers(reference.evaluations(whole.id))
    assert store.run(run_id).state is RunState.DONE
    assert all(
        e.weights and store.get_artifact(e.weights.artifact, e.weights.sha256) for e in store.evaluations(run_id)
    )
    store.close()


@pytest.mark.slow
def test_another_process_can_watch_but_not_take_over(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    process = search(tmp_path, 0.1)
    run_id = wait_for(store, 3)
    try:
        assert store.run(run_id).state is RunState.RUNNING
        with pytest.raises(StoreError, match="being run by another process"):
            registry.resume_run(store, run_id, evaluator=synthetic())
    finally:
        process.kill()
        process.wait()
    store.close()


@pytest.mark.slow
def test_a_terminated_process_leaves_an_interrupted_run_with_its_reason(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    script = SCRIPT.replace("run.wait()", "wait_and_leave(run)").replace(
        "store = open_store", "from test_kill import wait_and_leave\n    store = open_store", 1
    )
    command = [sys.executable, "-c", textwrap.dedent(script), str(Path(__file__).parent), str(tmp_path), "0.1"]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert process.wait(60) == 0
    record = store.runs()[0]
    assert (record.state, record.owner) == (RunState.INTERRUPTED, "")
    assert record.reason == "The process that ran it was asked to end"
    store.close()


def wait_and_leave(run: object) -> None:
    """End the process while the run goes on."""
    time.sleep(0.5)
