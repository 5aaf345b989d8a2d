"""Joins, gates and dropout as kernels; the oracle is torch in single precision, its slopes by autograd."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from memories import batch, memory, operation, wide
from torch import Tensor

from nas_core.training.compiled import joins, kinds

SIZES = [(1, 1, 1), (1, 35, 5), (3, 1, 16), (6, 35, 33)]
"""Channels, places, rows of the batch."""


@dataclass(frozen=True)
class Case:
    """A kind, its kernels, what torch computes, and the shape of the second value read given (channels, places)."""

    kind: int
    forward: Callable[..., None]
    back: Callable[..., None]
    torch: Callable[..., Tensor]
    other: Callable[[int, int], tuple[int, int]] | None = None


CASES = {
    "copy": Case(kinds.COPY, joins.copy, joins.hand_back, torch.clone),
    "sum": Case(kinds.SUM, joins.plus, joins.hand_back, torch.add, lambda c, p: (c, p)),
    "gate": Case(kinds.GATE, joins.gate, joins.gate_back, torch.mul, lambda c, p: (c, 1)),
    "place gate": Case(kinds.PLACE_GATE, joins.gate, joins.gate_back, torch.mul, lambda c, p: (1, p)),
    "mean": Case(kinds.CHANNEL_MEAN, joins.channel_mean, joins.channel_mean_back, lambda x: x.mean(0, keepdim=True)),
    "largest": Case(
        kinds.CHANNEL_LARGEST, joins.channel_largest, joins.channel_largest_back, lambda x: x.amax(0, keepdim=True)
    ),
}


def numbers(*shape: int) -> np.ndarray:
    """Return numbers with many ties among them."""
    return (np.random.default_rng(sum(shape)).integers(-3, 4, shape) / 3).astype(np.float32)


@pytest.mark.parametrize(("channels", "places", "n"), SIZES)
@pytest.mark.parametrize("name", CASES)
def test_values_and_slopes(name: str, channels: int, places: int, n: int) -> None:
    case = CASES[name]
    shapes = [(channels, places), *([case.other(channels, places)] if case.other else [])]
    read = [torch.from_numpy(numbers(*shape, n)).requires_grad_() for shape in shapes]
    expected = case.torch(*read)
    g = torch.from_numpy(numbers(*expected.shape) + 0.1)
    expected.backward(g)

    rows = [r.detach().numpy().reshape(-1, n) for r in read]
    starts = np.cumsum([0, *(len(r) for r in rows)])
    last = np.full((expected.shape[0] * places, n), 5, np.float32)
    m, N = memory(batch(np.concatenate([*rows, last]))), wide(n)
    op = operation(
        KIND=case.kind, X=0, OTHER=int(starts[1]), OUT=int(starts[-1]), C_IN=channels, P_IN=places,
        C_OUT=expected.shape[0], P_OUT=places,
    )  # fmt: skip
    case.forward(op, m, N)
    values, slopes = m.values.reshape(-1, N), m.slopes.reshape(-1, N)
    found = values[starts[-1] :, :n].reshape(expected.shape)
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=1e-6, atol=1e-7)

    slopes[starts[-1] :, :n] = g.numpy().reshape(-1, n)
    slopes[: starts[-1], :n] = 1  # slopes are added to
    case.back(op, m, N)
    for tensor, first, end in zip(read, starts, starts[1:]):
        assert tensor.grad is not None
        found = slopes[first:end, :n].reshape(tensor.shape)
        np.testing.assert_allclose(found, 1 + tensor.grad.numpy(), rtol=1e-6, atol=1e-6)
    assert not slopes[:, n:].any()


@pytest.mark.parametrize("back", sorted({case.back for case in CASES.values()} | {joins.drop_back}, key=str))
def test_slopes_of_the_data_are_not_computed(back: Callable[..., None]) -> None:
    m = memory(batch(np.ones((6, 4))), noise=batch(np.ones((2, 4))))
    m.slopes[:] = 1
    back(operation(X=0, OTHER=2, OUT=4, C_IN=2, C_OUT=2, P_IN=1, P_OUT=1, NEEDS=0), m, wide(4))
    assert np.all(m.slopes == 1)


@pytest.mark.parametrize("channel", range(3))
def test_nan_of_any_channel_is_the_largest(channel: int) -> None:
    x = numbers(3, 5)
    x[channel, 2] = np.nan
    m = memory(batch(np.concatenate([x, np.zeros((1, 5), np.float32)])))
    joins.channel_largest(operation(X=0, OUT=3, C_IN=3, P_IN=1, C_OUT=1, P_OUT=1), m, wide(5))
    assert np.array_equal(m.values.reshape(4, -1)[3, :5], x.max(0), equal_nan=True)


def test_dropout_multiplies_with_its_rows_of_noise_in_training_alone() -> None:
    n, N = 19, wide(19)
    x, noise = numbers(6, n), (np.random.default_rng(1).random((8, n)) < 0.5) * np.float32(2)
    m = memory(batch(np.concatenate([x, np.zeros_like(x)])), noise=batch(noise))
    op = operation(X=0, OUT=6, C_IN=3, P_IN=2, C_OUT=3, P_OUT=2, PLACE=2)
    values, slopes = m.values.reshape(-1, N), m.slopes.reshape(-1, N)
    joins.drop(op, m, N, False)
    assert np.array_equal(values[6:, :n], x)
    joins.drop(op, m, N, True)
    assert np.array_equal(values[6:, :n], x * noise[2:])
    slopes[:6, :n], slopes[6:, :n] = 1, x
    joins.drop_back(op, m, N)
    assert np.array_equal(slopes[:6, :n], 1 + x * noise[2:])
    assert not slopes[:, n:].any()
