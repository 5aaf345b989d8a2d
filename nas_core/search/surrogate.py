"""What has been learned so far about all other architectures: Gaussian processes over the space's encodings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, wraps
from typing import ParamSpec, TypeVar

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs, dtrtrs  # called directly: of small matrices checks cost most
from scipy.special import ndtri
from threadpoolctl import ThreadpoolController

__all__ = ["Posterior", "Surrogate", "normal_scores", "on_one_thread"]

Asked = ParamSpec("Asked")
Found = TypeVar("Found")

LENGTHS = (0.5, 1.0, 2.0, 4.0)
NOISES = (0.01, 0.1, 0.4)
NEGLIGIBLE = 0.02
"""Members with a smaller share of the ensemble's weight are left out."""

JUDGED = 128
"""Rows that members are weighted by, at most: evenly spaced ones, for which the evidence stands for all."""


@cache
def _pools() -> ThreadpoolController:
    return ThreadpoolController()


def on_one_thread(function: Callable[Asked, Found]) -> Callable[Asked, Found]:
    """Let the linear algebra inside ``function`` run on one thread."""

    @wraps(function)
    def alone(*args: Asked.args, **options: Asked.kwargs) -> Found:
        with _pools().limit(limits=1, user_api="blas"):
            return function(*args, **options)

    return alone


@dataclass(frozen=True)
class Posterior:
    """What is believed of s architectures, in normal scores of each of m losses.

    Attributes:
        mean: (s, m).
        variance: (s, m), the noise of a single measurement aside.
        noise: (m,) variance of a single measurement around it.
        row: From a position to the covariances (m, s) of that architecture with all; computed when it is called, as a
            pack needs a few of s.
    """

    mean: np.ndarray
    variance: np.ndarray
    noise: np.ndarray
    row: Callable[[int], np.ndarray]


class Surrogate:
    """An ensemble of Gaussian processes for m losses of architectures.

    Each member is k(a, b) = exp(−|x_a − x_b|² / (ℓ·d)) on the encodings x, with its own length ℓ and noise; d is the
    mean squared distance of the data. On one-hot choices that is the exponential of the number of differing choices
    (Kandasamy et al. 2018 and White et al. 2021 found such kernels hard to beat on architectures). Members are weighted
    by their marginal likelihood, for every loss by itself, instead of choosing one set of hyper-parameters.

    Linear algebra runs on one thread: of matrices this small, two threads on two busy cores took ten times as long, and
    the numbers would depend on how many cores there are.

    Costs: 12 Cholesky factorisations of at most 128 rows, and one of n rows for each member that counts, O(n³).

    Args:
        X: (n, D) encodings.
        Y: (n, m) losses in any unit; they are replaced by normal scores, so outliers and units do not matter.
    """

    @on_one_thread
    def __init__(self, X: np.ndarray, Y: np.ndarray) -> None:
        self._X = np.asarray(X, dtype=np.float64)
        self.targets = np.stack([normal_scores(y) for y in np.asarray(Y, dtype=np.float64).T], axis=1)
        squared = _squared(self._X, self._X)
        n = len(squared)
        self._scale = float(squared.sum() / max(1, n * (n - 1))) or 1.0
        choices = [(length, noise) for length in LENGTHS for noise in NOISES]
        judged = np.linspace(0, n - 1, min(n, JUDGED)).round().astype(int)
        near = self._kernels(squared[np.ix_(judged, judged)], LENGTHS)
        found = [_member(near[length], self.targets[judged], length, noise) for length, noise in choices]
        weights = _weights(np.stack([member.evidence for member in found]) * n / len(judged))
        kept = np.flatnonzero(weights.any(axis=1))
        self.weights: np.ndarray = weights[kept]
        self._members = [found[at] for at in kept]
        if n > JUDGED:
            whole = self._kernels(squared, [member.length for member in self._members])
            self._members = [_member(whole[m.length], self.targets, m.length, m.noise) for m in self._members]

    def _kernels(self, squared: np.ndarray, lengths: Iterable[float]) -> dict[float, np.ndarray]:
        return {length: np.exp(-squared / (length * self._scale)) for length in dict.fromkeys(lengths)}

    @on_one_thread
    def posterior(self, X: np.ndarray) -> Posterior:
        """Return what is believed of the architectures with encodings ``X`` (s, D)."""
        X = np.asarray(X, dtype=np.float64)
        across = _squared(X, self._X)
        s, m = len(X), self.targets.shape[1]
        means, squares, latent, noise = np.zeros((s, m)), np.zeros((s, m)), np.zeros((s, m)), np.zeros(m)
        halves: list[tuple[float, np.ndarray, np.ndarray]] = []
        kernels = self._kernels(across, [member.length for member in self._members])
        for member, weight in zip(self._members, self.weights):
            K = kernels[member.length]
            mean = K @ member.alpha
            half = dtrtrs(member.factor, K.T, lower=1)[0]
            share = weight * member.amplitude
            halves.append((member.length, half, share))
            means += weight * mean
            squares += weight * mean**2
            latent += share * np.maximum(1.0 - np.einsum("ns,ns->s", half, half), 0.0)[:, None]
            noise += share * member.noise
        spread = np.maximum(squares - means**2, 0.0)  # where the members disagree

        @on_one_thread
        def row(at: int) -> np.ndarray:
            near = self._kernels(_squared(X[at : at + 1], X)[0], [length for length, _, _ in halves])
            found = np.zeros((m, s))
            for length, half, share in halves:
                found += np.outer(share, near[length] - half[:, at] @ half)
            found[:, at] += spread[at]
            return found

        return Posterior(means, latent + spread, noise, row)

    @on_one_thread
    def mean(self, X: np.ndarray) -> np.ndarray:
        """Return the mean (s, m) at ``X`` (s, D)."""
        across = _squared(np.asarray(X, dtype=np.float64), self._X)
        kernels = self._kernels(across, [member.length for member in self._members])
        found = np.zeros((len(X), self.targets.shape[1]))
        for member, weight in zip(self._members, self.weights):
            found += weight * (kernels[member.length] @ member.alpha)
        return found

    @on_one_thread
    def slope(self, X: np.ndarray) -> np.ndarray:
        """Return the gradient (s, D) of the mean of the first loss at ``X`` (s, D)."""
        X = np.asarray(X, dtype=np.float64)
        kernels = self._kernels(_squared(X, self._X), [member.length for member in self._members])
        pull = np.zeros((len(X), len(self._X)))
        for member, weight in zip(self._members, self.weights[:, 0]):
            pull += kernels[member.length] * (-2.0 * weight / (member.length * self._scale) * member.alpha[:, 0])
        slope: np.ndarray = X * pull.sum(axis=1, keepdims=True) - pull @ self._X
        return slope


