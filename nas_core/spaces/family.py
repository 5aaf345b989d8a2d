"""The interface of a search-space family, and the registry of the families there are.

A family is one kind of network: how its values are drawn, varied, repaired, counted and described. The search space is
generic over it, so a new family is one implementation and one ``register_family`` line.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nas_core.data.signal import Modality
from nas_core.errors import SpaceError
from nas_core.records import Record
from nas_core.spaces.variables import Chooser, Hints

if TYPE_CHECKING:
    import networkx
    import torch

    from nas_core.records import Architecture
    from nas_core.spaces.space import SearchSpace

__all__ = [
    "Constraints",
    "Family",
    "Rejection",
    "SignalFamily",
    "SpaceSize",
    "StructuralFacts",
    "facts",
    "families_for",
    "family_named",
    "family_names",
    "graph",
    "most_operations",
    "register_family",
]

Values = dict[str, Any]


@dataclass(frozen=True)
class Rejection:
    """Which constraint refuses an architecture, and why."""

    constraint: str
    reason: str


@dataclass(frozen=True)
class StructuralFacts:
    """What is known of an architecture without training it.

    Attributes:
        used_features: Indices of the features the network reads, ascending.
        pairs: Feature pairs that are not additively separable, closed under transitivity; linear groups have none.
        certified: Feature index → direction of its effect by construction: +1, −1, or 0 = monotone, direction learned.
        operations: Multiply-adds and function evaluations of one prediction.
        parameters: Trainable numbers.
        max_operations: The most operations any architecture of the space needs.
        receptive_field: Height and width (steps) of the input that one place of the last maps of a signal network can
            see; None for tables.
    """

    used_features: tuple[int, ...]
    pairs: int
    certified: dict[int, int]
    operations: int
    parameters: int
    max_operations: int
    receptive_field: tuple[int, int] | None = None


@dataclass(frozen=True)
class SpaceSize:
    """How many architectures a space has.

    Attributes:
        log10: Decimal logarithm of the count (of the bound when not ``exact``); −inf for an empty space.
        exact: True when every architecture was counted once; False for an upper bound.
        text: The same in words, for a person.
    """

    log10: float
    exact: bool
    text: str


class Constraints(Record, ABC):
    """Limits every architecture of a space keeps; each family has its own record of them."""


class Family(ABC):
    """One kind of network that can be searched.

    ``modality`` is the kind of data it reads, ``presets`` are names with a sentence each.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    description: ClassVar[str]
    modality: ClassVar[Modality]
    presets: ClassVar[dict[str, str]]
    constraints_type: ClassVar[type[Constraints]]

    @abstractmethod
    def declare(self, problem: Any, preset: str) -> SearchSpace:
        """Return the space of ``preset`` for a problem."""

    @abstractmethod
    def check_space(self, space: SearchSpace) -> None:
        """Raise SpaceError when the declaration contradicts itself."""

    @abstractmethod
    def compile(self, space: SearchSpace) -> Any:
        """Return what is worked out once for a checked space and kept as ``space.compiled``."""

    @abstractmethod
    def problems(self, space: SearchSpace, values: Values) -> list[str]:
        """Return what is wrong with the form or the domain of ``values`` (constraints aside)."""

    @abstractmethod
    def canonical(self, space: SearchSpace, values: Values) -> Values:
        """Return the one form of all values that mean the same network; ``values`` have no :meth:`problems`."""

    @abstractmethod
    def rejection(self, space: SearchSpace, values: Values) -> Rejection | None:
        """Return the first constraint that canonical ``values`` break, or None."""

    @abstractmethod
    def draw(self, space: SearchSpace, rng: np.random.Generator, hints: Hints | None) -> Values:
        """Return random values, repaired towards the constraints, canonical."""

    @abstractmethod
    def decide(self, space: SearchSpace, chooser: Chooser, hints: Hints | None, like: Values | None = None) -> Values:
        """Return values made of named decisions, repaired towards the constraints, canonical."""

    @abstractmethod
    def vary(
        self, space: SearchSpace, values: Values, rng: np.random.Generator, hints: Hints | None
    ) -> tuple[Values, str]:
        """Return a mutation of ``values``, canonical, and the operator's name."""

    @abstractmethod
    def cross(self, space: SearchSpace, a: Values, b: Values, rng: np.random.Generator) -> Values:
        """Return a child of two parents, canonical."""

    @abstractmethod
    def refit(self, space: SearchSpace, values: Values, rng: np.random.Generator) -> Values:
        """Return canonical ``values`` of another space of the family, repaired towards this one; they stay as they are.

        Both spaces declare the same variables over the same features. What this one does not offer is drawn anew.
        """

    @abstractmethod
    def neighbours(self, space: SearchSpace, values: Values) -> Iterator[Values]:
        """Yield canonical values one smallest step away, in a fixed order, repeats possible."""

    @abstractmethod
    def landmarks(self, space: SearchSpace, hints: Hints | None) -> list[tuple[str, Values]]:
        """Return named starting points that mark the corners of the space, canonical."""

    @abstractmethod
    def size(self, space: SearchSpace) -> SpaceSize:
        """Return how many architectures the space has."""

    @abstractmethod
    def facts(self, space: SearchSpace, values: Values) -> StructuralFacts:
        """Return the structural facts of canonical ``values``."""

    @abstractmethod
    def describe(self, space: SearchSpace, values: Values) -> str:
        """Return the architecture in one line for a person, the features of a table aside ("2 × 8 relu · adam .01")."""

    @abstractmethod
    def graph(self, space: SearchSpace, values: Values) -> networkx.DiGraph:
        """Return the network as a graph; see :func:`graph`."""


