"""Measures of interpretability: properties of a candidate as scores in [0, 1], 1 = interpretable.

``base`` says what a measure is, ``registry`` lists them, ``structure`` and ``effect_measures`` hold them. ``grid``,
``effects`` and ``complexity`` are the mathematics of first-order accumulated local effects: general (any function that
predicts) and batched over a pack. ``cells`` makes patches, steps and words features like any other, ``cell_effects``
and ``masks`` are the mathematics of their effects and of local fits, ``networks`` runs their networks and ``budget``
says how often. ``usage`` counts the features of a model whose structure does not tell.
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
    "undefined",
    "used_features",
]
