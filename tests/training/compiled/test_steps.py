"""Marks of steps, pooling over them, norms, words. Oracle: the blocks of sequence networks and their autograd."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from room import Room, marks, row
from torch import Tensor

from nas_core.spaces.sequence.blocks import ChannelNorm, Embedding, StepNorm
from nas_core.spaces.sequence.network import _largest, _last
from nas_core.training.compiled.fields import (
    BIAS,
    C_OUT,
    NEEDS,
    OPTION,
    OTHER,
    OUT,
    P_IN,
    P_OUT,
    PRESENT,
    WEIGHT,
    X,
)  # fmt: skip
from nas_core.training.compiled.step_norms import channel_norm, channel_norm_back, step_norm, step_norm_back
from nas_core.training.compiled.steps import (
    embed,
    embed_back,
    largest,
    largest_back,
    last,
    last_back,
    presence,
    step_mean,
    step_mean_back,
)  # fmt: skip

LENGTHS = [7, 0, 3, 1, 2]


def mean_there(maps: Tensor, present: Tensor | None) -> Tensor:
    assert present is not None
    return (maps * (maps.shape[-1] / present.sum(-1, keepdim=True).clamp(min=1))).mean(-1)


@pytest.mark.parametrize("needs", [0, 1])
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize(
    ("forward", "back", "oracle"),
    [(last, last_back, _last), (largest, largest_back, _largest), (step_mean, step_mean_back, mean_there)],
)
def test_poolings(forward: Callable, back: Callable, oracle: Callable, padded: bool, needs: int) -> None:
    if oracle is mean_there and not padded:
        return
    torch.manual_seed(5)
    n, C, steps = 5, 3, 7
    present = marks(LENGTHS, steps) if padded else None
    x = torch.randint(-2, 2, (n, C, steps)).float()  # with ties
    x = (x if present is None else x * present[:, :1]).requires_grad_()
    pooled = oracle(x, None if present is None else present[:, :1])
    wanted = torch.randn(n, C)
    (pooled * wanted).sum().backward()

    room = Room(n)
    fields = {X: room.value(x), OUT: room.empty(C), C_OUT: C, P_IN: steps, P_OUT: 1, NEEDS: needs}
    fields[PRESENT] = -1 if present is None else room.value(present, 0.0)
    m = room.memory()
    forward(row(fields), m, room.N)
    torch.testing.assert_close(room.read(m.values, fields[OUT], C, 1)[..., 0], pooled)
    room.write(m.slopes, fields[OUT], wanted)
    back(row(fields), m, room.N)
    slopes, there = room.read(m.slopes, fields[X], C, steps), 1 if present is None else present[:, :1]
    torch.testing.assert_close(slopes * there, x.grad * there * needs)


def test_the_largest_of_what_holds_no_number_is_no_number() -> None:
    for at in range(3):
        x = torch.tensor([[[3.0, -1.0, 2.0]]])
        x[0, 0, at] = torch.nan
        room = Room(1)
        fields = {X: room.value(x), OUT: room.empty(1), C_OUT: 1, P_IN: 3, P_OUT: 1}
        m = room.memory()
        largest(row(fields), m, room.N)
        assert room.read(m.values, fields[OUT], 1, 1).isnan().all()


def test_marks_of_steps() -> None:
    here = marks(LENGTHS, 7)
    room = Room(5)
    fields = {X: room.value(3 * here[:, :1]), OUT: room.empty(14), P_OUT: 7}
    m = room.memory()
    presence(row(fields), m, room.N, 5)
    torch.testing.assert_close(room.read(m.values, fields[OUT], 2, 7), here)
    assert not m.values.reshape(-1, room.N)[fields[OUT] :, 5:].any()


@pytest.mark.parametrize(("C", "steps"), [(1, 1), (5, 7)])
def test_norm_of_channels(C: int, steps: int) -> None:
    """One channel deviates by 0, or by a rounding error that is then divided by the root of epsilon: 3e-7 · 316."""
    torch.manual_seed(6)
    n, layer = 5, ChannelNorm(C)
    torch.nn.init.normal_(layer.norm.weight)
    torch.nn.init.normal_(layer.norm.bias)
    x, wanted = (3 + torch.randn(n, C, steps)).requires_grad_(), torch.randn(n, C, steps)
    maps = layer(x, None)
    (maps * wanted).sum().backward()

    room = Room(n)
    fields = {X: room.value(x), OUT: room.empty((C + 2) * steps), C_OUT: C, P_OUT: steps, NEEDS: 1}
    fields |= {WEIGHT: room.weight(layer.norm.weight), BIAS: room.weight(layer.norm.bias)}
    m = room.memory()
    channel_norm(row(fields), torch.tensor([0, 1e-5]).numpy(), m, room.N)
    torch.testing.assert_close(room.read(m.values, fields[OUT], C, steps), maps)
    room.write(m.slopes, fields[OUT], wanted)
    channel_norm_back(row(fields), m, room.N)
    torch.testing.assert_close(room.read(m.slopes, fields[X], C, steps), x.grad, atol=5e-5, rtol=1e-5)
    torch.testing.assert_close(torch.tensor(m.gradient[:C]), layer.norm.weight.grad, atol=5e-5, rtol=1e-5)
    torch.testing.assert_close(torch.tensor(m.gradient[C : 2 * C]), layer.norm.bias.grad)


@pytest.mark.parametrize("lengths", [LENGTHS, [1, 0, 0, 0, 0], [0] * 5])
def test_norm_of_steps_that_are_there(lengths: list[int]) -> None:
    torch.manual_seed(7)
    n, C, steps, layer, present = 5, 3, 7, StepNorm(3), marks(lengths, 7)
    torch.nn.init.normal_(layer.weight)
    torch.nn.init.normal_(layer.bias)
    x, wanted = (3 + torch.randn(n, C, steps)).requires_grad_(), torch.randn(n, C, steps) * present[:, :1]
    maps = layer(x, present[:, :1])
    (maps * wanted).sum().backward()

    room = Room(n, scratch=2 * C, statistics=2 * C)
    fields = {X: room.value(x), OUT: room.empty(C * steps), C_OUT: C, P_OUT: steps, NEEDS: 1}
    fields |= {
        WEIGHT: room.weight(layer.weight),
        BIAS: room.weight(layer.bias),
        PRESENT: room.value(present, 0.0),
        OTHER: 1,
    }
    m, real = room.memory(), torch.tensor([0.1, 1e-5]).numpy()
    m.statistics[C : 2 * C] = 1
    step_norm(row(fields), real, m, room.N, True)
    torch.testing.assert_close(room.read(m.values, fields[OUT], C, steps), maps, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(torch.tensor(m.statistics[: 2 * C]), torch.cat([layer.running_mean, layer.running_var]))
    room.write(m.slopes, fields[OUT], wanted)
    step_norm_back(row(fields), m, room.N)
    torch.testing.assert_close(room.read(m.slopes, fields[X], C, steps), x.grad, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(torch.tensor(m.gradient[:C]), layer.weight.grad, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(torch.tensor(m.gradient[C : 2 * C]), layer.bias.grad)
    step_norm(row(fields), real, m, room.N, False)
    layer.eval()
    torch.testing.assert_close(
        room.read(m.values, fields[OUT], C, steps), layer(x, present[:, :1]), atol=1e-5, rtol=1e-5
    )


def test_words() -> None:
    torch.manual_seed(8)
    n, width, steps, layer = 5, 3, 4, Embedding(6, 3)
    ids = torch.randint(0, 6, (n, 1, steps)).float()
    maps, wanted = layer(ids), torch.randn(n, width, steps)
    (maps * wanted).sum().backward()
    assert layer.table.weight.grad is not None

    room = Room(n)
    fields = {X: room.value(ids), OUT: room.empty(width * steps), C_OUT: width, P_OUT: steps, OPTION: 6}
    fields[WEIGHT] = room.weight(layer.table.weight)
    m = room.memory()
    embed(row(fields), m, room.N, n)
    torch.testing.assert_close(room.read(m.values, fields[OUT], width, steps), maps)
    room.write(m.slopes, fields[OUT], wanted)
    embed_back(row(fields), m, room.N, n)
    torch.testing.assert_close(torch.tensor(m.gradient[: 6 * width]).reshape(6, width), layer.table.weight.grad)
