"""What keeps a model off the front although its metric looks good: reasons in words, empty where there are none.

Interpretability is undefined for a model that says nothing. ``performance`` refuses what is no better than ignoring
its inputs; here are the other ways of saying nothing: outputs that hardly vary, certainties that the data refute,
outputs of two values where the inputs have many, and weights that training has not improved. They look at numbers that
are there already, so they cost next to nothing.

K candidates, N rows, C outputs.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

__all__ = ["flat", "not_learnt", "output_reasons", "saturated", "two_valued"]

VARIATION = 1e-4
"""Outputs whose standard deviation is below this share of √(1 + f0²) are constant for every purpose. It lies above the
floor of the measures (10⁻¹⁰ of the variance), so no eligible candidate owes a score to that floor."""
CERTAIN, MOSTLY, REFUTED, AT_LEAST = 1e-6, 0.95, 0.01, 2
LEARNT, EARNED, LEAST = 0.01, 0.05, 0.002
"""How much training must have taken off the loss of the initial weights: the second share of what the candidate knows
more than a model that ignores its inputs, the last share of the loss at least; the first where it knows no more."""
VALUES, SAME, FIRST = 20, 1e-5, 500


class Trained(Protocol):
    """What is told of a training (``nas_core.training`` has the records)."""

    @property
    def start_loss(self) -> float | None:
        """Mean validation loss before the first step."""

    @property
    def kept_loss(self) -> float | None:
        """The same of the weights that are kept."""


def output_reasons(outputs: np.ndarray, y: np.ndarray, *, classes: int) -> list[str]:
    """Return for each candidate why its outputs alone make it ineligible; empty where they do not.

    Args:
        outputs: (K, N, C) finite logits, or predictions of a regression.
        y: (N,) class index; not looked at for a regression.
        classes: Number of classes, 0 for regression.
    """
    reasons = [flat(one) for one in outputs]
    if not classes:
        return reasons
    return [reason or saturated(one, y) for reason, one in zip(reasons, outputs, strict=True)]


def flat(outputs: np.ndarray) -> str:
    """Return why outputs (N, C) that hardly vary over the rows are no model; a common shift of all logits is none.

    The threshold is relative, so that a constant of 0.7 with rounding around it is one, and a ranking by differences in
    the last digits is no ranking.
    """
    f = np.asarray(outputs, np.float64)
    f = f - f.mean(1, keepdims=True) if f.shape[1] > 1 else f
    mean = f.mean(0)
    spread = float(np.sqrt(((f - mean) ** 2).sum(1).mean()))
    size = float(np.sqrt(1.0 + (mean**2).sum()))
    if spread >= VARIATION * size:
        return ""
    return (
        f"Its outputs hardly vary: they differ by {spread:.2g} around {np.abs(mean).max():.3g}, less than "
        f"{VARIATION:g} of their size"
    )


def saturated(outputs: np.ndarray, y: np.ndarray) -> str:
    """Return why certainties of logits (N, C) that the data refute are no model.

    A steep boundary is none of it: certainty is allowed as long as it is right. What is refused is to be certain to one
    in a million of nearly all rows, and wrong in a hundredth of them: ten thousand times as often as claimed. The
    logits that are explained then measure nothing.
    """
    f = np.asarray(outputs, np.float64)
    if f.shape[1] == 1:
        margin, predicted = np.abs(f[:, 0]), (f[:, 0] > 0).astype(np.int64)
    else:
        predicted = f.argmax(1)
        others = f - f.max(1, keepdims=True)
        others[np.arange(len(f)), predicted] = -np.inf
        margin = -np.logaddexp.reduce(others, axis=1)  # logit of the predicted class against all the others together
    certain = margin > -np.log(CERTAIN)
    wrong = int((predicted[certain] != np.asarray(y)[certain]).sum())
    count = int(certain.sum())
    if count < MOSTLY * len(f) or wrong < max(AT_LEAST, REFUTED * count):
        return ""
    return (
        f"Its outputs are saturated: it is certain to one in a million of {count} of {len(f)} rows, and wrong in "
        f"{wrong} of them"
    )


def two_valued(outputs: np.ndarray, inputs: np.ndarray) -> str:
    """Return why outputs (N, C) of at most two values are no network, where the inputs (N, d) it reads have many.

    All its units are saturated or dead, so that no gradient and no small change of an input says anything about it.
    With few different inputs (categories, columns of two values) two outputs are all there is to say: allowed.

    Costs: O(N C); in the rare case that the first rows have two values, O(N C log N), and a look at the inputs.
    """
    f = np.asarray(outputs, np.float64)
    spread = np.ptp(f, axis=0) if len(f) else np.zeros(f.shape[1])
    values = _values(f[:FIRST], spread)
    if values <= 2 and len(f) > FIRST:
        values = _values(f, spread)
    if values > 2:
        return ""
    different = len(np.unique(np.asarray(inputs)[:FIRST], axis=0)) if inputs.size else 0
    if different < VALUES:
        return ""
    return (
        f"Its outputs have {values} different value{'s' * (values > 1)} where its inputs have {different}: its units "
        "are saturated or dead"
    )


def not_learnt(outcome: Trained, featureless: float) -> str:
    """Return why a candidate whose training has not improved its validation loss over its initial weights is none.

    An untrained network can rank well by luck. The comparison is with the loss before the first step, on the same rows;
    the curves cannot tell, as they begin after the first epoch. Where nobody computed that loss there is no verdict.
    What training must have brought is measured by what there is to learn: where the inputs say little, no network
    takes much off its loss.

    Args:
        outcome: Of the training.
        featureless: Mean validation loss of a model that ignores its inputs.
    """
    start, kept = outcome.start_loss, outcome.kept_loss
    if start is None or kept is None or not np.isfinite(start) or start <= 0.0:
        return ""
    known = featureless - kept
    needed = max(EARNED * known, LEAST * start) if known > 0.0 else LEARNT * start
    if start - kept >= needed:
        return ""
    return (
        f"It has not learnt: training brought its validation loss from {start:.4g} to {kept:.4g}, which its untrained "
        f"twin has all but reached; a model that ignores its inputs has {featureless:.4g}"
    )


def _values(f: np.ndarray, spread: np.ndarray) -> int:
    """Return how many different rows outputs (n, C) have, three standing for any number of them."""
    codes = np.zeros(len(f), np.int64)
    for column, width in zip(f.T, spread, strict=True):
        levels = _levels(column, width)
        if levels.max(initial=0) > 1:
            return 3
        _, codes = np.unique(codes * 2 + levels, return_inverse=True)
    return min(3, len(np.unique(codes)))


def _levels(column: np.ndarray, width: float) -> np.ndarray:
    """Return the number of the value (N,) of each entry, values closer than SAME of the whole width being one."""
    if width <= 0.0:
        return np.zeros(len(column), np.int64)
    order = np.argsort(column, kind="stable")
    steps = np.diff(column[order], prepend=column[order[0]]) > SAME * width
    levels = np.empty(len(column), np.int64)
    levels[order] = np.cumsum(steps)
    return levels
