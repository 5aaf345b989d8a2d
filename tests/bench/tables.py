"""Every strategy on every made table: does the order hold that a user may expect?

    python tests/bench/tables.py [--trials 150] [--tables cells,mixed] [--strategies …] [--workers 2] [--json]

Per table and strategy: mean and standard error of what is reported, and seconds per 500 trials on one core. Per table
the z-scores of local_search > regularised_evolution > random, and of the best strategy > local_search.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from made_table import VARIANTS

from nas_core.evaluation.recorded import RecordedTable
from nas_core.runs.benchmark import Replay, replay
from nas_core.search import STRATEGIES

ORDER = ("local_search", "regularised_evolution", "random")


def compare(
    name: str, strategies: Sequence[str], *, trials: int, budget: int, workers: int, seed: int
) -> dict[str, Any]:
    """Return what each strategy reached on one table, and by how many standard errors the wished order holds."""
    variant = VARIANTS[name]
    table = RecordedTable(variant.make(seed), variant.variables, "searched", "reported", minimise=variant.minimise)
    found = {r.strategy: r for r in replay(table, strategies, budget=budget, trials=trials, workers=workers, seed=seed)}
    sign = -1.0 if variant.minimise else 1.0
    figures = {
        key: {"mean": r.mean, "se": r.standard_error, "seconds_per_500": 500.0 * r.seconds / trials}
        for key, r in found.items()
    }
    pairs = [(a, b) for a, b in itertools.pairwise(ORDER) if a in found and b in found]
    others = [r for key, r in found.items() if key not in ORDER]
    if others and "local_search" in found:
        pairs.append((max(others, key=lambda r: sign * r.mean).strategy, "local_search"))
    scores = {f"{a} > {b}": sign * _z(found[a], found[b]) for a, b in pairs}
    return {"best": float((sign * table.reported).max() * sign), "strategies": figures, "z": scores}


def _z(one: Replay, two: Replay) -> float:
    error = (one.standard_error**2 + two.standard_error**2) ** 0.5
    return (one.mean - two.mean) / error if error else 0.0


def main() -> None:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=150)
    parser.add_argument("--budget", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0, help="of the tables and of the trials")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--tables", default=",".join(VARIANTS))
    parser.add_argument("--strategies", default=",".join(STRATEGIES))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found: dict[str, Any] = {}
    for name in options.tables.split(","):
        found[name] = compare(
            name, options.strategies.split(","), trials=options.trials, budget=options.budget, workers=options.workers,
            seed=options.seed,
        )  # fmt: skip
        if not options.json:
            _print(name, found[name])
    if options.json:
        print(json.dumps({"trials": options.trials, "budget": options.budget, "seed": options.seed, "tables": found}))


def _print(name: str, found: dict[str, Any]) -> None:
    means = "  ".join(f"{key} {v['mean']:.3f}±{v['se']:.3f}" for key, v in found["strategies"].items())
    scores = "  ".join(f"{pair}: {z:.1f}" for pair, z in found["z"].items())
    print(f"{name} (best {found['best']:.3f})\n  {means}\n  {scores}", flush=True)


if __name__ == "__main__":
    main()
