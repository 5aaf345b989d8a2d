"""The image family: stages of convolutions, pooling and gates before a linear or a dense head."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nas_core.data.signal import Modality
from nas_core.spaces.family import Constraints, Rejection, SignalFamily, SpaceSize, StructuralFacts, register_family
from nas_core.spaces.image import operators
from nas_core.spaces.image.bound import max_operations
from nas_core.spaces.image.canonical import canonical
from nas_core.spaces.image.checks import check_declaration, find_problems, find_rejection
from nas_core.spaces.image.count import space_size
from nas_core.spaces.image.landmarks import landmarks
from nas_core.spaces.image.presets import PRESETS, declare
from nas_core.spaces.image.rules import CONVOLUTIONS, ImageConstraints, ImageRules, rules_of, work_out
from nas_core.spaces.image.structure import image_facts
from nas_core.spaces.variables import Chooser, Context, Hints

if TYPE_CHECKING:
    import networkx
    import torch

    from nas_core.spaces.space import SearchSpace

__all__ = ["ImageFamily"]

Values = dict[str, Any]

_ARROWS = {"max": "↓max", "avg": "↓mean", "none": ""}


class ImageFamily(SignalFamily):
    """Convolutional networks: from a linear model of the pixels to residual networks of several stages.

    What one place of the last maps sees, and which patches can act together, are exact properties of the architecture;
    with the linear head the class-activation map is an exact sum. Source: LeNet (LeCun et al. 1998), residual networks
    (He et al. 2016), densely connected ones (Huang et al. 2017), bags of local features (Brendel & Bethge 2019),
    class-activation maps (Zhou et al. 2016).
    """

    name: ClassVar[str] = "image"
    label: ClassVar[str] = "Convolutional networks"
    description: ClassVar[str] = "Stages of convolutions, pooling and gates, read by a linear or a dense head."
    modality: ClassVar[Modality] = "image"
    presets: ClassVar[dict[str, str]] = PRESETS
    constraints_type: ClassVar[type[Constraints]] = ImageConstraints

    def declare(self, problem: Any, preset: str) -> SearchSpace:
        """Return the space of ``preset`` for a problem."""
        return declare(problem, preset)

    def check_space(self, space: SearchSpace) -> None:
        """Raise SpaceError when the declaration contradicts itself."""
        check_declaration(space)

    def compile(self, space: SearchSpace) -> ImageRules:
        """Return the rules with the most operations a network can need."""
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
        return image_facts(rules_of(space), values)

    def describe(self, space: SearchSpace, values: Values) -> str:
        """Return blocks, head and settings in one line."""
        words = []
        for stage in values["stages"]:
            words += [_word(block) for block in stage["blocks"]]
            transition = stage["transition"]
            words.append(_ARROWS.get(transition["operation"], f"↓conv3-{transition.get('width')}"))
        parts = [" ".join(w for w in words if w)] if words else []
        if values["hidden_depth"]:
            parts.append(f"dense {values['hidden_depth']} × {values['hidden_width']}")
        else:
            parts.append({"gap_linear": "mean, linear", "dense": "linear"}[values["head"]])
        parts += [values["activation"]] if values["activation"] != "identity" else []
        parts += [values["connections"]] if values["connections"] != "plain" else []
        parts += [f"{values['normalisation']} norm"] if values["normalisation"] != "none" else []
        parts += [f"dropout {values['dropout']:.3g}"] if values["dropout"] else []
        return " · ".join([*parts, f"{values['optimiser']} {values['learning_rate']:.3g}"])

    def graph(self, space: SearchSpace, values: Values) -> networkx.DiGraph:
        """Return the network as a graph."""
        from nas_core.spaces.image.graph import network_graph

        return network_graph(rules_of(space), values)

    def module(self, space: SearchSpace, values: Values) -> torch.nn.Module:
        """Return the untrained network."""
        from nas_core.spaces.image.module import image_network

        return image_network(rules_of(space), values)


def _word(block: dict[str, Any]) -> str:
    operation = block["operation"]
    return f"{operation}-{block['width']}" if operation in CONVOLUTIONS else operation


register_family(ImageFamily())
