"""How good a candidate is on the validation rows, as tables and pictures need it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.texts import said, spoken, text
from dashboard.views.words import interval, number, percent
from nas_core.objectives import METRICS

if TYPE_CHECKING:
    from nas_core.evaluation.classified import Confusion, Reliability, Threshold
    from nas_core.evaluation.residuals import Residuals
    from nas_core.records import Estimate

__all__ = [
    "ConfusionView",
    "MetricRow",
    "ReliabilityView",
    "ResidualsView",
    "ThresholdView",
    "confusion_view",
    "metric_rows",
    "reliability_view",
    "residuals_view",
    "threshold_view",
]

POINTS, CLASSES = 2_000, 20
"""Points that a picture has at most, and classes that are drawn by themselves."""


@dataclass(frozen=True)
class MetricRow:
    """One metric: its value with half of its 95 % interval, the interval itself, which way is better, what it means."""

    name: str
    label: str
    value: str
    between: str
    better: str
    words: str
    searched: bool


@dataclass(frozen=True, eq=False)
class ConfusionView:
    """Who is taken for whom.

    Attributes:
        classes: Names, in the order of lines (true) and columns (predicted).
        counts, shares: (classes, classes) rows, and their share of the line.
        index: (classes,) class index of each line: with very many classes only those most often confused.
        hidden: Classes that are not drawn.
        spoken: The largest confusions in words.
    """

    classes: tuple[str, ...]
    counts: np.ndarray
    shares: np.ndarray
    index: tuple[int, ...]
    hidden: int
    spoken: str


@dataclass(frozen=True, eq=False)
class ThresholdView:
    """The ROC and the precision-recall curve of one class against the others, thinned to what a picture can show."""

    name: str
    false_positive: np.ndarray
    true_positive: np.ndarray
    recall: np.ndarray
    precision: np.ndarray
    scores: np.ndarray
    roc_words: str
    pr_words: str
    share: float
    at: tuple[float, float, float]
    """False-positive rate, recall and precision at the threshold that the network uses."""


@dataclass(frozen=True, eq=False)
class ReliabilityView:
    """Probability given and share that came, per bin."""

    name: str
    mean: np.ndarray
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray
    count: np.ndarray
    words: str


@dataclass(frozen=True, eq=False)
class ResidualsView:
    """Predictions and residuals of a regression in the target's own unit, at most 2,000 rows of them.

    Attributes:
        rows: (n,) data-set rows.
        actual, predicted, residual, normal: (n,) as in ``nas_core.evaluation.residuals.Residuals``.
        middle, spread: Median and standard deviation, for the line of a quantile plot.
        target: Name of the target.
        words: What the residuals say.
        drawn, all: Rows drawn, and rows there are.
    """

    rows: np.ndarray
    actual: np.ndarray
    predicted: np.ndarray
    residual: np.ndarray
    normal: np.ndarray
    middle: float
    spread: float
    target: str
    words: str
    drawn: int
    all: int


def metric_rows(found: Mapping[str, Estimate], searched: str) -> tuple[MetricRow, ...]:
    """Return all metrics, the one that was searched for first."""
    rows = []
    for name in sorted(found, key=lambda n: n != searched):
        objective, e = METRICS[name], found[name]
        better = text("performance.larger" if objective.maximise else "performance.smaller")
        rows.append(MetricRow(name, spoken(objective.label), interval(e.value, e.low, e.high),
                              f"{number(e.low)} – {number(e.high)}", better, said(objective.description),
                              name == searched))  # fmt: skip
    return tuple(rows)


def confusion_view(found: Confusion, classes: tuple[str, ...]) -> ConfusionView:
    """Return the matrix; of more than twenty classes, those that are most often taken for one another."""
    wrong = found.counts - np.diag(np.diag(found.counts))
    order = np.argsort(-(wrong.sum(0) + wrong.sum(1)), kind="stable")[:CLASSES]
    index = tuple(sorted(int(i) for i in order))
    told = sorted(((int(wrong[a, p]), a, p) for a, p in zip(*np.nonzero(wrong))), key=lambda t: (-t[0], t[1], t[2]))[:3]
    words = [text("performance.taken", count=n, actual=classes[a], predicted=classes[p]) for n, a, p in told]
    at = np.ix_(index, index)
    return ConfusionView(tuple(classes[i] for i in index), found.counts[at], found.shares[at], index,
                         len(classes) - len(index), "; ".join(words) or text("performance.no_confusion"))  # fmt: skip


def threshold_view(
    found: Threshold, name: str, area: Estimate | None, called: np.ndarray, positive: np.ndarray
) -> ThresholdView:
    """Return both curves of one class.

    Args:
        found: The curves.
        name: Of the class.
        area: Area under the ROC with its interval, where it is known.
        called: (N,) rows that the network calls the class.
        positive: (N,) rows that are of it.
    """
    keep = _thinned(len(found.scores))
    hits = float((called & positive).sum())
    at = (
        float((called & ~positive).sum()) / max(1, int((~positive).sum())),
        hits / max(1, int(positive.sum())),
        hits / int(called.sum()) if called.any() else float("nan"),
    )
    told = number(found.area) if area is None else interval(area.value, area.low, area.high)
    return ThresholdView(
        name, found.false_positive[keep], found.true_positive[keep], found.recall[keep], found.precision[keep],
        found.scores[keep], text("performance.roc_words", name=name, area=told),
        text("performance.pr_words", name=name, average=number(found.average_precision), share=percent(found.share)),
        found.share, at,
    )  # fmt: skip


def reliability_view(found: Reliability, name: str) -> ReliabilityView:
    """Return the reliability curve of one class."""
    words = text("performance.reliability_words", name=name, error=number(found.error, 2), brier=number(found.brier))
    return ReliabilityView(name, found.mean, found.share, found.low, found.high, found.count, words)


def residuals_view(found: Residuals, rows: np.ndarray, target: str) -> ResidualsView:
    """Return the residuals; of more than 2,000 rows an even sample of the predictions, and the ten worst."""
    n = len(rows)
    keep = np.arange(n)
    if n > POINTS:
        worst = np.argsort(-np.abs(found.residual), kind="stable")[:10]
        keep = np.unique(np.concatenate([np.argsort(found.predicted, kind="stable")[_thinned(n)], worst]))
    low, first, middle, third, high = (float(q) for q in found.quantiles)
    told = {"low": number(low), "high": number(high), "first": number(first), "third": number(third),
            "mean": number(found.mean), "target": target}  # fmt: skip
    words = text("performance.residual_words", **told)
    if np.isfinite(found.spread):
        words += " " + text("performance.spread_words", value=f"{found.spread:.2f}".replace("-", "−"))
    return ResidualsView(
        rows[keep], found.actual[keep], found.predicted[keep], found.residual[keep], found.normal[keep], middle,
        (third - first) / 1.349, target, words, len(keep), n,
    )  # fmt: skip


def _thinned(n: int) -> np.ndarray:
    """Return at most 2,000 positions of n, evenly spread, both ends among them."""
    return np.unique(np.linspace(0, n - 1, min(n, POINTS)).astype(int))
