"""Kernels are compiled when they are first used on a machine, some ten seconds, and loaded ever after."""

from __future__ import annotations

import threading

import numpy as np
from torch import nn

from nas_core.training.batched.program import INPUT, Operation, Program
from nas_core.training.compiled.calls import addresses
from nas_core.training.compiled.lanes import LANES
from nas_core.training.compiled.losses import rows_loss
from nas_core.training.compiled.plan import plan_of
from nas_core.training.compiled.step import BACKWARD, FORWARD, backward, calls_of, forward
from nas_core.training.compiled.updates import update

__all__ = ["is_ready", "prepare"]

_done = threading.Event()
_doing = threading.Lock()


def is_ready() -> bool:
    """Return whether this process has the kernels."""
    return _done.is_set()


def prepare() -> None:
    """Compile the kernels, or load what was compiled before: they train a linear function for a step."""
    with _doing:
        if not _done.is_set():
            addresses(FORWARD, FORWARD)
            addresses(BACKWARD, BACKWARD)
            _step()
            _done.set()


def _step() -> None:
    linear = nn.Sequential()
    linear.add_module("readout", nn.Linear(1, 1))
    plan = plan_of(Program((Operation("linear", (INPUT,), (1, 1, 1), "readout"),), (1, 1, 1)), linear)
    assert plan is not None
    m, one, rows, calls = (
        plan.room(LANES),
        np.ones(1, dtype=np.float32),
        np.zeros(1, dtype=np.int64),
        calls_of(plan.ops),
    )
    each, first, second = np.zeros(LANES, dtype=np.float32), np.zeros_like(m.weights), np.zeros_like(m.weights)
    forward(plan.ops, plan.reals, calls[0], m, LANES, one[:, None], rows, True)
    rows_loss(m, plan.out, plan.outputs, one, one, each, LANES, 1, 0)
    backward(plan.ops, plan.reals, calls[1], m, LANES, plan.out, plan.outputs, one, one, each, 0)
    update(0, m.weights, m.gradient, first, second, plan.decayed, 0.1, 0.0, 1)
