"""A small space and a deterministic evaluator with a real trade-off, so that strategies are tested without training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nas_core.records import Architecture, Estimate, Evaluation, Measurement, Proposal, Status, derive_seed
from nas_core.spaces.variables import Chooser


@dataclass(frozen=True)
class ToySpace:
    """Selects features, promises directions for some of them, lets all interact or none, and sets a rate."""

    features: int = 16
    rates: int = 9

    def architecture(self, chosen: Sequence[int], marked: Sequence[int], joined: bool, rate: int) -> Architecture:
        used = sorted({int(j) for j in chosen}) or [0]
        marks = sorted({int(j) for j in marked} & set(used))
        joined = bool(joined) and len(used) > 1
        rate = int(min(max(rate, 0), self.rates - 1))
        return Architecture(family="toy", values={"features": used, "marks": marks, "joined": joined, "rate": rate})

    def sample(self, rng: np.random.Generator, hints: Any = None) -> Architecture:
        chosen = rng.permutation(self.features)[: rng.integers(1, self.features + 1)]
        marked = [j for j in chosen if rng.random() < 0.5]
        return self.architecture(chosen, marked, rng.random() < 0.5, int(rng.integers(self.rates)))

    def mutate(
        self, architecture: Architecture, rng: np.random.Generator, hints: Any = None
    ) -> tuple[Architecture, str]:
        near = list(self.neighbours(architecture))
        return (near[int(rng.integers(len(near)))], "mutate") if near else (architecture, "unchanged")

    def crossover(self, a: Architecture, b: Architecture, rng: np.random.Generator) -> Architecture:
        one, two = a.values, b.values
        chosen = [j for j in {*one["features"], *two["features"]} if rng.random() < 0.5]
        marked = [j for j in chosen if j in (one if rng.random() < 0.5 else two)["marks"]]
        source = one if rng.random() < 0.5 else two
        return self.architecture(chosen, marked, source["joined"], source["rate"])

    def neighbours(self, architecture: Architecture) -> Iterator[Architecture]:
        v = architecture.values
        used, marks, joined, rate = set(v["features"]), set(v["marks"]), v["joined"], v["rate"]
        for step in (-1, 1):
            if 0 <= rate + step < self.rates:
                yield self.architecture([*used], [*marks], joined, rate + step)
        for j in sorted(used):
            yield self.architecture([*used], [*(marks ^ {j})], joined, rate)
        for j in range(self.features):
            if used ^ {j}:
                yield self.architecture([*(used ^ {j})], [*marks], joined, rate)
        if len(used) > 1:
            yield self.architecture([*used], [*marks], not joined, rate)

    def decide(self, chooser: Chooser, hints: Any = None, like: Architecture | None = None) -> Architecture | None:
        v = None if like is None else like.values
        used = [j for j in range(self.features)
                if chooser.pick(f"use {j}", (False, True), None if v is None else int(j in v["features"]))]  # fmt: skip
        if not used:
            return None
        marks = [j for j in used
                 if chooser.pick(f"mark {j}", (False, True), None if v is None else int(j in v["marks"]))]  # fmt: skip
        joined = chooser.pick("joined", (False, True), None if v is None else int(v["joined"]))
        rate = chooser.number("rate", None if v is None else v["rate"] / max(1, self.rates - 1))
        return self.architecture(used, marks, bool(joined), round(rate * (self.rates - 1)))

    def encode(self, architecture: Architecture) -> np.ndarray:
        v = architecture.values
        used, marks = np.zeros(self.features), np.zeros(self.features)
        used[v["features"]], marks[v["marks"]] = 1.0, 1.0
        return np.concatenate([used, marks, [float(v["joined"]), v["rate"] / max(1, self.rates - 1)]])

    def initial(self, n: int, rng: np.random.Generator, hints: Any = None) -> list[Proposal]:
        found = {a.id: a for a in (self.sample(rng) for _ in range(4 * n))}
        return [Proposal(architecture=a, operator="initial") for a in list(found.values())[:n]]

    def all(self) -> list[Architecture]:
        """Every architecture; only for tiny spaces."""
        start = self.architecture([0], [], False, 0)
        found, queue = {start.id: start}, [start]
        while queue:
            for near in self.neighbours(queue.pop()):
                if near.id not in found:
                    found[near.id] = near
                    queue.append(near)
        return list(found.values())


class LonelySpace:
    """A space of one architecture."""

    only = ToySpace().architecture([0], [], False, 0)

    def sample(self, rng: np.random.Generator, hints: Any = None) -> Architecture:
        return self.only

    def mutate(
        self, architecture: Architecture, rng: np.random.Generator, hints: Any = None
    ) -> tuple[Architecture, str]:
        return self.only, "unchanged"

    def crossover(self, a: Architecture, b: Architecture, rng: np.random.Generator) -> Architecture:
        return self.only

    def neighbours(self, architecture: Architecture) -> Iterator[Architecture]:
        yield from ()

    def decide(self, chooser: Chooser, hints: Any = None, like: Architecture | None = None) -> Architecture | None:
        chooser.pick("which", ("this",), None if like is None else 0)
        return self.only

    def encode(self, architecture: Architecture) -> np.ndarray:
        return np.zeros(1)

    def initial(self, n: int, rng: np.random.Generator, hints: Any = None) -> list[Proposal]:
        return [Proposal(architecture=self.only)][:n]


def toy_evaluation(space: ToySpace, proposal: Proposal, status: Status = Status.DONE, seed: int = 0) -> Evaluation:
    """Skill saturates with the importance of the features; marks on odd features and a wrong rate cost some of it."""
    architecture, v = proposal.architecture, proposal.architecture.values
    if status is not Status.DONE:
        return Evaluation(
            id=architecture.id,
            architecture=architecture,
            status=status,
            reason="for the test",
            parents=proposal.parents,
        )
    importance = np.random.default_rng(derive_seed(seed, "importance")).exponential(size=space.features) ** 2
    weight = importance * (1.0 - 0.4 * np.array([j % 2 and j in v["marks"] for j in range(space.features)]))
    share = weight[v["features"]].sum() / importance.sum()
    skill = 0.93 * (1.0 - np.exp(-5.0 * share)) + 0.06 * v["joined"] - 0.02 * abs(v["rate"] - 0.7 * space.rates)
    value = 0.5 + 0.5 * float(np.clip(skill, 0.01, 1.0))
    used, pairs = len(v["features"]), len(v["features"]) > 1 and v["joined"]
    scores = {
        "feature_parsimony": 1.0 - used / space.features,
        "interaction_sparsity": 1.0 - pairs * used * (used - 1) / (space.features * (space.features - 1)),
        "monotone_share": 1.0 - (used - len(v["marks"])) / space.features,
        "additivity": 0.5 if pairs else 1.0,
        "main_effect_simplicity": 1.0 - 0.5 * (used - len(v["marks"])) / space.features,
        "operation_economy": 1.0 / (1.0 + used),
    }
    return Evaluation(
        id=architecture.id,
        architecture=architecture,
        status=status,
        performance=Estimate(value=value, low=value - 0.01, high=min(1.0, value + 0.01)),
        measures={name: Measurement(value=float(score)) for name, score in scores.items()},
        parents=proposal.parents,
        operator=proposal.operator,
    )
