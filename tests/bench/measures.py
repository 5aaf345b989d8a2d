"""What measuring costs beside training: the share of every measure, for packs as a search trains them.

    python tests/bench/measures.py [--data breast_cancer,diabetes,wine] [--candidates 50] [--repeats 3] [--json]
    python tests/bench/measures.py --data digits_images --family image --preset lenet --candidates 10

One thread, seconds of this process alone, so that other work on the machine does not count. Every measure is taken on a
fresh context, so each has to pay for what it needs; what several share (the accumulated effects, the trees, networks
prepared for many predictions) is counted apart and once, and what all candidates of a problem share is made before.
Shares are medians over the repeats, each of which draws other candidates. Last, the ratio of the plain search for the
segments of a curve to the one by prefix sums.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nas_core import Problem, SearchSpace, load_data
from nas_core.data.measured import MEASURED
from nas_core.interpretability import MEASURES, MeasureContext
from nas_core.interpretability.complexity import curve_complexity
from nas_core.records import derive_seed
from nas_core.spaces import facts
from nas_core.training.fit import PackItem, train_pack

sys.path.append(str(Path(__file__).resolve().parent.parent / "interpretability"))

FROM_STRUCTURE = ("feature_parsimony", "interaction_sparsity", "monotone_share", "operation_economy")
OF_TABLES: dict[str, Callable[[MeasureContext], object]] = {
    "(rows, outputs)": lambda c: (c.rows, c.row_outputs),
    "(accumulated effects)": lambda c: c.effects,
    "(trees)": lambda c: c.trees,
}
OF_SIGNALS: dict[str, Callable[[MeasureContext], object]] = {
    "(networks)": lambda c: [c.quick_network(k) for k in range(len(c.facts))],
}


def clocked(work: Callable[[], object]) -> float:
    """Return the processor seconds that ``work`` takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


def one_pack(problem: Problem, space: SearchSpace, K: int, seed: int) -> dict[str, float]:
    """Return the seconds of training one pack, of what measures share, and of each measure."""
    rng = np.random.default_rng(seed)
    work = [space.sample(rng, problem.hints) for _ in range(K)]
    items = [PackItem(a, derive_seed(seed, a.id)) for a in work]
    trained: list[Any] = []
    seconds = {"training": clocked(lambda: trained.append(train_pack(problem, space, items)))}
    known = [facts(space, a) for a in work]

    def fresh() -> MeasureContext:
        return MeasureContext(space, work, known, problem, trained[0].pack)

    prepared = fresh()
    shared = OF_TABLES if space.signal is None else OF_SIGNALS
    for name, part in shared.items():
        seconds[name] = clocked(partial(part, prepared))
    for name, measure in MEASURES.items():
        if not measure.applies_to(prepared).ok:
            continue
        # Where it reads what is shared, that is there already; its own attributions and fits are not.
        context = fresh()
        for part in shared.values():
            part(context)
        seconds[name] = clocked(partial(measure.score, context))
    return seconds


def shares(rows: list[dict[str, float]]) -> dict[str, float]:
    """Return the median share of the training of each."""
    return {name: statistics.median(r[name] / r["training"] for r in rows) for name in rows[0] if name != "training"}


def segments_ratio(curves: int = 40, borders: int = 101) -> dict[str, float]:
    """Return how long both searches for segments take per curve, in milliseconds, and their ratio."""
    from slow_complexity import slow_complexity

    rng = np.random.default_rng(0)
    x = np.tile(np.linspace(-1, 1, borders), (curves, 1))
    y = np.cumsum(rng.normal(size=x.shape), axis=1)
    w = np.ones_like(x)
    found: list[np.ndarray] = []
    fast = min(clocked(lambda: found.append(curve_complexity(x, y, w))) for _ in range(5))
    told: list[int] = []
    slow = clocked(lambda: told.extend(slow_complexity(*row)[0] for row in zip(x, y, w)))
    assert found[0].tolist() == told
    return {"fast_ms": 1e3 * fast / curves, "slow_ms": 1e3 * slow / curves, "ratio": slow / fast}


def measured(data: str, family: str | None, preset: str, candidates: int, repeats: int) -> dict[str, Any]:
    """Return the shares of all measures for one data set, and of the default and the structural ones together."""
    problem = Problem.create(load_data(data))
    space = SearchSpace.for_problem(problem, preset, family)
    one_pack(problem, space, 2, seed=99)  # first use of every path: imports, thread pools
    found = [one_pack(problem, space, candidates, seed) for seed in range(repeats)]
    share = shares(found)
    default = [name for name in share if name in MEASURED[problem.dataset.modality] or name.startswith("(")]
    return {
        "data": data,
        "rows": [len(problem.train), len(problem.valid)],
        "features": problem.P,
        "outputs": problem.C,
        "training_ms_per_candidate": statistics.median(1e3 * r["training"] / candidates for r in found),
        "share": share,
        "read_off_the_architecture": sum(share[name] for name in FROM_STRUCTURE if name in share),
        "default": sum(share[name] for name in default),
        "default_ms_per_candidate": statistics.median(
            1e3 * sum(r[name] for name in default) / candidates for r in found
        ),
        "measured_by_default": default,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="breast_cancer,diabetes,wine")
    parser.add_argument("--family", default=None)
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--candidates", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    sets = [
        measured(data, options.family, options.preset, options.candidates, options.repeats)
        for data in options.data.split(",")
    ]
    result = {"candidates": options.candidates, "repeats": options.repeats, "data": sets, "segments": segments_ratio()}
    if options.json:
        print(json.dumps(result, indent=1))
        return
    for one in sets:
        size = f"{one['rows'][0]} + {one['rows'][1]} rows, {one['features']} features, {one['outputs']} outputs"
        print(f"{one['data']} ({size}): training {one['training_ms_per_candidate']:.1f} ms per candidate")
        for name, share in one["share"].items():
            mark = "*" if name in one["measured_by_default"] else " "
            print(f"  {mark} {name:26s} {100 * share:7.2f} %")
        print(f"    read off the architecture  {100 * one['read_off_the_architecture']:7.2f} %")
        print(
            f"    all default measures (*)   {100 * one['default']:7.2f} %, with what they share: "
            f"{one['default_ms_per_candidate']:.1f} ms per candidate"
        )
    print(
        "segments of a curve: {fast_ms:.3f} ms, plain search {slow_ms:.1f} ms, × {ratio:.0f}".format(
            **result["segments"]
        )
    )


if __name__ == "__main__":
    main()
