"""The cell family: networks of repeated cells with the topology of NAS-Bench-201."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nas_core.data.signal import Modality
from nas_core.spaces.cell import operators
from nas_core.spaces.cell.canonical import canonical
from nas_core.spaces.cell.checks import check_declaration, find_problems, find_rejection
from nas_core.spaces.cell.count import space_size
from nas_core.spaces.cell.landmarks import landmarks
from nas_core.spaces.cell.presets import PRESETS, declare
from nas_core.spaces.cell.rules import CellConstraints, CellRules, rules_of, work_out
from nas_core.spaces.cell.structure import cell_facts, max_operations
from nas_core.spaces.cell.topology import EDGES
from nas_core.spaces.family import Constraints, Rejection, SignalFamily, SpaceSize, StructuralFacts, register_family
from nas_core.spaces.variables import Chooser, Context, Hints

if TYPE_CHECKING:
    import networkx

    from nas_core.spaces.layers import SignalNetwork
    from nas_core.spaces.space import SearchSpace

__all__ = ["CellFamily"]

Values = dict[str, Any]

_SHORT = {"skip_connect": "skip", "nor_conv_1x1": "conv 1×1", "nor_conv_3x3": "conv 3×3", "avg_pool_3x3": "pool"}


class CellFamily(SignalFamily):
    """Networks of repeated cells: four nodes, and one of five operations on each of the six edges.

    Source: NAS-Bench-201 (Dong & Yang 2020, arXiv 2001.00326), with its skeleton: stem, stages of cells, residual
    reductions, the mean over places and a linear layer, so that class-activation maps are exact.
    """

    name: ClassVar[str] = "cell"
    label: ClassVar[str] = "Cell networks"
    description: ClassVar[str] = "Repeated cells of four nodes with an operation on each edge, as in NAS-Bench-201."
    modality: ClassVar[Modality] = "image"
    presets: ClassVar[dict[str, str]] = PRESETS
    constraints_type: ClassVar[type[Constraints]] = CellConstraints

    def declare(self, problem: Any, preset: str) -> SearchSpace:
        """Return the space of ``preset`` for a problem."""
        return declare(problem, preset)

    def check_space(self, space: SearchSpace) -> None:
        """Raise SpaceError when the declaration contradicts itself."""
        check_declaration(space)

    def compile(self, space: SearchSpace) -> CellRules:
        """Return the rules by part."""
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
        return landmarks(space)

    def size(self, space: SearchSpace) -> SpaceSize:
        """Return how many architectures the space has."""
        return space_size(rules_of(space), Context(space))

    def facts(self, space: SearchSpace, values: Values) -> StructuralFacts:
        """Return the structural facts of canonical ``values``."""
        return cell_facts(rules_of(space), values)

    def describe(self, space: SearchSpace, values: Values) -> str:
        """Return the cell, the skeleton and the optimiser in one line."""
        used = [f"{_SHORT[o]} {i}→{j}" for (i, j), o in zip(EDGES, values["cell"]) if o != "none"]
        skeleton = f"{values['stages']} × {values['repeats']} cells · {values['width']} maps"
        return f"{', '.join(used) or 'zeros'} · {skeleton} · {values['optimiser']} {values['learning_rate']:.3g}"

    def graph(self, space: SearchSpace, values: Values) -> networkx.DiGraph:
        """Return the network as a graph."""
        from nas_core.spaces.cell.graph import network_graph

        return network_graph(rules_of(space), values)

    def module(self, space: SearchSpace, values: Values) -> SignalNetwork:
        """Return the untrained network of canonical ``values``."""
        from nas_core.spaces.cell.network import CellNetwork

        return CellNetwork(rules_of(space), values)


register_family(CellFamily())
