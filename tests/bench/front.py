"""What a search reaches: the hypervolume of the validation front beside the trivial floors.

    python tests/bench/front.py [--data breast_cancer] [--candidates 500] [--seed 0] [--json]

Losses 1 − performance, NF, NI and NNM, each a share in [0, 1], reference point 1; with ROC AUC that is the same as
−AUC, NF, NI, NNM with reference (0, 1, 1, 1). The model without features counts, for the search and for the floors.
"""

from __future__ import annotations

import argparse
import json
import time

from nas_core import InMemoryStore, Problem, RunSettings, SearchSpace, follow, load_data, start_run, trivial_floors
from nas_core.runs.report import floors_document


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="breast_cancer")
    parser.add_argument("--candidates", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--strategy", default="nsga2")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    problem = Problem.create(load_data(options.data))
    space = SearchSpace.for_problem(problem)
    settings = RunSettings(strategy=options.strategy, candidates=options.candidates, seed=options.seed)
    began = time.perf_counter()
    run = start_run(InMemoryStore(), problem, space, settings)
    run.wait()
    seconds = time.perf_counter() - began
    found = follow(run.store, run.id).archive
    reached, floors = found.hypervolume(), floors_document(trivial_floors(problem))
    result = {
        "data": options.data,
        "strategy": options.strategy,
        "candidates": len(found),
        "seconds": seconds,
        "hypervolume": reached,
        "floors_hypervolume": floors["floors_hypervolume"],
        "loss_ratio": (1 - reached) / (1 - floors["floors_hypervolume"]),
        "floors": {name: floor["hypervolume"] for name, floor in floors["floors"].items()},
    }
    if options.json:
        print(json.dumps(result, indent=1))
        return
    print(f"{options.data}, {options.strategy}, {result['candidates']} candidates in {seconds:.1f} s")
    print(f"  hypervolume                   {reached:.4f}")
    for name, value in result["floors"].items():
        print(f"  floor {name:<23} {value:.4f}")
    print(f"  all floors together           {result['floors_hypervolume']:.4f}")
    print(f"  volume not reached, ratio     {result['loss_ratio']:.2f}  (search / floors, below 1 is better)")


if __name__ == "__main__":
    main()
