"""The interface of an evaluator."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from nas_core.records import Evaluation, Halt, Proposal

if TYPE_CHECKING:
    from nas_core.spaces.space import SearchSpace

__all__ = ["Evaluator", "Halt", "PackProgress", "Referee", "Stop", "Weights"]

Weights = dict[str, np.ndarray]
"""Trained numbers of one candidate by parameter name."""


class Stop(Protocol):
    """What an evaluator asks, often, to learn whether it should give up (``threading.Event`` is one)."""

    def is_set(self) -> bool:
        """Return True from the moment on when it should."""


class Referee(Protocol):
    """Who may end the training of single candidates early; asked from any thread, so it must not wait.

    Its answer about a candidate depends on that candidate and on what was known before the pack was begun, never on
    the other candidates in work: so a run that is interrupted and resumed comes to the same decisions, and a copy in
    another process decides the same.
    """

    def looks_at(self, epoch: int) -> bool:
        """Return whether the validation performance after this many epochs is wanted (it costs a prediction)."""

    def halt(self, candidate: str, epoch: int, epochs: int, performance: float | None) -> Halt | None:
        """Return how to end the training of a candidate now, None to go on.

        Args:
            candidate: Identity of the architecture.
            epoch: Epochs behind it; 0 asks only whether it is given up, whatever its numbers.
            epochs: At most this many.
            performance: On the validation rows, in the metric's own direction, where :meth:`looks_at` asked for it.
        """


@dataclass(frozen=True)
class PackProgress:
    """How far the candidates in work are.

    Attributes:
        phase: "prepare" (kernels are compiled, once on a machine), "train" or "measure".
        size: Candidates that are trained together.
        epoch: Epochs behind them.
        epochs: At most this many.
    """

    phase: str
    size: int
    epoch: int = 0
    epochs: int = 0


class Evaluator(ABC):
    """Turns proposals into evaluations.

    An evaluation depends on the architecture and the evaluator's seed only, never on the other proposals or on the
    order, so a run that is interrupted and resumed finds the same numbers. One thread uses an evaluator at a time.
    """

    @abstractmethod
    def evaluate(
        self,
        proposals: Sequence[Proposal],
        *,
        stop: Stop,
        on_progress: Callable[[PackProgress], None] | None = None,
        referee: Referee | None = None,
    ) -> Iterator[Evaluation]:
        """Yield one evaluation per proposal, as they finish.

        A candidate that crashes is ``failed`` with the reason; one that had not finished when ``stop`` was set is
        ``cancelled`` and carries no numbers. One that the referee ended has the status and the reason that it gave.
        """

    @abstractmethod
    def enter(self, space: SearchSpace) -> None:
        """Evaluate architectures of ``space`` from now on: another version of the space the evaluator was made for.

        Scores of all versions stay comparable: what is measured on a scale that the space sets stays on that of the
        space the evaluator was made for, and ends where that scale ends.
        """

    @abstractmethod
    def take_weights(self) -> dict[str, Weights]:
        """Return the trained weights that finished since the last call, by candidate, and forget them."""

    @abstractmethod
    def take_seconds(self) -> dict[str, float]:
        """Return the seconds spent since the last call by phase ("train", "measure"), and start again from zero."""

    def use(self, cores: int) -> None:  # noqa: B027 - most use one
        """Use at most so many processor cores from the next call on; nothing of what is found depends on it."""

    def close(self) -> None:  # noqa: B027 - most hold nothing outside this process
        """Let go of what it holds outside this process; called once, when nobody will use it again."""
