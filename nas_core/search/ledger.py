"""Which architectures a strategy has proposed or seen, so that none is proposed twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nas_core.errors import SettingsError
from nas_core.records import Architecture, Evaluation, Proposal
from nas_core.search.strategy import Space

__all__ = ["Ledger"]

TRIES = 32
"""Fresh draws before the neighbours of known architectures are listed one by one."""


class Ledger:
    """The architectures proposed or evaluated so far, and those still without an evaluation."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._known: dict[str, Architecture] = {}
        self._pending: dict[str, Architecture] = {}
        self._closed: set[str] = set()  # all neighbours known; only a shortcut, so not part of the state

    def claim(self, proposal: Proposal) -> bool:
        """Note ``proposal`` as asked and return True, unless its architecture is known already."""
        architecture = proposal.architecture
        if architecture.id in self._known:
            return False
        self._known[architecture.id] = self._pending[architecture.id] = architecture
        return True

    def knows(self, candidate: str) -> bool:
        """Return whether an architecture was proposed or evaluated before."""
        return candidate in self._known

    @property
    def evaluated(self) -> int:
        """How many of the known architectures are evaluated."""
        return len(self._known) - len(self._pending)

    def settle(self, evaluations: Sequence[Evaluation]) -> None:
        """Note evaluated architectures, asked for or not."""
        for evaluation in evaluations:
            self._known[evaluation.architecture.id] = evaluation.architecture
            self._pending.pop(evaluation.architecture.id, None)

    def next_new(self, draw: Callable[[], Proposal]) -> Proposal | None:
        """Return and claim a new proposal of ``draw``, else any unknown neighbour of a known one, else None.

        When a small space is nearly used up, drawing would find the last architectures only by luck; listing the
        neighbours finds all that are connected to what is known.
        """
        for _ in range(TRIES):
            if self.claim(proposal := draw()):
                return proposal
        near = self._unknown_neighbour()
        return near if near is not None and self.claim(near) else None

    def _unknown_neighbour(self) -> Proposal | None:
        # By identity, so that the answer does not depend on the order in which evaluations arrived.
        for key in sorted(self._known.keys() - self._closed):
            for near in self._space.neighbours(self._known[key]):
                if near.id not in self._known:
                    return Proposal(architecture=near, parents=(key,), operator="neighbour")
            self._closed.add(key)
        return None

    def state(self) -> list[dict[str, Any]]:
        """Return the architectures without an evaluation, JSON-able."""
        return [architecture.model_dump(mode="json") for architecture in self._pending.values()]

    def restore(self, pending: Sequence[dict[str, Any]], evaluations: Sequence[Evaluation]) -> None:
        """Take over what :meth:`state` returned and all evaluations told before."""
        for values in pending:
            self.claim(Proposal(architecture=Architecture.model_validate(values)))
        self.settle(evaluations)

    @staticmethod
    def check_state(state: dict[str, Any], strategy: str) -> None:
        """Raise SettingsError unless ``state`` was made by ``strategy``."""
        if state.get("strategy") != strategy:
            raise SettingsError(
                f"The stored state belongs to the strategy {state.get('strategy')!r}, not to {strategy!r}",
                allowed=f"a state made by {strategy!r}",
                fix="resume the run with the strategy it was started with",
            )
