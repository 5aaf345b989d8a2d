"""GRUs and LSTMs of many networks in one loop over the steps, with its gradient.

A layer that reads both ways is one cell of twice the width: the second half of its units reads the turned sequence, and
the weights between the halves are zero. The gates lie as they are computed: reset, update, candidate from the input,
candidate from the state in a GRU; candidate, input, forget, output in an LSTM.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from nas_core.training.batched.sequence_works import Batch, Work

__all__ = ["GATES", "GRU_GATES", "LSTM_GATES", "cells"]

GATES = 4
GRU_GATES = {"ih": (0, 1, 2), "hh": (0, 1, 3)}
LSTM_GATES = (1, 2, 0, 3)
"""Where the gates of torch lie; a GRU's last one has a part from the input and one from the state."""


def cells(lstm: bool, turned: Tensor | None) -> Work:
    """Return the states (S, n, steps, H) from what the gates get from the input (S, n, steps, 4 · H).

    Args:
        lstm: Whether they are LSTMs.
        turned: (S, 1, 1, H) which units read backwards, None where none does.
    """
    kind: type[_Gru | _Lstm] = _Lstm if lstm else _Gru

    def work(given: Sequence[Tensor], own: Sequence[Tensor], batch: Batch) -> Tensor:
        order = None if turned is None else batch.order
        y: Tensor = kind.apply(given[0], own[0], turned, order)
        return y

    return work


class _Gru(torch.autograd.Function):
    """Gates (S, n, steps, 4 · H), weight (S, H, 4 · H), which units are turned, how → states (S, n, steps, H)."""

    @staticmethod
    def forward(ctx: Any, given: Tensor, weight: Tensor, turned: Tensor | None, order: Tensor | None) -> Tensor:
        gates = _by_step(given, turned, order, GATES)  # (steps, S, n, 4, H), overwritten by what they become
        states = gates.new_empty(*gates.shape[:3], weight.shape[1])
        h = torch.zeros_like(states[0])
        for gate, state in zip(gates, states):
            gate.flatten(2).baddbmm_(h, weight)
            gate[:, :, :2].sigmoid_()
            reset, update, candidate, held = gate.unbind(2)
            candidate.addcmul_(reset, held).tanh_()
            h = torch.lerp(candidate, h, update, out=state)
        ctx.save_for_backward(gates, states, weight, turned, order)
        return _by_row(states, turned, order)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        gates, states, weight, turned, order = ctx.saved_tensors
        slopes, before = torch.empty_like(gates), _before(states)
        reset, update, candidate, held = gates.unbind(3)
        by_reset, by_update, by_candidate, by_held = slopes.unbind(3)  # of each gate, by the slope of the state
        torch.mul(1 - update, 1 - candidate * candidate, out=by_candidate)
        torch.mul(by_candidate, reset, out=by_held)
        torch.mul(by_held, held * (1 - reset), out=by_reset)
        torch.mul(before - candidate, update * (1 - update), out=by_update)
        given = _by_step(gradients[0], turned, order, 1)[:, :, :, 0]
        back, state = weight.mT, given[-1]
        for t in range(len(states) - 1, -1, -1):
            slopes[t].mul_(state[:, :, None])
            if t:
                state = torch.addcmul(given[t - 1], state, update[t]).baddbmm_(slopes[t].flatten(2), back)
        return _by_row(slopes, turned, order), _weight_slopes(before, slopes), None, None


class _Lstm(torch.autograd.Function):
    """Gates (S, n, steps, 4 · H), weight (S, H, 4 · H), which units are turned, how → states (S, n, steps, H)."""

    @staticmethod
    def forward(ctx: Any, given: Tensor, weight: Tensor, turned: Tensor | None, order: Tensor | None) -> Tensor:
        gates = _by_step(given, turned, order, GATES)
        states = gates.new_empty(*gates.shape[:3], weight.shape[1])
        memories, seen = torch.empty_like(states), torch.empty_like(states)
        h = c = torch.zeros_like(states[0])
        for t, gate in enumerate(gates):
            gate.flatten(2).baddbmm_(h, weight)
            gate[:, :, 1:].sigmoid_()
            candidate, enter, forget, leave = gate.unbind(2)
            candidate.tanh_()
            c = torch.mul(forget, c, out=memories[t]).addcmul_(enter, candidate)
            h = torch.mul(leave, torch.tanh(c, out=seen[t]), out=states[t])
        ctx.save_for_backward(gates, states, memories, seen, weight, turned, order)
        return _by_row(states, turned, order)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        gates, states, memories, seen, weight, turned, order = ctx.saved_tensors
        slopes = torch.empty_like(gates)
        candidate, enter, forget, leave = gates.unbind(3)
        by_candidate, by_enter, by_forget, by_leave = slopes.unbind(3)  # the first three by the slope of the memory
        torch.mul(candidate, enter * (1 - enter), out=by_enter)
        torch.mul(_before(memories), forget * (1 - forget), out=by_forget)
        torch.mul(enter, 1 - candidate * candidate, out=by_candidate)
        torch.mul(seen, leave * (1 - leave), out=by_leave)
        by_state = leave * (1 - seen * seen)  # of the memory
        given = _by_step(gradients[0], turned, order, 1)[:, :, :, 0]
        back, state = weight.mT, given[-1]
        memory = state * by_state[-1]
        for t in range(len(states) - 1, -1, -1):
            slopes[t, :, :, :3].mul_(memory[:, :, None])
            by_leave[t].mul_(state)
            if t:
                state = torch.baddbmm(given[t - 1], slopes[t].flatten(2), back)
                memory = (memory * forget[t]).addcmul_(state, by_state[t - 1])
        return _by_row(slopes, turned, order), _weight_slopes(_before(states), slopes), None, None


def _by_step(x: Tensor, turned: Tensor | None, order: Tensor | None, gates: int) -> Tensor:
    """Return (steps, S, n, gates, H) of (S, n, steps, gates · H), a copy, as the units read them."""
    x = x.unflatten(-1, (gates, -1))
    if turned is not None and order is not None:
        x = torch.where(turned[:, :, :, None], _picked(x, order[..., None]), x)
    return x.permute(2, 0, 1, 3, 4).clone(memory_format=torch.contiguous_format)


def _by_row(x: Tensor, turned: Tensor | None, order: Tensor | None) -> Tensor:
    """Return (S, n, steps, …) of (steps, S, n, …, H), the turned units turned back."""
    x = x.movedim(0, 2).contiguous()
    if turned is not None and order is not None:
        if x.ndim == 5:
            turned, order = turned[:, :, :, None], order[..., None]
        x = torch.where(turned, _picked(x, order), x)
    return x.flatten(3)


def _picked(x: Tensor, order: Tensor) -> Tensor:
    return x.gather(2, order.expand(x.shape))


def _before(states: Tensor) -> Tensor:
    """Return the states before each step: zeros before the first."""
    return torch.cat([torch.zeros_like(states[:1]), states[:-1]])


def _weight_slopes(before: Tensor, slopes: Tensor) -> Tensor:
    """Return (S, H, 4 · H) the gradient of the weights between states and gates."""
    held = before.transpose(0, 1).flatten(1, 2)
    return torch.bmm(held.mT, slopes.flatten(3).transpose(0, 1).flatten(1, 2))
