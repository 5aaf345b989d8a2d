"""One space of every family, with and without limits, to compare architectures of."""

from __future__ import annotations

from functools import cache

from nas_core.data import Problem, Signal, load_data, sequence_signal
from nas_core.spaces import CellConstraints, ImageConstraints, SearchSpace, SequenceConstraints, TabularConstraints
from nas_core.spaces import cell_space as cells
from nas_core.spaces import image_space as images
from nas_core.spaces import sequence_space as sequences

__all__ = ["FAMILIES", "space_named"]

FAMILIES = ("tabular", "tabular limited", "image", "image limited", "cell", "cell limited", "sequence", "words")
PIXELS = Signal(modality="image", shape=(1, 8, 8), cell=(2, 2))


@cache
def space_named(name: str) -> SearchSpace:
    """Return a space by its name in FAMILIES."""
    if name.startswith("tabular"):
        space = SearchSpace.for_problem(Problem.create(load_data("wine")), "accurate")
        limits = TabularConstraints(max_features=6, features_required=("ash",), max_group_size=3)
        return space.changed(constraints=limits) if name.endswith("limited") else space
    if name.startswith("image"):
        space = images(PIXELS, 3, "accurate")
        return space.changed(constraints=ImageConstraints(max_layers=4)) if name.endswith("limited") else space
    if name.startswith("cell"):
        space = cells(PIXELS, 3, "balanced")
        return space.changed(constraints=CellConstraints(max_convolutions=3)) if name.endswith("limited") else space
    if name == "words":
        return sequences(sequence_signal(1, 14, vocabulary=25), 2, "accurate")
    return sequences(sequence_signal(2, 24), 2, "accurate").changed(constraints=SequenceConstraints(max_layers=2))
