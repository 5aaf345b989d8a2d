"""Pooling kernels; the oracle is ``torch.nn.functional``, values and slopes."""

from __future__ import annotations

import math

import pytest
import torch
from kernel_rows import Rows, assert_close, rows_of
from torch import Tensor
from torch.nn import functional

from nas_core.training.compiled.fields import OUT, X
from nas_core.training.compiled.pooling import (
    average_pool,
    average_pool_back,
    max_pool,
    max_pool_back,
    mean,
    mean_back,
)
from nas_core.training.compiled.tables import taps_of

WINDOWS = [
    # rows, channels, height, width, kernel, stride, padding, ceil_mode
    (5, 3, 5, 7, (3, 3), (1, 1), (1, 1), False),
    (17, 2, 5, 7, (2, 2), (2, 2), (0, 0), True),
    (16, 1, 6, 4, (2, 2), (2, 2), (0, 0), False),
    (3, 2, 7, 6, (3, 2), (2, 3), (1, 0), True),
    (4, 2, 1, 1, (1, 1), (1, 1), (0, 0), False),
    (2, 1, 1, 9, (1, 4), (1, 3), (0, 2), True),
]


def _numbers(rows: int, channels: int, height: int, width: int) -> Tensor:
    made = torch.Generator().manual_seed(rows * 100 + height)
    return torch.randint(-3, 4, (rows, channels, height, width), generator=made).float()  # many are equal


@pytest.mark.parametrize(("n", "c", "height", "width", "kernel", "stride", "padding", "ceil"), WINDOWS)
@pytest.mark.parametrize("kind", ["max", "average"])
def test_pooling_is_that_of_torch(
    kind: str, n: int, c: int, height: int, width: int, kernel: tuple[int, int], stride: tuple[int, int],
    padding: tuple[int, int], ceil: bool,
) -> None:  # fmt: skip
    x = _numbers(n, c, height, width).requires_grad_()
    if kind == "max":
        y = functional.max_pool2d(x, kernel, stride, padding, ceil_mode=ceil)
    else:
        y = functional.avg_pool2d(x, kernel, stride, padding, ceil_mode=ceil, count_include_pad=False)
    slopes = torch.randn(y.shape, generator=torch.Generator().manual_seed(1))
    (wanted,) = torch.autograd.grad(y, x, slopes)
    taps = taps_of((height, width), kernel, stride, padding, places=(y.shape[2], y.shape[3]))
    rows = rows_of(x.detach(), y.detach(), slopes, taps)
    forward, back = (max_pool, max_pool_back) if kind == "max" else (average_pool, average_pool_back)
    forward(rows.op, rows.m, rows.N)
    back(rows.op, rows.m, rows.N)
    assert_close(rows.maps(OUT, y, rows.m.values), y.detach(), 1e-6)
    _assert_added(rows, x, wanted)


def _assert_added(rows: Rows, x: Tensor, wanted: Tensor) -> None:
    assert_close(rows.maps(X, x, rows.added), wanted, 1e-6)
    added = rows.added.reshape(-1, rows.N)
    assert (added[: rows.op[X]] == 0).all()
    assert (added[rows.op[X] : rows.op[OUT], rows.n :] == 0).all()


def test_a_window_with_nan_is_nan_and_its_slope_goes_where_torch_sends_it() -> None:
    x = torch.tensor([[1.0, math.nan, 5.0, math.nan, 2.0, 3.0]]).reshape(1, 1, 1, 6).requires_grad_()
    y = functional.max_pool2d(x, (1, 3), (1, 1), (0, 1))
    (wanted,) = torch.autograd.grad(y, x, torch.arange(1.0, 7.0).reshape(y.shape))
    rows = rows_of(
        x.detach(), y.detach(), torch.arange(1.0, 7.0).reshape(y.shape), taps_of((1, 6), (1, 3), (1, 1), (0, 1))
    )
    max_pool(rows.op, rows.m, rows.N)
    max_pool_back(rows.op, rows.m, rows.N)
    assert torch.equal(rows.maps(OUT, y, rows.m.values).isnan(), y.isnan())
    assert torch.equal(rows.maps(X, x, rows.added), wanted)


@pytest.mark.parametrize(("n", "c", "height", "width"), [(5, 3, 5, 7), (16, 1, 1, 1), (33, 2, 4, 1)])
def test_the_mean_over_all_places_is_that_of_torch(n: int, c: int, height: int, width: int) -> None:
    x = _numbers(n, c, height, width).requires_grad_()
    y = functional.adaptive_avg_pool2d(x, 1)
    slopes = torch.randn(y.shape, generator=torch.Generator().manual_seed(2))
    (wanted,) = torch.autograd.grad(y, x, slopes)
    rows = rows_of(x.detach(), y.detach(), slopes)
    mean(rows.op, rows.m, rows.N)
    mean_back(rows.op, rows.m, rows.N)
    assert_close(rows.maps(OUT, y, rows.m.values), y.detach(), 1e-6)
    _assert_added(rows, x, wanted)


@pytest.mark.parametrize("back", [max_pool_back, average_pool_back, mean_back])
def test_slopes_of_the_rows_of_the_data_are_left_alone(back: object) -> None:
    x = _numbers(3, 2, 2, 2)
    rows = rows_of(x, x, x, taps_of((2, 2), (1, 1), (1, 1), (0, 0)), needs=False)
    before = rows.m.slopes.copy()
    back(rows.op, rows.m, rows.N)
    assert (rows.m.slopes == before).all()
