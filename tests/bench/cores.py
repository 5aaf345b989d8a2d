"""Packs on one processor core and on all of them: how much faster, and whether the numbers are the same.

    python tests/bench/cores.py [--data breast_cancer digits …] [--california FILE] [--packs 5] [--json]

Packs of new candidates are evaluated (trained, judged, measured) in this process alone, and then by this process and
workers that are ready, in turns. ``wall`` is the median ratio of the wall times, which needs idle cores. ``processor``
is that of the processor seconds of the whole pack and of its largest share, each evaluated here: what idle cores would
give, however busy they are now.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from on_cores import ready_on_cores

from nas_core import Problem, SearchSpace, load_data
from nas_core.evaluation.base import Evaluator
from nas_core.evaluation.cores import divided
from nas_core.evaluation.packs import PackEvaluator
from nas_core.records import Proposal
from nas_core.training.side_by_side import workers_on


def numbers(evaluator: Evaluator, proposals: list[Proposal]) -> tuple[dict[str, Any], dict[str, Any], float, float]:
    """Return the evaluations and the weights by candidate, and the wall and processor seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    found = list(evaluator.evaluate(proposals, stop=threading.Event()))
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    plain = {e.id: e.model_dump(exclude={"finished": True, "cost": {"seconds"}}) for e in found}
    weights = {k: {n: w.tobytes() for n, w in own.items()} for k, own in evaluator.take_weights().items()}
    return plain, weights, wall, processor


def compared(problem: Problem, size: int, packs: int, cores: int) -> dict[str, Any]:
    """Return the ratios on one set of data."""
    space = SearchSpace.for_problem(problem)
    one, divide = PackEvaluator(problem, space, device="cpu"), divided(problem)
    several = ready_on_cores(problem, space, size, cores)
    rng, rows, same = np.random.default_rng(0), [], True
    try:
        for _ in range(packs):
            work = space.initial(size, rng, problem.hints)
            whole, shared = numbers(one, work), numbers(several, work)
            largest = max(numbers(one, share)[3] for share in divide(work, several.ready))
            rows.append((whole[2] / shared[2], whole[3] / largest, size / shared[2]))
            same = same and whole[:2] == shared[:2]
    finally:
        several.close()
    wall, processor, rate = (statistics.median(column) for column in zip(*rows, strict=True))
    return {"wall": wall, "processor": processor, "candidates_per_second": rate, "same": same, "processes": cores}


def main() -> None:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", metavar="NAME", help="built-in sets or files; default: breast_cancer")
    parser.add_argument("--california", metavar="FILE", help="California housing as CSV")
    parser.add_argument("--candidates", type=int, default=64, help="of a pack")
    parser.add_argument("--packs", type=int, default=5)
    parser.add_argument("--epochs", type=int, help="at most; default: the recipe's")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    document: dict[str, Any] = {"load": os.getloadavg()[0], "data": {}}
    chosen = [*(options.data or []), *filter(None, [options.california])] or ["breast_cancer"]
    for data in chosen:
        housing = {"target": "median_house_value"} if data == options.california else {}
        problem = Problem.create(load_data(data, **housing))
        if options.epochs:
            recipe = problem.spec.recipe.model_copy(update={"max_epochs": options.epochs})
            problem = Problem.create(problem.dataset, recipe=recipe)
        cores = workers_on(torch.device("cpu"))
        found = compared(problem, options.candidates, options.packs, cores)
        document["data"][Path(data).stem] = found
        if not options.json:
            same = "the same bits" if found["same"] else "OTHER NUMBERS"
            gain = f"× {found['wall']:.2f} (processor seconds × {found['processor']:.2f})"
            rate = f"{found['candidates_per_second']:.1f} candidates/s on {cores} cores"
            print(f"{Path(data).stem}: {rate}, {gain}, {same}")
    if options.json:
        print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
