"""How fast fronts, goals and chances are, beside a naive front and Optuna's own sort, in one process.

    python tests/bench/fronts.py [--candidates 10000] [--json]

Prints milliseconds, the smallest of several, as other work only adds to them: the front and the front numbers of n
candidates with two and three losses, a ranking under two goals, who wins at which λ, the knee, the unsupported points,
and P(on the front). Beside the fronts: a plain O(n²) comparison in numpy, and ``optuna.study._multi_objective``. All
are checked to agree.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

import numpy as np
from optuna.study._multi_objective import _fast_non_domination_rank, _is_pareto_front
from rerank import evaluations

from nas_core.objectives import metric_objective
from nas_core.preferences import Goal, Preference
from nas_core.search import Archive, knee, non_dominated, quick_chances, ranks, unsupported

GOALS = (Goal(name="performance", value=0.95), Goal(name="feature_parsimony", value=0.5))


def naive(losses: np.ndarray) -> np.ndarray:
    """Return the front mask (n,): every row is compared with all others."""
    kept = np.ones(len(losses), dtype=bool)
    for at, row in enumerate(losses):
        kept[at] = not ((losses <= row).all(axis=1) & (losses < row).any(axis=1)).any()
    return kept


def naive_ranks(losses: np.ndarray) -> np.ndarray:
    """Return front numbers (n,): the fronts are peeled off one after the other."""
    found, left, front = np.full(len(losses), -1), np.arange(len(losses)), 0
    while len(left):
        kept = naive(losses[left])
        found[left[kept]], left, front = front, left[~kept], front + 1
    return found


def least_ms(work: Callable[[], object], repeats: int) -> float:
    """Return the smallest of several times of ``work`` in milliseconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(1e3 * (time.perf_counter() - start))
    return min(times)


def fronts(n: int, m: int) -> dict[str, float]:
    """Return the figures of n random candidates with m losses."""
    losses = np.random.default_rng(0).random((n, m))
    small = losses[: min(n, 1000)]  # the naive sort of all would take minutes
    assert (non_dominated(losses) == naive(losses)).all()
    assert (non_dominated(losses) == _is_pareto_front(losses, assume_unique_lexsorted=False)).all()
    assert (ranks(small) == naive_ranks(small)).all()
    assert (ranks(losses) == _fast_non_domination_rank(losses)).all()
    front, numbers = least_ms(lambda: non_dominated(losses), 11), least_ms(lambda: ranks(losses), 5)
    plain = least_ms(lambda: naive(losses), 1)
    other = least_ms(lambda: _is_pareto_front(losses, assume_unique_lexsorted=False), 3)
    other_numbers = least_ms(lambda: _fast_non_domination_rank(losses), 1)
    few, few_plain = least_ms(lambda: ranks(small), 5), least_ms(lambda: naive_ranks(small), 1)
    return {
        "front_ms": front, "front_naive_ms": plain, "front_optuna_ms": other,
        "front_ratio_naive": plain / front, "front_ratio_optuna": other / front,
        "ranks_ms": numbers, "ranks_optuna_ms": other_numbers, "ranks_ratio_optuna": other_numbers / numbers,
        "ranks_of_1000_ms": few, "ranks_of_1000_ratio_naive": few_plain / few,
        "front_and_ranks_ms": front + numbers,
    }  # fmt: skip


def rankings(n: int) -> dict[str, float]:
    """Return the figures of an archive of n candidates."""
    archive = Archive(metric_objective("roc_auc"))
    snapshot = archive.add(evaluations(n))
    wish, free = Preference(goals=GOALS), Preference()
    ranking = snapshot.rank(wish)
    return {
        "rank_ms": least_ms(lambda: snapshot.rank(free), 11),
        "rank_with_goals_ms": least_ms(lambda: snapshot.rank(wish), 11),
        "winners_with_goals_ms": least_ms(ranking.winners, 11),
        "knee_ms": least_ms(lambda: knee(ranking.losses), 11),
        "unsupported_ms": least_ms(lambda: unsupported(ranking.losses), 11),
        "chances_ms": least_ms(lambda: quick_chances(snapshot, free), 3),
        "meet_the_goals": int(ranking.meets.sum()),
    }


def main() -> None:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = {f"{m}_losses": fronts(options.candidates, m) for m in (2, 3)} | {"archive": rankings(options.candidates)}
    if options.json:
        print(json.dumps({"candidates": options.candidates, **found}))
        return
    for name, figures in found.items():
        print(name.replace("_", " "))
        print(*(f"{figure:>28}  {value:,.2f}" for figure, value in figures.items()), sep="\n")


if __name__ == "__main__":
    main()
