"""What goes wrong in a run: candidates, the loop, the evaluator, the store."""

from __future__ import annotations

import errno
import os
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from run_examples import numbers, synthetic, until

from nas_core.data import Problem
from nas_core.errors import SettingsError, StoreError
from nas_core.evaluation.base import Evaluator, PackProgress, Referee, Stop, Weights
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.records import Evaluation, Proposal, RunState, Status
from nas_core.runs import registry
from nas_core.runs.books import misfits
from nas_core.runs.registry import EvaluatorFactory
from nas_core.runs.run import Run
from nas_core.runs.settings import RunSettings
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore, Store, open_store
from nas_core.store.artifacts import Artifacts, DirectoryArtifacts
from nas_core.store.checking import check_store
from nas_core.store.sql import SqlStore
from nas_core.store.sqlite import SqliteDatabase

Launch = Callable[..., Run]


def test_a_failed_candidate_does_not_end_the_run(
    launch: Launch, store: Store, problem: Problem, space: SearchSpace
) -> None:
    first = launch(candidates=8)
    first.wait(20)
    victim = store.evaluations(first.id)[3].id
    run = launch(synthetic(failing=lambda _: {victim}), candidates=40)
    assert run.wait(20)
    found = store.evaluation(run.id, victim)
    assert (found.status, found.reason, found.weights) == (Status.FAILED, "The loss became NaN in epoch 1", None)
    assert run.snapshot().progress.by_status == {"done": 39, "failed": 1}


class Breaking(Evaluator):
    """The synthetic evaluator, but the first ``packs`` work and then ``evaluate`` raises, or gives nothing."""

    def __init__(self, inner: Evaluator, packs: int, error: Exception | None) -> None:
        self._inner, self._packs, self._error = inner, packs, error

    def evaluate(
        self,
        proposals: Sequence[Proposal],
        *,
        stop: Stop,
        on_progress: Callable[[PackProgress], None] | None = None,
        referee: Referee | None = None,
    ) -> Iterator[Evaluation]:
        self._packs -= 1
        if self._packs >= 0:
            yield from self._inner.evaluate(proposals, stop=stop, on_progress=on_progress, referee=referee)
        elif self._error is not None:
            yield from self._inner.evaluate(proposals[:2], stop=stop, on_progress=on_progress, referee=referee)
            raise self._error

    def enter(self, space: SearchSpace) -> None:
        self._inner.enter(space)

    def take_weights(self) -> dict[str, Weights]:
        return self._inner.take_weights()

    def take_seconds(self) -> dict[str, float]:
        return self._inner.take_seconds()


def breaking(packs: int, error: Exception | None) -> EvaluatorFactory:
    def make(problem: Problem, space: SearchSpace, settings: RunSettings) -> Evaluator:
        return Breaking(SyntheticEvaluator(space, settings.seed), packs, error)

    return make


def test_an_error_in_the_loop_interrupts_the_run_which_can_be_resumed(launch: Launch, store: Store) -> None:
    whole = launch()
    whole.wait(20)
    run = launch(breaking(2, ZeroDivisionError("nobody expected this")))
    assert run.wait(20)
    record = store.run(run.id)
    assert record.state is RunState.INTERRUPTED
    assert record.reason.startswith("ZeroDivisionError: nobody expected this")
    assert len(store.evaluations(run.id)) == 18, "what had finished before the error is kept"
    assert registry.resume_run(store, run.id, evaluator=synthetic()).wait(20)
    assert numbers(store.evaluations(run.id)) == numbers(store.evaluations(whole.id))


def test_an_evaluator_that_gives_nothing_is_an_error_not_an_endless_loop(launch: Launch, store: Store) -> None:
    run = launch(breaking(1, None))
    assert run.wait(20)
    assert "gave no result for a candidate" in store.run(run.id).reason


def test_packs_that_fail_altogether_interrupt_the_run(
    launch: Launch, store: Store, problem: Problem, space: SearchSpace
) -> None:
    class Everything(frozenset[str]):
        def __contains__(self, item: object) -> bool:
            return True

    run = launch(synthetic(failing=lambda _: Everything()))
    assert run.wait(20)
    assert store.run(run.id).state is RunState.INTERRUPTED
    assert "Every candidate of the last 3 packs failed" in store.run(run.id).reason
    assert len(store.evaluations(run.id)) == 24


