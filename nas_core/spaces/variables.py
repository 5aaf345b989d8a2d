"""Variables: the named choices of a search space, each with its own operators.

A variable samples, mutates, crosses over, lists neighbours, counts, encodes and validates its own values, so a strategy
never needs to know what it is searching. Everything random takes an explicit generator.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from nas_core.records import Record

if TYPE_CHECKING:
    from nas_core.spaces.space import SearchSpace

__all__ = ["VARIABLES", "Chooser", "Context", "Edit", "Hints", "Variable", "register_variable"]


class Hints(Protocol):
    """What the training part of the data suggests about its P features, to inform sampling.

    ``relevance`` (P,) ≥ 0, ``interaction`` (P, P) ≥ 0, ``direction`` (P,) in [−1, 1] (a rank correlation), ``order``
    the features in which each adds most to those before it.
    """

    @property
    def relevance(self) -> np.ndarray:
        """Relevance of each feature alone, shape (P,), any non-negative unit."""
        ...

    @property
    def interaction(self) -> np.ndarray:
        """Strength of each pair, shape (P, P), any non-negative unit."""
        ...

    @property
    def direction(self) -> np.ndarray:
        """Sign and strength of a monotone effect, shape (P,), in [−1, 1]."""
        ...

    @property
    def order(self) -> tuple[int, ...]:
        """Some features, each the one that adds most to those before it; may be empty."""
        ...


@dataclass(frozen=True)
class Context:
    """What a variable may look at: its space, the hints of the data and the values chosen so far."""

    space: SearchSpace
    hints: Hints | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


class Chooser(Protocol):
    """Makes the named decisions that a value consists of (see :meth:`Variable.decide`).

    The same question has the same name in every architecture of a space, so what was decided can be learned from.
    ``like`` is the answer that leads to a given value, None where there is no such value.
    """

    def pick(self, name: str, options: Sequence[Any], like: int | None) -> int:
        """Return the position of the chosen option."""
        ...

    def number(self, name: str, like: float | None) -> float:
        """Return a number in [0, 1]: how far up a scale."""
        ...


@dataclass(frozen=True)
class Edit:
    """One change that a person can make to the value of a variable by hand.

    It need not be valid: the space says why when the changed architecture is refused.

    Attributes:
        place: The part that changes ("block 3", "edge 1 → 2", "group of age, income"); "" for the value as a whole.
        verb: What is done to it.
        words: What the change is ("a 3×3 convolution after block 3", "relu"), to be read after the verb.
        value: The whole value afterwards.
    """

    place: str
    verb: Literal["add", "remove", "rewire", "change"]
    words: str
    value: Any


class Variable(Record, ABC):
    """One named choice of a search space.

    Attributes:
        name: Key of the value in ``Architecture.values``.
        label: What a person reads.
    """

    name: str
    label: str = ""

    @abstractmethod
    def sample(self, rng: np.random.Generator, context: Context) -> Any:
        """Return a random value of the domain."""

    @abstractmethod
    def mutate(self, value: Any, rng: np.random.Generator, context: Context) -> Any:
        """Return a value near ``value``, different from it where the domain has another one."""

    @abstractmethod
    def crossover(self, a: Any, b: Any, rng: np.random.Generator, context: Context) -> Any:
        """Return a value that combines two parents' values."""

    @abstractmethod
    def neighbours(self, value: Any, context: Context) -> Iterator[Any]:
        """Yield the values one smallest step away, in a fixed order."""

    @abstractmethod
    def count(self, context: Context) -> int:
        """Return how many values the domain has."""

    @abstractmethod
    def encode(self, value: Any, context: Context) -> np.ndarray:
        """Return the value as a float vector whose length depends on the space only, entries about in [0, 1]."""

    @abstractmethod
    def encode_names(self, context: Context) -> list[str]:
        """Return the name of each entry of :meth:`encode`."""

    @abstractmethod
    def validate_value(self, value: Any, context: Context) -> str | None:
        """Return why ``value`` is not in the domain, or None."""

    @abstractmethod
    def edits(self, value: Any, context: Context) -> Iterator[Edit]:
        """Yield the single changes a person may want to make to ``value``, in a fixed order."""

    @abstractmethod
    def decide(self, chooser: Chooser, context: Context, like: Any = None) -> Any:
        """Return a value made of named decisions; every value can be reached, and not every decision need be valid.

        Args:
            chooser: Decides.
            context: Values of the variables that were decided before.
            like: A value whose decisions are passed on to the chooser.
        """

    @abstractmethod
    def tidy(self, value: Any) -> Any:
        """Return ``value`` in the one form that is stored (rounded, plain Python types)."""


VARIABLES: dict[str, type[Variable]] = {}


def register_variable(kind: str, variable: type[Variable]) -> None:
    """Make variables of ``kind`` readable from JSON and YAML."""
    VARIABLES[kind] = variable
