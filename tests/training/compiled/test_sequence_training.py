"""Networks of sequences by kernels. Oracle: the torch network itself, its autograd, and the plain loop of torch."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from signal_examples import problem_of
from torch.nn import functional

from nas_core.data import Problem, Recipe
from nas_core.records import Architecture
from nas_core.spaces import SearchSpace
from nas_core.training.compiled.fields import KIND, Memory
from nas_core.training.compiled.kinds import EMBED, NORM, PRESENCE
from nas_core.training.compiled.lanes import LANES
from nas_core.training.compiled.losses import TASKS
from nas_core.training.compiled.plan import Plan
from nas_core.training.compiled.ready import SEQUENCES
from nas_core.training.compiled.step import backward, calls_of, forward
from nas_core.training.compiled.training import CompiledTraining, Sheet, compiled_plan, sheets_of
from nas_core.training.learner import Lesson
from nas_core.training.network_training import NetworkTraining
from nas_core.training.networks import build_network, placed
from nas_core.training.progress import PackItem, StopSignal
from nas_core.training.signal_rows import SignalRows

CPU = torch.device("cpu")
RECIPE = Recipe(max_epochs=3, batch_size=16, patience=3, min_delta=0.0, schedule="one_cycle")
CONV = {"kind": "conv", "width": 5, "kernel": 3, "dilation": 2}
GRU, LSTM = {"kind": "gru", "width": 3, "both": True}, {"kind": "lstm", "width": 4, "both": True}
SEEING = {"kind": "attention", "width": 6, "heads": 2}
NETWORKS: list[dict[str, Any]] = [
    {"layers": [], "pooling": "flat"},
    {"layers": [], "pooling": "attention"},
    {"layers": [CONV, GRU], "pooling": "mean", "normalisation": "batch", "dropout": 0.2, "activation": "softplus"},
    {"layers": [LSTM, CONV], "pooling": "last", "normalisation": "layer", "activation": "tanh"},
    {"layers": [CONV, SEEING, SEEING], "pooling": "attention", "connections": "residual", "normalisation": "layer"},
    {"layers": [{**GRU, "both": False}, LSTM], "pooling": "max", "connections": "residual", "normalisation": "batch"},
    {"layers": [SEEING, LSTM], "pooling": "flat"},
    {"layers": [CONV], "pooling": "max", "normalisation": "batch"},
    {"layers": [{**LSTM, "both": False}], "pooling": "sum", "dropout": 0.3},
]


@cache
def problem(kind: str) -> Problem:
    return problem_of(kind, rows=100)


@cache
def lesson_of(kind: str) -> Lesson:
    made = problem(kind)
    assert made.dataset.signal is not None
    train, valid = (SignalRows(part, made.dataset.signal, CPU) for part in (made.train, made.valid))
    return Lesson(train, valid, made.task, made.spec.split_seed, RECIPE, None)


def item_of(**changes: Any) -> PackItem:
    plain = {"activation": "relu", "connections": "plain", "normalisation": "none", "dropout": 0.0, "embedding": 4}
    other = {"optimiser": "adamw", "learning_rate": 0.01, "weight_decay": 0.01}
    return PackItem(Architecture(family="sequence", values={**plain, **other, **changes}), 3)


def network_of(kind: str, item: PackItem) -> Any:
    return placed(build_network(SearchSpace.for_problem(problem(kind)), item), CPU)


def memory_of(plan: Plan, network: torch.nn.Module, N: int) -> Memory:
    m = plan.room(N)
    m.weights[:] = torch.cat([network.get_parameter(name).detach().ravel() for name in plan.parameters]).numpy()
    for name, (start, length) in plan.statistics.items():
        m.statistics[start : start + length] = network.get_buffer(name).numpy()
    return m


@pytest.mark.parametrize("kind", ["series", "padded", "words"])
@pytest.mark.parametrize("number", range(len(NETWORKS)))
def test_outputs_and_gradients_are_those_of_torch(number: int, kind: str) -> None:
    item = item_of(**{**NETWORKS[number], "dropout": 0.0})
    network, lesson, n = network_of(kind, item), lesson_of(kind), 13
    plan = compiled_plan(network, lesson.train.x[:1])
    assert plan is not None
    assert set(plan.ops[:, KIND].tolist()) <= {*SEQUENCES, NORM, EMBED, PRESENCE}  # what is prepared
    sheet, rows, N = Sheet.of(lesson.train), np.arange(3, 3 + n), -(-n // LANES) * LANES
    m, calls, task = memory_of(plan, network, N), calls_of(plan.ops), TASKS.index("classes")
    forward(plan.ops, plan.reals, calls[0], m, N, sheet.X, rows, False)
    said = m.values[plan.out * N : (plan.out + plan.outputs) * N].reshape(-1, N)[:, :n].T
    with torch.no_grad():
        wanted = network.eval()(lesson.train.x[rows])
    torch.testing.assert_close(torch.from_numpy(said), wanted, rtol=1e-4, atol=1e-5)

    forward(plan.ops, plan.reals, calls[0], m, N, sheet.X, rows, True)
    each = np.empty(N, np.float32)
    backward(
        plan.ops, plan.reals, calls[1], m, N, plan.out, plan.outputs, sheet.y[rows], sheet.counts[rows], each, task
    )  # fmt: skip
    network.train()
    functional.cross_entropy(network(lesson.train.x[rows]), lesson.train.y[rows]).backward()
    for name, (start, shape) in plan.parameters.items():
        slopes = network.get_parameter(name).grad
        found = torch.from_numpy(m.gradient[start : start + slopes.numel()]).view(shape)
        torch.testing.assert_close(found, slopes, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(("kind", "number"), [("series", 2), ("padded", 5), ("words", 8)])
def test_training_is_that_of_torch(kind: str, number: int) -> None:
    item, lesson = item_of(**NETWORKS[number]), lesson_of(kind)
    network = network_of(kind, item)
    plan = compiled_plan(network, lesson.train.x[:1])
    assert plan is not None
    fast = CompiledTraining(network, item, lesson, plan, sheets_of(lesson))
    slow = NetworkTraining(network_of(kind, item), item, lesson)
    for training in (fast, slow):
        while not training.ended:
            training.run_epoch(StopSignal())
    assert fast.start_loss == pytest.approx(slow.start_loss, rel=1e-5)
    for curve in ("train_loss", "valid_loss"):
        np.testing.assert_allclose(fast.outcome.curves[curve], slow.outcome.curves[curve], rtol=1e-3)
    wanted = slow.network.state_dict()
    for name, values in fast.network.state_dict().items():
        torch.testing.assert_close(values, wanted[name], rtol=0.01, atol=2e-3)
