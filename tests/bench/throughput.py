"""How many candidates a second: packs against a Lightning fit each, a plain loop each, and Optuna with Lightning.

    python tests/bench/throughput.py [--data breast_cancer digits …] [--california FILE] [--fashion FILE.npz] [--json]

Same candidates, data, batches, schedule and early stopping on all four sides, in turns; the ratios are medians over the
repeats, each of which draws other candidates. Packs are trained as a search trains them: those of tables on all cores,
by this process and workers that are ready, judged and measured too, which the other ways are not; those of images and
sequences side by side. The other ways use as many threads as torch takes by default. ``accuracy_difference`` is the
mean difference of the metric on the validation rows, pack minus plain loop (both keep their best weights), with its
standard error over the candidates; more is better whatever the metric, and what is worse than ignoring the inputs
counts as that. Then a real search: ``overhead_share`` is what it spends on anything but training and measuring.

``--scaling`` adds candidates a second by size of the pack, width of the networks and number of rows; ``--memory`` the
growth of resident memory over 1,000 consecutive small packs of tables, and 200 of images. On a machine that is not
quiet, ``--clock cpu`` compares processor seconds instead of wall time; packs of images then lose what training side by
side gains them.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from on_cores import ready_on_cores
from one_at_a_time import Lesson, Said, lightning_fits, optuna_fits, outputs_of, plain_fits
from pack_growth import memory, memory_of_images, scaling
from rich.console import Console
from rich.progress import Progress

from nas_core import Problem, RunSettings, SearchSpace, load_data, open_store, start_run
from nas_core.evaluation.cores import CoresEvaluator
from nas_core.evaluation.performance import metric_values
from nas_core.records import Architecture, Proposal, derive_seed
from nas_core.training.device import pick_device
from nas_core.training.fit import PackItem, train_pack
from nas_core.training.side_by_side import workers_on

CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "cpu": time.process_time}
WANTED = {"tabular": (15.0, 40.0), "image": (0.0, 8.0), "sequence": (0.0, 0.0)}
"""Speed-up over the plain loop and over Optuna with Lightning that the design asks for; 0 for nothing asked."""

WAYS = {"plain": plain_fits, "lightning": lightning_fits, "optuna": optuna_fits}


class Packs:
    """Trains packs as a search does.

    Args:
        problem, space: Of the candidates.
        size: Candidates of a pack.
        cores: Processes for packs of tables.
    """

    def __init__(self, problem: Problem, space: SearchSpace, size: int, cores: int) -> None:
        self._problem, self._space = problem, space
        self._several: CoresEvaluator | None = None
        if space.signal is not None or cores < 2 or pick_device().type != "cpu":
            return
        self._several = ready_on_cores(problem, space, size, cores)

    def train(self, work: list[Architecture]) -> None:
        """Train a pack."""
        if self._several is None:
            train_pack(self._problem, self._space, items_of(work))
            return
        list(self._several.evaluate([Proposal(architecture=a) for a in work], stop=threading.Event()))
        self._several.take_weights()

    def close(self) -> None:
        """End the workers."""
        if self._several is not None:
            self._several.close()


def items_of(work: list[Architecture]) -> list[PackItem]:
    """Return the candidates with the seeds that an evaluator of the seed 0 gives them."""
    return [PackItem(a, derive_seed(0, a.id)) for a in work]


def side_by_side(
    problem: Problem, space: SearchSpace, packs: Packs, sizes: tuple[int, int], seed: int,
    clock: Callable[[], float], said: Said,
) -> tuple[dict[str, float], dict[str, np.ndarray]]:  # fmt: skip
    """Train K candidates as a pack and the first A of them in three other ways.

    Returns the seconds per candidate of each way, and the outputs (A, n, C) of the same A networks.
    """
    K, alone = sizes
    rng = np.random.default_rng(seed)
    work = [space.sample(rng, problem.hints) for _ in range(K)]
    items = items_of(work)
    lesson = Lesson.of(problem, space)
    seconds, outputs = {}, {}
    began = clock()
    packs.train(work)
    seconds["pack"] = (clock() - began) / K
    outputs["pack"] = train_pack(problem, space, items[:alone]).pack.predict(problem.valid.E)
    said()
    for name, fits in WAYS.items():
        began = clock()
        networks = fits(lesson, items[:alone], said)
        seconds[name] = (clock() - began) / alone
        outputs[name] = outputs_of(lesson, networks).numpy()
    return seconds, outputs


def scores(problem: Problem, outputs: np.ndarray) -> np.ndarray:
    """Return the metric (K,), larger better, no worse than its worst sensible value; that where it is undefined."""
    objective, rows = problem.objective, np.ones((1, len(problem.valid)))
    finite = np.isfinite(outputs).all(axis=(1, 2))
    found = np.full(len(outputs), np.nan)
    judged = problem.judged(outputs[finite])
    found[finite] = metric_values(objective.name, problem.valid.target, judged, rows)[:, 0]
    return np.array([objective.value(objective.loss(v)) for v in found]) * (1 if objective.maximise else -1)


def difference(a: np.ndarray, b: np.ndarray) -> dict[str, float]:
    """Return the mean of a − b and its standard error."""
    apart = a - b
    return {"mean": float(apart.mean()), "standard_error": float(apart.std(ddof=1) / len(apart) ** 0.5)}


def search(problem: Problem, space: SearchSpace, candidates: int) -> dict[str, Any]:
    """Run one search with the default strategy into a store on disk; return its seconds by phase and the overhead."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(folder)
        run = start_run(store, problem, space, RunSettings(candidates=candidates, seed=0))
        run.wait()
        progress = run.snapshot().progress
        store.close()
    seconds = dict(progress.seconds)
    rest = max(progress.elapsed - seconds["train"] - seconds["measure"], seconds["strategy"] + seconds["store"])
    return {
        "search_candidates": progress.evaluated,
        "search_seconds": progress.elapsed,
        "search_phases": seconds,
        "overhead_share": rest / progress.elapsed,
        "measure_share": seconds["measure"] / seconds["train"],
    }


