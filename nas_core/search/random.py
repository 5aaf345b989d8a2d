"""Random search: the strategy every other one has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from nas_core.objectives import Objective
from nas_core.preferences import Preference
from nas_core.records import Evaluation, Proposal, derive_seed
from nas_core.search.ledger import Ledger
from nas_core.search.limits import Limits
from nas_core.search.snapshot import SEARCH_MEASURES
from nas_core.search.strategy import Space, Strategy

__all__ = ["RandomStrategy"]


class RandomStrategy(Strategy):
    """Independent random architectures, each at most once.

    Source: Bergstra and Bengio (2012). It ignores λ and everything it is told except which architectures are known, so
    it shows what a space is worth without any search.
    """

    name: ClassVar[str] = "random"
    label: ClassVar[str] = "Random search"
    description: ClassVar[str] = "Independent random architectures: the baseline that every other strategy has to beat."

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
        Limits.of(preference.goals, objective)  # refused as by every other strategy
        self._space, self._seed, self._preference, self._hints = space, seed, preference, hints
        self._objective = objective
        self._ledger = Ledger(space)
        self._asks = 0

    def ask(self, n: int) -> list[Proposal]:
        """Return up to ``n`` random architectures that are not known yet."""
        # A fresh generator per call, so that the number of calls is all the randomness there is to store.
        rng = np.random.default_rng(derive_seed(self._seed, self.name, self._asks))
        self._asks += 1
        found: list[Proposal] = []
        while len(found) < n and (proposal := self._ledger.next_new(lambda: self._draw(rng))) is not None:
            found.append(proposal)
        return found

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Note which architectures are known."""
        self._ledger.settle(evaluations)

    def steer(self, preference: Preference) -> None:
        """Keep the preference for the record; random search does not follow it."""
        Limits.of(preference.goals, self._objective)
        self._preference = preference

    def state(self) -> dict[str, Any]:
        """Return the number of calls and the open proposals."""
        return {
            "strategy": self.name,
            "asks": self._asks,
            "pending": self._ledger.state(),
            "preference": self._preference.model_dump(mode="json"),
        }

    def restore(self, state: dict[str, Any], evaluations: Sequence[Evaluation]) -> None:
        """Continue from a stored state."""
        Ledger.check_state(state, self.name)
        self._asks = state["asks"]
        self._preference = Preference.model_validate(state["preference"])
        self._ledger.restore(state["pending"], evaluations)

    def _draw(self, rng: np.random.Generator) -> Proposal:
        return Proposal(architecture=self._space.sample(rng, self._hints))
