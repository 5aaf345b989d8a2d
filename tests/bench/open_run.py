"""What opening a run costs: CPU seconds and memory of the first view of it, against reading whole records.

    python tests/bench/open_run.py [--candidates 10000] [--store FOLDER] [--repeats 3] [--json]

Medians of so many new processes, the two ways in turn. ``open``: a :class:`RunView` of a run in SQLite; ``whole``: one
whose columns are made of whole evaluations, the slow twin in the tests. ``ratio`` and ``memory_ratio``: how many times
more the latter takes. ``--store`` keeps the store that is made, or uses one again.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from nas_core.runs.viewer import RunView
from nas_core.store import Store, open_store
from nas_core.store.summaries import Summaries, summaries_of

WAYS = ("open", "whole")


class Whole:
    """A store that reads whole evaluations where summaries are asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def summaries(self, run_id: str, names: Sequence[str], since: int = 0) -> Summaries:
        return summaries_of(self._store.evaluations(run_id, since), names)


def timed(way: str, folder: str) -> dict[str, float]:
    """Return the CPU seconds and the memory (MB) that a view takes in this process, and how many candidates it has."""
    store = open_store(folder)
    run = store.runs()[0].id
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    view = RunView(store if way == "open" else Whole(store), run)
    seconds, most = time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    store.close()
    return {"s": seconds, "MB": (most - before) / 1e3, "candidates": len(view.snapshot)}


def repeated(folder: str, repeats: int) -> dict[str, list[dict[str, float]]]:
    """Return what each way took in processes of its own."""
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(repeats):
        for way in WAYS:
            command = [sys.executable, __file__, "--store", folder, "--way", way]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            found[way].append(json.loads(done.stdout))
    return found


def main() -> None:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=10_000)
    parser.add_argument("--store", default="")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        print(json.dumps(timed(options.way, options.store)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.store or temporary
        if not Path(folder, "nasight.sqlite").exists():
            from studio import fill

            fill(folder, options.candidates).close()
        found = repeated(folder, options.repeats)
    middle = {way: {key: statistics.median(t[key] for t in told) for key in told[0]} for way, told in found.items()}
    figures = {
        "candidates": int(middle["open"]["candidates"]),
        **{f"{way}_{key}": round(middle[way][key], 3) for way in WAYS for key in ("s", "MB")},
        "ratio": round(middle["whole"]["s"] / middle["open"]["s"], 2),
        "memory_ratio": round(middle["whole"]["MB"] / middle["open"]["MB"], 2),
    }
    print(json.dumps(figures) if options.json else "\n".join(f"{n:>14}  {v}" for n, v in figures.items()))


if __name__ == "__main__":
    main()
