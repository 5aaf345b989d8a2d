"""How far a regression is off, row by row, in the target's own unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nas_core.errors import SettingsError

if TYPE_CHECKING:
    from nas_core.data.problem import Problem

__all__ = ["Residuals", "normal_scores", "own_unit", "residuals"]

QUANTILES = (0.025, 0.25, 0.5, 0.75, 0.975)


@dataclass(frozen=True, eq=False)
class Residuals:
    """Predictions beside what came, N rows.

    Attributes:
        actual, predicted: (N,) in the target's own unit, whatever the network was trained on.
        residual: (N,) actual − predicted: positive where the prediction is too low.
        quantiles: (5,) of the residual: 2.5, 25, 50, 75 and 97.5 %.
        mean: Mean residual: how much predictions are too low on average.
        spread: Spearman's rank correlation of |residual| with the prediction: 0 where errors are as large everywhere;
            NaN where all predictions or all errors are equal.
        normal: (N,) normal scores of the residuals in their order, for a quantile-quantile plot.
    """

    actual: np.ndarray
    predicted: np.ndarray
    residual: np.ndarray
    quantiles: np.ndarray
    mean: float
    spread: float
    normal: np.ndarray


def own_unit(problem: Problem, predicted: np.ndarray) -> np.ndarray:
    """Return what ``Candidate.predict`` gives for a regression (…), without the transform of the target."""
    return problem.target_scale.transform.inverse(np.asarray(predicted, float))


def residuals(actual: np.ndarray, predicted: np.ndarray) -> Residuals:
    """Return the residuals of predictions (N,) against ``actual`` (N,), both in the target's own unit.

    Raises:
        SettingsError: There are no rows, or not the same number of both, or they are not finite.
    """
    actual, predicted = np.asarray(actual, float), np.asarray(predicted, float)
    if not len(actual) or actual.shape != predicted.shape or not np.isfinite([actual, predicted]).all():
        raise SettingsError(
            f"Residuals of {actual.shape} values and {predicted.shape} predictions",
            allowed="the same number of finite values and predictions, one at least",
            fix="predict the same rows",
        )
    residual = actual - predicted
    return Residuals(actual, predicted, residual, np.quantile(residual, QUANTILES), float(residual.mean()),
                     _ranks_together(np.abs(residual), predicted), normal_scores(residual))  # fmt: skip


def normal_scores(values: np.ndarray) -> np.ndarray:
    """Return the standard normal quantile at each value's place, Φ⁻¹((rank − 3/8) / (N + 1/4)); ties share a rank.

    Source: Blom (1958).
    """
    from scipy.special import ndtri

    return np.asarray(ndtri((_ranks(values) - 0.375) / (len(values) + 0.25)))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return ranks from 1, the mean rank for equal values."""
    _, at, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return ((ends - counts + 1 + ends) / 2)[at]


def _ranks_together(a: np.ndarray, b: np.ndarray) -> float:
    """Return Spearman's rank correlation, NaN where one of both does not vary."""
    ra, rb = _ranks(a) - (len(a) + 1) / 2, _ranks(b) - (len(b) + 1) / 2
    size = float(np.sqrt((ra @ ra) * (rb @ rb)))
    return float(ra @ rb) / size if size > 0 else float("nan")
