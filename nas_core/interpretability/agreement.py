"""How well a simple model reproduces another one on rows it was not fitted to: R² of outputs, Cohen's κ of classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nas_core.interpretability.effects import VARIANCE_FLOOR
from nas_core.interpretability.intervals import interval, resample_counts

__all__ = ["Agreement", "class_agreement", "output_agreement"]


@dataclass(frozen=True)
class Agreement:
    """A number with its interval, or why there is none.

    Attributes:
        value: R², Cohen's κ (neither is cut) or a mean; None with ``reason``.
        low, high: 95 % percentile interval over resampled rows; None with the value.
        reason: Why there is no value; else empty.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""


def output_agreement(outputs: np.ndarray, reproduced: np.ndarray) -> Agreement:
    """Return R² of ``reproduced`` (n, C) for ``outputs`` (n, C), squares pooled over the outputs."""
    mean = outputs.mean(0)
    centred = outputs - mean
    if float((centred**2).sum(1).mean()) < VARIANCE_FLOOR * (1 + float((mean**2).sum())):
        return Agreement(reason="its output is the same for all held-out rows, so there is no variation")
    error = ((outputs - reproduced) ** 2).sum(1)
    squares = (centred**2).sum(1)
    value = 1 - float(error.sum() / squares.sum())
    counts, n = resample_counts(len(outputs)), len(outputs)
    shift = counts @ centred  # a resample has its own mean
    total = counts @ squares - (shift**2).sum(1) / n
    draws = 1 - np.divide(counts @ error, total, out=np.full(len(counts), np.nan), where=total > 1e-12 * squares.sum())
    return Agreement(value, *interval(draws, value))


def class_agreement(classes: np.ndarray, reproduced: np.ndarray) -> Agreement:
    """Return Cohen's κ of two classifications (n,): agreement beyond what the shares of the classes give by chance.

    Source: Cohen (1960), doi 10.1177/001316446002000104.
    """
    present = np.unique(classes)
    if len(present) < 2:
        return Agreement(
            None, None, None, "it predicts one class for all held-out rows, so there is nothing to tell apart"
        )
    agree = (classes == reproduced).astype(float)
    one = (classes[:, None] == present).astype(float)
    other = (reproduced[:, None] == present).astype(float)
    every = np.ones((1, len(classes)))
    value = float(_kappa(every, agree, one, other)[0])
    draws = _kappa(resample_counts(len(classes)), agree, one, other)
    return Agreement(value, *interval(draws, value))


def _kappa(counts: np.ndarray, agree: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return κ (B,) of rows counted as in ``counts`` (B, n); NaN where chance alone agrees always."""
    n = counts.sum(1)
    chance = ((counts @ one) * (counts @ other)).sum(1) / n**2
    observed = counts @ agree / n
    known = chance < 1 - 1e-12
    return np.divide(observed - chance, 1 - chance, out=np.full(len(n), np.nan), where=known)
