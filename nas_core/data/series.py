"""Series of any length made into rows of one length: gaps interpolated, ends padded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_core.data.arrays import SignalLimits
from nas_core.errors import DataError

__all__ = ["LARGEST", "filled", "stacked"]

LARGEST = 1e18  # its square is a float32
Floats = NDArray[np.float32]


def stacked(
    series: Sequence[NDArray[Any]] | NDArray[Any], name: str, length: int | None = None
) -> tuple[Floats, bool, list[str]]:
    """Return series as rows of one length, whether any had to be padded, and notes.

    Missing values inside a series are interpolated linearly between their neighbours in the same channel, those at its
    ends repeat the nearest value; a channel without any value takes 0 when nothing is known of it in any series, else
    its mean over all of them. Shorter series are filled with NaN at their end.

    Args:
        series: N arrays (channels, steps) with the same channels, at least one step each; NaN = missing.
        name: What a person reads in errors.
        length: Steps that are kept at most.

    Raises:
        DataError: Too many numbers, an infinite or extreme value, or nothing but missing values.
    """
    notes: list[str] = []
    longest = max(s.shape[1] for s in series)
    if length is not None and longest > length:
        cut = sum(s.shape[1] > length for s in series)
        notes.append(f"{cut:,} series are longer than {length:,} steps: the first {length:,} are kept.")
        longest = length
    channels = series[0].shape[0]
    SignalLimits.check(len(series), channels * longest, name)
    X = np.full((len(series), channels, longest), np.nan, dtype=np.float32)
    missing = 0
    absent: list[tuple[int, int, int]] = []
    for row, values in enumerate(series):
        kept = np.asarray(values[:, :longest], dtype=np.float64)
        _check_finite(kept, row, name)
        steps = kept.shape[1]
        for channel, line in enumerate(kept):
            gaps = int(np.isnan(line).sum())
            missing += gaps
            if gaps == steps:
                absent.append((row, channel, steps))
                continue
            X[row, channel, :steps] = filled(line) if gaps else line
    if len(absent) == len(series) * channels:
        raise DataError(f"{name} has no value in any series", allowed="series of numbers", fix="check the file")
    if missing:
        notes.append(f"{missing:,} missing values are interpolated between their neighbours in time.")
    notes += _fill_absent(X, absent)
    lengths = {min(s.shape[1], longest) for s in series}
    if len(lengths) > 1:
        notes.append(
            f"The series have {min(lengths):,} to {max(lengths):,} steps: shorter ones are padded at their end, "
            "and networks are told where."
        )
    return X, len(lengths) > 1, notes


def _fill_absent(X: Floats, absent: Sequence[tuple[int, int, int]]) -> list[str]:
    """Fill channels (row, channel, steps) that have no value with what is known of the channel elsewhere; say so."""
    if not absent:
        return []
    means = {}
    for channel in {c for _, c, _ in absent}:
        known = X[:, channel]
        means[channel] = 0.0 if np.isnan(known).all() else float(np.nanmean(known, dtype=np.float64))
    for row, channel, steps in absent:
        X[row, channel, :steps] = means[channel]
    return [f"{len(absent):,} channels of a series without any value are filled with the mean of that channel."]


def filled(line: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``line`` (steps,) with NaN interpolated linearly, and the nearest value beyond the first and last."""
    known = np.flatnonzero(~np.isnan(line))
    return np.interp(np.arange(len(line)), known, line[known])


def _check_finite(values: NDArray[np.float64], row: int, name: str) -> None:
    wild = np.abs(values) > LARGEST
    if wild.any():
        raise DataError(
            f"Series {row + 1} of {name} holds {values[wild][0]:g}",
            allowed=f"finite numbers between -{LARGEST:g} and {LARGEST:g}",
            fix="replace these values, or mark them as missing",
        )
