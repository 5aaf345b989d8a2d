"""Every metric of a task for one model, each with its interval, on the same rows and resamples as in the search."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nas_core.errors import SettingsError
from nas_core.evaluation.performance import RESAMPLES, metric_values, resample_weights
from nas_core.objectives import metrics_for
from nas_core.records import Estimate

if TYPE_CHECKING:
    from nas_core.data.problem import Problem

__all__ = ["metric_intervals", "validation_outputs"]

EDGES = (0.025, 0.975)


def validation_outputs(problem: Problem, predicted: np.ndarray) -> np.ndarray:
    """Return what ``Candidate.predict`` gives (N, C) as the network gives it: logits, or the standardised target."""
    return (predicted - problem.target_mean) / problem.target_sd


def metric_intervals(problem: Problem, outputs: np.ndarray, *, resamples: int = RESAMPLES) -> dict[str, Estimate]:
    """Return every metric of the task with its 95 % bootstrap interval on the validation rows, by name.

    The resamples are those of the search (same seed, within the classes), so the metric that was searched for has the
    interval that the run reported. Errors of a regression are in training standard deviations of the target, without
    its transform. A metric that these rows cannot give (the AUC of a single class) is left out.

    Costs: ``resamples`` · N per metric.

    Args:
        problem: The problem.
        outputs: (N, C) of its validation rows, as the network gives them.
        resamples: How many bootstrap resamples.

    Raises:
        SettingsError: There is not one row of outputs for each validation row.
    """
    y = problem.valid.target
    if outputs.ndim != 2 or outputs.shape != (len(y), problem.C):
        raise SettingsError(
            f"The outputs have the shape {outputs.shape}",
            allowed=f"({len(y)}, {problem.C}): a row for each validation row",
            fix="predict the validation rows of this problem",
        )
    classes = len(problem.dataset.classes) if problem.task == "classification" else 0
    weights = resample_weights(y, classes, resamples, problem.spec.split_seed)
    weights = np.concatenate([np.ones((1, len(y)), weights.dtype), weights])
    judged, found = problem.judged(outputs)[None], {}
    for name in metrics_for(problem.task, classes, problem.dataset.modality):
        with np.errstate(invalid="ignore", divide="ignore"):
            values = metric_values(name, y, judged, weights)[0]
        if np.isfinite(values).all():
            low, high = np.quantile(values[1:], EDGES) if resamples else (values[0], values[0])
            found[name] = Estimate(value=float(values[0]), low=float(min(low, values[0])),
                                   high=float(max(high, values[0])))  # fmt: skip
    return found
