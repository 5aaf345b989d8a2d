"""One operation between two values, as rows of numbers: what a kernel is given, made of what torch is given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nas_core.training.compiled.fields import (
    BACK,
    BIAS,
    BY_TAP,
    C_IN,
    C_OUT,
    FIELDS,
    NEEDS,
    OTHER,
    OUT,
    P_IN,
    P_OUT,
    PLACE,
    TABLE,
    TAPS,
    WEIGHT,
    Memory,
    X,
)
from nas_core.training.compiled.lanes import LANES
from nas_core.training.compiled.tables import Taps

BEFORE = 3
"""Rows, weights and statistics before those of the operation, which must stay as they are."""
BEGIN = np.float32(1 / 128)
"""What the slopes of x are before a kernel adds to them."""


@dataclass(frozen=True)
class Rows:
    """An operation and its memory.

    Attributes:
        op: Its row of fields.
        m: The memory: rows of x, then of y. What belongs to no row of the batch holds numbers all the same.
        N: Numbers in a row.
        n: How many of them are there.
    """

    op: np.ndarray
    m: Memory
    N: int
    n: int

    def maps(self, field: int, like: Tensor, rows: np.ndarray) -> Tensor:
        """Return the value at a field as a tensor like another one, (n, C, …)."""
        channels = like[0].numel()
        part = rows.reshape(-1, self.N)[self.op[field] : self.op[field] + channels, : self.n]
        return torch.from_numpy(part.T.copy()).reshape(like.shape)

    @property
    def added(self) -> np.ndarray:
        """What has been added to the slopes of x, rows of N; those before x, and of no row of the batch, with it."""
        return self.m.slopes - BEGIN


def rows_of(
    x: Tensor, y: Tensor, slopes: Tensor, taps: Taps | None = None, *, weights: Tensor | None = None,
    bias: Tensor | None = None, statistics: Tensor | None = None, spare: int = 0, needs: bool = True,
) -> Rows:  # fmt: skip
    """Write down an operation that makes y (n, C, …) of x (n, C, …), with the slopes of the mean loss by y.

    The slopes of x begin at :data:`BEGIN`, for a kernel adds to them.
    """
    n, spare_rows = len(x), np.random.default_rng(7)
    N = -(-n // LANES) * LANES + spare * LANES
    inputs, outputs = x[0].numel(), y[0].numel()
    values = spare_rows.normal(0, 50, (BEFORE + inputs + outputs, N)).astype(np.float32)
    values[BEFORE : BEFORE + inputs, :n] = x.reshape(n, -1).T.numpy()
    rows = np.full_like(values, BEGIN)
    rows[BEFORE + inputs :] = 0
    rows[BEFORE + inputs :, :n] = slopes.reshape(n, -1).T.numpy()
    parameters = [torch.full((BEFORE,), 9.0), *(part.ravel() for part in (weights, bias) if part is not None)]
    flat = torch.cat(parameters).numpy().copy()
    kept = torch.cat([torch.full((BEFORE,), 9.0), torch.zeros(0) if statistics is None else statistics.ravel()])
    op = np.zeros(FIELDS, dtype=np.int64)
    op[[X, OUT, C_IN, C_OUT]] = BEFORE, BEFORE + inputs, x.shape[1], y.shape[1]
    op[[P_IN, P_OUT]] = inputs // x.shape[1], outputs // y.shape[1]
    op[[WEIGHT, BIAS, PLACE, OTHER, NEEDS]] = BEFORE, -1, BEFORE, 0, needs
    if bias is not None and weights is not None:
        op[BIAS] = BEFORE + weights.numel()
    tables = np.zeros(0, dtype=np.int32)
    if taps is not None:
        tables = np.concatenate([taps.forward, taps.back, taps.by_tap])
        op[[TABLE, BACK, BY_TAP]] = 0, len(taps.forward), len(taps.forward) + len(taps.back)
        op[TAPS] = taps.taps
    empty = np.zeros(0, dtype=np.float32)
    memory = Memory(
        values.ravel(), rows.ravel(), flat, np.full_like(flat, 9.0), kept.numpy().copy(), empty,
        np.zeros(2 * y.shape[1], dtype=np.float32), tables,
    )  # fmt: skip
    return Rows(op, memory, N, n)


def assert_close(found: Tensor | np.ndarray, wanted: Tensor, bound: float = 1e-5) -> None:
    """Compare numbers by the largest of them: sums of single precision are as exact as their largest parts."""
    found = torch.as_tensor(found)
    assert found.shape == wanted.shape
    scale = max(float(wanted.abs().max()), 1e-3)
    assert float((found - wanted).abs().max()) <= bound * scale
