"""What a classifier does with rows whose class is known: who is taken for whom, how honest its probabilities are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nas_core.errors import SettingsError
from nas_core.evaluation.performance import probabilities

__all__ = ["Confusion", "Reliability", "Threshold", "class_shares", "confusion", "reliability", "thresholds"]

BINS = 10
NORMAL_95 = 1.959963984540054


def class_shares(outputs: np.ndarray) -> np.ndarray:
    """Return class probabilities (N, classes) of logits (N, C); one logit stands for two classes."""
    outputs = np.asarray(outputs, float)
    both = np.hstack([np.zeros_like(outputs), outputs]) if outputs.shape[1] == 1 else outputs
    return probabilities(both[None])[0]


@dataclass(frozen=True, eq=False)
class Confusion:
    """Who is taken for whom.

    Attributes:
        counts: (classes, classes) rows: true class by line, predicted class by column.
        predicted: (N,) predicted class of each row.
        actual: (N,) true class of each row.
    """

    counts: np.ndarray
    predicted: np.ndarray
    actual: np.ndarray

    @property
    def shares(self) -> np.ndarray:
        """(classes, classes) share of each line; 0 in the line of a class that has no rows."""
        total = self.counts.sum(axis=1, keepdims=True)
        return np.divide(self.counts, total, out=np.zeros(self.counts.shape), where=total > 0)

    def rows(self, actual: int, predicted: int) -> np.ndarray:
        """Return the positions of the rows in one cell, ascending."""
        return np.flatnonzero((self.actual == actual) & (self.predicted == predicted))


def confusion(y: np.ndarray, outputs: np.ndarray, classes: int) -> Confusion:
    """Return the confusion matrix of logits (N, C) against class indices ``y`` (N,).

    The second of two classes is predicted where its logit is positive, else the class with the largest logit, the first
    of equal ones: as the metrics of the search decide it.

    Raises:
        SettingsError: The outputs do not fit the classes or the rows.
    """
    y = _checked(y, outputs, classes)
    predicted = (outputs[:, 0] > 0).astype(np.int64) if outputs.shape[1] == 1 else outputs.argmax(1)
    counts = np.bincount(y * classes + predicted, minlength=classes * classes).reshape(classes, classes)
    return Confusion(counts, predicted, y)


@dataclass(frozen=True, eq=False)
class Threshold:
    """How one class stands out from the others as its threshold falls from above the highest score to the lowest.

    Attributes:
        scores: (T,) thresholds, falling; the first is +inf, where no row is called the class.
        false_positive, true_positive: (T,) shares of the other rows and of its own rows that are called it: the ROC.
        precision: (T,) share of the rows called it that are it; at the first threshold that of the second.
        area: Area under the ROC curve by the trapezoid rule.
        average_precision: Σ (recall_t − recall_(t−1)) · precision_t.
        share: Share of the rows that are of the class: the precision of guessing.
    """

    scores: np.ndarray
    false_positive: np.ndarray
    true_positive: np.ndarray
    precision: np.ndarray
    area: float
    average_precision: float
    share: float

    @property
    def recall(self) -> np.ndarray:
        """The same as ``true_positive``, as it is called beside precision."""
        return self.true_positive


def thresholds(positive: np.ndarray, scores: np.ndarray) -> Threshold | None:
    """Return the ROC and precision-recall curves of scores (N,) for the rows ``positive`` (N,); None with one class.

    There is one point per distinct score, so that ties are one slanted step of the ROC, as in the AUC of the search.

    Source: Fawcett (2006), algorithm 1; average precision without interpolation, as scikit-learn defines it.
    Costs: O(N log N).
    """
    positive, scores = np.asarray(positive, bool), np.asarray(scores, float)
    own, others = int(positive.sum()), int((~positive).sum())
    if not own or not others:
        return None
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)
    hits = np.cumsum(positive[order])[last]
    called = last + 1.0
    true, false = np.append(0.0, hits / own), np.append(0.0, (called - hits) / others)
    precision = hits / called
    area = float(np.sum(np.diff(false) * (true[1:] + true[:-1]) / 2))
    average = float(np.sum(np.diff(true) * precision))
    return Threshold(np.append(np.inf, ranked[last]), false, true, np.append(precision[:1], precision), area, average,
                     own / len(positive))  # fmt: skip


@dataclass(frozen=True, eq=False)
class Reliability:
    """Whether rows that are given a probability p of a class are of it in a share p of the cases.

    Attributes:
        mean: (B,) mean probability in each bin that has rows, rising.
        share: (B,) share of the bin's rows that are of the class.
        low, high: (B,) Wilson's 95 % interval of that share.
        count: (B,) rows.
        error: Expected calibration error: mean |share − mean| over the rows.
        brier: Mean squared difference between probability and outcome.
    """

    mean: np.ndarray
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray
    count: np.ndarray
    error: float
    brier: float


def reliability(positive: np.ndarray, chance: np.ndarray, *, bins: int = BINS) -> Reliability:
    """Return the reliability curve of probabilities (N,) for the rows ``positive`` (N,), in bins of equal width.

    Source: DeGroot & Fienberg (1983); the interval is Wilson's (1927); the expected calibration error as in Guo et al.
    (2017), of one class instead of the most likely one.

    Raises:
        SettingsError: There are no rows, or a probability is none.
    """
    positive, chance = np.asarray(positive, bool), np.asarray(chance, float)
    if not len(chance) or not ((chance >= 0) & (chance <= 1)).all():
        raise SettingsError("These are no probabilities", allowed="one number in [0, 1] per row", fix="pass some")
    at = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], chance)  # bins hold their upper end
    count = np.bincount(at, minlength=bins)
    kept = count > 0
    n = count[kept]
    mean = np.bincount(at, chance, minlength=bins)[kept] / n
    share = np.bincount(at, positive, minlength=bins)[kept] / n
    low, high = wilson(share, n)
    error = float((n * np.abs(share - mean)).sum() / len(chance))
    return Reliability(mean, share, low, high, n, error, float(np.mean((chance - positive) ** 2)))


def wilson(share: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return Wilson's 95 % interval of shares of ``n`` rows: never empty, also where all rows or none are hits."""
    z2 = NORMAL_95**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = NORMAL_95 / (1 + z2 / n) * np.sqrt(share * (1 - share) / n + z2 / (4 * n**2))
    return np.clip(np.minimum(middle - half, share), 0, 1), np.clip(np.maximum(middle + half, share), 0, 1)


def _checked(y: np.ndarray, outputs: np.ndarray, classes: int) -> np.ndarray:
    y = np.asarray(y, np.int64)
    columns = 1 if classes == 2 else classes
    if outputs.shape != (len(y), columns):
        raise SettingsError(
            f"The outputs have the shape {outputs.shape} for {len(y)} rows of {classes} classes",
            allowed=f"({len(y)}, {columns})", fix="pass the logits of these rows",
        )  # fmt: skip
    return y
