"""Search spaces: what may be built, as data with its own operators.

A ``SearchSpace`` is a family, its variables and its constraints. ``SearchSpace.for_problem`` makes one from a preset;
``sample``, ``mutate``, ``crossover`` and ``neighbours`` give valid architectures; ``facts`` and ``graph`` describe one
without training it. A new family implements ``Family`` and calls ``register_family``.
"""

from nas_core.spaces.choices import Choice, choices_of, forbid, has, pin
from nas_core.spaces.family import (
    Constraints,
    Family,
    Rejection,
    SignalFamily,
    SpaceSize,
    StructuralFacts,
    facts,
    families_for,
    family_named,
    family_names,
    graph,
    most_operations,
    register_family,
)
from nas_core.spaces.image.blocks import ImageBlocks
from nas_core.spaces.image.family import ImageFamily
from nas_core.spaces.image.presets import image_space
from nas_core.spaces.image.rules import ImageConstraints
from nas_core.spaces.reals import Real
from nas_core.spaces.scalars import Categorical, Flag, Integer
from nas_core.spaces.sequence.family import SequenceFamily
from nas_core.spaces.sequence.layer_list import SequenceLayers
from nas_core.spaces.sequence.presets import sequence_space
from nas_core.spaces.sequence.rules import SequenceConstraints
from nas_core.spaces.space import SearchSpace, SpaceFeature
from nas_core.spaces.tabular.family import TabularFamily
from nas_core.spaces.tabular.groups import FeatureGroups
from nas_core.spaces.tabular.marks import MonotoneMarks
from nas_core.spaces.tabular.presets import preset_space
from nas_core.spaces.tabular.rules import TabularConstraints
from nas_core.spaces.variables import Context, Edit, Hints, Variable, register_variable

# isort: split
# after the images: the first family that reads a modality is its default
from nas_core.spaces.cell.edges import CellEdges
from nas_core.spaces.cell.family import CellFamily
from nas_core.spaces.cell.presets import cell_space
from nas_core.spaces.cell.rules import CellConstraints

# isort: split
# what can be pinned or forbidden in each family
import nas_core.spaces.cell.options
import nas_core.spaces.image.options
import nas_core.spaces.sequence.options
import nas_core.spaces.tabular.options  # noqa: F401 - importing them registers the options

__all__ = [
    "Categorical",
    "CellConstraints",
    "CellEdges",
    "CellFamily",
    "Choice",
    "Constraints",
    "Context",
    "Edit",
    "Family",
    "FeatureGroups",
    "Flag",
    "Hints",
    "ImageBlocks",
    "ImageConstraints",
    "ImageFamily",
    "Integer",
    "MonotoneMarks",
    "Real",
    "Rejection",
    "SearchSpace",
    "SequenceConstraints",
    "SequenceFamily",
    "SequenceLayers",
    "SignalFamily",
    "SpaceFeature",
    "SpaceSize",
    "StructuralFacts",
    "TabularConstraints",
    "TabularFamily",
    "Variable",
    "cell_space",
    "choices_of",
    "facts",
    "families_for",
    "family_named",
    "family_names",
    "forbid",
    "graph",
    "has",
    "image_space",
    "most_operations",
    "pin",
    "preset_space",
    "register_family",
    "register_variable",
    "sequence_space",
]
