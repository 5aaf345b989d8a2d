"""Small problems of images and architectures for the training tests of signal networks."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from nas_core.data import Problem, Recipe
from nas_core.data.arrays import signal_dataset
from nas_core.data.signal import image_signal
from nas_core.records import Architecture
from nas_core.spaces import SearchSpace

QUICK = Recipe(max_epochs=4, batch_size=16, patience=4, min_delta=0.0, schedule="one_cycle")


@cache
def image_problem(outputs: int = 3, weights: str = "none") -> Problem:
    """Images of 7 × 6 pixels; 3 or 2 classes of unequal size, or a quantity (0)."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(100, 42)).astype(np.float32)
    score = X[:, :21].mean(1) - X[:, 21:].mean(1) + 0.1 * rng.normal(size=100)
    signal = image_signal(1, 7, 6)
    if not outputs:
        data = signal_dataset(X, 5 + 2 * score, signal, name="made", task="regression")
        return Problem.create(data, recipe=QUICK)
    y = np.digitize(score, np.quantile(score, np.cumsum(np.arange(1, outputs)) / 6 + 0.1))
    return Problem.create(
        signal_dataset(X, y, signal, name="made", classes=tuple("abc"[:outputs])), recipe=QUICK, class_weights=weights
    )


@cache
def image_space(outputs: int = 3) -> SearchSpace:
    return SearchSpace.for_problem(image_problem(outputs))


def network_of(outputs: int = 3, landmark: str = "patches voting, coarse", **changes: Any) -> Architecture:
    """A landmark, by default a small convolutional network, that differs from a plain one in some values."""
    space = image_space(outputs)
    plain = next(v for name, v in space.engine.landmarks(space, None) if name == landmark)
    return space.architecture({**plain, "optimiser": "adamw", "weight_decay": 0.01, **changes})


def sampled_networks(count: int, outputs: int = 3, seed: int = 0) -> list[Architecture]:
    """Different random architectures that are cheap to train."""
    space, rng = image_space(outputs), np.random.default_rng(seed)
    found: dict[str, Architecture] = {}
    while len(found) < count:
        architecture = space.sample(rng)
        if space.engine.facts(space, architecture.values).operations < 60_000:
            found[architecture.id] = architecture
    return list(found.values())
