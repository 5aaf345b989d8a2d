"""Facets: the questions that an architecture answers, each with what every candidate answered.

A facet is what a person would call one choice: "depth", "optimiser", but also "which features are used" and "how
features act together", which are two questions of one variable. Everything downstream treats the answer to a facet as
one thing, however many numbers it takes to write it down.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from nas_core.records import Architecture
    from nas_core.spaces.space import SearchSpace

__all__ = ["MOST_COLUMNS", "MOST_LEVELS", "Facet", "Reader", "decided_of", "facets_of", "levelled", "readers_of"]

MOST_COLUMNS = 64
"""Numbers of a facet that are kept, those first that vary most."""
MOST_LEVELS = 8
"""Different answers up to which each is a level by itself; numbers beyond are binned."""
BINS = 5


class Reader(ABC):
    """Reads one facet off the values of an architecture.

    Attributes:
        key: Identity, ``variable`` or ``variable.part``.
        label: What a person reads.
        names: What each number of :meth:`row` is.
        parts: How many of the first numbers are parts that are there (not 0) or not, such as single features.
    """

    key: str
    label: str
    names: tuple[str, ...]
    parts: int = 0

    @abstractmethod
    def row(self, values: dict[str, Any]) -> Sequence[float]:
        """Return the answer as numbers, as many as ``names``."""

    @abstractmethod
    def level(self, values: dict[str, Any]) -> Any:
        """Return the answer as one thing that a person can compare: an option, or a number."""

    @abstractmethod
    def levels(self) -> tuple[Any, ...] | None:
        """Return the order in which a person reads the levels; None for that of numbers."""

    @abstractmethod
    def say(self, level: Any) -> str:
        """Return what a person reads for a level."""


@dataclass(frozen=True)
class Facet:
    """What n candidates answered to one question.

    Attributes:
        reader: How the answer is read, also of further architectures.
        columns: (n, d) the answers as numbers.
        kept: (d,) which numbers of the reader these are.
        decided: (n,) bool; False where there was nothing to decide, and what is written down means nothing.
        levels: What a person calls the levels, in their order.
        level: (n,) index into ``levels``, −1 where nothing was decided.
    """

    reader: Reader = field(repr=False)
    columns: np.ndarray = field(repr=False)
    kept: np.ndarray = field(repr=False)
    decided: np.ndarray = field(repr=False)
    levels: tuple[str, ...]
    level: np.ndarray = field(repr=False)

    @property
    def key(self) -> str:
        """Identity."""
        return self.reader.key

    @property
    def label(self) -> str:
        """What a person reads."""
        return self.reader.label

    @property
    def names(self) -> tuple[str, ...]:
        """What each column is."""
        return tuple(self.reader.names[at] for at in self.kept)

    def read(self, values: dict[str, Any]) -> np.ndarray:
        """Return the answer (d,) of another architecture."""
        return np.asarray(self.reader.row(values), dtype=np.float64)[self.kept]

    def rows(self, at: np.ndarray) -> Facet:
        """Return the answers of the candidates at the positions ``at``."""
        return Facet(self.reader, self.columns[at], self.kept, self.decided[at], self.levels, self.level[at])


def readers_of(space: SearchSpace, values: Sequence[dict[str, Any]]) -> list[Reader]:
    """Return what can be read of architectures of ``space`` (all its versions), facet by facet.

    Args:
        space: The space, or a version of it.
        values: Those of the architectures, for options that other versions offered.
    """
    from nas_core.insight.readers import scalar_readers
    from nas_core.insight.structures import STRUCTURES

    found: list[Reader] = []
    for variable in space.variables:
        seen = [v[variable.name] for v in values if variable.name in v]
        structure = STRUCTURES.get(getattr(variable, "kind", ""))
        found += structure(variable, space, seen) if structure else scalar_readers(variable, space, seen)
    return found


def facets_of(space: SearchSpace, architectures: Sequence[Architecture]) -> tuple[tuple[Facet, ...], tuple[str, ...]]:
    """Return the facets that vary among ``architectures``, and the labels of those that do not.

    An option that a canonical form merely writes down, the activation of a linear network, was not decided.
    Costs O(n · numbers), about a second for 10,000 candidates.

    Args:
        space: The space, any version of it.
        architectures: n of them, all of the family of ``space``.
    """
    values = [a.values for a in architectures]
    readers = readers_of(space, values)
    decided = decided_of(space, [r.key for r in readers], values)
    varied: list[Facet] = []
    constant: list[str] = []
    for at, reader in enumerate(readers):
        facet = _facet(reader, values, decided[:, at])
        if facet is None:
            constant.append(reader.label)
        else:
            varied.append(facet)
    return tuple(varied), tuple(constant)


def decided_of(space: SearchSpace, keys: Sequence[str], values: Sequence[dict[str, Any]]) -> np.ndarray:
    """Return which facets each architecture had something to decide for, bool (n, F).

    Args:
        space: The space, any version of it.
        keys: The facets.
        values: Those of n architectures.
    """
    from nas_core.spaces.option_lists import Frame, ScalarOptions, option_lists

    frame, lists = Frame.of(space), option_lists(space.family)
    decided = np.ones((len(values), len(keys)), dtype=bool)
    for at, key in enumerate(keys):
        listed = lists.get(key)
        if isinstance(listed, ScalarOptions) and key in space.by_name:
            decided[:, at] = [bool(listed.held(v, frame)) for v in values]
    return decided


def _facet(reader: Reader, values: list[dict[str, Any]], decided: np.ndarray) -> Facet | None:
    """Return a facet; None where everybody who decided answered the same."""
    columns = np.array([reader.row(v) for v in values], dtype=np.float64).reshape(len(values), len(reader.names))
    spread = columns[decided].var(axis=0) if decided.any() else np.zeros(columns.shape[1])
    kept = np.flatnonzero(spread > 0)
    if not len(kept):
        return None
    if len(kept) > MOST_COLUMNS:
        kept = np.sort(kept[np.argsort(-_scaled(columns[decided][:, kept]), kind="stable")[:MOST_COLUMNS]])
    labels, level = levelled([reader.level(v) for v in values], decided, reader.levels(), reader.say)
    return Facet(reader, columns[:, kept], kept, decided, labels, level)


def _scaled(columns: np.ndarray) -> np.ndarray:
    """Return the variance of each column as if it ran from 0 to 1."""
    span = np.ptp(columns, axis=0)
    return np.asarray((columns / np.where(span > 0, span, 1.0)).var(axis=0))


def levelled(
    answers: Sequence[Any], decided: np.ndarray, order: tuple[Any, ...] | None, say: Any
) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the names of the levels that occur and the level (n,) of each answer, −1 where nothing was decided.

    With an ``order`` the answers are options of it. Without one they are numbers: each a level where few differ, else
    bins with about equally many candidates.
    """
    taken = [a for a, d in zip(answers, decided) if d]
    level = np.full(len(answers), -1)
    if order is not None or len(set(taken)) <= MOST_LEVELS:
        present = [o for o in order if o in set(taken)] if order is not None else sorted(set(taken))
        where = {option: at for at, option in enumerate(present)}
        level[decided] = [where[a] for a in taken]
        return tuple(say(option) for option in present), level
    numbers = np.array(taken, dtype=np.float64)
    edges = np.unique(np.quantile(numbers, np.arange(1, BINS) / BINS, method="lower"))
    bins = np.searchsorted(edges, numbers, side="left")
    used, index = np.unique(bins, return_inverse=True)
    level[decided] = index
    ends = [(numbers[bins == b].min(), numbers[bins == b].max()) for b in used]
    return tuple(say(low) if low == high else f"{say(low)} – {say(high)}" for low, high in ends), level
