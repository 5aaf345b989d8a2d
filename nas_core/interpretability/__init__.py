"""Measures of interpretability: properties of a candidate as scores in [0, 1], 1 = interpretable.

``base`` says what a measure is, ``registry`` lists them; ``structure`` and the files named ``…_measures`` hold them.
``grid``, ``effects`` and ``complexity`` are the mathematics of first-order accumulated local effects: general (any
function that predicts) and batched over a pack; ``effect_noise`` says how much other rows would change them. ``cells``
makes patches, steps and words features like any other, ``cell_effects`` and ``masks`` are the mathematics of their
effects and of local fits, ``networks`` runs their networks and ``budget`` says how often. ``trees`` are surrogate
trees, ``tree_pack`` those of a pack, ``agreement`` is how well they do it. ``held_out`` chooses the rows, ``intervals``
resamples them. ``usage`` counts the features of a model whose structure does not tell.

Any other model: ``model_agnostic`` measures a function that predicts. ``given_rows`` and ``black_box`` read its rows
and ask it, ``standard_order`` makes what is random independent of where rows and features stand, ``dependence`` finds
the features used and those that act together, ``masked_fits`` explains rows, ``function_measures`` puts it together.
"""

from nas_core.interpretability.base import (
    Advice,
    Measure,
    MeasureContext,
    MeasuredCandidate,
    NetworkPack,
    PackModel,
    generic_deltas,
)
from nas_core.interpretability.cell_effects import CellResiduals, cell_residuals
from nas_core.interpretability.cells import column_owner, mixtures
from nas_core.interpretability.effects import Effects, accumulate_effects, effects_of, prediction_deltas
from nas_core.interpretability.grid import Grid, effect_grid
from nas_core.interpretability.registry import DEFAULT_MEASURES, MEASURES, measure_named, measure_pack, undefined
from nas_core.interpretability.trees import SurrogateTree, surrogate_tree
from nas_core.interpretability.usage import used_features

__all__ = [
    "DEFAULT_MEASURES",
    "MEASURES",
    "Advice",
    "CellResiduals",
    "Effects",
    "Grid",
    "Measure",
    "MeasureContext",
    "MeasuredCandidate",
    "NetworkPack",
    "PackModel",
    "SurrogateTree",
    "accumulate_effects",
    "cell_residuals",
    "column_owner",
    "effect_grid",
    "effects_of",
    "generic_deltas",
    "measure_named",
    "measure_pack",
    "mixtures",
    "prediction_deltas",
    "surrogate_tree",
    "undefined",
    "used_features",
]
