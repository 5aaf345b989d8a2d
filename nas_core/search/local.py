"""Local search: walk to a better neighbour until there is none, then start again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from nas_core.objectives import Objective
from nas_core.preferences import Preference
from nas_core.records import Evaluation, Proposal, derive_seed
from nas_core.search.ledger import Ledger
from nas_core.search.snapshot import SEARCH_MEASURES
from nas_core.search.standing import Standing
from nas_core.search.strategy import Space, Strategy

__all__ = ["LocalSearchStrategy"]

STARTS = 5
"""Starting points compared before a walk begins at the best of them."""

KICK, ANYWHERE = 2, 4
"""Random steps from the best local optimum to the starting points of a walk; one walk in so many starts anywhere."""

TRIES = 12
"""Random neighbours drawn before the neighbours are listed to find the unknown ones."""

PATIENCE = 64
"""Neighbours without an improvement after which a place counts as a local optimum, in spaces with many neighbours."""


class LocalSearchStrategy(Strategy):
    """Greedy hill climbing with first improvement and restarts.

    Source: White, Nolen and Savani (2021), arXiv 2005.02960: local search is a strong baseline on benchmarks of
    architectures. Lourenço, Martin and Stützle (2003), arXiv math/0102188: walks that start a few steps from the best
    local optimum find better ones sooner than walks from anywhere, most of all where neighbours are few. Candidates are
    compared by the augmented Tchebycheff scalar at λ, failed ones last.
    Differs: one walk in four still starts anywhere; a walk moves to the best of what arrives together, so a pack of one
    is first improvement and a large pack is steepest descent; it ends at a local optimum or after 64 neighbours without
    an improvement, as there may be thousands.
    Costs: a few mutations per proposal.
    """

    name: ClassVar[str] = "local_search"
    label: ClassVar[str] = "Local search"
    description: ClassVar[str] = "Walks to a better neighbour as long as there is one, then starts again elsewhere."

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
        self._asks = self._walks = self._tried = 0
        self._starts: list[str] = []  # proposed since the last walk ended, while there is no place to walk from
        self._place: str | None = None
        self._summit: str | None = None  # the best place at which a walk ended
        self._initial: list[Proposal] | None = None

    def ask(self, n: int) -> list[Proposal]:
        """Return up to ``n`` new neighbours of the present place; starting points while there is no place."""
        rng = np.random.default_rng(derive_seed(self._seed, self.name, self._asks))
        self._asks += 1
        found: list[Proposal] = []
        while len(found) < n and (proposal := self._next(rng)) is not None:
            found.append(proposal)
        return found

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Walk on when something better has come, whoever proposed it."""
        self._ledger.settle(evaluations)
        fresh = self._standing.add(evaluations)
        if not fresh:
            return
        if self._place is None:
            self._begin()
            return
        best = self._standing.best(fresh)
        if self._standing.key(best) < self._standing.key(self._place):
            self._place, self._tried = best, 0
            return
        self._tried += len(fresh)
        if self._tried >= PATIENCE:
            self._leave()

    def steer(self, preference: Preference) -> None:
        """Walk from the best candidate under ``preference``."""
        if preference != self._standing.preference:
            self._standing.prefer(preference)
            if len(self._standing):
                self._place, self._tried, self._starts = self._standing.best([*self._standing.architectures]), 0, []

    def state(self) -> dict[str, Any]:
        """Return the counters, the open proposals and the place of the walk."""
        return {
            "strategy": self.name,
            "asks": self._asks,
            "walks": self._walks,
            "tried": self._tried,
            "starts": list(self._starts),
            "place": self._place,
            "summit": self._summit,
            "pending": self._ledger.state(),
            "preference": self._standing.preference.model_dump(mode="json"),
        }

    def restore(self, state: dict[str, Any], evaluations: Sequence[Evaluation]) -> None:
        """Continue from a stored state."""
        Ledger.check_state(state, self.name)
        self._asks, self._walks, self._tried = state["asks"], state["walks"], state["tried"]
        self._starts, self._place, self._summit = list(state["starts"]), state["place"], state.get("summit")
        self._standing.prefer(Preference.model_validate(state["preference"]))
        self._ledger.restore(state["pending"], evaluations)
        self._standing.add(evaluations)

    def _begin(self) -> None:
        """Start a walk at the best starting point once enough of them are known.

        What it is told before it is asked at all was found by others: then the best of that is where it starts.
        """
        if self._asks == 0 and len(self._standing) >= STARTS:
            self._place = self._standing.best([*self._standing.architectures])
            return
        known = [key for key in self._starts if key in self._standing]
        if len(known) >= STARTS or (known and len(known) == len(self._starts) and not self._wanted()):
            self._place, self._tried, self._starts = self._standing.best(known), 0, []

    def _wanted(self) -> int:
        """Return how many starting points are still to be proposed."""
        return STARTS - len(self._starts)

    def _leave(self) -> None:
        """End the walk at the present place."""
        self._summit = self._standing.best([p for p in (self._summit, self._place) if p is not None])
        self._place, self._tried, self._walks = None, 0, self._walks + 1

    def _next(self, rng: np.random.Generator) -> Proposal | None:
        if self._place is not None:
            near = self._neighbour(self._place, rng)
            if near is not None:
                return near
            self._leave()
        proposal = self._ledger.next_new(lambda: self._start(rng))
        if proposal is not None:
            self._starts.append(proposal.architecture.id)
        return proposal

    def _start(self, rng: np.random.Generator) -> Proposal:
        """Return one of the space's own starting points in the first walk; later one near the summit, or any."""
        if self._walks == 0 and self._wanted() > 0:
            if self._initial is None:
                fixed = np.random.default_rng(derive_seed(self._seed, self.name, "initial"))
                self._initial = self._space.initial(STARTS, fixed, self._hints)
            if len(self._starts) < len(self._initial):
                return self._initial[len(self._starts)]
        if self._walks % ANYWHERE and self._summit is not None:
            kicked = self._standing.architectures[self._summit]
            for _ in range(KICK):
                kicked, _ = self._space.mutate(kicked, rng, self._hints)
            return Proposal(architecture=kicked, parents=(self._summit,), operator="restart")
        operator = "restart" if self._walks else "sample"
        return Proposal(architecture=self._space.sample(rng, self._hints), operator=operator)

    def _neighbour(self, place: str, rng: np.random.Generator) -> Proposal | None:
        """Return and claim an unknown neighbour, None when all are known."""
        here = self._standing.architectures[place]
        for _ in range(TRIES):
            near, operator = self._space.mutate(here, rng, self._hints)
            proposal = Proposal(architecture=near, parents=(place,), operator=operator)
            if self._ledger.claim(proposal):
                return proposal
        unknown = [near for near in self._space.neighbours(here) if not self._ledger.knows(near.id)]
        if not unknown:
            return None
        proposal = Proposal(
            architecture=unknown[int(rng.integers(len(unknown)))], parents=(place,), operator="neighbour"
        )
        self._ledger.claim(proposal)
        return proposal
