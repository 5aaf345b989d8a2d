"""The interface of a search strategy, and what every strategy needs of a space.

A strategy is asked for proposals and told how they fared. It knows no training and no data: spaces bring the operators,
evaluations bring the numbers, so every strategy works in every space. To add one, write a final subclass, one line in
``registry.py`` and one line in its contract suite (``tests/search/strategy_contract.py``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np

from nas_core.objectives import Objective
from nas_core.preferences import Preference
from nas_core.records import Architecture, Evaluation, Proposal
from nas_core.search.snapshot import SEARCH_MEASURES
from nas_core.spaces.variables import Chooser

__all__ = ["Space", "Strategy"]


class Space(Protocol):
    """What a strategy needs of a search space; ``nas_core.spaces.SearchSpace`` is one."""

    def sample(self, rng: np.random.Generator, hints: Any = None) -> Architecture:
        """Return a random architecture."""
        ...

    def mutate(
        self, architecture: Architecture, rng: np.random.Generator, hints: Any = None
    ) -> tuple[Architecture, str]:
        """Return an architecture near ``architecture`` and the name of the operator."""
        ...

    def crossover(self, a: Architecture, b: Architecture, rng: np.random.Generator) -> Architecture:
        """Return a child of two architectures."""
        ...

    def neighbours(self, architecture: Architecture) -> Iterator[Architecture]:
        """Yield the architectures one smallest step away, in a fixed order."""
        ...

    def decide(self, chooser: Chooser, hints: Any = None, like: Architecture | None = None) -> Architecture | None:
        """Return an architecture made of named decisions, None where it is refused; with ``like`` those of that one."""
        ...

    def encode(self, architecture: Architecture) -> np.ndarray:
        """Return the architecture as a float vector of a length fixed by the space."""
        ...

    def initial(self, n: int, rng: np.random.Generator, hints: Any = None) -> list[Proposal]:
        """Return at most ``n`` proposals to start from."""
        ...


class Strategy(ABC):
    """Proposes architectures and learns from their evaluations.

    Promises that the contract suite checks:

    * the same seed and the same calls give the same proposals, in any process;
    * no architecture is proposed that was proposed or evaluated before; ``[]`` means that the space is exhausted;
    * every evaluation may be told, whatever its status, also of architectures that were never asked for;
    * telling the same again changes nothing; but of a candidate that was pruned or cancelled, a later evaluation
      replaces what was known: it was trained to the end after all;
    * ``state()`` is JSON, and a new instance given that state and all evaluations told so far goes on exactly as this
      one would.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    description: ClassVar[str]

    @abstractmethod
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
        """Start with nothing evaluated.

        Args:
            space: Where to search.
            seed: Decides every random choice, together with the calls made.
            preference: λ, measure weights and goals; see :meth:`steer`.
            objective: The performance objective, which turns performance into a loss.
            hints: What the data suggest about the features, passed on to the space.
            measures: The measures to optimise beside performance.

        Raises:
            SettingsError: No model can reach the goal for performance.
        """

    @abstractmethod
    def ask(self, n: int) -> list[Proposal]:
        """Return up to ``n`` new proposals; fewer when the space runs out, none when it is exhausted."""

    @abstractmethod
    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Learn from finished evaluations; the order within one call does not matter."""

    @abstractmethod
    def steer(self, preference: Preference) -> None:
        """Follow ``preference`` from the next :meth:`ask` on; an equal preference changes nothing.

        Raises:
            SettingsError: No model can reach the goal for performance.
        """

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Return what :meth:`restore` needs besides the evaluations, as JSON-able data.

        Proposals not yet told are part of it: they count as proposed and will not come again. So a run that repeats
        unfinished work after a crash stores the state after :meth:`tell`, not after :meth:`ask`.
        """

    @abstractmethod
    def restore(self, state: dict[str, Any], evaluations: Sequence[Evaluation]) -> None:
        """Continue from ``state``; call it once, on a new instance made with the same space, seed and hints.

        The preference comes from ``state``; call :meth:`steer` afterwards to change it.

        Args:
            state: What :meth:`state` returned, possibly after a round trip through JSON.
            evaluations: All evaluations told before that state was taken, in any order; of a candidate told again the
                later one.

        Raises:
            SettingsError: The state is of another strategy, or refers to evaluations that are not given.
        """
