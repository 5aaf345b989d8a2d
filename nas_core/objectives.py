"""Objectives: the only place that knows which way is better, in which unit and between which bounds.

Everywhere else there are losses in [0, 1], smaller is better. The normalisation is fixed (it never depends on the data
seen so far), so a hypervolume computed with reference point 1 can only grow.
"""

from __future__ import annotations

from dataclasses import dataclass

from nas_core.errors import SettingsError

__all__ = ["METRICS", "Objective", "metric_objective"]


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
    """

    name: str
    label: str
    maximise: bool
    best: float
    worst: float
    baseline: float | None
    unit: str
    description: str

    def loss(self, value: float) -> float:
        """Return the loss in [0, 1] of ``value``; NaN gives 1."""
        share = (self.best - value) / (self.best - self.worst)
        return 1.0 if share != share else min(1.0, max(0.0, share))

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
        Objective("r2", "R²", True, 1.0, 0.0, 0.0, "", "Share of the target's variance that the predictions explain."),
    )
}  # fmt: skip


def metric_objective(name: str) -> Objective:
    """Return the performance objective called ``name``.

    Raises:
        SettingsError: No such metric.
    """
    try:
        return METRICS[name]
    except KeyError:
        known = ", ".join(METRICS)
        raise SettingsError(f"There is no metric {name!r}", allowed=known, fix="choose one of them") from None
