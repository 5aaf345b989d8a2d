"""What a run tells of itself is true: its phases are its running time, its speed counts what is in work."""

from __future__ import annotations

import mmap
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from run_examples import synthetic

from nas_core.records import Architecture, Proposal
from nas_core.runs.executing import device_words
from nas_core.runs.machine import memory_use
from nas_core.runs.progress import PHASES, PackState, Progress, Stopwatch, Working, seconds_left
from nas_core.runs.run import Run
from nas_core.runs.settings import RunSettings
from nas_core.store import Store

Launch = Callable[..., Run]
SECONDS = st.floats(0, 1e4, allow_nan=False)


def working(count: int) -> tuple[Working, ...]:
    made = (Architecture(family="tabular", values={"depth": n}) for n in range(count))
    return tuple(Working(number=n, proposal=Proposal(architecture=a)) for n, a in enumerate(made))


@given(SECONDS, SECONDS, st.dictionaries(st.sampled_from(PHASES), SECONDS), st.sampled_from(PHASES))
def test_phases_are_the_elapsed_time_whatever_was_claimed(
    before: float, passed: float, claimed: dict[str, float], phase: str
) -> None:
    watch = Stopwatch(Progress(elapsed=before, seconds={**dict.fromkeys(PHASES, 0.0), "train": before}))
    watch.add(claimed)
    found = watch.seconds(before + passed, phase)
    assert sum(found.values()) == pytest.approx(before + passed)
    assert min(found.values()) >= -1e-9
    own = {name: value - (before if name == "train" else 0.0) for name, value in found.items()}
    if sum(claimed.values()) <= passed:
        for name in PHASES:
            rest = passed - sum(claimed.values()) if name == phase else 0.0
            assert own[name] == pytest.approx(claimed.get(name, 0.0) + rest, abs=1e-6)
    elif sum(claimed.get(name, 0.0) for name in ("strategy", "store", "idle")) <= passed:
        for name in ("strategy", "store", "idle"):
            assert own[name] == pytest.approx(claimed.get(name, 0.0), abs=1e-6)


def test_what_nobody_claimed_is_that_of_the_pack_in_work_until_it_is_settled() -> None:
    watch = Stopwatch(Progress(elapsed=10.0))
    watch.add({"train": 2.0})
    assert watch.seconds(15.0, "measure") == {"train": 2.0, "measure": 3.0, "strategy": 0.0, "store": 0.0, "idle": 0.0}
    assert watch.seconds(15.0)["idle"] == 3.0
    watch.settle()  # at 10 s: more was claimed than has passed
    assert sum(watch.seconds(10.0).values()) == 0.0
    watch.add({"train": 1.0})
    assert watch.seconds(12.0) == {"train": 1.0, "measure": 0.0, "strategy": 0.0, "store": 0.0, "idle": 1.0}


def test_a_pack_counts_by_its_epochs_and_what_is_finished_of_it_once() -> None:
    state = {"number": 0, "phase": "train", "size": 4, "epochs": 10}
    assert PackState(**state, candidates=working(4)).done == 0
    assert PackState(**state, epoch=5, candidates=working(4)).done == 2
    assert PackState(**state, epoch=5, candidates=working(3)).done == 1  # the mean of 10, 3, 3, 4 epochs is 5
    assert PackState(**state, epoch=1, candidates=working(2)).done == 0
    assert PackState(number=0, phase="train", size=4, epoch=3, candidates=working(4)).done == 0


def test_the_speed_is_known_within_the_first_pack_and_follows_the_last_minute() -> None:
    watch = Stopwatch(Progress(elapsed=0.0))
    assert watch.rate(1.0, 1.0) is None
    watch.mark(0)
    assert watch.rate(0.0, 0.0) is None
    assert watch.rate(4.0, 2.0) == 0.5
    for at in range(1, 101):  # a candidate a second, then two
        watch._before = float(at)
        watch.mark(at)
    assert watch.rate(100.0, 100.0) == pytest.approx(1.0)
    for at in range(1, 101):
        watch._before = 100.0 + at
        watch.mark(100 + 2 * at)
    assert watch.rate(200.0, 300.0) == pytest.approx(2.0)


@pytest.mark.parametrize(("rate", "fields", "left"), [
    (2.0, {"candidates": 100, "evaluated": 40}, 30.0),
    (2.0, {"candidates": 100, "evaluated": 40, "budget_seconds": 25.0, "elapsed": 5.0}, 20.0),
    (2.0, {"candidates": 100, "evaluated": 140}, 0.0),
    (None, {"candidates": 100, "evaluated": 40}, None),
    (2.0, {}, None),
])  # fmt: skip
def test_the_time_left(rate: float | None, fields: dict[str, float], left: float | None) -> None:
    assert seconds_left(rate, Progress.model_validate(fields)) == left
    if left == 30.0:
        pack = PackState(number=0, phase="train", size=20, epoch=5, epochs=10, candidates=working(20))
        assert seconds_left(rate, Progress.model_validate({**fields, "pack": pack})) == 25.0


def test_a_run_recorded_when_pauses_were_idle_is_read_as_it_would_be_written_now() -> None:
    seconds = {"train": 5.0, "measure": 1.0, "strategy": 0.5, "store": 0.5, "idle": 60.0}
    old = Progress.model_validate({"elapsed": 8.0, "seconds": seconds})
    assert (old.paused, old.seconds["idle"]) == (60.0, 1.0)
    assert Progress.model_validate(old.model_dump()) == old


def test_all_that_a_run_tells_while_it_runs_adds_up(launch: Launch, store: Store) -> None:
    run, seen = launch(synthetic(0.01)), []
    while run.alive:
        seen.append(run.snapshot().progress)
        time.sleep(0.005)
    seen += [run.snapshot().progress, Progress.model_validate(store.run(run.id).progress)]
    shown = [p for p in seen if p.elapsed]
    assert len({p.evaluated for p in shown}) > 2
    for progress in shown:
        assert sum(progress.seconds.values()) == pytest.approx(progress.elapsed)
        assert min(progress.seconds.values()) >= 0
    elapsed = [p.elapsed for p in shown]
    assert elapsed == sorted(elapsed)
    assert np.mean([p.seconds["train"] for p in shown[-2:]]) > 0.3
    assert shown[-1].memory_bytes is not None
    assert shown[-1].device == "", "an evaluator of one's own trains wherever it likes"


@pytest.mark.parametrize(("settings", "words"), [
    ({"device": "cpu"}, "cpu"),
    ({"executor": "ray"}, "cpu (ray)"),
    ({"executor": "ray", "task_gpus": 0.5}, "cuda (ray)"),
    ({"executor": "ray", "task_gpus": 0.5, "device": "cpu"}, "cpu (ray)"),
])  # fmt: skip
def test_the_device_is_told_in_words(settings: dict[str, Any], words: str) -> None:
    assert device_words(RunSettings(**settings)) == words


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists the children of a process")
def test_workers_count_to_the_memory() -> None:
    code = "held = bytearray(b'x') * 80_000_000; print(len(held), flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        with_it = memory_use()[0]
        child.communicate(b"\n")
    without = memory_use()[0]
    assert with_it is not None
    assert without is not None
    assert with_it - without > 60_000_000


def test_memory_is_that_of_the_process_and_grows_with_it() -> None:
    before, accelerator = memory_use()
    assert before is not None
    with mmap.mmap(-1, 40_000_000) as held:  # new pages: an array may be laid into what was freed before it
        held.write(b"x" * len(held))
        assert memory_use()[0] >= before + 30_000_000
    assert accelerator is None or accelerator >= 0
