"""Strategies side by side on a recorded table: many trials of each, the same budget, the same rows."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np

from nas_core.errors import SettingsError
from nas_core.evaluation.recorded import RecordedEvaluator, RecordedTable
from nas_core.preferences import Preference
from nas_core.records import derive_seed
from nas_core.search.registry import STRATEGIES, make_strategy

__all__ = ["Replay", "replay"]

CHUNK = 25
"""Trials that one worker does in one go."""


@dataclass(frozen=True)
class Replay:
    """How one strategy did.

    Attributes:
        strategy: Its name.
        mean: Mean over the trials of the reported column of the architecture that is best by the searched one.
        standard_error: Of the mean.
        curve: (budget,) the same mean after each evaluation.
        seconds: Computing time of all trials together.
    """

    strategy: str
    mean: float
    standard_error: float
    curve: tuple[float, ...]
    seconds: float

    def document(self) -> dict[str, Any]:
        """Return the result as JSON-able data."""
        return {
            "mean": self.mean,
            "standard_error": self.standard_error,
            "curve": list(self.curve),
            "seconds": self.seconds,
        }


def replay(
    table: RecordedTable,
    strategies: Sequence[str],
    *,
    budget: int = 100,
    trials: int = 500,
    seed: int = 0,
    workers: int = 1,
    on_progress: Callable[[str, int], None] | None = None,
) -> list[Replay]:
    """Return how the strategies do on ``table``.

    In every trial a strategy asks for one architecture at a time and is told its searched value. The architecture
    reported after each evaluation is the best so far by the searched column, as a user would choose. A trial depends on
    the seed, the strategy and its number only, so the workers change nothing.

    Args:
        table: The recorded benchmark.
        strategies: Names of strategies.
        budget: Evaluations per trial; a smaller table ends a trial early and its last value counts on.
        trials: Independent trials per strategy, two at least.
        seed: Decides all trials.
        workers: Processes.
        on_progress: Told the strategy and how many more of its trials are done.

    Raises:
        SettingsError: A number is too small, or there is no such strategy.
    """
    for given, least, what in ((budget, 1, "budget"), (trials, 2, "number of trials"), (workers, 1, "workers")):
        if given < least:
            raise SettingsError(f"The {what} is {given}", allowed=f"{least} or more", fix=f"use at least {least}")
    if unknown := [name for name in strategies if name not in STRATEGIES]:
        raise SettingsError(
            f"There is no strategy {unknown[0]!r}", allowed=", ".join(STRATEGIES), fix="choose of these"
        )
    jobs = [(name, first) for name in strategies for first in range(0, trials, CHUNK)]
    curves = {name: np.empty((trials, budget)) for name in strategies}
    seconds = dict.fromkeys(strategies, 0.0)

    def keep(name: str, first: int, found: tuple[np.ndarray, float]) -> None:
        curves[name][first : first + len(found[0])] = found[0]
        seconds[name] += found[1]
        if on_progress:
            on_progress(name, len(found[0]))

    if workers == 1:
        for name, first in jobs:
            keep(name, first, _chunk(table, name, budget, range(first, min(first + CHUNK, trials)), seed))
    else:
        with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
            waiting = {
                pool.submit(_chunk, table, name, budget, range(first, min(first + CHUNK, trials)), seed): (name, first)
                for name, first in jobs
            }
            for done in as_completed(waiting):
                keep(*waiting[done], done.result())
    return [_summary(name, curves[name], seconds[name]) for name in strategies]


def _summary(name: str, curves: np.ndarray, seconds: float) -> Replay:
    last = curves[:, -1]
    error = float(last.std(ddof=1)) / math.sqrt(len(last))
    return Replay(name, float(last.mean()), error, tuple(float(v) for v in curves.mean(axis=0)), seconds)


def _chunk(table: RecordedTable, name: str, budget: int, trials: range, seed: int) -> tuple[np.ndarray, float]:
    """Return the best-so-far curves (trials, budget) of the reported column, and the seconds they took."""
    began = time.process_time()
    evaluator = RecordedEvaluator(table)
    curves = np.stack([_trial(table, evaluator, name, budget, derive_seed(seed, name, trial)) for trial in trials])
    return curves, time.process_time() - began


def _trial(table: RecordedTable, evaluator: RecordedEvaluator, name: str, budget: int, seed: int) -> np.ndarray:
    strategy = make_strategy(
        name, table, seed=seed, preference=Preference(weight=0.0), objective=table.objective, measures=()
    )
    curve = np.empty(budget)
    best, done = math.inf, 0
    while done < budget and (proposals := strategy.ask(1)):
        evaluation = evaluator.look_up(proposals[0].architecture)
        strategy.tell([evaluation])
        at = table.place(evaluation.architecture)
        loss = table.objective.loss(float(table.searched[at]))
        if loss < best:
            best, shown = loss, float(table.reported[at])
        curve[done] = shown
        done += 1
    curve[done:] = curve[done - 1]
    return curve
