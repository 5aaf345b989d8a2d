"""Bayesian optimisation: propose what is expected to improve most, by what has been learned so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from nas_core.errors import SettingsError
from nas_core.objectives import Objective
from nas_core.preferences import Preference
from nas_core.records import Architecture, Evaluation, Proposal, derive_seed
from nas_core.search.improvement import choose
from nas_core.search.ledger import Ledger
from nas_core.search.odds import GoalOdds, surrogate_losses
from nas_core.search.snapshot import SEARCH_MEASURES
from nas_core.search.standing import Standing, best_and_others
from nas_core.search.starts import Starts
from nas_core.search.strategy import Space, Strategy
from nas_core.search.surrogate import Surrogate

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
        chosen = choose(believed, surrogate.targets[meets], n, self._standing.preference.weight, rng, goals)
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
