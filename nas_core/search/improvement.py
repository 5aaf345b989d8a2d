"""Expected improvement: which of a pool should be measured next, one after the other until a pack is full."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from nas_core.preferences import AUGMENTATION
from nas_core.search.odds import NO_GOALS, GoalOdds
from nas_core.search.surrogate import Posterior

__all__ = ["BLOCK", "choose", "scalar_gain", "volume_gain"]

BLOCK, SLACK = 32, 0.01
"""Gains that are worked out at once, and by how much the logarithm of one may exceed an earlier one by rounding."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)


def choose(
    believed: Posterior,
    told: np.ndarray,
    n: int,
    weight: float,
    rng: np.random.Generator,
    goals: GoalOdds = NO_GOALS,
) -> list[int]:
    """Return up to ``n`` positions of the pool, the most promising first.

    Args:
        believed: Of the pool.
        told: (k, m) the known scores of those that meet all goals.
        n: How many.
        weight: λ.
        rng: Decides what each choice is to improve.
        goals: Which scores meet the goals.
    """
    hopes = _Hopes(believed, told, weight, goals)
    scalar_share = abs(2.0 * weight - 1.0)
    chosen: list[int] = []
    size, losses = believed.mean.shape
    drops = np.zeros((min(n, size), losses, size))  # what is no longer unknown, as a factor of the covariance's change
    for turn in range(min(n, size)):
        at = hopes.best(rng.random() < scalar_share)
        chosen.append(at)
        hopes.believe(at)
        if len(chosen) < n:
            row = believed.row(at) - np.einsum("km,kms->ms", drops[:turn, :, at], drops[:turn])
            drops[turn] = row / np.sqrt(np.maximum(row[:, at, None], 0.0) + 1e-9)
            hopes.latent -= drops[turn].T ** 2
    return chosen


class _Hopes:
    """What each of the pool may still improve, worked out only for those that may improve most.

    What one improves can only fall while others are chosen: its variance falls, and what there is to beat gets better.
    So an earlier gain bounds the present one, and those with a bound below the best gain are not looked at (Minoux
    1978). Where that does not hold, with goals and when the scale changes, all are looked at.

    Attributes:
        latent: (s, m) variances, the noise of a single measurement aside.
    """

    def __init__(self, believed: Posterior, told: np.ndarray, weight: float, goals: GoalOdds) -> None:
        self._mean, self._noise, self.latent = believed.mean, believed.noise, believed.variance.copy()
        self._losses, self._weight, self._goals = told[:, :2], weight, goals
        self._open = np.ones(len(self._mean), dtype=bool)
        self._bounds: dict[bool, np.ndarray] = {}
        self._low = self._losses.min(axis=0, initial=np.inf)
        self._high = self._losses.max(axis=0, initial=-np.inf)

    def best(self, by_weight: bool) -> int:
        """Return the position of the largest gain: of the scalar at λ, or of the hypervolume; the first of equals."""
        bound = np.where(self._open, self._bounds.get(by_weight, np.inf), -np.inf)
        order = np.argsort(-bound, kind="stable")
        done, size, best = 0, BLOCK, -np.inf
        while done < len(order) and bound[order[done]] + SLACK >= best:
            rows = order[done : done + size]
            bound[rows] = np.where(self._open[rows], self._gain(rows, by_weight), -np.inf)
            best = max(best, float(bound[rows].max()))
            done, size = done + size, 2 * size
        if not len(self._goals.columns):
            self._bounds[by_weight] = bound
        return int(np.argmax(np.where(bound > best, -np.inf, bound)))

    def believe(self, at: int) -> None:
        """Take one as chosen, and as measured at its mean."""
        self._open[at] = False
        score = self._mean[at, :2]
        if self._goals.meets(self._mean[at]):
            if not len(self._losses) or (score < self._low).any() or (score > self._high).any():
                self._bounds = {}
                self._low, self._high = np.minimum(self._low, score), np.maximum(self._high, score)
            self._losses = np.vstack([self._losses, score])

    def _gain(self, rows: np.ndarray, by_weight: bool) -> np.ndarray:
        """Return the logarithms (k,) of what some are expected to improve."""
        mean, sd = self._mean[rows], np.sqrt(np.maximum(self.latent[rows], 1e-12) + self._noise)
        gain = self._goals.log_probability(mean, sd)
        if len(self._losses):
            pair = mean[:, :2], sd[:, :2], self._losses
            better = scalar_gain(*pair, self._weight) if by_weight else volume_gain(*pair)
            gain += np.log(np.maximum(better, np.finfo(float).tiny))
        return gain


def _below(limit: np.ndarray | float, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Return E max(limit − Z, 0) of normal Z, the expected improvement upon ``limit``, in broadcast shape."""
    z = (limit - mean) / sd
    found: np.ndarray = sd * (z * ndtr(z) + np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi))
    return np.maximum(found, 0.0)


def scalar_gain(mean: np.ndarray, sd: np.ndarray, told: np.ndarray, weight: float) -> np.ndarray:
    """Return the expected improvement (s,) of the Tchebycheff scalar at λ over the best that is known.

    E max(T − max(A, B), 0) = ∫ P(A < t) P(B < t) dt up to T, of the two weighted losses A and B; in the augmentation
    each takes the other at its mean. With one loss that counts it is the usual closed form.
    """
    wish = np.array([1.0 - weight, weight])[: told.shape[1]]
    if (wish > 0).sum() < 2:
        at = int(np.argmax(wish))
        return _below(told[:, at].min(), mean[:, at], sd[:, at])
    low = told.min(axis=0)
    known = (told - low) * wish
    best = float((known.max(axis=1) + AUGMENTATION * known.sum(axis=1)).min())
    middle, spread = (mean - low) * wish, sd * wish * (1.0 + AUGMENTATION)
    middle = middle + AUGMENTATION * middle.sum(axis=1, keepdims=True)
    reach = np.maximum(best - (middle - 6.0 * spread).max(axis=1), spread.max(axis=1))  # nothing lies below T − reach
    ends = best + np.outer(reach, _NODES - 1.0) / 2.0
    inside = ndtr((ends[:, :, None] - middle[:, None]) / spread[:, None]).prod(axis=2)
    gains: np.ndarray = inside @ _WEIGHTS * reach / 2.0
    return gains


def volume_gain(mean: np.ndarray, sd: np.ndarray, told: np.ndarray) -> np.ndarray:
    """Return the expected improvement (s,) of the hypervolume of two losses; reference: one beyond the worst known.

    Losses are independent given the data, so the expectation of each strip's area is a product of two closed forms.
    """
    reference = told.max(axis=0) + 1.0
    if told.shape[1] == 1:
        return _below(told.min(), mean[:, 0], sd[:, 0])
    order = np.lexsort((told[:, 1], told[:, 0]))
    sorted_told = told[order]
    low = np.minimum.accumulate(sorted_told[:, 1])
    keep = np.concatenate([[True], sorted_told[1:, 1] < low[:-1]])
    front = sorted_told[keep]
    # Strip i lies between the first losses of neighbours on the front, below the second loss of the left one.
    borders = np.concatenate([front[:, 0], [reference[0]]])
    ceilings = np.concatenate([[reference[1]], front[:, 1]])
    reached = _below(borders, mean[:, :1], sd[:, :1])  # (s, f + 1)
    width = np.diff(reached, axis=1, prepend=0.0)
    improvement: np.ndarray = (width * _below(ceilings, mean[:, 1:], sd[:, 1:])).sum(axis=1)
    return improvement
