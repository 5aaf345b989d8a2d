"""Ours and Optuna at equal seconds: same data, split, space, recipe, measures, judge, losses and hypervolume.

    python tests/bench/versus_optuna.py [--data breast_cancer california digits digits_images] [--california FILE]
        [--seconds 60] [--seeds 3] [--strategy nsga2 bayesian] [--threads 2] [--json]

Ours is a run as ``start_run`` makes it. Optuna's ``NSGAIISampler`` and ``TPESampler`` drive one PyTorch Lightning fit
at a time (``optuna_study``, ``one_fit``). ``california`` is the CSV file of California housing at ``--california``.

Every search is a process of its own, one after the other, so that none disturbs another. Its clock starts when
everything is imported, has been used once on other data, and the data are read and split; what is finished later than
``--seconds`` does not count. Both sides may use all processor cores, or ``--threads`` of them: ours trains tables on
one and images on each; Optuna's fits get one thread or all, whichever was faster on two candidates before its clock.

The hypervolume is that of performance and search measures, each a loss in [0, 1], reference point 1, over the floor of
the model without features. The ratio is ``--seconds`` over the seconds that ours needed to the final hypervolume of
Optuna's sampler: how many times as long Optuna takes to get there. Higher is better, below 1 ours did not get there.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from nas_core import Archive, InMemoryStore, Problem, RunSettings, SearchSpace, load_data, start_run
from nas_core.data.recipe import Recipe
from nas_core.records import Evaluation
from nas_core.search.registry import DEFAULT_STRATEGY, STRATEGIES

DATA = ("breast_cancer", "california", "digits", "digits_images")
OPTUNA = ("optuna nsga2", "optuna tpe")
CORES = os.cpu_count() or 1


def main() -> None:
    options = _options()
    if options.child:
        print(json.dumps(search(**json.loads(options.child))))
        return
    if "california" in options.data and not options.california:
        raise SystemExit("california is read from a file: add --california FILE, or choose others with --data")
    rows = []
    for data in options.data:
        for seed in range(options.seeds):
            rows.append(one_seed(data, seed, options))
            print(words_of_seed(rows[-1]), file=sys.stderr, flush=True)
    result = {
        "machine": machine(),
        "threads": options.threads,
        "seconds": options.seconds,
        "rows": rows,
        "summary": summary(rows),
    }
    print(json.dumps(result, indent=1) if options.json else words(result))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", choices=DATA, default=DATA)
    parser.add_argument("--california", default=None, metavar="FILE", help="the CSV file of California housing")
    parser.add_argument("--seconds", type=float, default=60.0, help="of every search")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--strategy", nargs="+", choices=list(STRATEGIES), default=[DEFAULT_STRATEGY], help="of ours")
    parser.add_argument("--halving", action="store_true", help="ours stops early what is almost surely dominated")
    parser.add_argument("--inherit", action="store_true", help="ours begins with the weights of the parent")
    parser.add_argument("--threads", type=int, default=CORES, help="that either side may use")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", default=None, help=argparse.SUPPRESS)
    return parser.parse_args()


def one_seed(data: str, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """Run all searches of one data set and seed, one after the other; return what each found and the ratios."""
    found = {}
    for name in (*options.strategy, *OPTUNA):
        asked = {
            "name": name, "data": data, "california": options.california, "seed": seed, "seconds": options.seconds,
            "threads": options.threads, "halving": options.halving, "inherit": options.inherit,
        }  # fmt: skip
        command = [sys.executable, str(Path(__file__).resolve()), "--child", json.dumps(asked)]
        environment = os.environ | {"OMP_NUM_THREADS": str(options.threads)}
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
        found[name] = json.loads(done.stdout.splitlines()[-1])
    ratios = {
        ours: {theirs: ratio(found[ours], found[theirs]["hypervolume"], options.seconds) for theirs in OPTUNA}
        for ours in options.strategy
    }
    return {"data": data, "seed": seed, "searches": found, "ratios": ratios}


def ratio(ours: dict[str, Any], wanted: float, seconds: float) -> dict[str, Any]:
    """Return the seconds after which ours had a hypervolume, and the ratio; 0 where it never had."""
    reached = next((at for at, volume in ours["curve"] if volume >= wanted), None)
    higher = ours["hypervolume"] > wanted
    return {"higher": higher, "reached": reached, "ratio": 0.0 if reached is None else seconds / reached}


def search(
    name: str, data: str, california: str | None, seed: int, seconds: float, threads: int, halving: bool, inherit: bool
) -> dict[str, Any]:
    """Search in this process and return the curve of the hypervolume over the seconds."""
    problem = problem_of(data, california)
    space = SearchSpace.for_problem(problem)
    used = None
    if name in OPTUNA:
        used = faster_threads(data, california, threads)
        by_optuna(*small_problem(data), name, seed=0, seconds=1e-3)  # one trial
        began, evaluations, other = by_optuna(problem, space, name, seed, seconds)
    else:
        settings = RunSettings(
            strategy=name, candidates=None, seconds=seconds, seed=seed, halving=halving, inherit=inherit
        )
        short, small = small_problem(data)
        start_run(InMemoryStore(), short, small, RunSettings(candidates=4, strategy=name)).wait()
        began, evaluations, other = by_us(problem, space, settings)
    in_time = [e for e in evaluations if e.finished - began <= seconds]
    archive = Archive(
        problem.objective, problem.spec.measures, baseline=problem.baseline, search=problem.spec.search_measures
    )
    floor = archive.hypervolume()
    archive.add(in_time)
    curve = [[e.finished - began, float(volume)] for e, volume in zip(in_time, archive.hypervolume_curve())]
    return {
        "candidates": len(in_time), "eligible": sum(e.eligible for e in in_time), "floor": floor,
        "hypervolume": curve[-1][1] if curve else floor, "curve": curve, "torch_threads": used, **other,
    }  # fmt: skip


def problem_of(data: str, california: str | None, recipe: Recipe | None = None) -> Problem:
    """Return the problem of a data set, read and split, encoded and with its bases worked out."""
    if data == "california":
        assert california is not None
        problem = Problem.create(load_data(california, target="median_house_value"), recipe=recipe)
    else:
        problem = Problem.create(load_data(data), recipe=recipe)
    problem.train.E, problem.valid.E, problem.baseline
    return problem


def by_us(
    problem: Problem, space: SearchSpace, settings: RunSettings
) -> tuple[float, list[Evaluation], dict[str, Any]]:
    """Run a search of this project; return when it began, its evaluations in the order of finishing, and its phases."""
    store, began = InMemoryStore(), time.time()
    run = start_run(store, problem, space, settings)
    run.wait()
    evaluations = sorted(store.evaluations(run.id), key=lambda e: (e.finished, e.index))
    return began, evaluations, {"phases": dict(run.snapshot().progress.seconds), "state": run.snapshot().record.reason}


def by_optuna(
    problem: Problem, space: SearchSpace, name: str, seed: int, seconds: float
) -> tuple[float, list[Evaluation], dict[str, Any]]:
    """Run a study of Optuna; the same of it, and how many trials were refused or had been evaluated before."""
    from optuna_study import Study

    study, began = Study(problem, space, name, seed), time.time()
    study.optimise(seconds)
    return began, list(study.found.values()), {"refused": study.refused, "repeated": study.repeated}


def small_problem(data: str) -> tuple[Problem, SearchSpace]:
    """Return other data of the same kind, on which everything is used once: imports, thread pools, first kernels."""
    problem = Problem.create(load_data("digits_images" if data == "digits_images" else "wine"))
    recipe = problem.spec.recipe.model_copy(update={"max_epochs": 5})
    problem = Problem.create(problem.dataset, recipe=recipe)
    return problem, SearchSpace.for_problem(problem)


def faster_threads(data: str, california: str | None, allowed: int) -> int:
    """Set and return the number of torch threads, one or all, with which two short fits by Lightning are faster."""
    import torch
    from one_fit import fit_one

    from nas_core.training.progress import PackItem

    recipe = problem_of(data, california).spec.recipe
    short = problem_of(data, california, recipe.model_copy(update={"max_epochs": 2}))
    space = SearchSpace.for_problem(short)
    rng = np.random.default_rng(0)
    items = [PackItem(space.sample(rng), 0) for _ in range(2)]
    fit_one(short, space, items[0])
    took = {}
    for threads in sorted({1, allowed}):
        torch.set_num_threads(threads)
        began = time.perf_counter()
        for item in items:
            fit_one(short, space, item)
        took[threads] = time.perf_counter() - began
    best = min(took, key=lambda threads: took[threads])
    torch.set_num_threads(best)
    return best


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    import optuna
    import pytorch_lightning
    import torch

    return {
        "cores": CORES, "processor": platform.processor() or platform.machine(), "python": platform.python_version(),
        "torch": torch.__version__, "pytorch_lightning": pytorch_lightning.__version__, "optuna": optuna.__version__,
        "load_before": os.getloadavg()[0],
    }  # fmt: skip


def summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return for every data set, strategy of ours and sampler of Optuna the medians over the seeds."""
    found = []
    for data in dict.fromkeys(row["data"] for row in rows):
        seeds = [row for row in rows if row["data"] == data]
        for ours, against in seeds[0]["ratios"].items():
            for theirs in against:
                pairs = [row["ratios"][ours][theirs] for row in seeds]
                found.append({
                    "data": data, "ours": ours, "optuna": theirs,
                    "hypervolume": statistics.median(row["searches"][ours]["hypervolume"] for row in seeds),
                    "hypervolume_optuna": statistics.median(row["searches"][theirs]["hypervolume"] for row in seeds),
                    "candidates": statistics.median(row["searches"][ours]["candidates"] for row in seeds),
                    "candidates_optuna": statistics.median(row["searches"][theirs]["candidates"] for row in seeds),
                    "higher": sum(bool(pair["higher"]) for pair in pairs), "seeds": len(pairs),
                    "ratio": statistics.median(pair["ratio"] for pair in pairs),
                    "lowest_ratio": min(pair["ratio"] for pair in pairs),
                })  # fmt: skip
    return found


