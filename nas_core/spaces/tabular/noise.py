"""Dropout noise as a pure function of a counter, so that it does not depend on what is trained beside it.

Source: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3". A unit is dropped when
mix(unit key + row key) < threshold, all in wrapping int32: an xor-shift and a product, whose high bits depend on all.
"""

from __future__ import annotations

import numpy as np
import torch

__all__ = ["drop_threshold", "keep_mask", "keep_ones", "row_keys", "unit_keys"]


def unit_keys(seed: int, group: int, layer: int, width: int) -> np.ndarray:
    """Return the (H,) int32 keys of the units of one hidden layer of one candidate."""
    base = np.uint64(_mix64(np.array([seed & (2**64 - 1)], dtype=np.uint64))[0])
    counter = np.arange(width, dtype=np.uint64) + np.uint64((group << 24) + (layer << 16))
    return _to_int32(_mix64(base ^ _mix64(counter)))


def row_keys(epoch: int, step: int, rows: int) -> np.ndarray:
    """Return the (N,) int32 keys of the rows of batch ``step`` of ``epoch``, the same for all candidates."""
    counter = np.arange(rows, dtype=np.uint64) + np.uint64((epoch << 44) + (step << 24) + (1 << 23))
    return _to_int32(_mix64(counter))


def drop_threshold(p: float) -> int:
    """Return the int32 value below which the share ``p`` of all int32 lies."""
    return min(2**31 - 1, round(p * 2**32) - 2**31)


def keep_mask(units: torch.Tensor, rows: torch.Tensor, thresholds: torch.Tensor | int) -> torch.Tensor:
    """Return True where a unit is kept; ``units`` (…, H, 1) and ``rows`` (N,) are int32 keys."""
    x = units + rows
    return keep_ones(units, rows, thresholds, x, x.clone()).bool()


def keep_ones(
    units: torch.Tensor, rows: torch.Tensor, thresholds: torch.Tensor | int, out: torch.Tensor, spare: torch.Tensor
) -> torch.Tensor:
    """Fill ``out`` (…, H, N) with 1 where a unit is kept and 0 where not, and return it; ``spare`` is overwritten.

    Both are int32. Nothing is allocated, and integers are compared in less than half of the time that booleans take.
    """
    torch.add(units, rows, out=out)  # both keys are well mixed; one more round breaks the structure of their sum
    torch.bitwise_right_shift(out, 15, out=spare)
    return out.bitwise_xor_(spare).mul_(0x2C1B3C6D).ge_(thresholds)


def _mix64(x: np.ndarray) -> np.ndarray:
    """SplitMix64: the finaliser of Steele et al. 2014, on uint64 with wrap-around."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _to_int32(x: np.ndarray) -> np.ndarray:
    return (x >> np.uint64(32)).astype(np.uint32).view(np.int32)
