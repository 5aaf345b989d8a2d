"""The tabular family: feature-group networks f(x) = b + Σ_g f_g(x_g)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nas_core.data.signal import Modality
from nas_core.spaces.family import Constraints, Family, Rejection, SpaceSize, StructuralFacts, register_family
from nas_core.spaces.tabular import operators
from nas_core.spaces.tabular.canonical import canonical
from nas_core.spaces.tabular.checks import check_declaration, find_problems, find_rejection
from nas_core.spaces.tabular.count import space_size
from nas_core.spaces.tabular.landmarks import landmarks
from nas_core.spaces.tabular.presets import PRESETS, declare
from nas_core.spaces.tabular.rules import Rules, TabularConstraints, rules_of, work_out
from nas_core.spaces.tabular.structure import max_operations, tabular_facts
from nas_core.spaces.variables import Chooser, Context, Hints

if TYPE_CHECKING:
    import networkx

    from nas_core.spaces.space import SearchSpace

__all__ = ["TabularFamily"]

Values = dict[str, Any]


class TabularFamily(Family):
    """Feature-group networks: from one linear feature to a network that mixes them all.

    The selected features are divided into groups, each a small network of its own; the outputs are summed. So which
    features matter, which interact and which act in one direction are exact properties of the architecture.
    Source: group structures of EAGGA (Schneider et al. 2023), neural additive models (Agarwal et al. 2021), monotone
    units (Runje & Shankaranarayana 2023).
    """

    name: ClassVar[str] = "tabular"
    label: ClassVar[str] = "Feature-group networks"
    description: ClassVar[str] = "Features divided into groups, each a small network; the networks' outputs are summed."
    modality: ClassVar[Modality] = "tabular"
    presets: ClassVar[dict[str, str]] = PRESETS
    constraints_type: ClassVar[type[Constraints]] = TabularConstraints

    def declare(self, problem: Any, preset: str) -> SearchSpace:
        """Return the space of ``preset`` for a problem."""
        return declare(problem, preset)

    def check_space(self, space: SearchSpace) -> None:
        """Raise SpaceError when the declaration contradicts itself."""
        check_declaration(space)

    def compile(self, space: SearchSpace) -> Rules:
        """Return the rules by index."""
        rules = work_out(space)
        return replace(rules, most_operations=max_operations(rules))

    def problems(self, space: SearchSpace, values: Values) -> list[str]:
        """Return what is wrong with the form or the domain of ``values``."""
        return find_problems(space, values)

    def canonical(self, space: SearchSpace, values: Values) -> Values:
        """Return the one form of all values that mean the same network."""
        return canonical(rules_of(space), values)

    def rejection(self, space: SearchSpace, values: Values) -> Rejection | None:
        """Return the first constraint that canonical ``values`` break, or None."""
        return find_rejection(rules_of(space), values)

    def draw(self, space: SearchSpace, rng: np.random.Generator, hints: Hints | None) -> Values:
        """Return a random architecture."""
        return operators.draw(space, rng, hints)

    def decide(self, space: SearchSpace, chooser: Chooser, hints: Hints | None, like: Values | None = None) -> Values:
        """Return an architecture made of named decisions."""
        return operators.decide(space, chooser, hints, like)

    def vary(
        self, space: SearchSpace, values: Values, rng: np.random.Generator, hints: Hints | None
    ) -> tuple[Values, str]:
        """Return a mutation and the operator's name."""
        return operators.vary(space, values, rng, hints)

    def cross(self, space: SearchSpace, a: Values, b: Values, rng: np.random.Generator) -> Values:
        """Return a child of two parents."""
        return operators.cross(space, a, b, rng)

    def refit(self, space: SearchSpace, values: Values, rng: np.random.Generator) -> Values:
        """Return values of another version, repaired towards this space."""
        return operators.refit(space, values, rng)

    def neighbours(self, space: SearchSpace, values: Values) -> Iterator[Values]:
        """Yield canonical values one smallest step away."""
        return operators.near(space, values)

    def landmarks(self, space: SearchSpace, hints: Hints | None) -> list[tuple[str, Values]]:
        """Return named starting points."""
        return landmarks(space, hints)

    def size(self, space: SearchSpace) -> SpaceSize:
        """Return how many architectures the space has."""
        return space_size(rules_of(space), Context(space))

    def facts(self, space: SearchSpace, values: Values) -> StructuralFacts:
        """Return the structural facts of canonical ``values``."""
        return tabular_facts(rules_of(space), values)

    def describe(self, space: SearchSpace, values: Values) -> str:
        """Return encoding, layers and optimiser in one line."""
        parts = [values["encoding"]]
        if values["depth"]:
            parts.append(f"{values['depth']} × {values['width']} {values['activation']}")
            parts += [values["connections"]] if values["connections"] != "full" else []
            parts += [f"{values['normalisation']} norm"] if values["normalisation"] != "none" else []
            parts += [f"dropout {values['dropout']:.3g}"] if values["dropout"] else []
        else:
            parts.append("linear")
        return " · ".join([*parts, f"{values['optimiser']} {values['learning_rate']:.3g}"])

    def graph(self, space: SearchSpace, values: Values) -> networkx.DiGraph:
        """Return the network as a graph."""
        from nas_core.spaces.tabular.graph import network_graph

        return network_graph(rules_of(space), values)


register_family(TabularFamily())
