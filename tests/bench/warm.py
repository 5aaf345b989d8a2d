"""What a warm start saves: candidates needed for the hypervolume that a cold run ends with.

    python tests/bench/warm.py [--data breast_cancer] [--candidates 500] [--seeds 3] [--strategy nsga2] [--source 1]
        [--json]

The earlier run has another search seed and, by default, another split of the rows (``--source 1``; 0 for the same
rows). Then, for each seed, a cold run and a warm one on split seed 0, with the same seed. ``to reach`` counts
candidates, those of the warm start included; "never" where the warm run ends below. The hypervolume is that of the
losses of the search, reference 1.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from nas_core import InMemoryStore, Problem, RunSettings, SearchSpace, follow, load_data, start_run

EARLY = (32, 64, 128, 256)


def curve(store: InMemoryStore, problem: Problem, settings: RunSettings, warm: list[str]) -> tuple[str, np.ndarray]:
    """Return the id of a finished run and its hypervolume after each candidate."""
    run = start_run(store, problem, SearchSpace.for_problem(problem), settings, warm=warm)
    run.wait()
    return run.id, follow(store, run.id).archive.hypervolume_curve()


def reached(volumes: np.ndarray, target: float) -> int | None:
    """Return after how many candidates a curve has reached ``target``, None when it never does."""
    at = np.flatnonzero(volumes >= target)
    return int(at[0]) + 1 if len(at) else None


def compared(store: InMemoryStore, problem: Problem, settings: RunSettings, source: str) -> dict[str, Any]:
    """Return what a cold and a warm run with the same settings reach."""
    _, cold = curve(store, problem, settings, [])
    _, warm = curve(store, problem, settings, [source])
    target = float(cold[-1])
    return {
        "seed": settings.seed,
        "cold": target,
        "warm": float(warm[-1]),
        "cold_needs": reached(cold, target),
        "warm_needs": reached(warm, target),
        "cold_early": {n: float(cold[n - 1]) for n in EARLY if n <= len(cold)},
        "warm_early": {n: float(warm[n - 1]) for n in EARLY if n <= len(warm)},
    }


def main() -> None:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="breast_cancer")
    parser.add_argument("--candidates", type=int, default=500)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--strategy", default="nsga2")
    parser.add_argument("--source", type=int, default=1, help="split seed of the earlier run")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    began, store, data = time.perf_counter(), InMemoryStore(), load_data(options.data)
    settings = RunSettings(strategy=options.strategy, candidates=options.candidates)
    source, volumes = curve(
        store, Problem.create(data, seed=options.source), settings.model_copy(update={"seed": 100}), []
    )
    problem = Problem.create(data)
    rows = [compared(store, problem, settings.model_copy(update={"seed": s}), source) for s in range(options.seeds)]
    result = {"data": options.data, "source_split": options.source, "strategy": options.strategy,
              "candidates": options.candidates, "source": float(volumes[-1]), "runs": rows,
              "seconds": time.perf_counter() - began}  # fmt: skip
    if options.json:
        print(json.dumps(result, indent=1))
        return
    print(
        f"{options.data}, {options.strategy}, {options.candidates} candidates; earlier run, split {options.source}: "
        f"{volumes[-1]:.4f}"
    )
    for row in rows:
        needs = row["warm_needs"] or "never"
        print(f"  seed {row['seed']}  cold {row['cold']:.4f}  warm {row['warm']:.4f}  "
              f"to reach {row['cold']:.4f}: cold {row['cold_needs']}, warm {needs}")  # fmt: skip
        for name in ("cold", "warm"):
            early = "  ".join(f"{n}: {volume:.4f}" for n, volume in row[f"{name}_early"].items())
            print(f"          {name} after  {early}")
    print(f"  {result['seconds']:.0f} s")


if __name__ == "__main__":
    main()
