"""What a model reaches that ignores its inputs: the zero of every skill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from nas_core.data.problem import Part

__all__ = ["featureless_loss", "featureless_value"]


def featureless_value(metric: str, train: NDArray[Any], valid: NDArray[Any], classes: int) -> float:
    """Return the value of ``metric`` on the validation rows of the best simple model that ignores the inputs.

    Classes: the most frequent one always (accuracy); each with its training frequency as probability (log loss) or by
    chance (precision and recall, balanced accuracy); "positive" always (F1 of two classes). Quantities: the training
    mean (MSE), the training median (MAE). ROC AUC and R² need no data: .5 and 0.

    Args:
        metric: One of ``METRICS``.
        train, valid: (n,) class index, or the target in the unit of the metric.
        classes: Number of classes, 0 for regression.
    """
    if metric in ("roc_auc", "r2"):
        return 0.5 if metric == "roc_auc" else 0.0
    if metric == "mse":
        return float(np.mean((valid - train.mean()) ** 2))
    if metric == "mae":
        return float(np.mean(np.abs(valid - np.median(train))))
    y = valid.astype(np.int64)
    shares = np.bincount(train.astype(np.int64), minlength=classes) / len(train)
    if metric == "log_loss":
        return float(-np.mean(np.log(shares[y])))
    if metric == "accuracy":
        return float(np.mean(y == np.argmax(shares)))
    if metric == "balanced_accuracy" or classes > 2:
        return 1.0 / len(np.unique(y))
    positive = float(np.mean(y == 1))
    return 2.0 * positive / (1.0 + positive) if metric == "f1" else positive


def featureless_loss(train: Part, valid: Part, classes: int) -> float:
    """Return the mean training loss on the validation rows of the best constant: the classes' shares, or the mean.

    Args:
        train, valid: Parts of a problem.
        classes: Number of classes, 0 for regression.
    """
    if not classes:
        return float(np.mean((valid.y - train.y.mean()) ** 2))
    counts = np.bincount(train.y.astype(np.int64), weights=train.weights, minlength=classes) + 1e-3
    losses = -np.log(counts / counts.sum())[valid.y.astype(np.int64)]
    return float(np.mean(losses if valid.weights is None else losses * valid.weights))
