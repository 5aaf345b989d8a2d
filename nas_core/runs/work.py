"""The pack in work, and what a person may say about single candidates of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from nas_core.evaluation.base import Halt, Referee, Weights
from nas_core.records import Evaluation, Proposal, Status
from nas_core.runs.progress import Working
from nas_core.spaces.space import SearchSpace

__all__ = ["GIVEN_UP", "PersonFirst", "RefereeFactory", "Work"]

GIVEN_UP = "Given up by a person"

RefereeFactory = Callable[[Sequence[Evaluation], Sequence[Proposal]], Referee]
"""Makes the referee of one pack from what was told since the last one, at first everything, and the proposals."""


class Kills(Protocol):
    """Who knows the candidates that a person gave up."""

    @property
    def kills(self) -> frozenset[str]:
        """Their identities."""


@dataclass(frozen=True)
class _KilledBefore:
    """The candidates that were given up at some moment."""

    kills: frozenset[str]


class PersonFirst(Referee):
    """Ends what a person gives up, and asks another referee about the rest, where there is one.

    A copy in another process knows what was given up before; who is given up later is ended from here, with its task.
    """

    def __init__(self, control: Kills, inner: Referee | None) -> None:
        self._control, self._inner = control, inner

    def __getstate__(self) -> dict[str, Any]:
        return {"_control": _KilledBefore(self._control.kills), "_inner": self._inner}

    def looks_at(self, epoch: int) -> bool:
        """Return what the other referee wants."""
        return self._inner is not None and self._inner.looks_at(epoch)

    def halt(self, candidate: str, epoch: int, epochs: int, performance: float | None) -> Halt | None:
        """Return that the candidate is given up, else what the other referee says."""
        if candidate in self._control.kills:
            return Halt(Status.CANCELLED, GIVEN_UP)
        return None if self._inner is None else self._inner.halt(candidate, epoch, epochs, performance)


@dataclass
class Work:
    """The candidates in work.

    Attributes:
        proposals: All of the pack, in the order they were asked for.
        numbers: Their running numbers by identity.
        space: The version of the space they were proposed in.
        before: The state of the search before the pack was asked for.
        size: How many the strategy was asked for; None when a person asked for them.
        found: Those that are finished.
        again: They are trained again, to the end; what was found before stands until all of them are.
        weights: Of those, until then.
    """

    proposals: list[Proposal]
    numbers: dict[str, int]
    space: SearchSpace
    before: dict[str, Any]
    size: int | None = None
    found: dict[str, Evaluation] = field(default_factory=dict)
    again: bool = False
    weights: dict[str, Weights] = field(default_factory=dict)

    @property
    def open(self) -> list[Proposal]:
        """Those that are not finished."""
        return [p for p in self.proposals if p.architecture.id not in self.found]

    def awaits(self, candidate: str) -> bool:
        """Return whether a candidate is in work and not finished."""
        return any(p.architecture.id == candidate for p in self.open)

    @property
    def ids(self) -> list[str]:
        """The identities of all of them."""
        return [p.architecture.id for p in self.proposals]

    def numbered(self, evaluation: Evaluation) -> Evaluation:
        """Return the evaluation with the number it was asked under and the version of the space."""
        return evaluation.model_copy(update={"index": self.numbers[evaluation.id], "space": self.space.version})

    def give_up(self, candidates: Collection[str]) -> list[Evaluation]:
        """Take candidates out of work; return their evaluations.

        They carry no numbers, so that it makes no difference how far the training was. One that was to be trained again
        only leaves the pack: what was found before stands.
        """
        gone = [p for p in self.open if p.architecture.id in candidates]
        if self.again:
            self.proposals = [p for p in self.proposals if p not in gone]
            return []
        found = [self.numbered(_given_up(p)) for p in gone]
        self.found |= {e.id: e for e in found}
        return found

    def shown(self) -> tuple[Working, ...]:
        """Return who is in work, for people."""
        return tuple(Working(number=self.numbers[p.architecture.id], proposal=p) for p in self.open)


def _given_up(proposal: Proposal) -> Evaluation:
    return Evaluation(
        id=proposal.architecture.id,
        architecture=proposal.architecture,
        status=Status.CANCELLED,
        reason=GIVEN_UP,
        parents=proposal.parents,
        operator=proposal.operator,
        origin=proposal.origin,
        finished=time.time(),
    )
