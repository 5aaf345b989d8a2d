"""How many candidates a second: one pack against one Lightning fit at a time and against a plain loop.

    python tests/bench/packs.py [--data breast_cancer] [--candidates 64] [--repeats 3] [--json]

Same candidates, data, batches per epoch and early stopping on all three sides, in one process, side by side; ratios are
medians over the repeats, each of which draws other candidates. Then one search of 300 candidates, measures included.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

import numpy as np
import torch
from one_at_a_time import lightning_fit, plain_fit

from nas_core import InMemoryStore, Problem, RunSettings, SearchSpace, load_data, start_run
from nas_core.records import Architecture, derive_seed
from nas_core.training.fit import PackItem, train_pack


def clock(work: list[Architecture], fit: object) -> float:
    """Return the seconds that ``fit`` takes for all architectures of ``work``."""
    began = time.perf_counter()
    for architecture in work:
        fit(architecture)
    return time.perf_counter() - began


def side_by_side(problem: Problem, space: SearchSpace, K: int, seed: int) -> dict[str, float]:
    """Train the same K candidates in three ways and return the seconds of each."""
    rng = np.random.default_rng(seed)
    work = [space.sample(rng, problem.hints) for _ in range(K)]
    items = [PackItem(a, derive_seed(seed, a.id)) for a in work]
    began = time.perf_counter()
    train_pack(problem, space, items)
    pack = time.perf_counter() - began
    plain = clock(work, lambda a: plain_fit(problem, a, derive_seed(seed, a.id)))
    lightning = clock(work, lambda a: lightning_fit(problem, a, derive_seed(seed, a.id)))
    return {"pack": pack, "plain": plain, "lightning": lightning}


def search(problem: Problem, space: SearchSpace, candidates: int) -> dict[str, float]:
    """Run one search with the default strategy and return its seconds by phase."""
    began = time.perf_counter()
    run = start_run(InMemoryStore(), problem, space, RunSettings(candidates=candidates, seed=0))
    run.wait()
    seconds = dict(run.snapshot().progress.seconds)
    return {"total": time.perf_counter() - began, **seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="breast_cancer")
    parser.add_argument("--candidates", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--search", type=int, default=300, help="candidates of the search")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    problem = Problem.create(load_data(options.data))
    space = SearchSpace.for_problem(problem)
    side_by_side(problem, space, 2, seed=99)  # first use of every path: imports, thread pools
    rows = [side_by_side(problem, space, options.candidates, seed) for seed in range(options.repeats)]
    phases = search(problem, space, options.search)
    result = {
        "data": options.data,
        "candidates": options.candidates,
        "repeats": options.repeats,
        "threads": torch.get_num_threads(),
        "speedup_vs_lightning": statistics.median(r["lightning"] / r["pack"] for r in rows),
        "speedup_vs_plain_loop": statistics.median(r["plain"] / r["pack"] for r in rows),
        "candidates_per_second": statistics.median(options.candidates / r["pack"] for r in rows),
        "seconds": rows,
        "search_candidates": options.search,
        "search_seconds": phases["total"],
        "search_phases": phases,
        "measure_share": phases["measure"] / phases["train"],
    }
    if options.json:
        print(json.dumps(result, indent=1))
        return
    print(f"{options.data}, {options.candidates} candidates, medians of {options.repeats}")
    print(f"  pack                {result['candidates_per_second']:8.1f} candidates/s")
    print(f"  vs plain loop       {result['speedup_vs_plain_loop']:8.1f} ×")
    print(f"  vs Lightning fits   {result['speedup_vs_lightning']:8.1f} ×")
    share = 100 * result["measure_share"]
    print(f"  search of {options.search}: {phases['total']:.1f} s, measures / training {share:.1f} %")


if __name__ == "__main__":
    main()
