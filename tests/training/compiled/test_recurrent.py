"""GRU and LSTM step by step. Oracle: ``torch.nn.GRU`` and ``LSTM`` and their autograd, in double precision."""

from __future__ import annotations

import pytest
import torch
from room import Room, marks, row

from nas_core.spaces.sequence.blocks import Recurrent
from nas_core.training.compiled.fields import (
    BIAS,
    BY_TAP,
    C_OUT,
    OPTION,
    OUT,
    P_OUT,
    PRESENT,
    TABLE,
    WEIGHT,
    X,
)  # fmt: skip
from nas_core.training.compiled.recurrent import recur, recur_back
from nas_core.training.compiled.tables import taps_of


@pytest.mark.parametrize("lengths", [None, [4, 0, 3, 1, 2]])
@pytest.mark.parametrize(("H", "steps"), [(1, 1), (5, 4)])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_states_and_slopes(kind: str, turned: bool, H: int, steps: int, lengths: list[int] | None) -> None:
    torch.manual_seed(1)
    n, width = 5, (3 + (kind == "lstm")) * H
    layer = Recurrent(kind, 3, H, both=True).double()
    present = None if lengths is None else marks(lengths, 4)[:, :, :steps]
    x = torch.randn(n, 3, steps, dtype=torch.float64, requires_grad=True)
    cell = layer.backwards if turned else layer.forwards
    maps = layer(x, None if present is None else present[:, :1].double())[:, H * turned : H * (1 + turned)]
    wanted = torch.randn_like(maps)
    if present is not None:
        wanted = wanted * present[:, 1:]
    (maps * wanted).sum().backward()

    room = Room(n)
    read = torch.einsum("oi,nis->nos", cell.weight_ih_l0, x) + cell.bias_ih_l0[:, None]
    gates, out = room.value(read), room.empty(2 * H * steps + 5 * H)
    there = -1 if present is None else room.value(present, 0.0)
    taps = taps_of((1, steps), (1, 1), (1, 1), (0, -1 if turned else 1), places=(1, steps))
    fields = {
        X: gates,
        OUT: out,
        C_OUT: H,
        P_OUT: steps,
        OPTION: (kind == "lstm") + 2 * turned,
        PRESENT: there,
    }
    fields |= {WEIGHT: room.weight(cell.weight_hh_l0), BIAS: room.weight(cell.bias_hh_l0)}
    op = row(fields | {TABLE: room.table([0, 1, 0, 0]), BY_TAP: room.table(taps.by_tap)})
    m = room.memory()
    recur(op, m, room.N)
    inside = 1 if present is None else present[:, 1:]
    torch.testing.assert_close(room.read(m.values, out, H, steps) * inside, (maps * inside).float())
    room.write(m.slopes, out, wanted)
    recur_back(op, m, room.N)
    slopes = room.read(m.slopes, gates, width, steps)
    torch.testing.assert_close(torch.einsum("oi,nos->nis", cell.weight_ih_l0.float(), slopes), x.grad.float())
    split = op[BIAS]
    torch.testing.assert_close(torch.tensor(m.gradient[:split]).reshape(width, H), cell.weight_hh_l0.grad.float())
    torch.testing.assert_close(torch.tensor(m.gradient[split : split + width]), cell.bias_hh_l0.grad.float())
    assert not m.slopes.reshape(-1, room.N)[:, n:].any()
