"""Search spaces: what may be built, as data with its own operators.

A ``SearchSpace`` is a family, its variables and its constraints. ``SearchSpace.for_problem`` makes one from a preset;
``sample``, ``mutate``, ``crossover`` and ``neighbours`` give valid architectures; ``facts`` and ``graph`` describe one
without training it. A new family implements ``Family`` and calls ``register_family``.
"""

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
    register_family,
)
from nas_core.spaces.scalars import Categorical, Flag, Integer, Real
from nas_core.spaces.space import SearchSpace, SpaceFeature
from nas_core.spaces.tabular.family import TabularFamily
from nas_core.spaces.tabular.groups import FeatureGroups
from nas_core.spaces.tabular.marks import MonotoneMarks
from nas_core.spaces.tabular.presets import preset_space
from nas_core.spaces.tabular.rules import TabularConstraints
from nas_core.spaces.variables import Context, Edit, Hints, Variable, register_variable

__all__ = [
    "Categorical",
    "Constraints",
    "Context",
    "Edit",
    "Family",
    "FeatureGroups",
    "Flag",
    "Hints",
    "Integer",
    "MonotoneMarks",
    "Real",
    "Rejection",
    "SearchSpace",
    "SignalFamily",
    "SpaceFeature",
    "SpaceSize",
    "StructuralFacts",
    "TabularConstraints",
    "TabularFamily",
    "Variable",
    "facts",
    "families_for",
    "family_named",
    "family_names",
    "graph",
    "preset_space",
    "register_family",
    "register_variable",
]