def words_of_seed(row: dict[str, Any]) -> str:
    """Return one seed of one data set as lines for a person."""
    lines = [f"{row['data']}, seed {row['seed']}"]
    for name, found in row["searches"].items():
        against = row["ratios"].get(name, {})
        times = ", ".join(f"{pair['ratio']:.1f} × {theirs}" for theirs, pair in against.items())
        lines.append(
            f"  {name:>22}  {found['candidates']:6,} candidates ({found['eligible']:,} eligible)  "
            f"hypervolume {found['hypervolume']:.4f} (floor {found['floor']:.4f})  {times}"
        )
    return "\n".join(lines)


def words(result: dict[str, Any]) -> str:
    """Return the medians as a table."""
    lines = [", ".join(f"{name} {value}" for name, value in result["machine"].items())]
    lines.append(
        f"{result['seconds']:g} s each, medians over the seeds; candidates and final hypervolume: ours, Optuna's"
    )
    for row in result["summary"]:
        lines.append(
            f"  {row['data']:>14}  {row['ours']:>10} and {row['optuna']:<12}  "
            f"{row['candidates']:8,.0f} {row['candidates_optuna']:6,.0f}  "
            f"{row['hypervolume']:.4f} {row['hypervolume_optuna']:.4f}  higher in {row['higher']} of {row['seeds']}  "
            f"as high {row['ratio']:6.1f} times as fast (at least {row['lowest_ratio']:.1f})"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
