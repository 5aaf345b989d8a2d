"""Kernels are compiled when they are first used on a machine, some ten seconds, and loaded ever after."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from torch import nn

from nas_core.spaces.tabular.layout import Block, GroupLayout, NetworkLayout
from nas_core.training.batched.program import INPUT, Operation, Program
from nas_core.training.candidate import Candidate, Schedule
from nas_core.training.compiled.fields import FIELDS, KIND
from nas_core.training.compiled.kinds import (
    ACTIVATE,
    AVERAGE_POOL,
    CHANNEL_LARGEST,
    CHANNEL_MEAN,
    CHANNEL_NORM,
    CONVOLVE,
    COPY,
    DEPTHWISE,
    DROP,
    MAX_POOL,
    NORM,
    RECUR,
    SUM,
)  # fmt: skip
from nas_core.training.compiled.lanes import LANES
from nas_core.training.compiled.losses import rows_loss
from nas_core.training.compiled.plan import plan_of
from nas_core.training.compiled.step import BACKWARD, backward, calls_of, forward
from nas_core.training.compiled.table_lesson import Rows, TableLesson
from nas_core.training.compiled.table_steps import pick
from nas_core.training.compiled.tables_training import TableTraining
from nas_core.training.compiled.updates import update
from nas_core.training.optimiser import Tuning
from nas_core.training.progress import StopSignal

__all__ = ["is_ready", "kept_in", "prepare"]

IMAGES = tuple(kind for kind in BACKWARD if kind < RECUR)
SEQUENCES = tuple({*BACKWARD} - {DEPTHWISE, MAX_POOL, AVERAGE_POOL, CHANNEL_MEAN, CHANNEL_LARGEST})
TABLES = (CONVOLVE, ACTIVATE, NORM, DROP, COPY, SUM, CHANNEL_NORM)
"""What networks of the families compute."""

_done: set[str] = set()
_doing = threading.Lock()


def is_ready(family: str) -> bool:
    """Return whether this process has the kernels of the networks of a family."""
    return family in _done


def kept_in() -> str:
    """Return the folder where compiled kernels are kept; empty where none can be written."""
    compiled: Any = forward
    return str(compiled.stats.cache_path or "")


def prepare(family: str) -> None:
    """Compile the kernels of a family, or load what was compiled before; some train a linear function for a step."""
    with _doing:
        if family not in _done:
            used = {"sequence": SEQUENCES, "tabular": TABLES}.get(family, IMAGES)
            ops = np.zeros((len(used), FIELDS), dtype=np.int64)
            ops[:, KIND] = used
            calls_of(ops)
            if family == "tabular":
                _table_step()
            else:
                _step()
            _done.add(family)


def _table_step() -> None:
    read = Block("groups.0.reads.0.weight", "read", 0, (1, 1), 0.1, decays=True)
    group = GroupLayout(
        index=0, features=(0,), spans=(1,), columns=np.zeros(1, dtype=np.int64), depth=0, width=0,
        activation="identity", normalisation="none", residual=False, dropout=0.0, unit_sign=None, blocks=(read,),
    )  # fmt: skip
    rows = Rows(*(np.ones(shape, dtype=np.float32) for shape in ((2, 1), 2, 2)))
    lesson = TableLesson(Schedule("regression", 1, 0, 2, 1, 1, 0.0), rows, rows, None)
    candidate = Candidate(NetworkLayout(1, (group,)), 0, Tuning("sgd", 0.1, 0.0, 2, ()))
    TableTraining(candidate, lesson).run_epoch(StopSignal())
    pick(rows.E, np.zeros(1, dtype=np.int64), group.columns, np.zeros((1, 1), dtype=np.float32))


def _step() -> None:
    linear = nn.Sequential()
    linear.add_module("readout", nn.Linear(1, 1))
    plan = plan_of(Program((Operation("linear", (INPUT,), (1, 1, 1), "readout"),), (1, 1, 1)), linear)
    assert plan is not None
    m, one, rows = plan.room(LANES), np.ones(1, dtype=np.float32), np.zeros(1, dtype=np.int64)
    each, first, second = np.zeros(LANES, dtype=np.float32), np.zeros_like(m.weights), np.zeros_like(m.weights)
    calls = calls_of(plan.ops)
    forward(plan.ops, plan.reals, calls[0], m, LANES, one[:, None], rows, True)
    rows_loss(m, plan.out, plan.outputs, one, one, each, LANES, 1, 0)
    backward(plan.ops, plan.reals, calls[1], m, LANES, plan.out, plan.outputs, one, one, each, 0)
    update(0, m.weights, m.gradient, first, second, plan.decayed, 0.1, 0.0, 1)
