"""A search on a cluster of two nodes on this machine, one of which is killed while it works.

    python tests/bench/cluster.py --candidates 200 --json

Prints how many candidates are done in the end, how many came twice, how many are lost, and the seconds of the run. The
evaluator is synthetic and takes ``--delay`` seconds per candidate, so that the seconds are those of the cluster.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ray_cluster import LoopbackCluster

from nas_core.data import Problem, load_data
from nas_core.evaluation.base import Evaluator
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.records import RunState
from nas_core.runs.registry import start_run
from nas_core.runs.settings import RunSettings
from nas_core.spaces import SearchSpace
from nas_core.store import open_store


class Slow:
    """Makes synthetic evaluators that take so many seconds per candidate."""

    def __init__(self, delay: float) -> None:
        self.delay = delay

    def __call__(self, problem: Problem, space: SearchSpace, settings: RunSettings) -> Evaluator:
        return SyntheticEvaluator(space, settings.seed, delay=self.delay)


class Losses(logging.Handler):
    """Counts the tasks that the run says it has lost with their node."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        logging.getLogger("nas_core.evaluation.cluster").addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Count one."""
        self.count += 1


def searched(cluster: LoopbackCluster, node: int, candidates: int, delay: float) -> dict[str, Any]:
    """Search on a cluster and kill ``node`` when a third is found; return what the store has afterwards."""
    problem = Problem.create(load_data("breast_cancer"))
    space = SearchSpace.for_problem(problem)
    settings = RunSettings(candidates=candidates, executor=cluster.executor)
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(folder)
        began = time.monotonic()
        run = start_run(store, problem, space, settings, evaluator=Slow(delay))
        killed, losses = None, Losses()
        while not run.wait(0.05):
            if killed is None and run.snapshot().progress.evaluated >= candidates // 3:
                time.sleep(8 * delay)  # half a task: both nodes have the next one in work by then
                killed = run.snapshot().progress.evaluated
                cluster.kill(node)
        seconds = time.monotonic() - began
        record, found = store.run(run.id), store.evaluations(run.id)
        store.close()
    numbers = Counter(e.index for e in found)
    return {
        "done": sum(e.eligible for e in found),
        "duplicates": sum(count - 1 for count in numbers.values()) + len(found) - len({e.id for e in found}),
        "lost": candidates - len(numbers),
        "seconds": round(seconds, 1),
        "killed_at": killed,
        "repeated_tasks": losses.count,
        "state": record.state.value,
        "reason": record.reason,
    }


def main() -> None:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=200)
    parser.add_argument("--delay", type=float, default=0.05)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    cluster = LoopbackCluster(head_cpus=1)
    try:
        node = cluster.add_node(cpus=1)
        cluster.wait_for(node)
        figures = searched(cluster, node, options.candidates, options.delay)
    finally:
        cluster.remove()
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:>12}  {value}")
    sys.exit(0 if figures["state"] == RunState.DONE.value else 1)


if __name__ == "__main__":
    main()
