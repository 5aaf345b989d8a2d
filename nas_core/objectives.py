"""Objectives: the only place that knows which way is better, in which unit and between which bounds.

Everywhere else there are losses in [0, 1], smaller is better. The normalisation is fixed (it never depends on the data
seen so far), so a hypervolume computed with reference point 1 can only grow.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nas_core.errors import SettingsError

__all__ = ["METRICS", "Objective", "metric_objective", "metrics_for", "recorded_objective"]


@dataclass(frozen=True)
class Objective:
    """One quantity to optimise.

    Attributes:
        name: Identifier in code, stores and JSON.
        label: What a person reads.
        maximise: True when larger values are better.
        best: Value of a perfect model; its loss is 0.
        worst: Value whose loss is 1; anything worse is clipped to 1.
        baseline: Value of a model that ignores its inputs, for the skill score; None when it depends on the data.
        unit: Unit for display, empty for a pure number.
        description: One plain sentence.
        task: ``classification`` or ``regression``.
        guard: The metric whose skill must be above 0 as well, where a model that ignores its inputs can be good at this
            one (always answering "positive" has a perfect recall); empty where it cannot.
    """

    name: str
    label: str
    maximise: bool
    best: float
    worst: float
    baseline: float | None
    unit: str
    description: str
    task: str = "classification"
    guard: str = ""

    def loss(self, value: float) -> float:
        """Return the loss in [0, 1] of ``value``; NaN gives 1."""
        share = (self.best - value) / (self.best - self.worst)
        return 1.0 if share != share else min(1.0, max(0.0, share))

    def losses(self, values: np.ndarray) -> np.ndarray:
        """Return the losses (n,) of ``values`` (n,), see :meth:`loss`; NaN stays NaN here."""
        return np.clip((self.best - values) / (self.best - self.worst), 0.0, 1.0)

    def limit(self, goal: float) -> float:
        """Return the largest loss in [0, 1] that reaches ``goal``, a value that is to be met or bettered.

        Raises:
            SettingsError: Not even a perfect model reaches it.
        """
        share = (self.best - goal) / (self.best - self.worst)
        if not share >= 0.0:
            bound = "at most" if self.maximise else "at least"
            raise SettingsError(
                f"The goal for {self.label} is {goal:g}, which no model can reach: a perfect one has {self.best:g}",
                allowed=f"{bound} {self.best:g}",
                fix=f"set a goal for {self.label} of {bound} {self.best:g}, or none",
            )
        return min(1.0, share)

    def value(self, loss: float) -> float:
        """Return the value whose loss is ``loss`` (inverse of :meth:`loss` inside the bounds)."""
        return self.best - loss * (self.best - self.worst)

    def skill(self, value: float, baseline: float | None = None) -> float:
        """Return the share of the way from the baseline to a perfect model (0 = no better than ignoring the inputs)."""
        base = self.baseline if self.baseline is not None else baseline
        if base is None:
            raise SettingsError(
                f"The skill of {self.name} needs a baseline",
                allowed="a number: the value reached by a model that ignores its inputs",
                fix="pass baseline=",
            )
        if base == self.best:
            return 0.0
        return (value - base) / (self.best - base)

    def better(self, value: float, other: float) -> bool:
        """Return whether ``value`` is better than ``other``."""
        return value > other if self.maximise else value < other


METRICS: dict[str, Objective] = {
    o.name: o
    for o in (
        Objective(
            "roc_auc", "ROC AUC", True, 1.0, 0.0, 0.5, "",
            "Probability that a positive row ranks above a negative one; of several classes, the mean one-versus-rest.",
        ),
        Objective("accuracy", "Accuracy", True, 1.0, 0.0, None, "", "Share of rows whose class is predicted right."),
        Objective(
            "balanced_accuracy", "Balanced accuracy", True, 1.0, 0.0, None, "",
            "Mean over the classes of the share of their rows that is predicted correctly.",
        ),
        Objective(
            "f1", "F1", True, 1.0, 0.0, None, "",
            "Harmonic mean of precision and recall of the last class; of several classes, the mean over the classes.",
        ),
        Objective(
            "precision", "Precision", True, 1.0, 0.0, None, "",
            "Share of the rows called the last class that are of it; of several classes, the mean over the classes.",
        ),
        Objective(
            "recall", "Recall", True, 1.0, 0.0, None, "",
            "Share of the rows of the last class that are found; of several classes, the mean over the classes. "
            "Alone it rewards finding too many: a model must beat chance in balanced accuracy to count.",
            guard="balanced_accuracy",
        ),
        Objective(
            "log_loss", "Log loss", False, 0.0, math.log(2), None, "",
            "Mean of −ln(probability given to the true class), in nats: smaller is better, and it asks for honest "
            "probabilities, not only for the right class.",
        ),
        Objective("r2", "R²", True, 1.0, 0.0, 0.0, "", "Share of the target's variance that the predictions explain.",
                  "regression"),
        Objective(
            "mse", "MSE", False, 0.0, 1.0, None, "",
            "Mean squared error in units of the target's training variance: smaller is better, 1 is what the mean "
            "reaches.", "regression",
        ),
        Objective(
            "mae", "MAE", False, 0.0, 1.0, None, "",
            "Mean absolute error in training standard deviations of the target: smaller is better, and a few large "
            "errors count less than in the MSE.", "regression",
        ),
    )
}  # fmt: skip
"""The bounds of ``log_loss`` are those of two classes; :func:`metric_objective` knows them for more."""


def metric_objective(name: str, classes: int = 2) -> Objective:
    """Return the performance objective called ``name``.

    The log loss has loss 1 at ln C, the value of a model that gives all C classes the same probability. The errors of a
    regression are in units of the standardised target, where 1 is the MSE of the mean and no less than its MAE.

    Args:
        name: Of the metric.
        classes: Number of classes C, where there are any.

    Raises:
        SettingsError: No such metric.
    """
    try:
        found = METRICS[name]
    except KeyError:
        known = ", ".join(METRICS)
        raise SettingsError(f"There is no metric {name!r}", allowed=known, fix="choose one of them") from None
    return replace(found, worst=math.log(max(2, classes))) if name == "log_loss" else found


def recorded_objective(problem: Mapping[str, Any]) -> Objective:
    """Return the objective of a problem as a run records it (the JSON form of ``ProblemSpec``)."""
    return metric_objective(problem["metric"], int(problem.get("classes") or 2))


def metrics_for(task: str, classes: int, modality: str = "tabular") -> tuple[str, ...]:
    """Return the names of the metrics that fit a task, the default first.

    The default is R² for quantities, accuracy for images and sequences of more than two classes, else ROC AUC.
    """
    fitting = [o.name for o in METRICS.values() if o.task == task]
    if task == "classification" and modality != "tabular" and classes > 2:
        fitting.sort(key=lambda name: name != "accuracy")
    return tuple(fitting)
