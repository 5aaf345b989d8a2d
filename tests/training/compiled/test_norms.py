"""Batch normalisation as a kernel; the oracle is ``torch.nn.BatchNorm2d``, in double precision where it says so."""

from __future__ import annotations

import copy

import pytest
import torch
from kernel_rows import BEFORE, Rows, assert_close, rows_of
from torch import Tensor, nn

from nas_core.training.compiled.fields import OUT, X
from nas_core.training.compiled.norms import normalise, normalise_back

SHAPES = [(5, 3, 5, 7, 0), (16, 1, 1, 1, 0), (33, 2, 4, 1, 1), (2, 1, 6, 8, 0)]


def _layer(channels: int, momentum: float = 0.3) -> nn.BatchNorm2d:
    layer = nn.BatchNorm2d(channels, eps=1e-3, momentum=momentum)
    made = torch.Generator().manual_seed(channels)
    with torch.no_grad():
        for part in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
            part.copy_(0.2 + torch.rand(channels, generator=made))
    return layer


def _kept(layer: nn.BatchNorm2d) -> Tensor:
    assert layer.running_mean is not None
    assert layer.running_var is not None
    return torch.cat([layer.running_mean, layer.running_var])


def _rows(layer: nn.BatchNorm2d, x: Tensor, slopes: Tensor, spare: int = 0, needs: bool = True) -> Rows:
    return rows_of(
        x, x, slopes, weights=layer.weight.detach(), bias=layer.bias.detach(), statistics=_kept(layer), spare=spare,
        needs=needs,
    )  # fmt: skip


def _real(layer: nn.BatchNorm2d) -> object:
    return torch.tensor([layer.momentum, layer.eps]).numpy()


@pytest.mark.parametrize(("n", "c", "height", "width", "spare"), SHAPES)
def test_training_is_that_of_torch(n: int, c: int, height: int, width: int, spare: int) -> None:
    made = torch.Generator().manual_seed(n)
    x = (3 + 2 * torch.randn(n, c, height, width, generator=made)).requires_grad_()
    slopes = torch.randn(x.shape, generator=made)
    layer = _layer(c)
    rows = _rows(layer, x.detach(), slopes, spare)
    normalise(rows.op, _real(layer), rows.m, rows.N, n, True)
    normalise_back(rows.op, _real(layer), rows.m, rows.N, n)
    exact = copy.deepcopy(layer).double()
    y = exact(x.double())
    wanted = torch.autograd.grad(y, (x, exact.weight, exact.bias), slopes.double())
    assert_close(rows.maps(OUT, x, rows.m.values), y.detach().float(), 2e-6)
    assert_close(rows.m.statistics[BEFORE:], _kept(exact).float(), 1e-6)
    assert_close(rows.m.gradient[BEFORE:], torch.cat(wanted[1:]).float(), 2e-6)
    assert_close(rows.maps(X, x, rows.added), wanted[0], 2e-6)
    added = rows.added.reshape(-1, rows.N)
    assert (added[: rows.op[X]] == 0).all()
    assert (added[rows.op[X] : rows.op[OUT], n:] == 0).all()


def test_evaluation_uses_the_running_statistics_and_leaves_them() -> None:
    x, layer = torch.randn(5, 3, 2, 2, generator=torch.Generator().manual_seed(0)), _layer(3).eval()
    rows = _rows(layer, x, x)
    normalise(rows.op, _real(layer), rows.m, rows.N, 5, False)
    assert_close(rows.maps(OUT, x, rows.m.values), layer(x).detach(), 2e-6)
    assert_close(rows.m.statistics[BEFORE:], _kept(layer), 0.0)


def test_the_variance_of_many_numbers_far_from_zero_is_as_exact_as_that_of_torch() -> None:
    made = torch.Generator().manual_seed(4)
    x = 300 + torch.randn(64, 1, 20, 20, generator=made)
    layer, slopes = _layer(1, momentum=1.0), torch.randn(x.shape, generator=made)
    rows = _rows(layer, x, slopes)
    normalise(rows.op, _real(layer), rows.m, rows.N, 64, True)
    wanted = x.double().mean(), x.double().var()
    found = rows.m.statistics[BEFORE:]
    assert found[0] == pytest.approx(float(wanted[0]), rel=2e-7)
    assert found[1] == pytest.approx(float(wanted[1]), rel=1e-6)


def test_a_single_number_has_no_variance() -> None:
    layer = _layer(2, momentum=1.0)
    x = torch.tensor([[3.0, 4.0]]).reshape(1, 2, 1, 1)
    rows = _rows(layer, x, x)
    normalise(rows.op, _real(layer), rows.m, rows.N, 1, True)
    assert_close(rows.m.statistics[BEFORE:], torch.tensor([3.0, 4.0, 0.0, 0.0]), 1e-6)
    assert_close(rows.maps(OUT, x, rows.m.values).ravel(), layer.bias.detach(), 2e-5)  # 3 · 30 - 3 · 30, as of torch


def test_slopes_of_the_rows_of_the_data_are_left_alone() -> None:
    layer, x = _layer(2), torch.randn(3, 2, 2, 2, generator=torch.Generator().manual_seed(0))
    rows = _rows(layer, x, x, needs=False)
    before = rows.m.slopes.copy()
    normalise(rows.op, _real(layer), rows.m, rows.N, 3, True)
    normalise_back(rows.op, _real(layer), rows.m, rows.N, 3)
    assert (rows.m.slopes == before).all()
    assert (rows.m.gradient[BEFORE:] != 9).all()
