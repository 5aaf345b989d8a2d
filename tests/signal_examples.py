"""Small problems of images, series and words, and networks on them whose behaviour is known on paper."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from nas_core.data import Problem, Recipe
from nas_core.data.arrays import signal_dataset
from nas_core.data.signal import Signal, image_signal, sequence_signal
from nas_core.interpretability import MeasureContext
from nas_core.spaces import SearchSpace, StructuralFacts, facts
from nas_core.spaces.layers import SignalNetwork

__all__ = ["Formula", "Modules", "PlaceNetwork", "context_of", "known_facts", "problem_of"]

RECIPE = Recipe(max_epochs=20, batch_size=32)


def problem_of(kind: str = "image", *, classes: int = 3, rows: int = 240, seed: int = 0, side: int = 6) -> Problem:
    """Return a problem of "image" (6×6, cells of one pixel), "series" (2 × 12), "padded" or "words"; 0 = regression."""
    rng = np.random.default_rng(seed)
    signal, X = _rows(kind, rng, rows, side)
    filled = np.nan_to_num(X)
    score = filled[:, : signal.columns // 2].mean(1) - filled[:, signal.columns // 2 :].mean(1)
    if not classes:
        data = signal_dataset(X, 10 + 3 * score, signal, name=kind, task="regression", target="size")
    else:
        y = np.digitize(score, np.quantile(score, np.linspace(0, 1, classes + 1)[1:-1]))
        data = signal_dataset(X, y, signal, name=kind, classes=tuple("abcdefgh"[:classes]))
    return Problem.create(data, recipe=RECIPE, fractions=(0.5, 0.4, 0.1))


def _rows(kind: str, rng: np.random.Generator, rows: int, side: int) -> tuple[Signal, np.ndarray]:
    if kind == "image":
        return image_signal(1, side, side), rng.normal(size=(rows, side * side))
    if kind == "words":
        words = ("", "?", *(f"word{i}" for i in range(10)))
        lengths = rng.integers(4, 9, rows)
        ids = rng.integers(2, 12, (rows, 8)) * (np.arange(8) < lengths[:, None])
        return sequence_signal(1, 8, vocabulary=12, words=words, padded=True), ids.astype(float)
    X = rng.normal(size=(rows, 2, 12))
    if kind == "padded":
        X[np.broadcast_to((np.arange(12) >= rng.integers(6, 13, rows)[:, None])[:, None], X.shape)] = np.nan
    return sequence_signal(2, 12, padded=kind == "padded"), X.reshape(rows, -1)


class Formula(SignalNetwork):
    """Any formula of the encoded columns (n, D) as a network; its one map is the input."""

    layers = ("seen",)

    def __init__(self, formula: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.formula, self.seen = formula, nn.Identity()

    def features(self, x: Tensor) -> Tensor:
        return self.seen(x)

    def head(self, maps: Tensor) -> Tensor:
        return self.formula(maps.flatten(1))

    @property
    def map_weights(self) -> Tensor | None:
        return None


class PlaceNetwork(SignalNetwork):
    """A convolution, a ReLU and a head: the mean over places with a linear layer, or a dense layer on all of them."""

    layers = ("relu",)

    def __init__(
        self, shape: Sequence[int], outputs: int, *, mean: bool = True, stride: int = 1, seed: int = 0
    ) -> None:
        super().__init__()
        torch.manual_seed(seed)
        image = len(shape) == 3
        self.conv = (nn.Conv2d if image else nn.Conv1d)(shape[0], 5, 3, stride=stride, padding=1)
        self.relu, self.mean = nn.ReLU(), mean
        places = int(np.prod([-(-s // stride) for s in shape[1:]]))
        self.linear = nn.Linear(5 if mean else 5 * places, outputs)

    def features(self, x: Tensor) -> Tensor:
        return self.relu(self.conv(x))

    def head(self, maps: Tensor) -> Tensor:
        return self.linear(maps.flatten(2).mean(2) if self.mean else maps.flatten(1))

    @property
    def map_weights(self) -> Tensor | None:
        return self.linear.weight if self.mean else None


class Modules:
    """K networks as a pack."""

    def __init__(self, modules: Sequence[SignalNetwork]) -> None:
        self.modules = [m.eval() for m in modules]

    def module(self, k: int) -> SignalNetwork:
        return self.modules[k]


def known_facts(problem: Problem, *, pairs: int | None = None, operations: int = 100) -> StructuralFacts:
    """Return facts of a network that reads every cell and may join all of them, or ``pairs``."""
    P = problem.P
    together = P * (P - 1) // 2 if pairs is None else pairs
    return StructuralFacts(tuple(range(P)), together, {}, operations, 10, 10**6, (3, 3))


def context_of(
    problem: Problem, modules: Sequence[SignalNetwork], known: Sequence[StructuralFacts] | None = None
) -> MeasureContext:
    """Return the context of these networks, as if they were candidates of the problem's space."""
    space = SearchSpace.for_problem(problem)
    architecture = space.sample(np.random.default_rng(0))
    given = list(known) if known is not None else [known_facts(problem)] * len(modules)
    return MeasureContext(space, [architecture] * len(modules), given, problem, Modules(modules))


def family_context(problem: Problem, count: int = 3, family: str | None = None) -> MeasureContext:
    """Return the context of ``count`` untrained networks of a real family."""
    space = SearchSpace.for_problem(problem, family=family)
    found = [space.sample(np.random.default_rng(i)) for i in range(count)]
    modules = [space.engine.module(space, a.values) for a in found]  # type: ignore[attr-defined]
    return MeasureContext(space, found, [facts(space, a) for a in found], problem, Modules(modules))
