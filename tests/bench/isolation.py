"""What isolation costs: processor seconds of a run trained in a process of its own, and of one without.

    python tests/bench/isolation.py [--data breast_cancer] [--candidates 500] [--json]

``ratio`` compares whole runs of the same seed, the worker's start included; ``ratio_running`` leaves out that start,
which does not grow with the run. ``same`` says that both found the same numbers.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import threading
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from nas_core import InMemoryStore, Problem, RunSettings, SearchSpace, load_data, start_run
from nas_core.evaluation.isolation.evaluator import IsolatedEvaluator
from nas_core.evaluation.isolation.limits import Limits
from nas_core.evaluation.isolation.recipes import PackRecipe


def spent() -> float:
    """Return the processor seconds of this process and of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = os.times()
    return own.user + own.system + children.ru_utime + children.ru_stime


def searched(problem: Problem, space: SearchSpace, settings: RunSettings) -> tuple[float, list[dict[str, Any]]]:
    """Return the processor seconds of a run and the numbers that it found."""
    store, before = InMemoryStore(), spent()
    run = start_run(store, problem, space, settings)
    run.wait()
    clocks = {"finished": True, "revision": True, "weights": True, "cost": {"seconds"}}
    return spent() - before, [e.model_dump(exclude=clocks) for e in store.evaluations(run.id)]


def start_seconds(problem: Problem, space: SearchSpace) -> float:
    """Return the processor seconds that a worker needs before it trains anything."""
    before = spent()
    recipe = PackRecipe(problem=problem.spec.model_dump(mode="json"), space=space.model_dump(mode="json"), device="cpu")
    evaluator = IsolatedEvaluator(recipe)
    evaluator.prepare(threading.Event())
    evaluator.close()
    return spent() - before


def main() -> None:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="breast_cancer")
    parser.add_argument("--candidates", type=int, default=500)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    problem = Problem.create(load_data(options.data))
    space = SearchSpace.for_problem(problem)
    settings = RunSettings(candidates=options.candidates, strategy="random", device="cpu")
    searched(problem, space, settings.model_copy(update={"candidates": 16}))  # what is imported once
    start = start_seconds(problem, space)
    plain, expected = searched(problem, space, settings)
    apart, found = searched(problem, space, settings.model_copy(update={"isolation": Limits()}))
    result = {
        "data": options.data, "candidates": options.candidates, "cpu_plain": plain, "cpu_isolated": apart,
        "cpu_start": start, "ratio": apart / plain, "ratio_running": (apart - start) / plain, "same": found == expected,
    }  # fmt: skip
    if options.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:>14}  {value:.3f}" if isinstance(value, float) else f"{name:>14}  {value}")


if __name__ == "__main__":
    main()
