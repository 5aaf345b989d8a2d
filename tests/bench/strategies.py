"""What a strategy costs per candidate, once many candidates are known.

    python tests/bench/strategies.py [--candidates 10000] [--strategies nsga2,random] [--json]

Prints, per strategy, the median milliseconds of processor time of ask + tell per candidate in packs of 64 and one by
one, on the tabular space of a data set with 30 features, after ``--candidates`` evaluations. Evaluations are synthetic
and not timed. Set OMP_NUM_THREADS=1: the time of all threads counts.
Where Optuna has a sampler of the same kind, its ask + tell is timed in turn with ours, at as many trials with the same
decisions: ``optuna_ms`` one by one, and how many times ours that is. ``bayesian_batch_ms`` is per candidate of a batch
of 32 at 2,000 evaluations.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from nas_core.data import load_data
from nas_core.data.problem import Problem
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.preferences import Preference
from nas_core.records import Evaluation, Proposal
from nas_core.search import STRATEGIES, make_strategy
from nas_core.search.decisions import decisions_of
from nas_core.spaces.space import SearchSpace

if TYPE_CHECKING:
    import optuna

MOST = {"random": 10_000, "nsga2": 10_000, "tpe": 10_000, "gp": 100}
"""The strategies with a counterpart in Optuna, and how many trials that can be asked with in reasonable time."""


class _Never:
    def is_set(self) -> bool:
        return False


def measure(name: str, problem: Problem, space: SearchSpace, candidates: int, batch: int = 64) -> dict[str, float]:
    """Return milliseconds per candidate of one strategy, and of its counterpart in Optuna beside it."""
    evaluator = SyntheticEvaluator(space)
    strategy = make_strategy(
        name, space, seed=0, preference=Preference(), objective=problem.objective, hints=problem.hints
    )

    def evaluate(proposals: list[Proposal]) -> list[Evaluation]:
        return list(evaluator.evaluate(proposals, stop=_Never()))

    def timed(n: int) -> float:
        start = time.process_time()
        proposals = strategy.ask(n)
        asked = time.process_time() - start
        told = evaluate(proposals)
        start = time.process_time()
        strategy.tell(told)
        return 1e3 * (asked + time.process_time() - start) / n

    known = 0
    while known < candidates:
        proposals = strategy.ask(min(512, candidates - known))
        strategy.tell(evaluate(proposals))
        known += len(proposals)
    theirs = counterpart(name, space, problem.hints, min(candidates, MOST[name])) if name in MOST else None
    ours, others = [], []
    for at in range(51):  # in turn, so that what else the machine does slows both
        ours.append(timed(1))
        if theirs is not None and at % 10 == 0:
            others.append(theirs())
    figures = {
        "pack_ms": statistics.median(timed(batch) for _ in range(9)),
        "single_ms": statistics.median(ours),
        "single_mean_ms": statistics.fmean(ours),
        "state_kilobytes": len(json.dumps(strategy.state())) / 1e3,
    }
    if others:
        figures |= {"optuna_ms": statistics.median(others), "optuna_trials": min(candidates, MOST[name])}
        figures |= {"times_ours": figures["optuna_ms"] / figures["single_mean_ms"]}
    return {key: round(value, 3) for key, value in figures.items()}


def counterpart(name: str, space: SearchSpace, hints: Any, trials: int) -> Callable[[], float]:
    """Return a function that asks and tells Optuna's sampler once, which knows ``trials``, and returns milliseconds."""
    import numpy as np
    import optuna
    from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
    from optuna.samplers import GPSampler, NSGAIISampler, RandomSampler, TPESampler

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    makers: dict[str, Callable[[], optuna.samplers.BaseSampler]] = {
        "random": lambda: RandomSampler(seed=0),
        "nsga2": lambda: NSGAIISampler(seed=0, population_size=40),
        "tpe": lambda: TPESampler(seed=0, multivariate=True),
        "gp": lambda: GPSampler(seed=0),
    }
    rng = np.random.default_rng(0)
    taken = decisions_of(space, space.sample(rng, hints), hints)
    distributions: dict[str, BaseDistribution] = {
        n: CategoricalDistribution(tuple(range(d.options))) if d.options else FloatDistribution(0.0, 1.0)
        for n, d in taken.items()
    }
    losses = 4 if name == "nsga2" else 1
    study = optuna.create_study(sampler=makers[name](), directions=["minimize"] * losses)
    for _ in range(trials):
        params = {n: int(rng.integers(d.options)) if d.options else float(rng.random()) for n, d in taken.items()}
        study.add_trial(_finished(params, distributions, rng.random(losses).tolist()))

    def once() -> float:
        began = time.process_time()
        trial = study.ask(fixed_distributions=distributions)
        study.tell(trial, rng.random(losses).tolist())
        return 1e3 * (time.process_time() - began)

    once()
    return once


def _finished(params: dict[str, Any], distributions: dict[str, Any], values: list[float]) -> optuna.trial.FrozenTrial:
    import optuna

    return optuna.trial.create_trial(params=params, distributions=distributions, values=values)


def main() -> None:
    """Run the benchmark and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=10_000)
    parser.add_argument("--strategies", default=",".join(STRATEGIES))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    problem = Problem.create(load_data("breast_cancer"))
    space = SearchSpace.for_problem(problem)
    figures = {name: measure(name, problem, space, options.candidates) for name in options.strategies.split(",")}
    batch = measure("bayesian", problem, space, min(2_000, options.candidates), batch=32)["pack_ms"]
    if options.json:
        print(json.dumps({"candidates": options.candidates, "strategies": figures, "bayesian_batch_ms": batch}))
        return
    for name, values in figures.items():
        print(name, *(f"{key} {value}" for key, value in values.items()), sep="  ")
    print(f"bayesian, batches of 32 at {min(2_000, options.candidates):,}: {batch} ms per candidate")


if __name__ == "__main__":
    main()
