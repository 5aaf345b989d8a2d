"""Networks of sequences for the training tests: problems, architectures of every kind, and packs of them."""

from __future__ import annotations

from functools import cache
from itertools import islice

import numpy as np
import torch
from signal_examples import problem_of

from nas_core.data import Problem, Recipe
from nas_core.records import Architecture
from nas_core.spaces import SearchSpace
from nas_core.spaces.layers import SignalNetwork
from nas_core.training.batched.training import PackTraining, packed_plan
from nas_core.training.learner import Lesson
from nas_core.training.network_training import NetworkTraining
from nas_core.training.networks import build_network, placed
from nas_core.training.progress import PackItem, StopSignal
from nas_core.training.side_by_side import Training
from nas_core.training.signal_rows import SignalRows

CPU = torch.device("cpu")
DATA, PRESETS = ("series", "padded", "words"), ("transparent", "balanced", "accurate")
QUICK = Recipe(max_epochs=3, batch_size=16, patience=3, min_delta=0.0, schedule="one_cycle")


@cache
def problem(kind: str, classes: int = 3) -> Problem:
    return problem_of(kind, classes=classes, rows=100)


@cache
def space(kind: str, preset: str = "balanced", classes: int = 3) -> SearchSpace:
    return SearchSpace.for_problem(problem(kind, classes), preset)


def lesson_of(kind: str, recipe: Recipe = QUICK, watch: object = None, classes: int = 3) -> Lesson:
    made = problem(kind, classes)
    assert made.dataset.signal is not None
    train, valid = (SignalRows(part, made.dataset.signal, CPU) for part in (made.train, made.valid))
    return Lesson(train, valid, made.task, made.spec.split_seed, recipe, watch)


def some(kind: str, preset: str, count: int, seed: int = 0) -> list[PackItem]:
    """Return random networks."""
    rng = np.random.default_rng(seed)
    return [PackItem(space(kind, preset).sample(rng), k) for k in range(count)]


def every_kind(kind: str) -> list[PackItem]:
    """Networks with every optimiser, layer, pooling, normalisation, activation and connection, and with dropout."""
    found: list[Architecture] = []
    seen: set[str] = set()
    for item in islice(some(kind, "accurate", 300, 5), 300):
        values = item.architecture.values
        layers = {(x["kind"], x.get("both"), x.get("heads"), x.get("dilation")) for x in values["layers"]}
        named = ("optimiser", "pooling", "normalisation", "activation", "connections")
        kinds = {*(str(values[name]) for name in named), *map(str, layers)}
        if kinds - seen:
            seen |= kinds
            found.append(item.architecture)
    assert {"sgd", "adam", "adamw", "adagrad", "flat", "last", "max", "batch", "layer", "residual", "gelu"} <= seen
    return [PackItem(a, k) for k, a in enumerate(found)]


def network_of(kind: str, item: PackItem, classes: int = 3) -> SignalNetwork:
    return placed(build_network(space(kind, "accurate", classes), item), CPU)


def pack_of(kind: str, items: list[PackItem], lesson: Lesson, classes: int = 3) -> PackTraining:
    row = lesson.train.x[:1]
    networks = [network_of(kind, item, classes) for item in items]
    planned = [(network, item, packed_plan(network, row)) for network, item in zip(networks, items, strict=True)]
    return PackTraining([(network, item, plan) for network, item, plan in planned if plan is not None], lesson)


def begun(kind: str, items: list[PackItem], lesson: Lesson) -> PackTraining:
    """Return a pack that is about to make its first step."""
    pack = pack_of(kind, items, lesson)
    pack._begin()
    return pack


def begun_alone(kind: str, item: PackItem, lesson: Lesson) -> NetworkTraining:
    """Return a network that is about to make its first step by itself."""
    training = NetworkTraining(network_of(kind, item), item, lesson)
    training._begin()
    training.network.train()
    return training


def ended(training: Training) -> None:
    while not training.ended:
        training.run_epoch(StopSignal())


def trained(kind: str, items: list[PackItem], lesson: Lesson, classes: int = 3) -> PackTraining:
    training = pack_of(kind, items, lesson, classes)
    ended(training)
    return training


def equal(one: SignalNetwork, other: SignalNetwork) -> bool:
    a, b = one.state_dict(), other.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)
