"""Ways to explain that must not be believed: each has a known fault that a gate is there for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nas_core.explanations import SignalCandidate, TrainedCandidate
from nas_core.explanations.base import Candidate, Explainer, Shares
from nas_core.records import Verdict

__all__ = ["Blend", "Gradients", "InputMagnitude", "Noisy", "RandomNumbers"]


class _Any(Explainer[Candidate]):
    """What these have in common: they apply to everything."""

    explains = (TrainedCandidate, SignalCandidate)

    def fits(self, candidate: Candidate) -> Verdict:
        """Return that it applies."""
        return Verdict(ok=True, reason="it applies to everything")


class InputMagnitude(_Any):
    """How large the input is, in standard deviations of the background: what an edge detector is to images.

    Costs: nothing; it never asks the network.
    """

    name, label = "input_magnitude", "Input magnitude"
    additive = False

    def shares(self, candidate: Candidate, rows: np.ndarray, background: np.ndarray, *, seed: int) -> Iterator[Shares]:
        """Yield |x − mean| once, the same for every output."""
        apart = np.abs(rows - np.nanmean(background, 0)) / np.maximum(np.nanstd(background, 0), 1e-12)
        yield Shares(np.repeat(np.nan_to_num(apart)[:, :, None], candidate.outputs, axis=2))


class RandomNumbers(_Any):
    """Random numbers.

    Costs: nothing; it never asks the network.
    """

    name, label = "random_numbers", "Random numbers"
    additive = False

    def shares(self, candidate: Candidate, rows: np.ndarray, background: np.ndarray, *, seed: int) -> Iterator[Shares]:
        """Yield normal numbers once."""
        size = (len(rows), candidate.problem.P, candidate.outputs)
        yield Shares(np.random.default_rng(seed).normal(size=size))


class Noisy(_Any):
    """Another method, with noise of a given size added to its values.

    Costs: those of the method.
    """

    name, label = "noisy", "Noisy"

    def __init__(self, of: Explainer[Candidate], noise: float) -> None:
        self.of, self.noise = of, noise

    def shares(self, candidate: Candidate, rows: np.ndarray, background: np.ndarray, *, seed: int) -> Iterator[Shares]:
        """Yield the values of the method and noise in shares of their largest one."""
        for shares in self.of.shares(candidate, rows, background, seed=seed):
            noise = np.random.default_rng(seed).normal(size=shares.values.shape)
            yield Shares(shares.values + self.noise * np.abs(shares.values).max() * noise)


class Blend(_Any):
    """Input magnitude, and a small share of another method's values.

    Costs: those of the method.
    """

    name, label = "blend", "Blend"
    additive = False

    def __init__(self, of: Explainer[Candidate], share: float) -> None:
        self.of, self.share = of, share

    def shares(self, candidate: Candidate, rows: np.ndarray, background: np.ndarray, *, seed: int) -> Iterator[Shares]:
        """Yield the sum once."""
        (seen,) = InputMagnitude().shares(candidate, rows, background, seed=seed)
        (told,) = self.of.shares(candidate, rows, background, seed=seed)
        yield Shares(seen.values + self.share * told.values)


class Gradients(_Any):
    """Gradient × distance from the mean, as if it were an exact contribution: wrong where the network is saturated.

    Costs: two predictions per row and feature.
    """

    name, label = "gradients", "Gradient × input"

    def shares(self, candidate: Candidate, rows: np.ndarray, background: np.ndarray, *, seed: int) -> Iterator[Shares]:
        """Yield φ once, from differences over a thousandth."""
        values = np.zeros((len(rows), candidate.problem.P, candidate.outputs))
        for j in range(candidate.problem.P):
            step = np.zeros(rows.shape[1])
            step[j] = 1e-3
            slope = (candidate.predict(rows + step) - candidate.predict(rows - step)) / 2e-3
            values[:, j] = slope * (rows[:, j] - background[:, j].mean())[:, None]
        yield Shares(values)
