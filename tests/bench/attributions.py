"""How long every explainer takes, and whether the exact ones are what they say: 30 features, breast cancer.

    python tests/bench/attributions.py [--rows 64] [--background 20] [--json]

First the exact SHAP values of 100 rows of a network of 30 functions of one feature each, against 100 background rows,
encoding included, beside the ``shap`` library: its Exact explainer where the coalitions can be enumerated (10
features), one order of its Permutation explainer, which is exact where features do not interact (30), and
``KernelExplainer`` as people call it, timed on a few rows. Then the seconds until the first answer of every explainer
on the same rows of an additive and of a dense network. The library is imported before anything is timed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
import warnings
from pathlib import Path
from typing import Any

sys.path.remove(str(Path(__file__).resolve().parent))  # names in this folder must not hide those of libraries
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "explanations"))

import numpy as np
from toy_candidates import candidate_of

from nas_core import EXPLAINERS, Problem, load_data
from nas_core.explanations import TrainedCandidate

KERNEL_ROWS = 2


def additive(problem: Problem, features: int) -> TrainedCandidate:
    """Return a network of one function of each of the first features."""
    return candidate_of(problem, *((j,) for j in range(features)), width=16, activation="relu")


def exact(problem: Problem, repeats: int = 15) -> dict[str, float]:
    """Return the milliseconds of exact group SHAP, its distance from the library, and the library's time over its."""
    import shap

    rows, background = problem.valid.raw[:100], problem.train.raw[:100]
    wide, narrow = additive(problem, 30), additive(problem, 10)
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        ours = next(EXPLAINERS["group_shap"].refine(wide, rows, background))
        times.append(time.perf_counter() - started)
    few, against = rows[:10], background[:20]
    small = next(EXPLAINERS["group_shap"].refine(narrow, few, against)).values
    enumerated = next(EXPLAINERS["shap_exact"].refine(narrow, few, against)).values
    whole = next(EXPLAINERS["group_shap"].refine(wide, few, against)).values
    ordered = next(EXPLAINERS["shap_permutation"].refine(wide, few, against)).values
    started = time.perf_counter()
    kernel = shap.KernelExplainer(wide.predict, background).shap_values(rows[:KERNEL_ROWS], silent=True, l1_reg=False)
    per_row = (time.perf_counter() - started) / KERNEL_ROWS
    return {
        "milliseconds": 1000 * statistics.median(times), "best_milliseconds": 1000 * min(times),
        "from_exact": float(np.abs(small - enumerated).max()), "from_permutation": float(np.abs(whole - ordered).max()),
        "from_kernel": float(np.abs(ours.values[:KERNEL_ROWS] - np.asarray(kernel)).max()),
        "kernel_seconds": 100 * per_row, "ratio_to_kernel": 100 * per_row / statistics.median(times),
    }  # fmt: skip


def first_answers(candidate: TrainedCandidate, rows: int, against: int) -> dict[str, dict[str, Any]]:
    """Return for every explainer the seconds until its first answer, what it misses and how near it is."""
    raw, background = candidate.problem.valid.raw[:rows], candidate.problem.train.raw[:against]
    found: dict[str, dict[str, Any]] = {}
    for name, explainer in EXPLAINERS.items():
        verdict = explainer.applies_to(candidate)
        if not verdict.ok:
            if isinstance(candidate, explainer.explains):
                found[name] = {"reason": verdict.reason}
            continue
        started = time.perf_counter()
        first = next(explainer.refine(candidate, raw, background))
        share = first.residual / first.scale if first.additive and first.scale else None
        found[name] = {
            "seconds": time.perf_counter() - started, "missing": share,
            "margin": first.margin / first.scale if first.scale else 0.0,
        }  # fmt: skip
    return found


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--background", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import captum.attr  # noqa: F401
        import shap  # noqa: F401
    problem = Problem.create(load_data("breast_cancer"))
    networks = {"additive": additive(problem, 30),
                "dense": candidate_of(problem, tuple(range(30)), width=16, activation="relu")}  # fmt: skip
    report: dict[str, Any] = {
        "rows": given.rows, "background": given.background, "exact": exact(problem),
        "first_answer": {name: first_answers(c, given.rows, given.background) for name, c in networks.items()},
    }  # fmt: skip
    if given.json:
        print(json.dumps(report, indent=1))
        return
    told = report["exact"]
    print(f"exact group SHAP, 100 rows, 30 features, 100 background rows: {told['milliseconds']:.1f} ms (asked: < 50)")
    print(f"  from shap's Exact {told['from_exact']:.1e} (10 features; asked: 1e-5), "
          f"from its Permutation {told['from_permutation']:.1e} (30 features)")  # fmt: skip
    print(f"  shap's KernelExplainer {told['kernel_seconds']:.0f} s: {told['ratio_to_kernel']:,.0f} times as long")
    print(f"first answer, {given.rows} rows, 30 features, {given.background} background rows")
    for network, found in report["first_answer"].items():
        print(f"  {network}")
        for name, one in found.items():
            if "reason" in one:
                print(f"    {name:22s} does not apply: {one['reason']}")
                continue
            missing = "not additive" if one["missing"] is None else f"misses {one['missing']:.0e}"
            print(f"    {name:22s} {one['seconds']:8.3f} s   {missing}, ± {100 * one['margin']:.1f} %")


if __name__ == "__main__":
    main()
