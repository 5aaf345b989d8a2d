"""NSGA-II: evolves a whole front at once; the default strategy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from nas_core.errors import SettingsError
from nas_core.objectives import Objective
from nas_core.preferences import Preference
from nas_core.records import Evaluation, Proposal, derive_seed
from nas_core.search.fronts import exclusive_volume
from nas_core.search.ledger import Ledger
from nas_core.search.limits import Limits
from nas_core.search.population import Member, Population
from nas_core.search.snapshot import SEARCH_MEASURES
from nas_core.search.starts import Starts
from nas_core.search.strategy import Space, Strategy

__all__ = ["Nsga2Strategy"]

FRESH = 0.05
"""Share of new random architectures, against getting stuck."""

REFINE = 0.5
"""Share of small steps from the present front: dropping, adding or swapping a feature, a mark, a rate."""

TOURNAMENT = 4
"""How many members of the front compete for a small step."""


class Nsga2Strategy(Strategy):
    """Evolves the front of performance and a few measures, with the space's own operators.

    Source: Deb et al. (2002), NSGA-II, with feasibility first (Deb 2000): candidates that miss a goal lose against all
    that meet them, by how much they miss, and failed and ineligible ones against all others. Losses: performance, and
    1 − each search measure; of tables these are read off the architecture.
    Differs: survivors are selected whenever evaluations arrive instead of once per generation; it starts from the
    space's informed proposals; half of the proposals are small steps from where the front is worth most hypervolume;
    of networks with equal losses only one counts; and λ pulls: among members of one front, a tournament is decided with
    probability |2λ − 1| by the augmented Tchebycheff scalar of (performance, weighted interpretability) at λ, else by
    crowding, and half as often λ decides where a small step starts. At λ = .5 the whole front matters alike.
    Costs: O(m·s²) per call for a population of s and m losses, plus s hypervolumes when the front has changed, whatever
    the number of candidates evaluated before.
    """

    name: ClassVar[str] = "nsga2"
    label: ClassVar[str] = "NSGA-II"
    description: ClassVar[str] = (
        "Evolves the whole front of performance and interpretability at once; λ pulls it towards one end."
    )

    def __init__(
        self,
        space: Space,
        *,
        seed: int,
        preference: Preference,
        objective: Objective,
        hints: Any = None,
        measures: Sequence[str] = SEARCH_MEASURES,
        population: int = 40,
    ) -> None:
        """Start with nothing evaluated.

        Args:
            population: How many candidates to breed from, and to start with.

        The other arguments are those of :class:`Strategy`.
        """
        if population < 2:
            raise SettingsError(
                f"The population of NSGA-II is {population}", allowed="2 or more", fix="use the default, 40"
            )
        self._space, self._seed, self._preference, self._hints = space, seed, preference, hints
        self._objective, self._measures, self._size = objective, tuple(measures), population
        self._limits = Limits.of(preference.goals, objective)
        self._ledger = Ledger(space)
        self._asks = 0
        self._starts = Starts(space, seed, self.name, population, hints)
        self._told: dict[str, Member] = {}
        self._children: Counter[str] = Counter()
        self._measured: tuple[list[tuple[float, ...]], list[float]] = ([], [])
        self._population = Population.of((), preference)

    def ask(self, n: int) -> list[Proposal]:
        """Return up to ``n`` proposals: first the informed initial ones, then offspring of the population."""
        rng = np.random.default_rng(derive_seed(self._seed, self.name, self._asks))
        self._asks += 1
        found = self._starts.take(n, self._ledger)
        while len(found) < n and (proposal := self._next(rng)) is not None:
            found.append(proposal)
        return found

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Let the evaluated candidates compete with the population for survival."""
        self._ledger.settle(evaluations)
        self._count_children(evaluations)
        fresh = {e.id: Member.of(e, self._objective, self._measures) for e in evaluations}
        self._told.update(fresh)
        pool = {member.architecture.id: member for member in self._population.members} | fresh
        self._population = Population.select(tuple(pool.values()), self._size, self._preference, self._limits)

    def steer(self, preference: Preference) -> None:
        """Select the population anew, from everything ever told, under ``preference``."""
        if preference != self._preference:
            self._limits = Limits.of(preference.goals, self._objective)
            self._preference = preference
            self._population = Population.select(tuple(self._told.values()), self._size, preference, self._limits)

    def state(self) -> dict[str, Any]:
        """Return the counters, the preference, the open proposals and who is in the population."""
        return {
            "strategy": self.name,
            "asks": self._asks,
            "started": self._starts.looked_at,
            "pending": self._ledger.state(),
            "preference": self._preference.model_dump(mode="json"),
            "population": [member.architecture.id for member in self._population.members],
        }

    def restore(self, state: dict[str, Any], evaluations: Sequence[Evaluation]) -> None:
        """Continue from a stored state."""
        Ledger.check_state(state, self.name)
        self._asks, self._starts.looked_at = state["asks"], state["started"]
        self._preference = Preference.model_validate(state["preference"])
        self._limits = Limits.of(self._preference.goals, self._objective)
        self._ledger.restore(state["pending"], evaluations)
        self._count_children(evaluations)
        self._told = {e.id: Member.of(e, self._objective, self._measures) for e in evaluations}
        missing = [key for key in state["population"] if key not in self._told]
        if missing:
            raise SettingsError(
                f"The stored state refers to {len(missing)} candidates without an evaluation, first {missing[0]}",
                allowed="a state together with all evaluations told before it",
                fix="pass every evaluation of the run",
            )
        chosen = [self._told[key] for key in state["population"]]
        self._population = Population.of(chosen, self._preference, self._limits)

    def _next(self, rng: np.random.Generator) -> Proposal | None:
        return self._ledger.next_new(lambda: self._breed(rng))

    def _breed(self, rng: np.random.Generator) -> Proposal:
        """Return a random architecture, a small step from the front, a mutant or a child."""
        members = self._population.members
        way = rng.random()
        if way < FRESH or not members:
            return Proposal(architecture=self._space.sample(rng, self._hints))
        if way < FRESH + REFINE:
            return self._refine(rng)
        parent = self._population.tournament(rng).architecture
        if rng.random() < 0.5:
            mutant, operator = self._space.mutate(parent, rng, self._hints)
            return Proposal(architecture=mutant, parents=(parent.id,), operator=operator)
        other = self._population.tournament(rng).architecture
        child, operator = self._space.crossover(parent, other, rng), "crossover"
        if child in (parent, other) or rng.random() < 0.5:
            child, step = self._space.mutate(child, rng, self._hints)
            operator = f"crossover + {step}"
        return Proposal(architecture=child, parents=(parent.id, other.id), operator=operator)

    def _worth(self) -> list[float]:
        """Return the hypervolume each member of the first front adds to the others; kept until the front changes."""
        front = [member.losses for member in self._population.members[: self._population.front]]
        if front != self._measured[0]:
            rows, reference = np.array(front), np.ones(1 + len(self._measures))
            alone = [exclusive_volume(row, np.delete(rows, at, axis=0), reference) for at, row in enumerate(rows)]
            self._measured = (front, alone)
        return self._measured[1]

    def _count_children(self, evaluations: Sequence[Evaluation]) -> None:
        """Note how many evaluated children each candidate has."""
        fresh = [e for e in evaluations if e.id not in self._told]
        self._children.update(parent for e in fresh for parent in e.parents)

    def _refine(self, rng: np.random.Generator) -> Proposal:
        """Return a mutant of a member of the first front: one that suits λ, or one that is worth much.

        Worth is the hypervolume that it adds, divided by its children so far plus one. Some members have nothing near
        that is better (with one monotone feature, AUC is the same whatever the learning rate): without the count they
        would take the same share of steps for ever.
        """
        population = self._population
        picks = rng.integers(population.front, size=TOURNAMENT).tolist()
        if rng.random() < population.pull / 2:
            chosen = min(picks, key=lambda at: population.score[at])
        else:
            worth = self._worth()
            chosen = max(
                picks, key=lambda at: worth[at] / (1.0 + self._children[population.members[at].architecture.id])
            )
        parent = population.members[chosen].architecture
        near, operator = self._space.mutate(parent, rng, self._hints)
        return Proposal(architecture=near, parents=(parent.id,), operator=operator)