def test_an_error_while_the_run_is_built_interrupts_it(launch: Launch, store: Store) -> None:
    def make(problem: Problem, space: SearchSpace, settings: RunSettings) -> Evaluator:
        raise SettingsError("There is no such device")

    run = launch(make)
    assert run.wait(20)
    assert store.run(run.id).reason == "There is no such device."


class Refusing(InMemoryStore):
    """A store whose disk can be full."""

    def __init__(self) -> None:
        super().__init__()
        self.full = threading.Event()

    def commit(self, *args: Any, **changes: Any) -> int:
        if self.full.is_set():
            raise StoreError("The disk is full")
        return super().commit(*args, **changes)


def test_a_store_that_refuses_pauses_the_run_and_nothing_finished_is_lost(launch: Launch, store: Store) -> None:
    whole = launch()
    whole.wait(20)
    refusing = Refusing()
    run = launch(synthetic(0.005), into=refusing)
    until(lambda: len(refusing.evaluations(run.id)) >= 8)
    refusing.full.set()
    until(lambda: run.state is RunState.PAUSED)
    kept = len(refusing.evaluations(run.id))
    assert "The disk is full" in run.snapshot().record.reason
    assert "finished candidates are kept in memory" in run.snapshot().record.reason
    run.resume()  # still full
    until(lambda: run.state is RunState.PAUSED)
    assert len(refusing.evaluations(run.id)) == kept
    refusing.full.clear()
    run.resume()
    assert run.wait(20)
    assert numbers(refusing.evaluations(run.id)) == numbers(store.evaluations(whole.id))
    assert "store_failed" in [e.kind for e in refusing.events(run.id)]


def test_a_run_that_is_stopped_while_its_store_refuses_says_what_is_lost(launch: Launch) -> None:
    refusing = Refusing()
    run = launch(synthetic(0.005), into=refusing)
    until(lambda: len(refusing.evaluations(run.id)) >= 8)
    refusing.full.set()
    until(lambda: run.state is RunState.PAUSED)
    run.stop()
    assert run.wait(5)
    assert run.state is RunState.INTERRUPTED
    assert "finished candidates could not be saved" in run.snapshot().record.reason


class Filling(Artifacts):
    """A directory on a disk that can be full."""

    def __init__(self, root: Path) -> None:
        self._inner, self.location = DirectoryArtifacts(root), str(root)
        self.exclusive, self.full = True, threading.Event()

    def write(self, name: str, data: bytes) -> str:
        if self.full.is_set():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self._inner.write(name, data)

    def read(self, name: str) -> tuple[bytes, str]:
        return self._inner.read(name)

    def delete(self, name: str) -> None:
        self._inner.delete(name)

    def names(self) -> Iterator[str]:
        return self._inner.names()


def test_weights_that_do_not_fit_on_the_disk_pause_the_run(launch: Launch, store: Store, tmp_path: Path) -> None:
    whole = launch()
    whole.wait(20)
    artifacts = Filling(tmp_path / "weights")
    disk = SqlStore(SqliteDatabase(tmp_path / "runs.sqlite"), artifacts)
    run = launch(synthetic(0.005), into=disk)
    until(lambda: len(disk.evaluations(run.id)) >= 8)
    artifacts.full.set()
    until(lambda: run.state is RunState.PAUSED)
    reason = run.snapshot().record.reason
    assert f"The disk that holds {tmp_path / 'weights'} is full (No space left on device)" in reason
    artifacts.full.clear()
    run.resume()
    assert run.wait(20)
    assert numbers(disk.evaluations(run.id)) == numbers(store.evaluations(whole.id))
    assert check_store(disk, misfits).findings == ()
    disk.close()


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 384 KiB."""
    place = tmp_path / "tiny"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=384k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("a small file system cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_run_fills_a_real_disk_and_goes_on_when_there_is_room(launch: Launch, store: Store, tiny_disk: Path) -> None:
    whole = launch(candidates=200)
    whole.wait(20)
    disk = open_store(tiny_disk)
    assert isinstance(disk, SqlStore)
    run = launch(into=disk, candidates=200)
    until(lambda: run.state is RunState.PAUSED)
    assert "is full" in run.snapshot().record.reason
    assert 0 < len(disk.evaluations(run.id)) < 200
    subprocess.run(["mount", "-o", "remount,size=16m", str(tiny_disk)], check=True)
    run.resume()
    assert run.wait(20)
    assert numbers(disk.evaluations(run.id)) == numbers(store.evaluations(whole.id))
    assert check_store(disk, misfits).findings == ()
    disk.close()
