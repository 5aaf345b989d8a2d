"""The strategy in force in the space in force, and who was evaluated so far.

What strategies need of a candidate they keep themselves; the rest of ten thousand would be two hundred megabytes. So
only numbers are kept here, and whole evaluations are read from the store on the rare occasion that all are told again.

Another strategy, or another version of the space, is a new instance that is told everything evaluated so far that lies
in the present space, as if it had been there from the start. It draws other random numbers than the instance before: an
equal seed would make it propose what is known already.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from nas_core.preferences import Preference
from nas_core.records import Evaluation, Proposal, Status, derive_seed
from nas_core.runs.settings import RunSettings
from nas_core.search.strategy import Strategy
from nas_core.spaces.space import SearchSpace

__all__ = ["Known", "Searcher", "StrategyFactory"]

StrategyFactory = Callable[[str, SearchSpace, Preference, int], Strategy]
"""Makes a new strategy: its name, where it searches, what it follows, its seed."""


class Known(NamedTuple):
    """What is kept of an evaluated candidate: its number, the version it was proposed in, how it ended."""

    number: int
    space: int
    status: Status


class Searcher:
    """Asks and tells the strategy; owned by one coordinator.

    Args:
        make: Makes strategies.
        settings: Name of the strategy, preference and seed.
        space: The version in force.
        read: Returns all evaluations that were told, in the order of their numbers.
        renewals: How many instances there were before.
    """

    def __init__(
        self, make: StrategyFactory, settings: RunSettings, space: SearchSpace, read: Callable[[], list[Evaluation]],
        renewals: int = 0,
    ) -> None:  # fmt: skip
        self._make, self.space, self._read = make, space, read
        self._renewals = renewals
        self.known: dict[str, Known] = {}  # told, in the order of their numbers
        self._outside: set[str] = set()
        self._strategy = self._fresh(settings)

    def restore(self, state: dict[str, Any], told: Sequence[Evaluation]) -> list[Evaluation]:
        """Continue from what :meth:`state` returned, and all evaluations told before; return those in the space."""
        self._note(told)
        inside = self._inside(told)
        self._strategy.restore(state, inside)
        return inside

    def ask(self, count: int) -> list[Proposal]:
        """Return up to ``count`` new proposals of the strategy."""
        return self._strategy.ask(count)

    def tell(self, evaluations: Sequence[Evaluation]) -> list[Evaluation]:
        """Take in what was evaluated; return what lies in the present space, which the strategy was told."""
        self._note(evaluations)
        told = self._inside(evaluations)
        self._strategy.tell(told)
        return told

    def steer(self, preference: Preference) -> None:
        """Follow another preference."""
        self._strategy.steer(preference)

    def renew(self, settings: RunSettings, space: SearchSpace) -> list[Evaluation]:
        """Go on with a new instance of the strategy that ``settings`` name, in ``space``; return what it was told."""
        self.space = space
        self._renewals += 1
        self._outside = set()
        told = self._read()
        self._note(told)
        inside = self._inside(told)
        self._strategy = self._fresh(settings)
        self._strategy.tell(inside)
        return inside

    def state(self) -> dict[str, Any]:
        """Return what :meth:`restore` and ``renewals`` need besides the evaluations."""
        return {"strategy": self._strategy.state(), "renewals": self._renewals}

    def _fresh(self, settings: RunSettings) -> Strategy:
        first = self._renewals == 0
        seed = settings.seed if first else derive_seed(settings.seed, "renewal", self._renewals)
        return self._make(settings.strategy, self.space, settings.preference, seed)

    def _inside(self, evaluations: Sequence[Evaluation]) -> list[Evaluation]:
        return [e for e in evaluations if e.id not in self._outside]

    def _note(self, evaluations: Sequence[Evaluation]) -> None:
        self.known |= {e.id: Known(e.index, e.space, e.status) for e in evaluations}
        for e in evaluations:
            # what was proposed in this version lies in it; checking ten thousand others takes half a second
            if e.space != self.space.version and self.space.validate_architecture(e.architecture):
                self._outside.add(e.id)
