"""Whether outputs say more of the target than a constant does: the guard before anybody's model is measured."""

from __future__ import annotations

from typing import Any

import numpy as np

from nas_core.errors import DataError
from nas_core.interpretability.agreement import output_agreement
from nas_core.interpretability.intervals import interval, resample_counts

__all__ = ["no_skill", "read_target"]


def read_target(y: Any, rows: int, outputs: int, *, classification: bool) -> np.ndarray:
    """Return the target (N,): numbers, or the codes of the classes that the outputs stand for.

    Classes are taken in the order of their labels, unless they are numbers that count the outputs from 0.

    Raises:
        DataError: There is not one target for each row, values are missing, or there are other classes than outputs.
    """
    target = np.asarray(y)
    target = target[:, 0] if target.ndim == 2 and target.shape[1] == 1 else target
    if target.shape != (rows,):
        raise DataError(f"y has the shape {np.shape(y)}", allowed=f"({rows},): one for each row", fix="pass its rows")
    missing = np.array([v is None or v != v for v in target.tolist()])
    if missing.any():
        raise DataError(
            f"{int(missing.sum())} values of y are missing", allowed="a target for each row", fix="drop them"
        )
    if not classification:
        try:
            return target.astype(np.float64)
        except (TypeError, ValueError):
            raise DataError(
                "y holds words for a regression", allowed="numbers", fix='pass task="classification"'
            ) from None
    classes = max(2, outputs)
    if target.dtype.kind in "biuf" and np.isin(target, np.arange(classes)).all():
        return target.astype(np.int64)
    labels = sorted(set(target.tolist()), key=lambda v: (str(type(v)), v))
    if len(labels) != classes:
        raise DataError(
            f"y has {len(labels)} classes and the model {classes}",
            allowed=f"labels of all {classes} classes, or numbers from 0 to {classes - 1}",
            fix="pass rows of all classes",
        )
    return np.array([labels.index(v) for v in target.tolist()], np.int64)


def no_skill(target: np.ndarray, outputs: np.ndarray, *, classification: bool) -> str:
    """Return why ``outputs`` (N, C) say no more of the target (N,) than a constant does; empty where they do.

    Skill is R² of a regression, and 2·AUC − 1 of a classification, for several classes the mean over one against the
    rest. The lower end of its 95 % bootstrap interval must exceed 0.
    """
    counts = np.concatenate([np.ones((1, len(target))), resample_counts(len(target))])
    if classification:
        present = np.unique(target)
        if len(present) < 2:
            return "y holds a single class, so nothing can be told from it"
        scored = (
            [(target == c, outputs[:, c]) for c in present] if outputs.shape[1] > 1 else [(target == 1, outputs[:, 0])]
        )
        draws = np.mean([2 * _auc(positive, scores, counts) - 1 for positive, scores in scored], axis=0)
        value = float(draws[0])
        low, high = interval(draws[1:], value)
    else:
        if not (target != target[0]).any():
            return "y is the same for all rows, so nothing can be told from it"
        found = output_agreement(target[:, None], outputs)
        if found.value is None or found.low is None or found.high is None:
            return "y is the same for all rows, so nothing can be told from it"
        value, low, high = found.value, found.low, found.high
    if low > 0:
        return ""
    return (
        f"it is no better than a model that ignores its inputs (skill {value:.3g}, 95 % interval {low:.3g} to "
        f"{high:.3g}), so its interpretability is undefined"
    )


def _auc(positive: np.ndarray, scores: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the area under the ROC curve (B,) of scores (N,) for rows counted as in ``counts`` (B, N).

    Ties count one half; NaN where a resample has one class only.
    """
    order = np.argsort(scores, kind="stable")
    ranked = scores[order]
    starts = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
    weights = counts[:, order]
    up = np.add.reduceat(weights * positive[order], starts, axis=1)
    down = np.add.reduceat(weights * ~positive[order], starts, axis=1)
    pairs = up.sum(1) * down.sum(1)
    wins = (up * (np.cumsum(down, axis=1) - down / 2)).sum(1)
    return np.divide(wins, pairs, out=np.full(len(counts), np.nan), where=pairs > 0)
