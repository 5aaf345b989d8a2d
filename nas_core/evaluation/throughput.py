"""How many candidates a second this machine trains: as packs, and one fit at a time."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from nas_core.errors import SettingsError
from nas_core.records import Record, derive_seed
from nas_core.spaces import SearchSpace

__all__ = ["Throughput", "measure_throughput"]

PACK, DATA = 64, "breast_cancer"


class Throughput(Record):
    """Candidates a second on built-in data.

    Attributes:
        data: The data set.
        device: Where was trained.
        pack: Candidates of a pack.
        packs: Packs that were trained.
        packed: Candidates a second in packs.
        fits: Candidates that were trained alone.
        alone: Candidates a second, one fit at a time.
        seconds: How long the measurement took.
    """

    data: str
    device: str
    pack: int
    packs: int
    packed: float
    fits: int
    alone: float
    seconds: float

    @property
    def gain(self) -> float:
        """How many times more candidates packs train in the same time."""
        return self.packed / self.alone


def measure_throughput(
    seconds: float = 10.0, *, seed: int = 0, on_progress: Callable[[float], None] | None = None
) -> Throughput:
    """Train random candidates on built-in data in packs of 64, and the same ones alone, in turns of equal time.

    Every candidate is trained as a search does, with the whole recipe. Turns meet the same moods of a machine that does
    other work as well. Imports and the first use of every path are not counted. At least one pack and one fit are
    trained, however long that takes.

    Args:
        seconds: About how long it may take.
        seed: Decides the candidates.
        on_progress: Told the share of the time that has passed, between trainings.

    Raises:
        SettingsError: No time.
    """
    if not seconds > 0:
        raise SettingsError(
            f"{seconds:g} seconds for a measurement", allowed="more than 0", fix="choose for example 10"
        )
    from nas_core.data import Problem, load_data
    from nas_core.training.device import pick_device
    from nas_core.training.fit import PackItem, train_pack

    problem = Problem.create(load_data(DATA))
    space = SearchSpace.for_problem(problem)
    rng = np.random.default_rng(derive_seed("throughput", seed))
    items = [PackItem(a, derive_seed(seed, a.id)) for a in (space.sample(rng, problem.hints) for _ in range(PACK))]
    train_pack(problem, space, items[:2], recipe=problem.spec.recipe.model_copy(update={"max_epochs": 1}))
    spent, count = {"packed": 0.0, "alone": 0.0}, {"packed": 0, "alone": 0}
    began = time.perf_counter()

    def train(way: str, chosen: list[PackItem]) -> None:
        first = time.perf_counter()
        train_pack(problem, space, chosen)
        spent[way] += time.perf_counter() - first
        count[way] += len(chosen)
        if on_progress is not None:
            on_progress(min(1.0, (time.perf_counter() - began) / seconds))

    while time.perf_counter() - began < seconds or not count["alone"]:
        if spent["packed"] <= spent["alone"]:
            train("packed", items)
        else:
            train("alone", [items[count["alone"] % PACK]])
    return Throughput(
        data=DATA, device=str(pick_device()), pack=PACK, packs=count["packed"] // PACK,
        packed=count["packed"] / spent["packed"], fits=count["alone"], alone=count["alone"] / spent["alone"],
        seconds=time.perf_counter() - began,
    )  # fmt: skip
