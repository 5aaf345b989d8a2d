"""Regularised evolution: the young survive, whatever they are worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from nas_core.errors import SettingsError
from nas_core.objectives import Objective
from nas_core.preferences import Preference
from nas_core.records import Evaluation, Proposal, derive_seed
from nas_core.search.ledger import Ledger
from nas_core.search.snapshot import SEARCH_MEASURES
from nas_core.search.standing import Standing
from nas_core.search.starts import Starts
from nas_core.search.strategy import Space, Strategy

__all__ = ["RegularisedEvolutionStrategy"]

POPULATION = 50
TOURNAMENT = 10


class RegularisedEvolutionStrategy(Strategy):
    """Mutates the best of a random sample of the youngest candidates; the oldest one dies, good or not.

    Source: Real et al. (2019), arXiv 1802.01548. Candidates are compared by the augmented Tchebycheff scalar at λ,
    failed ones last. Dying of age and not of weakness keeps a lucky measurement from staying for ever.
    Differs: it begins with the space's informed proposals, and never proposes an architecture again.
    Costs: one mutation per proposal.
    """

    name: ClassVar[str] = "regularised_evolution"
    label: ClassVar[str] = "Regularised evolution"
    description: ClassVar[str] = "Mutates the best of a sample of the youngest candidates; the oldest always dies."

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
        self._young: list[str] = []  # the population, the oldest first
        self._starts = Starts(space, seed, self.name, POPULATION, hints)

    def ask(self, n: int) -> list[Proposal]:
        """Return up to ``n`` proposals: first the informed initial ones, then mutants."""
        rng = np.random.default_rng(derive_seed(self._seed, self.name, self._asks))
        self._asks += 1
        found = self._starts.take(n, self._ledger)
        while len(found) < n and (proposal := self._ledger.next_new(lambda: self._mutant(rng))) is not None:
            found.append(proposal)
        return found

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Let new candidates in, and the oldest ones die; one that is trained to the end after all is new again."""
        self._ledger.settle(evaluations)
        fresh = self._standing.add(evaluations)
        self._young = [*(key for key in self._young if key not in fresh), *fresh][-POPULATION:]

    def steer(self, preference: Preference) -> None:
        """Compare under ``preference`` from now on."""
        if preference != self._standing.preference:
            self._standing.prefer(preference)

    def state(self) -> dict[str, Any]:
        """Return the counters, the preference, the open proposals and the population by age."""
        return {
            "strategy": self.name,
            "asks": self._asks,
            "started": self._starts.looked_at,
            "population": list(self._young),
            "pending": self._ledger.state(),
            "preference": self._standing.preference.model_dump(mode="json"),
        }

    def restore(self, state: dict[str, Any], evaluations: Sequence[Evaluation]) -> None:
        """Continue from a stored state."""
        Ledger.check_state(state, self.name)
        self._asks, self._starts.looked_at = state["asks"], state["started"]
        self._young = list(state["population"])
        self._standing.prefer(Preference.model_validate(state["preference"]))
        self._ledger.restore(state["pending"], evaluations)
        self._standing.add(evaluations)
        missing = [key for key in self._young if key not in self._standing]
        if missing:
            raise SettingsError(
                f"The stored state refers to {len(missing)} candidates without an evaluation, first {missing[0]}",
                allowed="a state together with all evaluations told before it",
                fix="pass every evaluation of the run",
            )

    def _mutant(self, rng: np.random.Generator) -> Proposal:
        """Return a mutant of the best of a sample of the population; a random architecture while there is none."""
        if not self._young:
            return Proposal(architecture=self._space.sample(rng, self._hints))
        size = min(TOURNAMENT, len(self._young))
        sample = [self._young[at] for at in rng.choice(len(self._young), size, replace=False)]
        parent = self._standing.architectures[self._standing.best(sample)]
        mutant, operator = self._space.mutate(parent, rng, self._hints)
        return Proposal(architecture=mutant, parents=(parent.id,), operator=operator)
