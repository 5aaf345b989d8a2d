"""kill -9 at random instants of a run; then open, check, resume to the end, compare with an uninterrupted run.

    python tests/bench/kill.py [--times 100] [--trained 5] [--seed 0] [--json]

``lost`` counts finished candidates that were seen before the kill and are gone or changed after it; ``inconsistent``
stores that are not sound (as `nasight check` says) after the kill or after the end; ``resumed`` runs that ended with
exactly the candidates and numbers of the uninterrupted run. The last ``--trained`` of them train real packs. Instants
are drawn evenly over the time of the uninterrupted run, its start included; ``stage`` says where they fell.

Every run is a process of its own, forked from one that has imported everything and started no thread.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "runs"))

from run_examples import numbers, synthetic

from nas_core.data import Problem, load_data
from nas_core.evaluation import packs  # noqa: F401 - imported once, before the processes are forked
from nas_core.records import RunState
from nas_core.runs import executing, registry
from nas_core.runs.books import misfits
from nas_core.runs.settings import RunSettings
from nas_core.spaces import SearchSpace
from nas_core.store import open_store
from nas_core.store.checking import check_store
from nas_core.store.sql import SqlStore

QUICK = RunSettings(candidates=96, pack_size=16, first_pack=8)  # a commit for each pack
SLOW = RunSettings(candidates=32, pack_size=16, first_pack=8)  # several commits within a pack
TRAINED = RunSettings(candidates=40, pack_size=8, first_pack=8)


@dataclass(frozen=True)
class Kind:
    """One kind of run, with what an uninterrupted one finds, and in how many seconds."""

    settings: RunSettings
    evaluator: registry.EvaluatorFactory
    expected: list[dict[str, Any]]
    seconds: float


def forked(work: Callable[[], None]) -> int:
    """Do ``work`` in a child process and return its number."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    return child


def ended(child: int) -> None:
    """Wait for the end of a child."""
    os.waitpid(child, 0)


def search(place: Path, settings: RunSettings, evaluator: registry.EvaluatorFactory) -> None:
    """Begin a run in the store at ``place``, or continue the one that is there, to its end."""
    store = open_store(place)
    if runs := store.runs():
        run = registry.resume_run(store, runs[0].id, evaluator=evaluator)
    else:
        run = registry.start_run(store, PROBLEM, SPACE, settings, evaluator=evaluator)
    run.wait()


def read(place: Path) -> tuple[RunState | None, list[dict[str, Any]], bool]:
    """Return the state of the run, what it has found, and whether its store is sound."""
    store = open_store(place)
    assert isinstance(store, SqlStore)
    try:
        runs = store.runs()
        sound = check_store(store, misfits).sound
        return (runs[0].state, numbers(store.evaluations(runs[0].id)), sound) if runs else (None, [], sound)
    finally:
        store.close()


def uninterrupted(settings: RunSettings, evaluator: registry.EvaluatorFactory) -> Kind:
    """Run once to the end."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        ended(forked(lambda: search(Path(folder), settings, evaluator)))
        seconds = time.monotonic() - began
        state, found, sound = read(Path(folder))
    assert (state, sound) == (RunState.DONE, True)
    return Kind(settings, evaluator, found, seconds)


def seen(place: Path) -> list[dict[str, Any]]:
    """Return what a reader finds at this moment."""
    if not (place / "nasight.sqlite").exists():
        return []
    store = open_store(place)
    try:
        return [e for run in store.runs() for e in numbers(store.evaluations(run.id))]
    finally:
        store.close()


def killed(kind: Kind, dice: random.Random) -> dict[str, Any]:
    """Kill one run at a random instant, resume it, and say what happened."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        child = forked(lambda: search(place, kind.settings, kind.evaluator))
        time.sleep(dice.uniform(0.0, kind.seconds))
        before = seen(place)
        os.kill(child, signal.SIGKILL)
        ended(child)
        state, after, sound = read(place)
        kept = {e["id"]: e for e in after}
        lost = sum(kept.get(e["id"]) != e for e in before)
        ended(forked(lambda: search(place, kind.settings, kind.evaluator)))
        last, found, still_sound = read(place)
    stage = "before the run" if state is None else ("after the end" if state is RunState.DONE else f"{state}")
    same = last is RunState.DONE and found == kind.expected
    return {
        "lost": lost,
        "inconsistent": not (sound and still_sound),
        "resumed": same,
        "stage": stage,
        "had": len(after),
    }


def main() -> None:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--trained", type=int, default=5, help="how many of them train real packs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    trained = min(options.trained, options.times)
    kinds = [uninterrupted(QUICK, synthetic(0.004)), uninterrupted(SLOW, synthetic(0.04))]
    real = uninterrupted(TRAINED, executing.trained_in_packs) if trained else kinds[0]
    chosen = [kinds[n % 2] if n < options.times - trained else real for n in range(options.times)]
    dice = random.Random(options.seed)
    began = time.monotonic()
    rows = [killed(kind, dice) for kind in chosen]
    figures = {name: sum(row[name] for row in rows) for name in ("lost", "inconsistent", "resumed")}
    about = {
        "times": options.times, "trained": trained, "seconds": round(time.monotonic() - began, 1),
        "stage": dict(Counter(row["stage"] for row in rows)),
        "within_a_run": sum(0 < row["had"] < len(kind.expected) for row, kind in zip(rows, chosen)),
    }  # fmt: skip
    if options.json:
        print(json.dumps({**figures, **about, "each": rows}))
        return
    for name, value in {**figures, **about}.items():
        print(f"{name:>16}  {value}")


PROBLEM = Problem.create(load_data("breast_cancer"))
SPACE = SearchSpace.for_problem(PROBLEM)

if __name__ == "__main__":
    main()
