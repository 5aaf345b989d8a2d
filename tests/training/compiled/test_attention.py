"""Attention and its coordinates. Oracle: :class:`SelfAttention`, softmax and weighted means of torch and autograd."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from room import Room, marks, row

from nas_core.spaces.sequence.blocks import positions
from nas_core.training.compiled.attention import (
    mix,
    mix_back,
    place,
    place_back,
    scores,
    scores_back,
    soften,
    soften_back,
)  # fmt: skip
from nas_core.training.compiled.fields import C_IN, C_OUT, NEEDS, OPTION, OTHER, OUT, P_IN, P_OUT, PRESENT, X

LENGTHS = [7, 0, 3, 1, 2]


def there_of(steps: int, padded: bool) -> torch.Tensor | None:
    return marks(LENGTHS, steps) if padded else None


def masked(scores: torch.Tensor, present: torch.Tensor | None) -> torch.Tensor:
    return scores if present is None else scores.masked_fill(present[:, :1] == 0, -1e30)


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize(("heads", "each", "steps"), [(1, 1, 1), (2, 3, 5), (1, 4, 7)])
def test_weights_of_queries_and_keys(heads: int, each: int, steps: int, padded: bool) -> None:
    torch.manual_seed(2)
    n, width = 5, heads * each
    q, k = (torch.randn(n, width, steps, requires_grad=True) for _ in range(2))
    present = there_of(steps, padded)
    a, b = (y.unflatten(1, (heads, each)) for y in (q, k))
    raw = (a.transpose(-1, -2) @ b).flatten(1, 2) / math.sqrt(each)
    weights = torch.softmax(masked(raw, present), -1)
    wanted = torch.randn_like(weights)
    (weights * wanted).sum().backward()

    room = Room(n)
    fields = {X: room.value(q), OTHER: room.value(k), OUT: room.empty(heads * steps * steps), C_IN: width, P_IN: steps}
    fields |= {C_OUT: heads * steps, P_OUT: steps, PRESENT: -1 if present is None else room.value(present, 0.0)}
    m = room.memory()
    scores(row(fields), m, room.N)
    torch.testing.assert_close(room.read(m.values, fields[OUT], heads * steps, steps), weights)
    room.write(m.slopes, fields[OUT], wanted)
    scores_back(row(fields), m, room.N)
    torch.testing.assert_close(room.read(m.slopes, fields[X], width, steps), q.grad)
    torch.testing.assert_close(room.read(m.slopes, fields[OTHER], width, steps), k.grad)
    assert not m.slopes.reshape(-1, room.N)[:, n:].any()


@pytest.mark.parametrize("needs", [False, True])
@pytest.mark.parametrize(("heads", "each", "places", "steps"), [(1, 1, 1, 1), (2, 3, 5, 5), (1, 5, 1, 6)])
def test_sums_with_weights(heads: int, each: int, places: int, steps: int, needs: bool) -> None:
    torch.manual_seed(3)
    n = 5
    w = torch.randn(n, heads * places, steps, requires_grad=True)
    v = torch.randn(n, heads * each, steps, requires_grad=True)
    mixed = v.unflatten(1, (heads, each)) @ w.unflatten(1, (heads, places)).transpose(-1, -2)
    wanted = torch.randn_like(mixed)
    (mixed * wanted).sum().backward()

    room = Room(n)
    fields = {X: room.value(v), OTHER: room.value(w), OUT: room.empty(heads * each * places), OPTION: heads}
    fields |= {C_IN: heads * each, C_OUT: heads * each, P_IN: steps, P_OUT: places, NEEDS: needs}
    m = room.memory()
    mix(row(fields), m, room.N)
    torch.testing.assert_close(room.read(m.values, fields[OUT], heads * each, places), mixed.flatten(1, 2))
    room.write(m.slopes, fields[OUT], wanted.flatten(1, 2))
    mix_back(row(fields), m, room.N)
    slopes = room.read(m.slopes, fields[X], heads * each, steps)
    torch.testing.assert_close(slopes, v.grad if needs else torch.zeros_like(v))
    torch.testing.assert_close(room.read(m.slopes, fields[OTHER], heads * places, steps), w.grad)


@pytest.mark.parametrize("padded", [False, True])
def test_weights_of_scores(padded: bool) -> None:
    torch.manual_seed(4)
    n, steps = 5, 6
    x = (40 * torch.randn(n, 1, steps)).requires_grad_()
    present = there_of(steps, padded)
    weights = torch.softmax(masked(x, present), -1)
    wanted = torch.randn_like(weights)
    (weights * wanted).sum().backward()

    room = Room(n)
    fields = {X: room.value(x), OUT: room.empty(steps), C_OUT: 1, P_OUT: steps}
    fields[PRESENT] = -1 if present is None else room.value(present, 0.0)
    m = room.memory()
    soften(row(fields), m, room.N)
    torch.testing.assert_close(room.read(m.values, fields[OUT], 1, steps), weights)
    room.write(m.slopes, fields[OUT], wanted)
    soften_back(row(fields), m, room.N)
    torch.testing.assert_close(room.read(m.slopes, fields[X], 1, steps), x.grad)


def test_coordinates_of_steps() -> None:
    n, steps = 3, 40
    x = torch.randn(n, 2, steps)
    room = Room(n)
    fields = {X: room.value(x), OUT: room.empty(10 * steps), C_IN: 2, C_OUT: 10, P_IN: steps, P_OUT: steps, NEEDS: 1}
    m = room.memory()
    place(row(fields), m, room.N)
    wanted = torch.cat([x, positions(steps, x).T.expand(n, -1, -1)], 1)
    torch.testing.assert_close(room.read(m.values, fields[OUT], 10, steps), wanted, rtol=1e-5, atol=2e-6)
    slopes = torch.randn(n, 10, steps)
    room.write(m.slopes, fields[OUT], slopes)
    place_back(row(fields), m, room.N)
    torch.testing.assert_close(room.read(m.slopes, fields[X], 2, steps), slopes[:, :2])
    before = np.copy(m.slopes)
    fields[NEEDS] = 0
    place_back(row(fields), m, room.N)
    np.testing.assert_array_equal(m.slopes, before)
