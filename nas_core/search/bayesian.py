"""Bayesian optimisation: propose what is expected to improve most, by what has been learned so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from scipy.special import ndtr

from nas_core.objectives import Objective
from nas_core.preferences import AUGMENTATION, Preference
from nas_core.records import Architecture, Evaluation, Proposal, derive_seed
from nas_core.search.ledger import Ledger
from nas_core.search.odds import NO_GOALS, GoalOdds, surrogate_losses
from nas_core.search.snapshot import SEARCH_MEASURES
from nas_core.search.standing import Standing, best_and_others
from nas_core.search.starts import Starts
from nas_core.search.strategy import Space, Strategy
from nas_core.search.surrogate import Posterior, Surrogate

__all__ = ["BayesianStrategy"]

STARTS = 12
DATA = 800
"""Evaluations the surrogate is fitted to, at most: the best half, and a random choice of the others."""

PARENTS, NEAR, RANDOM = 8, 96, 256
"""The pool of each ask: neighbours of so many of the best candidates and of the front, and random architectures."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)


class BayesianStrategy(Strategy):
    """Proposes the architectures with the largest expected improvement under an ensemble of Gaussian processes.

    Source: Mockus (1975) and Jones et al. (1998) for expected improvement, Emmerich et al. (2006) for hypervolume
    improvement, White et al. (2021, BANANAS) for neighbours of the best as the pool. For the share |2λ − 1| of a pack
    the improvement is that of the augmented Tchebycheff scalar at λ, for the rest that of the hypervolume of
    performance and interpretability. With goals it is multiplied by the chance of meeting them (Schonlau et al. 1998;
    Gardner et al. 2014); while no candidate meets them, the chance alone decides.
    Differs: losses are normal scores, so the hypervolume is that of ranks; what improves is the next measurement, noise
    included, as the best measurement is what a person chooses by; within a pack, each choice is taken as if it had been
    measured at its mean, which lowers the variance of what is like it (kriging believer): a pack spreads.
    Costs: 12 factorisations of at most 800 rows and one prediction per ask, O(s²) per proposal for a pool of s.
    """

    name: ClassVar[str] = "bayesian"
    label: ClassVar[str] = "Bayesian optimisation"
    description: ClassVar[str] = "Learns what makes candidates good and proposes what should improve most."

    def __init__(
        self,
        space: Space,
        *,
        seed: int,
        preference: Preference,
        objective: Objective,
        hints: Any = None,
        measures: Sequence[str] = SEARCH_MEASURES,
    ) -> None:
        self._space, self._seed, self._hints = space, seed, hints
        self._standing = Standing(objective, preference)
        self._ledger = Ledger(space)
        self._asks = 0
        self._starts = Starts(space, seed, self.name, STARTS, hints)
        self._codes: dict[str, np.ndarray] = {}
        self._near: dict[str, list[Proposal]] = {}

    def ask(self, n: int) -> list[Proposal]:
        """Return up to ``n`` proposals: the informed initial ones, then those with the largest improvement."""
        rng = np.random.default_rng(derive_seed(self._seed, self.name, self._asks))
        self._asks += 1
        found = self._starts.take(n, self._ledger)
        if len(found) < n and len(self._standing.feasible) >= 2:
            found += self._improving(n - len(found), rng)
        while len(found) < n and (proposal := self._ledger.next_new(lambda: self._random(rng))) is not None:
            found.append(proposal)
        return found

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Learn from evaluations when next asked."""
        self._ledger.settle(evaluations)
        self._standing.add(evaluations)

    def steer(self, preference: Preference) -> None:
        """Improve under ``preference`` from now on."""
        if preference != self._standing.preference:
            self._standing.prefer(preference)

    def state(self) -> dict[str, Any]:
        """Return the counters, the preference and the open proposals; the surrogate is fitted again."""
        return {
            "strategy": self.name,
            "asks": self._asks,
            "started": self._starts.looked_at,
            "pending": self._ledger.state(),
            "preference": self._standing.preference.model_dump(mode="json"),
        }

    def restore(self, state: dict[str, Any], evaluations: Sequence[Evaluation]) -> None:
        """Continue from a stored state."""
        Ledger.check_state(state, self.name)
        self._asks, self._starts.looked_at = state["asks"], state["started"]
        self._standing.prefer(Preference.model_validate(state["preference"]))
        self._ledger.restore(state["pending"], evaluations)
        self._standing.add(evaluations)

    def _random(self, rng: np.random.Generator) -> Proposal:
        return Proposal(architecture=self._space.sample(rng, self._hints))

    def _improving(self, n: int, rng: np.random.Generator) -> list[Proposal]:
        """Return up to ``n`` proposals with the largest expected improvement, each claimed."""
        ranked = self._standing.ranked()
        known = sorted(ranked) if len(ranked) <= DATA else best_and_others(ranked, DATA, rng)
        pool = self._pool(ranked[:PARENTS], rng, n)
        if not pool:
            return []
        losses = surrogate_losses(self._standing, known)
        surrogate = Surrogate(np.stack([self._code(self._standing.architectures[k]) for k in known]), losses)
        believed = surrogate.posterior(np.stack([self._code(p.architecture) for p in pool]))
        meets = np.array([self._standing.meets(key) for key in known])
        goals = GoalOdds.of(self._standing.limits, losses)
        chosen = _choose(believed, surrogate.targets[meets], n, self._standing.preference.weight, rng, goals)
        found = [pool[at] for at in chosen]
        return [p for p in found if self._ledger.claim(p)]

    def _pool(self, best: Sequence[str], rng: np.random.Generator, n: int) -> list[Proposal]:
        """Return unknown architectures: neighbours of the best and of the front, and random ones."""
        front = self._standing.front
        spread = [front[at] for at in np.unique(np.linspace(0, len(front) - 1, PARENTS).astype(int))]
        found: dict[str, Proposal] = {}
        for parent in dict.fromkeys([*best, *spread]):
            for near in self._neighbours(parent):
                if not self._ledger.knows(near.architecture.id):
                    found.setdefault(near.architecture.id, near)
        for _ in range(max(RANDOM, 2 * n)):
            fresh = self._space.sample(rng, self._hints)
            if not self._ledger.knows(fresh.id):
                found.setdefault(fresh.id, Proposal(architecture=fresh))
        return list(found.values())

    def _neighbours(self, parent: str) -> list[Proposal]:
        """Return neighbours of a candidate, each once, drawn when it is first a parent: the same ones in any run."""
        found = self._near.get(parent)
        if found is None:
            rng = np.random.default_rng(derive_seed(self._seed, self.name, "near", parent))
            here = self._standing.architectures[parent]
            drawn: dict[str, Proposal] = {}
            for _ in range(NEAR):
                near, operator = self._space.mutate(here, rng, self._hints)
                drawn.setdefault(near.id, Proposal(architecture=near, parents=(parent,), operator=operator))
            found = self._near[parent] = list(drawn.values())
        return found

    def _code(self, architecture: Architecture) -> np.ndarray:
        code = self._codes.get(architecture.id)
        if code is None:
            code = self._codes[architecture.id] = self._space.encode(architecture)
        return code


def _choose(
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
    mean, latent = believed.mean, believed.variance.copy()
    scalar_share = abs(2.0 * weight - 1.0)
    chosen: list[int] = []
    drops: list[np.ndarray] = []  # (m, s) each: what is no longer unknown, as a factor of the change of covariance
    losses, reached = told[:, :2], len(told) > 0
    for _ in range(min(n, len(mean))):
        sd = np.sqrt(np.maximum(latent, 1e-12) + believed.noise)  # (s, m)
        gain = goals.log_probability(mean, sd)
        by_weight = rng.random() < scalar_share
        if reached:
            pair = mean[:, :2], sd[:, :2], losses
            better = _scalar_gain(*pair, weight) if by_weight else _volume_gain(*pair)
            gain += np.log(np.maximum(better, np.finfo(float).tiny))
        gain[chosen] = -np.inf
        at = int(np.argmax(gain))
        chosen.append(at)
        if goals.meets(mean[at]):
            losses = np.vstack([losses, mean[at, :2]])
        if len(chosen) < n:
            row = believed.row(at) - sum(drop[:, at, None] * drop for drop in drops)
            drops.append(row / np.sqrt(np.maximum(row[:, at, None], 0.0) + 1e-9))
            latent -= drops[-1].T ** 2
    return chosen


def _below(limit: np.ndarray | float, mean: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Return E max(limit − Z, 0) of normal Z, the expected improvement upon ``limit``, in broadcast shape."""
    z = (limit - mean) / sd
    found: np.ndarray = sd * (z * ndtr(z) + np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi))
    return np.maximum(found, 0.0)


def _scalar_gain(mean: np.ndarray, sd: np.ndarray, told: np.ndarray, weight: float) -> np.ndarray:
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


def _volume_gain(mean: np.ndarray, sd: np.ndarray, told: np.ndarray) -> np.ndarray:
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
