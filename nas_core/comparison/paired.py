"""Whether one candidate is better than another: the difference of their metric on the same rows, resampled together.

Letters: N rows, C outputs, R resamples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from nas_core.evaluation.performance import metric_values, resample_weights

if TYPE_CHECKING:
    from nas_core.data.problem import Problem
    from nas_core.explanations.base import Candidate

__all__ = ["PairedDifference", "network_outputs", "paired_difference"]

RESAMPLES = 2000
NUMBERS = 20_000_000
EDGES = (0.025, 0.975)


@dataclass(frozen=True)
class PairedDifference:
    """The metric of the second candidate minus that of the first, on the same validation rows.

    Attributes:
        difference: In the unit of the metric.
        low, high: 95 % percentile interval over resamples that both share.
        better: Share of the resamples in which the second is the better one, ties counting half.
        rows, resamples: How many.
        verdict: Which one is better, in the direction of the metric: "second", "first"; "neither" where the interval
            holds 0.
    """

    difference: float
    low: float
    high: float
    better: float
    rows: int
    resamples: int
    verdict: Literal["first", "second", "neither"]


def network_outputs(candidate: Candidate, raw: np.ndarray) -> np.ndarray:
    """Return the outputs (N, C) of raw rows as the network gives them: logits, or the standardised target."""
    return (candidate.predict(raw) - candidate.problem.target_mean) / candidate.problem.target_sd


def paired_difference(
    problem: Problem, first: np.ndarray, second: np.ndarray, *, seed: int = 0
) -> PairedDifference:  # fmt: skip
    """Return how much better the second candidate is than the first.

    Rows are drawn with replacement, for classes within each, and both candidates are judged on the same draws: what is
    hard in a draw is hard for both and cancels, so the interval is narrower than that of either alone. It is
    conditional on the two trained networks; another seed of the training is not in it.
    Source: Efron & Tibshirani (1993), the paired bootstrap.

    Args:
        problem: The problem.
        first, second: (N, C) outputs of the validation rows, see :func:`network_outputs`.
        seed: Decides the resamples.
    """
    y = problem.valid.target
    classes = len(problem.dataset.classes) if problem.task == "classification" else 0
    resamples = int(np.clip(NUMBERS // max(1, len(y)), 200, RESAMPLES))
    drawn = resample_weights(y, classes, resamples, seed)
    weights = np.concatenate([np.ones((1, len(y)), drawn.dtype), drawn])
    values = metric_values(problem.objective.name, y, problem.judged(np.stack([first, second])), weights)
    change = values[1] - values[0]
    low, high = np.quantile(change[1:], EDGES)
    low, high = min(float(low), float(change[0])), max(float(high), float(change[0]))
    loss = np.vectorize(problem.objective.loss, otypes=[float])(values[:, 1:])
    better = float(np.mean((loss[1] < loss[0]) + 0.5 * (loss[1] == loss[0])))
    verdict: Literal["first", "second", "neither"] = "neither"
    if low > 0.0 or high < 0.0:
        verdict = "second" if problem.objective.loss(values[1, 0]) < problem.objective.loss(values[0, 0]) else "first"
    return PairedDifference(float(change[0]), low, high, better, len(y), resamples, verdict)
