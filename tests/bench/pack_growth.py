"""How packs grow: candidates a second by size, width and rows, and resident memory over many packs."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from nas_core import Problem, SearchSpace, SpaceError, load_data
from nas_core.data import Recipe
from nas_core.data.arrays import signal_dataset
from nas_core.data.signal import image_signal
from nas_core.evaluation.isolation.memory import resident_bytes
from nas_core.records import Architecture, derive_seed
from nas_core.spaces import facts
from nas_core.training.fit import PackItem, train_pack

__all__ = ["memory", "memory_of_images", "scaling"]

SIZES, WIDTHS, SHARES = (1, 4, 16, 64, 256), (4, 8, 16, 32), (0.25, 0.5, 1.0)
PACKS, WARM, SMALL, MARK = 1000, 20, 4, 100
IMAGE_PACKS, IMAGE_MARK, TINY = 200, 20, 100_000


def scaling(problem: Problem, space: SearchSpace, clock: Callable[[], float]) -> dict[str, dict[str, float]]:
    """Return candidates a second by size of the pack, by width (tables only, depth 2), and by share of the rows."""
    recipe = problem.spec.recipe
    short = Problem.create(problem.dataset, recipe=recipe.model_copy(update={"max_epochs": min(10, recipe.max_epochs)}))
    signals = space.signal is not None
    sizes = SIZES[:3] if signals else SIZES
    found = {"candidates": {str(K): _rate(short, space, _drawn(short, space, K), clock) for K in sizes}}
    if not signals:
        wide = {H: _wide(short, space, H) for H in WIDTHS}
        found["width"] = {str(H): _rate(short, space, work, clock) for H, work in wide.items() if work}
    n = len(problem.train)
    parts = {share: _of_rows(short, int(share * n)) for share in SHARES}
    count = 8 if signals else 64
    found["rows"] = {
        str(len(part.train)): _rate(part, space, _drawn(part, space, count), clock) for part in parts.values()
    }
    return found


def _rate(problem: Problem, space: SearchSpace, work: list[Architecture], clock: Callable[[], float]) -> float:
    items = [PackItem(a, derive_seed(0, a.id)) for a in work]
    began = clock()
    train_pack(problem, space, items)
    return len(items) / (clock() - began)


def _drawn(problem: Problem, space: SearchSpace, K: int) -> list[Architecture]:
    rng = np.random.default_rng(0)
    return [space.sample(rng, problem.hints) for _ in range(K)]


def _wide(problem: Problem, space: SearchSpace, width: int) -> list[Architecture]:
    """Return 64 random candidates that all have two hidden layers of one width; none where the space has not that."""
    try:
        return [_resized(space, a, width) for a in _drawn(problem, space, 64)]
    except SpaceError:
        return []


def _resized(space: SearchSpace, architecture: Architecture, width: int) -> Architecture:
    groups = [{**group, "linear": False} for group in architecture.values["groups"]]
    changes = {"groups": groups, "depth": 2, "width": width, "activation": "relu", "marks": {}}
    return space.architecture({**architecture.values, **changes})


def _of_rows(problem: Problem, rows: int) -> Problem:
    return Problem.create(problem.dataset, recipe=problem.spec.recipe, max_train_rows=max(16, rows))


def memory() -> dict[str, Any]:
    """Return how resident memory grows, in MB, over 1,000 consecutive packs of 4 candidates and 2 epochs.

    Counted from after the first packs, which load libraries and fill pools.
    """
    problem = Problem.create(load_data("breast_cancer"))
    problem = Problem.create(problem.dataset, recipe=problem.spec.recipe.model_copy(update={"max_epochs": 2}))
    space, rng = SearchSpace.for_problem(problem), np.random.default_rng(0)

    def pack() -> list[Architecture]:
        return [space.sample(rng, problem.hints) for _ in range(SMALL)]

    return _grown(problem, space, pack, PACKS, MARK)


def memory_of_images() -> dict[str, Any]:
    """Return how resident memory grows, in MB, over 200 consecutive packs of 4 tiny LeNets and 1 epoch.

    Each pack has other architectures: what is kept by shape would grow.
    """
    rng, signal = np.random.default_rng(0), image_signal(1, 8, 8)
    X, y = rng.standard_normal((96, 64)).astype(np.float32), np.arange(96) % 3
    recipe = Recipe(max_epochs=1, batch_size=32, patience=1, min_delta=0.0)
    data = signal_dataset(X, y, signal, name="made images", classes=("a", "b", "c"))
    problem = Problem.create(data, recipe=recipe)
    space = SearchSpace.for_problem(problem, "lenet")

    def pack() -> list[Architecture]:
        found: list[Architecture] = []
        while len(found) < SMALL:
            architecture = space.sample(rng, problem.hints)
            if facts(space, architecture).operations < TINY:
                found.append(architecture)
        return found

    return _grown(problem, space, pack, IMAGE_PACKS, IMAGE_MARK)


def _grown(
    problem: Problem, space: SearchSpace, pack: Callable[[], list[Architecture]], packs: int, mark: int
) -> dict[str, Any]:
    marks = []
    for number in range(WARM + packs):
        train_pack(problem, space, [PackItem(architecture, number) for architecture in pack()])
        if number >= WARM - 1 and (number - WARM + 1) % mark == 0:
            marks.append((resident_bytes(os.getpid()) or 0) / 1e6)
    return {"packs": packs, "growth_mb": marks[-1] - marks[0], "resident_mb": marks}