class SignalFamily(Family):
    """A family whose networks read images or sequences, and are torch modules that are trained one by one."""

    @abstractmethod
    def module(self, space: SearchSpace, values: Values) -> torch.nn.Module:
        """Return the untrained network of canonical ``values``: (n, *space.signal.encoded_shape) → (n, C).

        Every module is used once per pass, nothing works in place, and randomness in training comes from
        ``nas_core.spaces.layers.Dropout`` alone, so that any attribution method may hook into it.
        """


_FAMILIES: dict[str, Family] = {}


def register_family(family: Family) -> None:
    """Add a family; its name becomes valid in ``SearchSpace.family``."""
    _FAMILIES[family.name] = family


def family_names() -> tuple[str, ...]:
    """Return the names of the registered families."""
    return tuple(_FAMILIES)


def families_for(modality: Modality) -> tuple[str, ...]:
    """Return the names of the families that read data of this modality, the default first."""
    return tuple(name for name, family in _FAMILIES.items() if family.modality == modality)


def family_named(name: str) -> Family:
    """Return the family called ``name``.

    Raises:
        SpaceError: No such family.
    """
    try:
        return _FAMILIES[name]
    except KeyError:
        raise SpaceError(
            f"There is no search-space family {name!r}", allowed=", ".join(_FAMILIES), fix="choose one of them"
        ) from None


def facts(space: SearchSpace, architecture: Architecture) -> StructuralFacts:
    """Return what is known of ``architecture`` without training it."""
    return family_named(space.family).facts(space, architecture.values)


def most_operations(space: SearchSpace) -> int:
    """Return the most operations any architecture of ``space`` needs: the scale of ``operation_economy``."""
    return facts(space, space.sample(np.random.default_rng(0))).max_operations


def graph(space: SearchSpace, architecture: Architecture) -> networkx.DiGraph:
    """Return the network as a directed graph from the features to the output.

    Every node has ``kind``, ``label``, ``shape`` (of its output, without rows), ``parameters``, ``operations`` (both
    sum to the facts), ``group`` (index, −1 outside groups) and ``features`` (indices it depends on). Every edge has
    ``skip``. The nodes of signal networks also have ``module``, the name of the submodule whose output they stand for
    ("" for none), and the graph has ``groups``, a label for each group index (a stage, a cell).
    """
    return family_named(space.family).graph(space, architecture.values)