def compared(problem: Problem, space: SearchSpace, options: argparse.Namespace, said: Said) -> dict[str, Any]:
    """Return the ratios, the accuracies and the overhead on one set of data."""
    clock = CLOCKS[options.clock]
    cores = workers_on(pick_device()) if options.clock == "wall" else 1
    packs = Packs(problem, space, options.candidates, cores)
    try:
        side_by_side(problem, space, packs, (2, 2), 99, clock, lambda: None)  # first use of every path
        sizes = options.candidates, min(options.candidates, options.alone or options.candidates)
        found = [side_by_side(problem, space, packs, sizes, s, clock, said) for s in range(options.repeats)]
    finally:
        packs.close()
    rows = [seconds for seconds, _ in found]
    reached = {way: np.concatenate([scores(problem, o[way]) for _, o in found]) for way in rows[0]}
    ratio = {way: statistics.median(r[way] / r["pack"] for r in rows) for way in WAYS}
    result = {
        "speedup_vs_lightning": ratio["lightning"],
        "speedup_vs_plain_loop": ratio["plain"],
        "speedup_vs_optuna_lightning": ratio["optuna"],
        "accuracy_difference": difference(reached["pack"], reached["plain"]),
        "accuracy_difference_vs_lightning": difference(reached["pack"], reached["lightning"]),
        "accuracy_difference_vs_optuna_lightning": difference(reached["pack"], reached["optuna"]),
        "metric": problem.objective.name,
        "candidates_per_second": statistics.median(1 / r["pack"] for r in rows),
        "candidates": options.candidates,
        "alone": sizes[1],
        "recipe": problem.spec.recipe.model_dump(),
        "seconds_per_candidate": rows,
    }
    return result | (search(problem, space, options.search) if options.search else {})


