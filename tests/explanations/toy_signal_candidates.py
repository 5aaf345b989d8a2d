"""Candidates on small problems of images, series and words: given networks, and untrained ones of the families."""

from __future__ import annotations

import numpy as np
import torch

from nas_core.data import Problem
from nas_core.explanations import SignalCandidate
from nas_core.spaces import SearchSpace
from nas_core.spaces.layers import SignalNetwork

__all__ = ["candidate", "of_family"]


def candidate(problem: Problem, module: SignalNetwork) -> SignalCandidate:
    """Return ``module`` as if it were a trained candidate, in float64."""
    space = SearchSpace.for_problem(problem)
    found = SignalCandidate(problem, space, space.sample(np.random.default_rng(0)), module)
    found.dtype, found.module = torch.float64, module.double()
    return found


def of_family(problem: Problem, seed: int = 0) -> SignalCandidate:
    """Return an untrained candidate of the problem's first family."""
    space = SearchSpace.for_problem(problem)
    architecture = space.sample(np.random.default_rng(seed))
    module = space.engine.module(space, architecture.values)  # type: ignore[attr-defined]
    weights = {name: value.numpy().copy() for name, value in module.state_dict().items()}
    return SignalCandidate.rebuilt(problem, space, architecture, weights)