@dataclass(frozen=True)
class _Member:
    length: float
    noise: float
    factor: np.ndarray
    alpha: np.ndarray
    amplitude: np.ndarray
    evidence: np.ndarray


def _member(kernel: np.ndarray, targets: np.ndarray, length: float, noise: float) -> _Member:
    """Return the member of one length and noise, fitted to targets (n, m)."""
    n = len(kernel)
    K = kernel.copy()
    K[np.diag_indices(n)] += noise
    factor = dpotrf(K.T, lower=1, overwrite_a=1)[0]  # the noise keeps it positive definite
    alpha = dpotrs(factor, targets, lower=1)[0]
    # The amplitude has a closed form: with it the evidence is −n/2·log(amplitude) − log|L| up to a constant.
    amplitude = np.maximum((targets * alpha).sum(axis=0) / n, 1e-9)
    evidence = -0.5 * n * np.log(amplitude) - np.log(np.diag(factor)).sum()
    return _Member(length, noise, factor, alpha, amplitude, evidence)


def _weights(evidence: np.ndarray) -> np.ndarray:
    """Return the shares (members, m) by log evidence, the negligible ones zero."""
    weights = np.exp(evidence - evidence.max(axis=0))
    weights /= weights.sum(axis=0)
    weights[weights < NEGLIGIBLE] = 0.0
    shares: np.ndarray = weights / weights.sum(axis=0)
    return shares


def normal_scores(values: np.ndarray) -> np.ndarray:
    """Return the normal quantile of each value's rank, (n,); ties share their mean, infinities are the worst."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    upper = np.cumsum(counts)
    middle = (upper - (counts - 1) / 2.0 - 0.5) / len(values)
    scores: np.ndarray = ndtri(middle)[inverse]
    return scores


def _squared(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Return the squared distances (a, b) of the rows."""
    product = A @ B.T
    return np.maximum((A**2).sum(axis=1)[:, None] + (B**2).sum(axis=1)[None, :] - 2.0 * product, 0.0)
