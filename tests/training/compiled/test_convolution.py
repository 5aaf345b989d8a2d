"""Convolutions and linear layers as kernels; the oracle is ``torch.nn.functional`` in double precision."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from kernel_rows import BEFORE, Rows, assert_close, rows_of
from torch import Tensor
from torch.nn import functional

from nas_core.training.compiled.convolution import convolve, convolve_back, convolve_each, convolve_each_back
from nas_core.training.compiled.fields import C_OUT, OUT, WEIGHT, X
from nas_core.training.compiled.tables import taps_of

Pair = tuple[int, int]
LAYERS = [
    # rows, channels read and made, height and width, kernel, stride, padding, dilation
    (5, (3, 7), (5, 7), (3, 3), (1, 1), (1, 1), (1, 1)),
    (64, (1, 8), (5, 5), (3, 3), (1, 1), (1, 1), (1, 1)),
    (33, (6, 6), (6, 5), (5, 5), (1, 1), (2, 2), (1, 1)),
    (65, (13, 15), (1, 1), (1, 1), (1, 1), (0, 0), (1, 1)),
    (48, (5, 4), (7, 6), (2, 3), (2, 1), (1, 0), (1, 1)),
    (130, (2, 12), (1, 9), (1, 3), (1, 1), (0, 2), (1, 2)),
    (16, (4, 1), (13, 13), (3, 3), (1, 1), (1, 1), (1, 1)),
    (3, (2, 3), (2, 2), (5, 5), (1, 1), (2, 2), (1, 1)),
]


def _layer(
    n: int, channels: Pair, size: Pair, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, groups: int,
    bias: bool, spare: int = 0, needs: bool = True,
) -> tuple[Rows, list[Tensor], Tensor, tuple[Tensor, ...]]:  # fmt: skip
    """Return rows of a layer, (x, weights, bias), the value that is wanted and the derivatives that are."""
    made = torch.Generator().manual_seed(n)
    x = torch.randn(n, channels[0], *size, generator=made).requires_grad_()
    weights = torch.randn(channels[1], channels[0] // groups, *kernel, generator=made).requires_grad_()
    parts = [x, weights] + [torch.randn(channels[1], generator=made).requires_grad_()] * bias
    shift = parts[2].double() if bias else None
    y = functional.conv2d(x.double(), weights.double(), shift, stride, padding, dilation, groups)
    slopes = torch.randn(y.shape, generator=made)
    wanted = torch.autograd.grad(y, parts, slopes.double())
    taps = taps_of(size, kernel, stride, padding, dilation)
    rows = rows_of(
        x.detach(), y.detach(), slopes, taps, weights=weights.detach(), bias=parts[2].detach() if bias else None,
        spare=spare, needs=needs,
    )  # fmt: skip
    return rows, parts, y.detach().float(), wanted


def _assert_those_of_torch(rows: Rows, parts: list[Tensor], y: Tensor, wanted: tuple[Tensor, ...]) -> None:
    assert_close(rows.maps(OUT, y, rows.m.values), y, 1e-6)
    assert_close(rows.m.gradient[BEFORE:], torch.cat([part.ravel() for part in wanted[1:]]), 2e-6)
    assert_close(rows.maps(X, parts[0], rows.added), wanted[0], 1e-6)
    added = rows.added.reshape(-1, rows.N)
    assert (added[: rows.op[X]] == 0).all()
    assert (added[rows.op[X] : rows.op[OUT], rows.n :] == 0).all()
    assert (rows.m.gradient[:BEFORE] == 9).all()


@pytest.mark.parametrize(("n", "channels", "size", "kernel", "stride", "padding", "dilation"), LAYERS)
@pytest.mark.parametrize(("bias", "spare"), [(True, 0), (False, 1)])
def test_convolutions_are_those_of_torch(
    n: int, channels: Pair, size: Pair, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, bias: bool,
    spare: int,
) -> None:  # fmt: skip
    rows, *found = _layer(n, channels, size, kernel, stride, padding, dilation, 1, bias, spare)
    convolve(rows.op, rows.m, rows.N)
    convolve_back(rows.op, rows.m, rows.N)
    _assert_those_of_torch(rows, *found)


@pytest.mark.parametrize(("n", "channels", "size", "kernel", "stride", "padding", "dilation"), LAYERS)
def test_convolutions_of_each_channel_are_those_of_torch(
    n: int, channels: Pair, size: Pair, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair
) -> None:
    each = channels[1]
    rows, *found = _layer(n, (each, each), size, kernel, stride, padding, dilation, each, False)
    convolve_each(rows.op, rows.m, rows.N)
    convolve_each_back(rows.op, rows.m, rows.N)
    _assert_those_of_torch(rows, *found)


@pytest.mark.parametrize(
    ("forward", "back", "groups"), [(convolve, convolve_back, 1), (convolve_each, convolve_each_back, 4)]
)
def test_slopes_of_the_rows_of_the_data_are_left_alone(forward: object, back: object, groups: int) -> None:
    rows, *_ = _layer(3, (4, 4), (3, 3), (3, 3), (1, 1), (1, 1), (1, 1), groups, False, needs=False)
    before = rows.m.slopes.copy()
    back(rows.op, rows.m, rows.N)
    assert (rows.m.slopes == before).all()
    assert (rows.m.gradient[BEFORE:] != 9).all()


def test_a_channel_is_computed_as_it_is_alone() -> None:
    """The sums of a channel do not depend on the block of channels in which they are computed."""
    rows, *_ = _layer(64, (3, 15), (3, 3), (3, 3), (1, 1), (1, 1), (1, 1), 1, False)
    convolve(rows.op, rows.m, rows.N)
    together = rows.m.values.copy()
    y = rows.op[OUT] * rows.N
    rows.m.values[y:] = 0
    op, channel = rows.op.copy(), 9 * rows.N
    op[C_OUT] = 1
    for c in range(15):
        op[WEIGHT], op[OUT] = BEFORE + c * 27, rows.op[OUT] + c * 9
        convolve(op, rows.m, rows.N)
    assert np.array_equal(rows.m.values[y : y + 15 * channel], together[y : y + 15 * channel])
