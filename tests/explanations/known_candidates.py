"""Candidates whose output is a given function of the raw values, so that what explains them is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from toy_candidates import candidate_of

from nas_core.data import Dataset, DataSource, FeatureSpec, Problem
from nas_core.explanations import TrainedCandidate

__all__ = ["known", "table"]

Function = Callable[..., Tensor]


def table(
    X: np.ndarray, y: np.ndarray, *, levels: dict[int, tuple[str, ...]] | None = None, classes: tuple[str, ...] = ()
) -> Problem:
    """Return the problem of columns ``X`` (N, P), NaN = missing; those in ``levels`` are categories."""
    named = levels or {}
    features = tuple(
        FeatureSpec(f"x{j}", "categorical" if j in named else "numeric", named.get(j, ()), int(np.isnan(X[:, j]).sum()))
        for j in range(X.shape[1])
    )
    source = DataSource(kind="memory", location="known")
    task = "classification" if classes else "regression"
    target = y.astype(np.int64) if classes else y
    return Problem.create(Dataset("known", features, X, target, task, classes, "answer", source), seed=0)


class _Known(nn.Module):
    """A group that computes a function of the raw values of its features, which must be numbers."""

    def __init__(self, candidate: TrainedCandidate, features: Sequence[int], function: Function) -> None:
        super().__init__()
        self.function, self.scale = function, float(candidate.problem.target_sd)
        self.columns = [candidate.span(j).start for j in features]
        encoder = candidate.problem.encoder  # the raw values back from the standardised ones
        ends = [encoder.transform_feature(j, np.array([0.0, 1.0]), "standardised")[1][:, 0] for j in features]
        self.sd = [1 / max(1e-9, float(high) - float(low)) for low, high in ends]
        self.mean = [-float(low) * sd for (low, _), sd in zip(ends, self.sd)]

    def forward(self, bank: Tensor) -> Tensor:
        values = [bank[:, c] * s + m for c, m, s in zip(self.columns, self.mean, self.sd)]
        found = self.function(*values)
        return (found if found.ndim == 2 else found[:, None]) / self.scale


def known(problem: Problem, **groups: tuple[tuple[int, ...], Function]) -> TrainedCandidate:
    """Return a candidate with these groups: features, and the function of their raw values (n,) → (n,) or (n, C)."""
    candidate = candidate_of(problem, *(features for features, _ in groups.values()), encoding="standardised")
    own = {g.features: g.index for g in candidate.groups}
    for features, function in groups.values():
        candidate.module.groups[own[tuple(sorted(features))]] = _Known(candidate, features, function)
    with torch.no_grad():
        candidate.module.bias.zero_()
    return candidate
