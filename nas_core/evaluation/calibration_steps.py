"""What networks of images and sequences cost, fitted to some gradient steps of some of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor, nn

from nas_core.errors import RunError
from nas_core.evaluation.calibration import Law
from nas_core.interpretability import MeasureContext, measure_pack
from nas_core.records import Architecture, derive_seed
from nas_core.spaces import SearchSpace, facts
from nas_core.spaces.layers import SignalNetwork

if TYPE_CHECKING:
    from nas_core.data.problem import Part, Problem

__all__ = ["law_of_networks", "sizes"]

NETWORKS, STEPS, EPOCHS, PREDICTED = 8, 6, 6, 256
BACKWARD = 3.0  # a gradient step costs about as much as three predictions: one, and two for the gradients


def sizes(space: SearchSpace, architecture: Architecture) -> tuple[float, float, float]:
    """Return operations of a prediction, numbers in the outputs of all layers for a row, and how many layers there are.

    Operations alone tell little: a depthwise convolution or an activation waits for memory, not for arithmetic, and in
    small images every layer costs what it costs to call it.
    """
    from nas_core.training.device import one_thread
    from nas_core.training.networks import build_network
    from nas_core.training.progress import PackItem

    assert space.signal is not None
    network, numbers = build_network(space, PackItem(architecture, 0)).eval(), []

    def note(_module: nn.Module, _given: object, output: object) -> None:
        numbers.append(output.numel() if isinstance(output, Tensor) else 0)

    for module in network.modules():
        if next(module.children(), None) is None:
            module.register_forward_hook(note)
    with torch.inference_mode(), one_thread():
        network(torch.zeros(1, *space.signal.encoded_shape))
    return float(facts(space, architecture).operations), float(sum(numbers)), float(len(numbers))


def law_of_networks(
    problem: Problem, space: SearchSpace, sample: Sequence[Architecture], seed: int, budget: float
) -> tuple[Law, int]:
    """Return the law that fits the cheapest to the dearest of the sample, and how many of them were trained for it."""
    ordered = sorted(sample, key=lambda a: facts(space, a).operations)
    chosen = [ordered[i] for i in np.unique(np.linspace(0, len(ordered) - 1, NETWORKS).astype(int))]
    timed = _step_seconds(problem, space, chosen, seed, 0.7 * budget)
    by_row, by_step = _fitted(timed)
    recipe, n, v = problem.spec.recipe, len(problem.train), len(problem.valid)
    rows = recipe.max_epochs * (n + v / BACKWARD)
    steps = recipe.max_epochs * -(-n // recipe.batch_size)
    weights = (by_row[0] * rows, by_row[1] * rows, by_step * steps)
    looked_at = [chosen[i] for i in sorted({0, len(chosen) // 2, len(chosen) - 1})]
    return Law(0.0, weights, _measuring(problem, space, looked_at)), len(timed)


@dataclass(frozen=True)
class _Timed:
    """Seconds of a gradient step of ``rows`` rows, of a network with these sizes."""

    sizes: tuple[float, float, float]
    rows: float
    seconds: float


def _fitted(timed: Sequence[_Timed]) -> tuple[tuple[float, float], float]:
    """Return seconds per operation and per number of one row, and per layer of one step.

    Fitted with the smallest relative errors, none of them negative.
    """
    from scipy.optimize import nnls

    table = np.array([[t.sizes[0] * t.rows, t.sizes[1] * t.rows, t.sizes[2]] for t in timed])
    table /= np.array([t.seconds for t in timed])[:, None]
    scale = table.max(axis=0)
    found, _ = nnls(table / scale, np.ones(len(table)))
    operation, number, layer = found / scale
    return (float(operation), float(number)), float(layer)


class _Enough:
    """A stop signal: the time is used up, and at least one network was timed."""

    def __init__(self, seconds: float, timed: dict[int, float]) -> None:
        self._end, self._timed = time.monotonic() + seconds, timed

    def is_set(self) -> bool:
        return bool(self._timed) and time.monotonic() > self._end


def _step_seconds(
    problem: Problem, space: SearchSpace, chosen: Sequence[Architecture], seed: int, seconds: float
) -> list[_Timed]:
    """Train the networks side by side, as a search does, for some short epochs, of which the first is not timed.

    Raises:
        RunError: None of them could be trained.
    """
    from nas_core.training.compiled.ready import prepare
    from nas_core.training.device import one_thread, pick_device
    from nas_core.training.learner import Lesson
    from nas_core.training.module import fit_quietly
    from nas_core.training.networks import build_network, placed
    from nas_core.training.packing import in_packs
    from nas_core.training.progress import PackItem, StopSignal
    from nas_core.training.side_by_side import SideBySide, workers_on
    from nas_core.training.signal_rows import SignalRows

    recipe, signal, device = problem.spec.recipe, problem.dataset.signal, pick_device()
    assert signal is not None
    part = _first(problem.train, STEPS * recipe.batch_size)
    lesson = Lesson(
        SignalRows(part, signal, device), SignalRows(_first(problem.valid, 2), signal, device), problem.task, 0,
        recipe.model_copy(update={"max_epochs": 1 + EPOCHS, "patience": 1 + EPOCHS}),
    )  # fmt: skip
    items = [PackItem(a, derive_seed(seed, a.id)) for a in chosen]
    networks = {k: placed(build_network(space, item), device) for k, item in enumerate(items)}
    if device.type == "cpu":
        prepare(space.family)  # what is compiled once is no cost of a candidate
    trainings, numbers = in_packs(networks, items, lesson, workers_on(device), device)
    learners = {k: one for t, own in zip(trainings, numbers) for k, one in zip(own, t.learners, strict=True)}
    first: dict[int, float] = {}
    timed: dict[int, float] = {}

    def told(number: int) -> None:
        for k in numbers[number]:
            if learners[k].epochs == 1:
                first[k] = learners[k].seconds
            elif learners[k].epochs == 1 + EPOCHS and k in first:
                timed[k] = learners[k].seconds - first[k]

    module = SideBySide(trainings, cast(StopSignal, _Enough(seconds, timed)), told, workers_on(device))
    with one_thread():
        fit_quietly(module, device, -1)
    if not timed:
        raise RunError(
            f"None of {len(chosen)} random networks could be trained: {learners[0].reason}",
            fix="look at the space: its networks cannot learn these data",
        )
    steps = EPOCHS * -(-len(part) // recipe.batch_size)
    return [
        _Timed(sizes(space, chosen[k]), EPOCHS * len(part) / steps, max(1e-9, seconds) / steps)
        for k, seconds in sorted(timed.items())
    ]


def _first(part: Part, rows: int) -> Part:
    """Return the first rows of a part."""
    some = slice(0, rows)
    weights = None if part.weights is None else part.weights[some]
    return replace(
        part, rows=part.rows[some], raw=part.raw[some], X=part.X[some], E=part.E[some], y=part.y[some],
        target=part.target[some], weights=weights,
    )  # fmt: skip


class _Counted(SignalNetwork):
    """A network that costs nothing and counts what it is asked: a linear function of the input.

    The count is a buffer, which copies made for quick predictions share.
    """

    layers = ("seen",)
    rows: Tensor

    def __init__(self, columns: int, outputs: int) -> None:
        super().__init__()
        self.seen = nn.Flatten()
        self.register_buffer("rows", torch.zeros((), dtype=torch.int64))
        self.linear = nn.Linear(columns, outputs)

    def features(self, x: Tensor) -> Tensor:
        """Return the input, and count its rows."""
        self.rows += len(x)
        flat: Tensor = self.seen(x)
        return flat

    def head(self, maps: Tensor) -> Tensor:
        """Return a linear function of the input."""
        outputs: Tensor = self.linear(maps)
        return outputs

    @property
    def map_weights(self) -> Tensor | None:
        """There are none."""
        return None


@dataclass(frozen=True)
class _One:
    """A pack of one network, for the measures."""

    network: SignalNetwork

    def module(self, k: int) -> SignalNetwork:
        """Return the network."""
        return self.network


def _measuring(
    problem: Problem, space: SearchSpace, looked_at: Sequence[Architecture]
) -> tuple[tuple[float, float], ...]:
    """Return (operations, seconds of measuring) of these candidates: their predictions are counted, a few are timed."""
    points = {}
    for architecture in looked_at:
        known = facts(space, architecture)
        with torch.random.fork_rng(devices=[]):
            network = _Counted(problem.signal_encoder.D, problem.C).eval()
        began = time.perf_counter()
        context = MeasureContext(space, [architecture], [known], problem, _One(network))
        measure_pack(context, problem.spec.measures)
        own = time.perf_counter() - began
        points[float(known.operations)] = own + _prediction(problem, space, architecture) * int(network.rows)
    return tuple(sorted(points.items()))


def _prediction(problem: Problem, space: SearchSpace, architecture: Architecture) -> float:
    """Return the seconds that a network needs for one of many predictions, as measures ask for them."""
    from nas_core.interpretability.networks import QuickNetwork
    from nas_core.training.device import one_thread
    from nas_core.training.networks import build_network
    from nas_core.training.progress import PackItem

    signal = problem.dataset.signal
    assert signal is not None
    quick = QuickNetwork(build_network(space, PackItem(architecture, 0)), signal.encoded_shape)
    E, seconds = problem.valid.E[:PREDICTED], []
    with one_thread():
        for _ in range(3):
            began = time.perf_counter()
            quick.outputs(E)
            seconds.append(time.perf_counter() - began)
    return min(seconds) / len(E)
