"""Resampling rows: the draws that every 95 % interval shares, so that candidates are compared on the same luck."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from nas_core.records import Measurement

__all__ = ["RESAMPLES", "estimated", "interval", "resample_counts"]

RESAMPLES = 200


@lru_cache(maxsize=8)
def resample_counts(rows: int, resamples: int = RESAMPLES) -> np.ndarray:
    """Return how often each row is drawn in each resample (B, N): the same draws for every candidate."""
    draws = np.random.default_rng(0).integers(rows, size=(resamples, rows))
    flat = draws + rows * np.arange(resamples)[:, None]
    counts = np.bincount(flat.ravel(), minlength=resamples * rows).reshape(resamples, rows).astype(float)
    counts.setflags(write=False)
    return counts


def interval(draws: np.ndarray, value: float) -> tuple[float, float]:
    """Return the 2.5 % and 97.5 % points of ``draws`` (B,), widened to hold ``value``; draws that are NaN are left out.

    Where no draw is a number the interval is the value alone.
    """
    known = np.sort(draws[np.isfinite(draws)])
    if not len(known):
        return value, value
    low, high = _quantile(known, 0.025), _quantile(known, 0.975)
    return min(value, low), max(value, high)


def _quantile(ordered: np.ndarray, share: float) -> float:
    """Return ``np.quantile`` of ``ordered`` (n,), to the bit and without what makes it slow for one short array."""
    below, part = divmod(share * (len(ordered) - 1), 1.0)
    low, high = float(ordered[int(below)]), float(ordered[min(int(below) + 1, len(ordered) - 1)])
    return high - (high - low) * (1 - part) if part >= 0.5 else low + (high - low) * part


def estimated(raw: float, low: float, high: float) -> Measurement:
    """Return the measurement of a quantity that is its own score once cut to [0, 1], with its interval."""
    value, lowest, highest = (min(1.0, max(0.0, float(x))) for x in (raw, low, high))
    return Measurement(value=value, raw=float(raw), low=min(value, lowest), high=max(value, highest))
