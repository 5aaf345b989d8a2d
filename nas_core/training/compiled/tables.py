"""Which places a kernel reads, as tables of whole numbers: borders, strides and dilation are nothing special in them.

A table of P places and L pairs is ``[start of each place, P + 1 numbers][first of each pair][second of each pair]``:
the pairs of place p are those from ``start[p]`` to ``start[p + 1]``. Pairs that would read beyond the border are not
there, so padding with zeros costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Taps", "taps_of"]


@dataclass(frozen=True)
class Taps:
    """The places that a kernel of a convolution or pooling reads.

    Attributes:
        taps: Taps of the kernel.
        forward: Table over the places of the result: (place read, tap).
        back: Table over the places read: (place of the result, tap).
        by_tap: Table over the taps: (place of the result, place read).
        places: (height, width) of the result.
    """

    taps: int
    forward: np.ndarray
    back: np.ndarray
    by_tap: np.ndarray
    places: tuple[int, int]


def taps_of(
    size: tuple[int, int], kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int],
    dilation: tuple[int, int] = (1, 1), *, places: tuple[int, int] | None = None,
) -> Taps:  # fmt: skip
    """Return the tables of a kernel over maps of ``size`` (height, width).

    Args:
        size: Height and width of the maps read.
        kernel, stride, padding, dilation: As of ``torch.nn.Conv2d``.
        places: Height and width of the result; as of a convolution by default, larger for pooling with ``ceil_mode``.
    """
    ends = [
        (n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in zip(size, kernel, stride, padding, dilation)
    ]  # fmt: skip
    height, width = places or (ends[0], ends[1])
    i, j, a, b = (
        part.ravel() for part in np.meshgrid(*map(np.arange, (height, width, *kernel)), indexing="ij")
    )  # fmt: skip
    rows = i * stride[0] + a * dilation[0] - padding[0]
    columns = j * stride[1] + b * dilation[1] - padding[1]
    inside = (rows >= 0) & (rows < size[0]) & (columns >= 0) & (columns < size[1])
    out, read, tap = (
        part[inside] for part in (i * width + j, rows * size[1] + columns, a * kernel[1] + b)
    )  # fmt: skip
    return Taps(
        kernel[0] * kernel[1],
        _table(out, read, tap, height * width),
        _table(read, out, tap, size[0] * size[1]),
        _table(tap, out, read, kernel[0] * kernel[1]),
        (height, width),
    )


def _table(by: np.ndarray, first: np.ndarray, second: np.ndarray, groups: int) -> np.ndarray:
    order = np.argsort(by, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(by, minlength=groups))])
    return np.concatenate([starts, first[order], second[order]]).astype(np.int32)
