"""Bayesian optimisation: propose what is expected to improve most, by what has been learned so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from scipy.special import ndtr

from nas_core.errors import SettingsError
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
DATA = 192
"""Evaluations the surrogate is fitted to, at most: the best half, and others as good as random.

Sparse Gaussian processes get by with as few; at ten thousand candidates a fit to all of them takes minutes.
"""

PARENTS, NEAR, STEP = 8, 96, 4
"""The pool of each ask: neighbours of so many of the best candidates and of as many of the front.

Each has at most so many neighbours; every ask draws so many of them, or an eighth of the pack.
"""

FRESH, KEPT = 16, 16
"""Random architectures that each ask adds to the pool, and asks after which they leave it."""

BLOCK, SLACK = 32, 0.01
"""Gains that are worked out at once, and by how much the logarithm of one may exceed an earlier one by rounding."""

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
    Costs: some factorisations of at most 192 rows and one prediction for a pool of s per ask, O(s) per proposal.
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
        self._near: dict[str, _Neighbours] = {}
        self._fresh: dict[int, list[Architecture]] = {}

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
            "near": {parent: near.tried for parent, near in self._near.items()},
        }

    def restore(self, state: dict[str, Any], evaluations: Sequence[Evaluation]) -> None:
        """Continue from a stored state."""
        Ledger.check_state(state, self.name)
        self._asks, self._starts.looked_at = state["asks"], state["started"]
        self._standing.prefer(Preference.model_validate(state["preference"]))
        self._ledger.restore(state["pending"], evaluations)
        self._standing.add(evaluations)
        near = state.get("near", {})  # a state may be older than it
        if missing := [parent for parent in near if parent not in self._standing]:
            raise SettingsError(
                f"The stored state refers to {len(missing)} candidates without an evaluation, first {missing[0]}",
                allowed="a state together with all evaluations told before it",
                fix="pass every evaluation of the run",
            )
        for parent, tried in near.items():
            self._near[parent] = self._neighbours(parent)
            self._near[parent].drawn(self._space, tried, self._hints)

    def _random(self, rng: np.random.Generator) -> Proposal:
        return Proposal(architecture=self._space.sample(rng, self._hints))

    def _improving(self, n: int, rng: np.random.Generator) -> list[Proposal]:
        """Return up to ``n`` proposals with the largest expected improvement, each claimed."""
        ranked = self._standing.ranked()
        known = sorted(best_and_others(ranked, DATA))
        pool = self._pool(ranked[:PARENTS], rng, n)
        if not pool:
            return []
        losses = surrogate_losses(self._standing, known)
        codes = self._encoded([*(self._standing.architectures[k] for k in known), *(p.architecture for p in pool)])
        surrogate = Surrogate(codes[: len(known)], losses)
        believed = surrogate.posterior(codes[len(known) :])
        meets = np.array([self._standing.meets(key) for key in known])
        goals = GoalOdds.of(self._standing.limits, losses)
        chosen = _choose(believed, surrogate.targets[meets], n, self._standing.preference.weight, rng, goals)
        found = [pool[at] for at in chosen]
        return [p for p in found if self._ledger.claim(p)]

    def _pool(self, best: Sequence[str], rng: np.random.Generator, n: int) -> list[Proposal]:
        """Return unknown architectures: neighbours of the best and of the front, and random ones."""
        front = self._standing.front
        spread = [front[at] for at in np.unique(np.linspace(0, len(front) - 1, PARENTS).astype(int))]
        self._near = {parent: self._neighbours(parent) for parent in dict.fromkeys([*best, *spread])}
        found: dict[str, Proposal] = {}
        for near in self._near.values():
            for proposal in near.drawn(self._space, max(STEP, n // PARENTS), self._hints):
                if not self._ledger.knows(proposal.architecture.id):
                    found.setdefault(proposal.architecture.id, proposal)
        more = (self._space.sample(rng, self._hints) for _ in range(n - len(found)))
        for fresh in (*self._recent(), *more):
            if not self._ledger.knows(fresh.id):
                found.setdefault(fresh.id, Proposal(architecture=fresh))
        return list(found.values())

    def _recent(self) -> list[Architecture]:
        """Return random architectures of this ask and of those shortly before it: the same ones after a restart."""
        recent = range(max(1, self._asks - KEPT + 1), self._asks + 1)
        self._fresh = {ask: self._fresh.get(ask) or self._drawn(ask) for ask in recent}
        return [architecture for ask in recent for architecture in self._fresh[ask]]

    def _drawn(self, ask: int) -> list[Architecture]:
        rng = np.random.default_rng(derive_seed(self._seed, self.name, "fresh", ask))
        return [self._space.sample(rng, self._hints) for _ in range(FRESH)]

    def _neighbours(self, parent: str) -> _Neighbours:
        """Return the neighbours of a candidate, as far as they were drawn since it is a parent."""
        found = self._near.get(parent)
        if found is None:
            rng = np.random.default_rng(derive_seed(self._seed, self.name, "near", parent))
            found = _Neighbours(self._standing.architectures[parent], rng)
        return found

    def _encoded(self, architectures: Sequence[Architecture]) -> np.ndarray:
        """Return the encodings (k, D); they are kept as long as they are asked for."""
        known = self._codes
        self._codes = {a.id: known[a.id] if a.id in known else self._space.encode(a) for a in architectures}
        return np.stack([self._codes[a.id] for a in architectures])


class _Neighbours:
    """Neighbours of one architecture, drawn a few at a time: the same ones in any run."""

    def __init__(self, parent: Architecture, rng: np.random.Generator) -> None:
        self._parent, self._rng = parent, rng
        self._found: dict[str, Proposal] = {}
        self.tried = 0

    def drawn(self, space: Space, more: int, hints: Any) -> list[Proposal]:
        """Return those drawn before and up to ``more`` others, each once."""
        for _ in range(min(more, NEAR - self.tried)):
            near, operator = space.mutate(self._parent, self._rng, hints)
            proposal = Proposal(architecture=near, parents=(self._parent.id,), operator=operator)
            self._found.setdefault(near.id, proposal)
            self.tried += 1
        return list(self._found.values())


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
            better = _scalar_gain(*pair, self._weight) if by_weight else _volume_gain(*pair)
            gain += np.log(np.maximum(better, np.finfo(float).tiny))
        return gain


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
