"""How packs grow: candidates a second by size, width and rows, and resident memory over many packs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nas_core import Problem, SearchSpace, SpaceError, load_data
from nas_core.records import Architecture, derive_seed
from nas_core.training.fit import PackItem, train_pack

__all__ = ["memory", "scaling"]

SIZES, WIDTHS, SHARES = (1, 4, 16, 64, 256), (4, 8, 16, 32), (0.25, 0.5, 1.0)
PACKS, WARM, SMALL, MARK = 1000, 20, 4, 100


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
    marks = []
    for number in range(WARM + PACKS):
        items = [PackItem(space.sample(rng, problem.hints), number) for _ in range(SMALL)]
        train_pack(problem, space, items)
        if number >= WARM - 1 and (number - WARM + 1) % MARK == 0:
            marks.append(resident())
    return {"packs": PACKS, "growth_mb": marks[-1] - marks[0], "resident_mb": marks}


def resident() -> float:
    """Return the resident memory of this process in MB; the largest so far where the system does not say."""
    table = Path("/proc/self/statm")
    if table.exists():
        return int(table.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if os.uname().sysname == "Darwin" else 1e3)
