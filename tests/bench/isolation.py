"""What isolation costs: processor seconds of packs trained in a process of their own, and of the same ones without.

    python tests/bench/isolation.py [--data breast_cancer] [--pack 32] [--repeats 5] [--json]

The same packs are evaluated in turns by a worker that lives and in this process; ``ratio`` is the median of their
ratios, the seconds of both processes counted. ``start`` is what a worker needs before it trains anything, once a run;
``ratio_500`` adds it to a run of 500 candidates. ``same`` says that both found the same numbers. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from nas_core import Problem, SearchSpace, load_data
from nas_core.evaluation.base import Evaluator
from nas_core.evaluation.isolation.evaluator import IsolatedEvaluator
from nas_core.evaluation.isolation.recipes import PackRecipe
from nas_core.evaluation.packs import PackEvaluator
from nas_core.records import Proposal

CLOCKS = {"finished": True, "revision": True, "weights": True, "cost": {"seconds"}}
RUN = 500


def spent(worker: int | None) -> float:
    """Return the processor seconds of this process and of the worker with this number."""
    own = os.times()
    if worker is None:
        return own.user + own.system
    fields = Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()
    return own.user + own.system + sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def evaluated(evaluator: Evaluator, pack: list[Proposal], worker: int | None) -> tuple[float, list[dict[str, Any]]]:
    """Return the processor seconds of a pack and the numbers that were found."""
    before = spent(worker)
    found = [e.model_dump(exclude=CLOCKS) for e in evaluator.evaluate(pack, stop=threading.Event())]
    evaluator.take_weights()
    return spent(worker) - before, sorted(found, key=lambda e: str(e["id"]))


def compared(problem: Problem, space: SearchSpace, size: int, repeats: int) -> dict[str, Any]:
    """Evaluate packs both ways, in turns, and return the ratios."""
    rng = np.random.default_rng(0)
    packs = [[Proposal(architecture=space.sample(rng, problem.hints)) for _ in range(size)] for _ in range(repeats)]
    plain = PackEvaluator(problem, space, device="cpu")
    recipe = PackRecipe(problem=problem.spec.model_dump(mode="json"), space=space.model_dump(mode="json"), device="cpu")
    apart = IsolatedEvaluator(recipe)
    try:
        before = spent(None)
        worker = apart.prepare(threading.Event())
        assert worker is not None  # nobody stops it
        start = spent(worker.pid) - before
        ways: list[tuple[str, Evaluator, int | None]] = [("plain", plain, None), ("apart", apart, worker.pid)]
        for _, evaluator, pid in ways:  # the first use of every path
            evaluated(evaluator, packs[0][:2], pid)
        seconds: dict[str, list[float]] = {"plain": [], "apart": []}
        same = True
        for number, pack in enumerate(packs):
            found = {}
            for name, evaluator, pid in ways if number % 2 else ways[::-1]:
                took, found[name] = evaluated(evaluator, pack, pid)
                seconds[name].append(took)
            same &= found["plain"] == found["apart"]
    finally:
        apart.close()
    ratios = [a / p for a, p in zip(seconds["apart"], seconds["plain"], strict=True)]
    ratio, each = statistics.median(ratios), statistics.median(seconds["plain"]) / size
    return {
        "pack": size, "cpu_plain": seconds["plain"], "cpu_isolated": seconds["apart"], "start": start, "ratio": ratio,
        "ratio_500": ratio + start / (RUN * each), "same": same,
    }  # fmt: skip


def main() -> None:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="breast_cancer")
    parser.add_argument("--pack", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    problem = Problem.create(load_data(options.data))
    result = compared(problem, SearchSpace.for_problem(problem), options.pack, options.repeats)
    if options.json:
        print(json.dumps({"data": options.data, **result}))
        return
    for name, value in result.items():
        print(f"{name:>14}  {value:.3f}" if isinstance(value, float) else f"{name:>14}  {value}")


if __name__ == "__main__":
    main()
