"""Candidates that a person wants evaluated before the strategy is asked again: drawn by hand, or stopped too early."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from nas_core.records import Evaluation, Proposal
from nas_core.runs.searcher import Known
from nas_core.search.standing import UNFINISHED
from nas_core.spaces.space import SearchSpace

__all__ = ["Waiting"]


class Waiting:
    """Two queues, both part of a run's state: ``manual`` candidates, and those to train ``again``, to the end."""

    def __init__(self, state: Mapping[str, Any] | None = None) -> None:
        stored = state or {}
        self.manual = [Proposal.model_validate(p) for p in stored.get("manual", ())]
        self.again = [Proposal.model_validate(p) for p in stored.get("again", ())]

    def state(self) -> dict[str, Any]:
        """Return both queues, JSON-able."""
        return {
            "manual": [p.model_dump(mode="json") for p in self.manual],
            "again": [p.model_dump(mode="json") for p in self.again],
        }

    def all(self) -> tuple[Proposal, ...]:
        """Return who waits, the next one first."""
        return *self.again, *self.manual

    def take_in(self, asked: Sequence[Proposal], evaluated: Collection[str]) -> list[str]:
        """Queue proposals that are neither evaluated nor queued, of equals the first; return their identities."""
        waiting = {p.architecture.id for p in self.manual}
        fresh = {
            p.architecture.id: p for p in reversed(asked)
            if p.architecture.id not in waiting and p.architecture.id not in evaluated
        }  # fmt: skip
        self.manual += reversed(fresh.values())
        return list(fresh)

    def overrule(
        self, candidates: Iterable[str], known: Mapping[str, Known], read: Callable[[str], Evaluation]
    ) -> list[str]:
        """Queue candidates that were not trained to the end; return their identities.

        Args:
            candidates: Who was asked for.
            known: Who was evaluated.
            read: Returns the evaluation of one of them.
        """
        queued = {p.architecture.id for p in self.again}
        fresh = [
            read(key) for key in dict.fromkeys(candidates)
            if key not in queued and key in known and known[key].status in UNFINISHED
        ]  # fmt: skip
        self.again += [
            Proposal(architecture=e.architecture, parents=e.parents, operator=e.operator, origin=e.origin)
            for e in fresh
        ]
        return [e.id for e in fresh]

    def drop_outside(self, space: SearchSpace) -> list[str]:
        """Take the manual candidates that are not in ``space`` out of the queue; return their identities."""
        return self._drop(lambda p: bool(space.validate_architecture(p.architecture)))

    def drop(self, candidates: Collection[str]) -> list[str]:
        """Take candidates out of both queues; return the identities of those that were there."""
        return self._drop(lambda p: p.architecture.id in candidates) + self.drop_again(candidates)

    def drop_again(self, candidates: Collection[str]) -> list[str]:
        """Take candidates out of the queue of those to train again; return the identities of those that were there."""
        gone = [p.architecture.id for p in self.again if p.architecture.id in candidates]
        self.again = [p for p in self.again if p.architecture.id not in gone]
        return gone

    def _drop(self, where: Callable[[Proposal], bool]) -> list[str]:
        gone = [p.architecture.id for p in self.manual if where(p)]
        self.manual = [p for p in self.manual if p.architecture.id not in gone]
        return gone
