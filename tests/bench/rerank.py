"""How long a move of the λ slider takes: ranking every stored candidate again.

    python tests/bench/rerank.py [--candidates 10000] [--json]

Prints medians: milliseconds of ``Archive.rank``, of a plain Python loop that does the same, their ratio, and the
milliseconds of the who-wins intervals. The two are checked to agree on the best candidate and on the front.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

import numpy as np

from nas_core.objectives import metric_objective
from nas_core.preferences import STRUCTURE_MEASURES, Preference
from nas_core.records import Architecture, Estimate, Evaluation, Measurement, Status
from nas_core.search import Archive, winners


def evaluations(n: int) -> list[Evaluation]:
    """Random candidates with a trade-off: the more interpretable, the less accurate."""
    rng = np.random.default_rng(0)
    found = []
    for k in range(n):
        scores = rng.random(len(STRUCTURE_MEASURES))
        value = float(np.clip(0.99 - 0.1 * scores.mean() ** 3 - rng.exponential(0.05), 0.0, 1.0))
        architecture = Architecture(family="bench", values={"k": k})
        found.append(
            Evaluation(
                id=architecture.id,
                architecture=architecture,
                status=Status.DONE,
                performance=Estimate(value=value, low=value, high=value),
                measures={name: Measurement(value=float(s)) for name, s in zip(STRUCTURE_MEASURES, scores)},
            )
        )
    return found


def naive(told: list[Evaluation], preference: Preference) -> tuple[str, set[str]]:
    """Rank in plain Python; return the identity of the best and those on the front."""
    rows = []
    for e in told:
        logs = [
            math.log((0.01 + (e.measures[name].value or 0.0)) / 1.01) / len(STRUCTURE_MEASURES)
            for name in STRUCTURE_MEASURES
        ]
        rows.append((1.0 - e.performance.value if e.performance else 1.0, 1.0 - math.exp(sum(logs)), e.id))
    front: list[tuple[float, float, str]] = []
    for row in sorted(rows):
        if not front or row[1] < front[-1][1]:
            front.append(row)
    best_a, best_b = front[0][0], front[-1][1]
    span_a, span_b = front[-1][0] - best_a or 1.0, front[0][1] - best_b or 1.0
    scored = []
    for a, b, key in rows:
        one = (1.0 - preference.weight) * (a - best_a) / span_a
        two = preference.weight * (b - best_b) / span_b
        scored.append((max(one, two) + 0.05 * (one + two), key))
    return sorted(scored)[0][1], {key for _, _, key in front}


def median_ms(work: Callable[[Preference], object], repeats: int) -> float:
    times = []
    for k in range(repeats):
        preference = Preference(weight=(k + 0.5) / repeats)
        start = time.perf_counter()
        work(preference)
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def main() -> None:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    told, archive = evaluations(options.candidates), Archive(metric_objective("roc_auc"))
    archive.add(told)
    for weight in (0.1, 0.5, 0.9):
        ranking, ids = archive.rank(Preference(weight=weight)), archive.snapshot().ids
        best, front = naive(told, Preference(weight=weight))
        assert ranking.best is not None
        assert (ids[ranking.best], {ids[at] for at in np.flatnonzero(ranking.on_front)}) == (best, front)
    fast, slow = median_ms(archive.rank, 21), median_ms(lambda p: naive(told, p), 5)
    losses = archive.rank(Preference()).losses
    figures = {
        "candidates": options.candidates,
        "rank_ms": round(fast, 2),
        "naive_ms": round(slow, 2),
        "ratio_naive_to_rank": round(slow / fast, 1),
        "winners_ms": round(median_ms(lambda _: winners(losses), 11), 2),
        "front": int(archive.rank(Preference()).on_front.sum()),
    }
    print(json.dumps(figures) if options.json else "\n".join(f"{name:>20}  {value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
