"""What strategies over named decisions share: they learn how to decide, the space makes architectures of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from nas_core.objectives import Objective
from nas_core.preferences import Preference
from nas_core.records import Architecture, Evaluation, Proposal, derive_seed
from nas_core.search.answers import AnswerBook, AnswerTable
from nas_core.search.decisions import Decision, decisions_of
from nas_core.search.ledger import Ledger
from nas_core.search.snapshot import SEARCH_MEASURES
from nas_core.search.standing import Standing, from_best
from nas_core.search.starts import Starts
from nas_core.search.strategy import Space, Strategy
from nas_core.spaces.variables import Chooser

__all__ = ["BINS", "ChoiceStrategy", "RefittedStrategy"]

BINS = 8
"""Parts that a number is chosen from where options are learned; it lies anywhere in its part."""

STARTS = 16
MISSES = 12
"""Decisions in a row that make nothing new, after which the rest of a pack is random."""


class ChoiceStrategy(Strategy):
    """Proposes what choosers decide that have learned from the decisions of all candidates told so far.

    Candidates are compared by the augmented Tchebycheff scalar at λ; those that miss a goal come after all that meet
    them, failed ones last. So a candidate that somebody else proposed, or drew by hand, teaches like any other. A leaf
    says how it learns.
    """

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
        self._starts = Starts(space, seed, self.name, STARTS, hints)
        self._asks = 0
        self._decided: dict[str, dict[str, Decision]] = {}
        self._book = AnswerBook()
        self._begin()

    @abstractmethod
    def _begin(self) -> None:
        """Forget everything learned."""

    @abstractmethod
    def _learn(self, fresh: Sequence[str]) -> None:
        """Take in candidates that were not known, in the order of their identities."""

    @abstractmethod
    def _choosers(self, n: int, rng: np.random.Generator) -> Iterator[Chooser | Architecture]:
        """Yield choosers for a pack of ``n``, the best first; more than ``n``, as some decide what is known already.

        What is chosen as a whole is yielded as an architecture.
        """

    @abstractmethod
    def _learned(self) -> dict[str, Any]:
        """Return what was learned and cannot be learned again from the evaluations, JSON-able."""

    @abstractmethod
    def _relearn(self, learned: dict[str, Any]) -> None:
        """Take over what :meth:`_learned` returned."""

    def ask(self, n: int) -> list[Proposal]:
        """Return up to ``n`` proposals: the informed initial ones, then what the choosers decide, then random ones."""
        rng = np.random.default_rng(derive_seed(self._seed, self.name, self._asks))
        self._asks += 1
        found = self._starts.take(n, self._ledger)
        if len(found) < n and len(self._standing.feasible) >= 2:
            found += self._chosen(n - len(found), rng)
        while len(found) < n and (proposal := self._ledger.next_new(lambda: self._random(rng))) is not None:
            found.append(proposal)
        return found

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Learn from evaluations; when one replaces what was known, again from everything told."""
        self._ledger.settle(evaluations)
        known = len(self._standing)
        fresh = self._standing.add(evaluations)
        if len(self._standing) < known + len(fresh):
            self._begin()
            fresh = sorted(self._standing.architectures)
        self._learn(fresh)

    def steer(self, preference: Preference) -> None:
        """Learn again from everything told, as it compares under ``preference``."""
        if preference != self._standing.preference:
            self._standing.prefer(preference)
            self._begin()
            self._learn(sorted(self._standing.architectures))

    def state(self) -> dict[str, Any]:
        """Return the counters, the preference, the open proposals and what was learned."""
        return {
            "strategy": self.name,
            "asks": self._asks,
            "started": self._starts.looked_at,
            "pending": self._ledger.state(),
            "preference": self._standing.preference.model_dump(mode="json"),
            "learned": self._learned(),
        }

    def restore(self, state: dict[str, Any], evaluations: Sequence[Evaluation]) -> None:
        """Continue from a stored state."""
        Ledger.check_state(state, self.name)
        self._asks, self._starts.looked_at = state["asks"], state["started"]
        self._standing.prefer(Preference.model_validate(state["preference"]))
        self._ledger.restore(state["pending"], evaluations)
        self._standing.add(evaluations)
        self._relearn(state["learned"])

    def decisions(self, candidate: str) -> dict[str, Decision]:
        """Return the decisions that make a candidate told before."""
        found = self._decided.get(candidate)
        if found is None:
            architecture = self._standing.architectures[candidate]
            found = self._decided[candidate] = decisions_of(self._space, architecture, self._hints)
        return found

    def answers(self, candidates: Sequence[str]) -> AnswerTable:
        """Return the decisions of candidates told before as a table."""
        for candidate in candidates:
            if candidate not in self._book:
                self._book.note(candidate, self.decisions(candidate))
        return self._book.table(candidates)

    def losses(self) -> dict[str, float]:
        """Return one number for every candidate told, smaller is better.

        It is the Tchebycheff scalar where all goals are met. All others are worse, one behind the other; equal ones
        share a number.
        """
        everyone, good = self._standing.architectures, self._standing.scalars()
        others = {c: self._standing.key(c) for c in everyone if c not in good}
        worst = max(good.values(), default=0.0)
        behind = sorted(set(others.values()))
        numbers = {key: worst + 1.0 + at / len(behind) for at, key in enumerate(behind)}
        return good | {c: numbers[key] for c, key in others.items()}

    def ordered(self) -> tuple[list[str], dict[str, float]]:
        """Return every candidate told, the best first and of equal ones by identity, and :meth:`losses`."""
        losses = self.losses()
        return from_best(list(losses), np.array(list(losses.values()))), losses

    def _chosen(self, n: int, rng: np.random.Generator) -> list[Proposal]:
        """Return up to ``n`` claimed proposals of choosers; fewer when what they decide is known already."""
        found: list[Proposal] = []
        misses = 0
        for chooser in self._choosers(n, rng):
            architecture = chooser if isinstance(chooser, Architecture) else self._space.decide(chooser, self._hints)
            decided = None if architecture is None else Proposal(architecture=architecture, operator=self.name)
            if decided is not None and self._ledger.claim(decided):
                found.append(decided)
                misses = 0
            else:
                misses += 1
            if len(found) == n or misses == MISSES:
                break
        return found

    def _random(self, rng: np.random.Generator) -> Proposal:
        return Proposal(architecture=self._space.sample(rng, self._hints))


class RefittedStrategy(ChoiceStrategy):
    """Keeps nothing between two asks: what it decides by is fitted to everything told whenever it is asked."""

    def _begin(self) -> None:
        """Do nothing: nothing is kept."""

    def _learn(self, fresh: Sequence[str]) -> None:
        """Do nothing before the next ask."""

    def _learned(self) -> dict[str, Any]:
        return {}

    def _relearn(self, learned: dict[str, Any]) -> None:
        """Do nothing: nothing is kept."""
