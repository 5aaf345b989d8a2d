"""What an accelerator needs, as far as it shows without one: no step waits for it, and nothing is rounded unasked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from network_samples import QUICK, image_problem, network_of
from sequence_samples import every_kind, lesson_of, trained
from torch.overrides import TorchFunctionMode
from training_samples import SHORT, Variant

from nas_core.data import Problem
from nas_core.spaces import SearchSpace
from nas_core.training import fit
from nas_core.training.batched.training import PackTraining
from nas_core.training.device import repeatable
from nas_core.training.engine import PackEngine
from nas_core.training.fit import PackItem, train_pack
from nas_core.training.learner import Lesson
from nas_core.training.network_training import NetworkTraining
from nas_core.training.networks import build_network
from nas_core.training.progress import StopSignal
from nas_core.training.signal_rows import SignalRows

WAITING = {
    "item", "tolist", "numpy", "cpu", "cuda", "to", "__bool__", "__float__", "__int__", "__index__", "nonzero",
    "masked_select", "tensor", "as_tensor", "equal", "allclose", "unique", "__contains__",
}  # fmt: skip
"""What waits for an accelerator: numbers that go to it or come from it, and results whose size depends on numbers."""


class Watch(TorchFunctionMode):
    """Notes what is called that would wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[str] = []
        self.steps: list[int] = []  # how many had waited before each of them
        self.calls = 0

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        name = getattr(function, "__name__", str(function))
        self.calls += 1
        of_dtype = name == "to" and isinstance(args[1], torch.dtype)  # converted where it lies
        if name in WAITING and not of_dtype:
            self.waits.append(name)
        return function(*args, **(kwargs or {}))


def watched(monkeypatch: pytest.MonkeyPatch, owner: type, method: str) -> Watch:
    """Watch every call of a method."""
    watch, plain = Watch(), getattr(owner, method)

    def call(self: Any, *args: Any) -> Any:
        watch.steps.append(len(watch.waits))
        with watch:
            return plain(self, *args)

    monkeypatch.setattr(owner, method, call)
    return watch


@pytest.mark.parametrize("weights", ["none", "balanced"])
def test_no_step_of_a_pack_waits(
    problem: Problem, space: SearchSpace, variant: Variant, weights: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = Problem.create(problem.dataset, class_weights=weights)
    watch = watched(monkeypatch, PackEngine, "step")
    made = [variant(optimiser=o, dropout=0.2, normalisation="batch") for o in ("sgd", "adam", "adamw", "adagrad")]
    made += [variant(normalisation="layer", connections="dense", marks={"0": 1}), variant(connections="residual")]
    recipe = SHORT.model_copy(update={"max_epochs": 3, "patience": 3})
    train_pack(problem, space, [PackItem(a, n) for n, a in enumerate(made)], recipe=recipe, device="cpu", packed=True)
    assert watch.calls > 100
    epoch = len(watch.steps) // 3
    assert watch.steps[epoch] > 0, "operations are prepared once for each number of rows"
    assert watch.waits[watch.steps[epoch] :] == []


@pytest.mark.parametrize("optimiser", ["sgd", "adamw"])
def test_no_step_of_a_network_waits(optimiser: str, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = image_problem()
    watch = watched(monkeypatch, NetworkTraining, "_step")
    item = PackItem(network_of(optimiser=optimiser, dropout=0.3, normalisation="batch"), 1)
    signal, cpu = problem.dataset.signal, torch.device("cpu")
    train, valid = (SignalRows(part, signal, cpu) for part in (problem.train, problem.valid))
    lesson = Lesson(train, valid, problem.task, problem.spec.split_seed, QUICK)
    training = NetworkTraining(build_network(SearchSpace.for_problem(problem), item), item, lesson)
    while not training.ended:
        training.run_epoch(StopSignal())
    assert watch.calls > 100
    assert watch.waits == []


@pytest.mark.parametrize("kind", ["series", "padded", "words"])
def test_no_step_of_a_pack_of_sequences_waits(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = watched(monkeypatch, PackTraining, "_step")
    trained(kind, every_kind(kind)[:12], lesson_of(kind))
    epoch = len(watch.steps) // 3
    assert watch.calls > 100
    assert watch.waits[watch.steps[epoch] :] == [], "where noise lies is worked out once for each number of rows"


def test_the_watch_sees_what_waits() -> None:
    with Watch() as watch:
        x = torch.ones(3)
        x.sum().item()
        bool(x[0] > 0)
        x.to("meta")
        x.to(torch.float64)
        x.numpy()
    assert watch.waits == ["item", "__bool__", "to", "numpy"]


def test_switches_are_as_before_once_the_last_training_has_ended() -> None:
    switches = torch.backends.cudnn

    def seen() -> tuple[bool, bool, bool]:
        return switches.deterministic, switches.benchmark, switches.allow_tf32

    before, inside, leave = seen(), threading.Event(), threading.Event()

    def other() -> None:
        with repeatable():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with repeatable():
        thread.start()
        assert inside.wait(10)
        assert seen() == (True, False, False)
    assert seen() == (True, False, False), "the other one still trains"
    leave.set()
    thread.join()
    assert seen() == before


def test_training_is_in_single_precision(
    problem: Problem, space: SearchSpace, variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[bool] = []

    def look(_progress: object) -> None:
        told.append(torch.backends.cudnn.allow_tf32 or torch.is_autocast_enabled("cpu"))

    result = fit.train_pack(problem, space, [PackItem(variant(), 0)], recipe=SHORT, on_epoch=look, packed=True)
    assert told
    assert not any(told)
    assert {values.dtype for values in result.pack.weights(0).values()} == {np.dtype(np.float32)}
