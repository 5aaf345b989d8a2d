"""The sequence family: convolutions, recurrent layers and visible attention over series and words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nas_core.data.signal import Modality
from nas_core.spaces.family import Constraints, Rejection, SignalFamily, SpaceSize, StructuralFacts, register_family
from nas_core.spaces.sequence import operators
from nas_core.spaces.sequence.canonical import canonical
from nas_core.spaces.sequence.checks import check_declaration, find_problems, find_rejection
from nas_core.spaces.sequence.count import space_size
from nas_core.spaces.sequence.landmarks import landmarks
from nas_core.spaces.sequence.presets import PRESETS, declare
from nas_core.spaces.sequence.rules import WORDS, Layer, SequenceConstraints, SequenceRules, rules_of, work_out
from nas_core.spaces.sequence.structure import max_operations, sequence_facts
from nas_core.spaces.variables import Chooser, Context, Hints

if TYPE_CHECKING:
    import networkx

    from nas_core.spaces.layers import SignalNetwork
    from nas_core.spaces.space import SearchSpace

__all__ = ["SequenceFamily"]

Values = dict[str, Any]


class SequenceFamily(SignalFamily):
    """Networks over time steps or words: from a linear model to stacks of recurrent layers and attention.

    A short convolution with a mean over the steps is a sum of what each run of steps adds; recurrent layers and
    attention let all steps act together, and attention shows with which weights.
    """

    name: ClassVar[str] = "sequence"
    label: ClassVar[str] = "Sequence networks"
    description: ClassVar[str] = "Convolutions, recurrent layers and visible attention over time steps or words."
    modality: ClassVar[Modality] = "sequence"
    presets: ClassVar[dict[str, str]] = PRESETS
    constraints_type: ClassVar[type[Constraints]] = SequenceConstraints

    def declare(self, problem: Any, preset: str) -> SearchSpace:
        """Return the space of ``preset`` for a problem."""
        return declare(problem, preset)

    def check_space(self, space: SearchSpace) -> None:
        """Raise SpaceError when the declaration contradicts itself."""
        check_declaration(space)

    def compile(self, space: SearchSpace) -> SequenceRules:
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
        return sequence_facts(rules_of(space), values)

    def describe(self, space: SearchSpace, values: Values) -> str:
        """Return layers, pooling and optimiser in one line."""
        layers = " → ".join(_short(layer) for layer in values["layers"]) or "linear"
        parts = [layers, f"{values['pooling']} pooling" if values["pooling"] != "flat" else "all steps"]
        if "embedding" in values:
            parts.insert(0, f"embedding {values['embedding']}")
        parts += [values["activation"]] if any(layer["kind"] == "conv" for layer in values["layers"]) else []
        parts += [values["connections"]] if values["connections"] != "plain" else []
        parts += [f"{values['normalisation']} norm"] if values["normalisation"] != "none" else []
        parts += [f"dropout {values['dropout']:.3g}"] if values["dropout"] else []
        return " · ".join([*parts, f"{values['optimiser']} {values['learning_rate']:.3g}"])

    def graph(self, space: SearchSpace, values: Values) -> networkx.DiGraph:
        """Return the network as a graph."""
        from nas_core.spaces.sequence.graph import network_graph

        return network_graph(rules_of(space), values)

    def module(self, space: SearchSpace, values: Values) -> SignalNetwork:
        """Return the untrained network of canonical ``values``."""
        from nas_core.spaces.sequence.network import SequenceNetwork

        return SequenceNetwork(rules_of(space), values)


def _short(layer: Layer) -> str:
    """Return a layer in a word: "conv 5 × 16", "GRU 8 both ways", "attention 16"."""
    if layer["kind"] == "conv":
        gap = f"/{layer['dilation']}" if layer["dilation"] > 1 else ""
        return f"conv {layer['kernel']}{gap} × {layer['width']}"
    return f"{WORDS[layer['kind']]} {layer['width']}{' both ways' if layer.get('both') else ''}"


register_family(SequenceFamily())
