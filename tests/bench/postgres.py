"""Two coordinators on one PostgreSQL server at the same time: is every row there, and of the right run?

    python tests/bench/postgres.py [--candidates 1000] [--processes 2] [--json]

Starts a server of its own (Debian's ``postgresql``) and processes that search with the synthetic evaluator, each with a
seed of its own; then every run is compared with one that ran alone in memory. ``lost`` counts candidates that are
missing, ``mixed`` those that differ, ``unsound`` what `nasight check` finds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "runs"))

from postgres_server import Server, missing
from run_examples import numbers, synthetic

from nas_core.data import Problem, load_data
from nas_core.runs import registry
from nas_core.runs.books import misfits
from nas_core.runs.settings import RunSettings
from nas_core.spaces import SearchSpace
from nas_core.store import InMemoryStore, Store, open_store
from nas_core.store.checking import check_store
from nas_core.store.sql import SqlStore


def search(store: Store, seed: int, candidates: int) -> str:
    """Search to the end and return the run."""
    problem = Problem.create(load_data("breast_cancer"))
    settings = RunSettings(candidates=candidates, seed=seed, pack_size=16, first_pack=16)
    run = registry.start_run(store, problem, SearchSpace.for_problem(problem), settings, evaluator=synthetic())
    run.wait()
    return run.id


def side_by_side(url: str, processes: int, candidates: int) -> float:
    """Run several processes at the same time and return the seconds that the slowest took."""
    began = time.monotonic()
    command = [sys.executable, __file__, "--candidates", str(candidates), "--url", url, "--seed"]
    children = [subprocess.Popen([*command, str(seed)]) for seed in range(processes)]
    assert not any(child.wait() for child in children)
    return time.monotonic() - began


def compared(url: str, processes: int, candidates: int) -> dict[str, int]:
    """Compare what is stored with what each run finds alone."""
    store = open_store(url)
    assert isinstance(store, SqlStore)
    lost = mixed = 0
    runs = {record.settings["seed"]: record.id for record in store.runs()}
    for seed in range(processes):
        alone = InMemoryStore()
        expected = numbers(alone.evaluations(search(alone, seed, candidates)))
        found = {e["id"]: e for e in numbers(store.evaluations(runs[seed]))}
        lost += sum(e["id"] not in found for e in expected)
        mixed += sum(found.get(e["id"], e) != e for e in expected) + max(0, len(found) - len(expected))
    unsound = len(check_store(store, misfits).findings)
    store.close()
    return {"runs": len(runs), "lost": lost, "mixed": mixed, "unsound": unsound}


def main() -> None:
    """Run the benchmark and print it; with ``--url``, be one of its processes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.url:
        search(open_store(options.url), options.seed, options.candidates)
        return
    if reason := missing():
        sys.exit(reason)
    server = Server()
    try:
        url = server.place()
        seconds = side_by_side(url, options.processes, options.candidates)
        figures = compared(url, options.processes, options.candidates)
    finally:
        server.remove()
    rate = options.processes * options.candidates / seconds
    document = {**figures, "candidates": options.candidates, "seconds": round(seconds, 1), "per_second": round(rate, 1)}
    if options.json:
        print(json.dumps(document))
        return
    for name, value in document.items():
        print(f"{name:>12}  {value}")


if __name__ == "__main__":
    main()