def machine() -> dict[str, Any]:
    """Return what the numbers depend on."""
    import optuna
    import pytorch_lightning

    affinity = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    return {
        "processor": platform.processor() or platform.machine(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "usable_cores": len(affinity),
        "threads": torch.get_num_threads(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "lightning": pytorch_lightning.__version__,
        "optuna": optuna.__version__,
    }


def asked() -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", metavar="NAME", help="built-in sets or files; default: breast_cancer")
    parser.add_argument("--california", metavar="FILE", help="California housing as CSV")
    parser.add_argument("--fashion", metavar="FILE", help="Fashion-MNIST as .npz")
    parser.add_argument("--family", help="family of networks, where there are several for the data")
    parser.add_argument("--preset", default="balanced", help="preset of the search space")
    parser.add_argument("--channels", type=int, help="of the maps of images, at most; default: as the preset has it")
    parser.add_argument("--candidates", type=int, default=64, help="of a pack")
    parser.add_argument("--alone", type=int, help="of these, trained in the other ways; default: all")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="at most; default: the recipe's")
    parser.add_argument("--search", type=int, default=1000, help="candidates of the search; 0 for none")
    parser.add_argument("--clock", choices=sorted(CLOCKS), default="wall")
    parser.add_argument("--scaling", action="store_true")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def problem_of(data: str, epochs: int | None) -> Problem:
    """Return the problem of a data set with its own recipe, shortened where that is asked for."""
    housing = {"target": "median_house_value"} if "california" in data else {}
    problem = Problem.create(load_data(data, **housing))
    if epochs is None:
        return problem
    recipe = problem.spec.recipe
    return Problem.create(problem.dataset, recipe=recipe.model_copy(update={"max_epochs": epochs}))


def narrowed(space: SearchSpace, channels: int | None) -> SearchSpace:
    """Return the space without maps of more channels."""
    if channels is None:
        return space
    declared = space.model_dump(mode="json")
    for variable in declared["variables"]:
        if "widths" in variable:
            variable["widths"] = [width for width in variable["widths"] if width <= channels]
    return SearchSpace.model_validate(declared)


def line(name: str, found: dict[str, Any], modality: str) -> None:
    """Print the result of one set of data."""
    apart, (plain, optuna) = found["accuracy_difference"], WANTED[modality]
    print(f"{name}: {found['candidates_per_second']:.1f} candidates/s in packs of {found['candidates']}")
    wanted = f"   (wanted {plain:g})" if plain else ""
    print(f"  × a plain loop        {found['speedup_vs_plain_loop']:6.1f}{wanted}")
    print(f"  × Lightning           {found['speedup_vs_lightning']:6.1f}")
    wanted = f"   (wanted {optuna:g})" if optuna else ""
    print(f"  × Optuna + Lightning  {found['speedup_vs_optuna_lightning']:6.1f}{wanted}")
    print(f"  {found['metric']} − that of the plain loop: {apart['mean']:+.4f} ± {apart['standard_error']:.4f}")
    if "overhead_share" in found:
        print(
            f"  search of {found['search_candidates']}: {found['search_seconds']:.1f} s, overhead "
            f"{100 * found['overhead_share']:.1f} %, measures / training {100 * found['measure_share']:.1f} %"
        )


def main() -> None:
    """Measure what was asked for and print it."""
    options = asked()
    chosen = [*(options.data or []), *filter(None, (options.california, options.fashion))] or ["breast_cancer"]
    document: dict[str, Any] = {"device": str(pick_device()), "machine": machine(), "clock": options.clock, "data": {}}
    with Progress(console=Console(file=sys.stderr), transient=True) as bar:
        for data in chosen:
            problem, name = problem_of(data, options.epochs), Path(data).stem
            space = narrowed(SearchSpace.for_problem(problem, options.preset, options.family), options.channels)
            task = bar.add_task(name, total=options.repeats * (1 + len(WAYS) * (options.alone or options.candidates)))
            found = compared(problem, space, options, partial(bar.advance, task))
            if options.scaling:
                found["scaling"] = scaling(problem, space, CLOCKS[options.clock])
            document["data"][name] = found
            if not options.json:
                line(name, found, problem.dataset.modality)
                for words in found.get("scaling", {}).items():
                    print("  {}: {}".format(*words))
    document |= document["data"][Path(chosen[0]).stem]
    if options.memory:
        with multiprocessing.get_context("spawn").Pool(1) as fresh:  # what this process holds already does not count
            document["memory"] = fresh.apply(memory)
        with multiprocessing.get_context("spawn").Pool(1) as fresh:
            document["memory_of_images"] = fresh.apply(memory_of_images)
        for kind in () if options.json else ("memory", "memory_of_images"):
            grown = document[kind]
            words = f"{grown['growth_mb']:+.1f} MB (wanted: less than 50, flat)"
            print(f"{kind.replace('_', ' ')} after {grown['packs']} packs: {words}")
    if options.json:
        print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
