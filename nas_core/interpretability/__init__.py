"""Measures of interpretability: properties of a candidate as scores in [0, 1], 1 = interpretable.

``base`` says what a measure is, ``registry`` lists them, ``structure`` and ``effect_measures`` hold them. ``grid``,
``effects`` and ``complexity`` are the mathematics of first-order accumulated local effects: general (any function that
predicts) and batched over a pack. ``usage`` counts the features of a model whose structure does not tell.
"""

from nas_core.interpretability.base import (
    Advice,
    Measure,
    MeasureContext,
    MeasuredCandidate,
    PackModel,
    generic_deltas,
)
from nas_core.interpretability.effects import Effects, accumulate_effects, effects_of, prediction_deltas
from nas_core.interpretability.grid import Grid, effect_grid
from nas_core.interpretability.registry import DEFAULT_MEASURES, MEASURES, measure_named, measure_pack, undefined
from nas_core.interpretability.usage import used_features

__all__ = [
    "DEFAULT_MEASURES",
    "MEASURES",
    "Advice",
    "Effects",
    "Grid",
    "Measure",
    "MeasureContext",
    "MeasuredCandidate",
    "PackModel",
    "accumulate_effects",
    "effect_grid",
    "effects_of",
    "generic_deltas",
    "measure_named",
    "measure_pack",
    "prediction_deltas",
    "undefined",
    "used_features",
]
