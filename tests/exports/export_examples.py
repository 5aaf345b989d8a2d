"""Candidates of every family on small data, with random weights: what exports must carry over exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from signal_examples import problem_of
from toy_candidates import DEFAULTS, candidate_of, made_problem

from nas_core.data import Dataset, DataSource, FeatureSpec, Problem
from nas_core.explanations import SignalCandidate, TrainedCandidate
from nas_core.exports.portable import Portable
from nas_core.records import Architecture
from nas_core.spaces import SearchSpace

__all__ = ["DEFAULTS", "FACTS", "example", "named_problem", "shaken", "signal_candidate", "table_candidate"]

FACTS = {"made_by": "NASight", "candidate": "c1", "number": 7, "run": "r1", "structure": "a network", "data": "toy",
         "data_hash": "0" * 64, "target": "kind", "classes": []}  # fmt: skip


def shaken(module: torch.nn.Module, seed: int = 0) -> dict[str, np.ndarray]:
    """Return a state dict with random weights and batch statistics."""
    generator = torch.Generator().manual_seed(seed)
    found = {}
    for name, value in module.state_dict().items():
        made = value.clone()
        if value.is_floating_point():
            made.normal_(0.0, 0.4, generator=generator)
            if "running_var" in name:
                made = made.abs() + 0.5
        if name == "embedding.table.weight":
            made[0] = 0.0
        found[name] = made.numpy()
    return found


def table_candidate(
    problem: Problem, *groups: tuple[int, ...], linear: bool = False, **values: Any
) -> TrainedCandidate:
    """Return a candidate with these groups and random weights, batch statistics too."""
    made = candidate_of(problem, *groups, linear=linear, **values)
    return TrainedCandidate(problem, made.space, made.architecture, shaken(made.module.float()))


def signal_candidate(problem: Problem, family: str | None = None, seed: int = 0, **values: Any) -> SignalCandidate:
    """Return a candidate of images or sequences with random weights; ``values`` replace drawn variables."""
    space = SearchSpace.for_problem(problem, "balanced", family)
    drawn = space.sample(np.random.default_rng(seed))
    architecture = Architecture(family=drawn.family, values={**drawn.values, **values})
    weights = shaken(space.engine.module(space, architecture.values), seed)  # type: ignore[attr-defined]
    return SignalCandidate.rebuilt(problem, space, architecture, weights)


def example(kind: str) -> Portable:
    """Return a written-out candidate: binary, classes or regression tables, image, cell, series, padded or words."""
    if kind in ("binary", "classes", "regression"):
        return Portable(table_candidate(made_problem(kind), (0,), (1, 2), (3, 5)))
    if kind in ("image", "cell"):
        return Portable(signal_candidate(problem_of("image", classes=3), kind, seed=1))
    layers = [{"kind": "gru", "width": 5, "both": True}, {"kind": "conv", "width": 4, "kernel": 3, "dilation": 1}]
    return Portable(signal_candidate(problem_of(kind, classes=0 if kind == "series" else 3), layers=layers))


def named_problem(names: list[str], levels: list[str], classes: list[str], target: str) -> Problem:
    """Return a problem of two numbers and a category with these names; two classes, or a quantity without classes."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=(60, 2)), np.arange(60) % len(levels)]).astype(float)
    X[::7, 0] = np.nan
    features = (
        FeatureSpec(names[0], "numeric", missing=9), FeatureSpec(names[1], "numeric"),
        FeatureSpec(names[2], "categorical", tuple(levels)),
    )  # fmt: skip
    y = (np.arange(60) % 2).astype(np.int64) if classes else X[:, 1]
    task: Any = "classification" if classes else "regression"
    source = DataSource(kind="memory", location="named")
    return Problem.create(Dataset(target, features, X, y, task, tuple(classes), target, source))
