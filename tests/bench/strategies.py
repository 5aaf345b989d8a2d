"""What a strategy costs per candidate, once many candidates are known.

    python tests/bench/strategies.py [--candidates 10000] [--json]

Prints, per strategy, the median milliseconds of ask + tell per candidate in packs of 64 and one by one, on the tabular
space of a data set with 30 features, after ``--candidates`` evaluations. Evaluations are synthetic and not timed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from nas_core.data import load_data
from nas_core.data.problem import Problem
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.preferences import Preference
from nas_core.records import Evaluation, Proposal
from nas_core.search import STRATEGIES, make_strategy
from nas_core.spaces.space import SearchSpace


class _Never:
    def is_set(self) -> bool:
        return False


def measure(name: str, problem: Problem, space: SearchSpace, candidates: int) -> dict[str, float]:
    """Return milliseconds per candidate of one strategy."""
    evaluator = SyntheticEvaluator(space)
    strategy = make_strategy(
        name, space, seed=0, preference=Preference(), objective=problem.objective, hints=problem.hints
    )

    def evaluate(proposals: list[Proposal]) -> list[Evaluation]:
        return list(evaluator.evaluate(proposals, stop=_Never()))

    def timed(n: int) -> float:
        start = time.perf_counter()
        proposals = strategy.ask(n)
        asked = time.perf_counter() - start
        told = evaluate(proposals)
        start = time.perf_counter()
        strategy.tell(told)
        return 1e3 * (asked + time.perf_counter() - start) / n

    known = 0
    while known < candidates:
        proposals = strategy.ask(min(512, candidates - known))
        strategy.tell(evaluate(proposals))
        known += len(proposals)
    return {
        "pack_ms": round(statistics.median(timed(64) for _ in range(9)), 3),
        "single_ms": round(statistics.median(timed(1) for _ in range(51)), 3),
        "state_kilobytes": round(len(json.dumps(strategy.state())) / 1e3, 2),
    }


def main() -> None:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    problem = Problem.create(load_data("breast_cancer"))
    space = SearchSpace.for_problem(problem)
    figures = {name: measure(name, problem, space, options.candidates) for name in STRATEGIES}
    if options.json:
        print(json.dumps({"candidates": options.candidates, "strategies": figures}))
        return
    for name, values in figures.items():
        print(name, *(f"{key} {value}" for key, value in values.items()), sep="  ")


if __name__ == "__main__":
    main()
