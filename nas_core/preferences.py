"""What a person wants: how much interpretability counts against accuracy, and which measures make it up.

A preference never changes what was measured. It turns the measures of a candidate into one number to show
(:func:`interpretability`) and one number to steer and rank by (:func:`tchebycheff`), so a new preference re-ranks the
archive without training anything again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import Field, field_validator

from nas_core.errors import SettingsError
from nas_core.records import Record

__all__ = ["STRUCTURE_MEASURES", "Preference", "interpretability", "tchebycheff"]

STRUCTURE_MEASURES = (
    "feature_parsimony",
    "interaction_sparsity",
    "additivity",
    "main_effect_simplicity",
    "monotone_share",
    "operation_economy",
)
"""The measures of a table, in the order they are shown."""

FLOOR = 0.01
"""ε of the geometric mean: one useless measure makes the mean small, not zero, so candidates stay comparable."""

AUGMENTATION = 0.05
"""Share of the plain weighted sum in the Tchebycheff scalar: it breaks ties in favour of Pareto optimal candidates."""


class Preference(Record):
    """How much interpretability counts (λ), and what it is made of.

    Attributes:
        weight: λ in [0, 1]: 0 = accuracy only, 1 = interpretability only.
        measures: Weight of each measure by name, not negative; stored so that they sum to 1. Empty: all measures that
            are there count the same.

    Raises:
        SettingsError: λ is not a number in [0, 1]; a measure weight is negative or not finite; all are zero.
    """

    weight: float = 0.5
    measures: dict[str, float] = Field(default_factory=dict)

    @field_validator("weight", mode="before")
    @classmethod
    def _weight_in_unit_interval(cls, value: Any) -> float:
        number = _number(value)
        if not 0.0 <= number <= 1.0:
            raise SettingsError(
                f"The weight of interpretability λ is {value!r}",
                allowed="a number from 0 (accuracy only) to 1 (interpretability only)",
                fix="choose a λ between 0 and 1, for example 0.5",
            )
        return number

    @field_validator("measures", mode="before")
    @classmethod
    def _measures_normalised(cls, value: Any) -> dict[str, float]:
        if not isinstance(value, Mapping):
            raise SettingsError(
                f"The measure weights are {value!r}",
                allowed="a mapping from measure names to weights",
                fix='write for example {"feature_parsimony": 1, "additivity": 2}',
            )
        weights = {str(name): _measure_weight(str(name), weight) for name, weight in value.items()}
        if not weights:
            return weights
        total = math.fsum(weights.values())
        if total <= 0.0:
            raise SettingsError(
                f"The weights of all measures are zero ({', '.join(weights)})",
                allowed="at least one weight above zero",
                fix="give at least one measure a positive weight",
            )
        # Weights that already sum to 1 stay as they are, so that a round trip through JSON changes nothing.
        return weights if abs(total - 1.0) < 1e-12 else {name: weight / total for name, weight in weights.items()}

    def vector(self, names: Sequence[str]) -> np.ndarray:
        """Return the weights of ``names`` as float64 (M,): equal ones, or zero for a measure without a weight.

        Raises:
            SettingsError: A measure with a positive weight is not among ``names``.
        """
        if not self.measures:
            return np.full(len(names), 1.0 / max(1, len(names)))
        unknown = [name for name, weight in self.measures.items() if weight > 0.0 and name not in names]
        if unknown:
            raise SettingsError(
                f"There is a weight for {', '.join(repr(name) for name in unknown)}, which is not measured here",
                allowed=", ".join(names) or "no measure",
                fix="drop the weight, or add the measure to the problem",
            )
        return np.array([self.measures.get(name, 0.0) for name in names], dtype=np.float64)


def interpretability(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted geometric mean of the measures of each candidate, scaled so that all ones give 1.

    Π ((ε + s_i) / (ε + 1))^(w_i / Σw), ε = 0.01. Unlike an arithmetic mean, one perfect score cannot buy off a useless
    one. An undefined measure (NaN) is left out and the other weights grow in proportion.

    Args:
        scores: (n, M), each in [0, 1] or NaN.
        weights: (M,), not negative.

    Returns:
        (n,) in [ε/(1+ε), 1]; NaN where no weighted measure is defined.
    """
    scores = np.asarray(scores, dtype=np.float64)
    present = np.where(np.isnan(scores), 0.0, np.asarray(weights, dtype=np.float64))
    logs = np.log((FLOOR + np.where(np.isnan(scores), 1.0, scores)) / (1.0 + FLOOR))
    total = present.sum(axis=1)
    mean = (present * logs).sum(axis=1) / np.where(total > 0.0, total, 1.0)
    return np.where(total > 0.0, np.exp(mean), np.nan)


def tchebycheff(losses: np.ndarray, weight: float) -> np.ndarray:
    """Return the augmented Tchebycheff scalar of each candidate at λ; smaller is better.

    max(w·l) + 0.05·Σ w·l with w = (1 − λ, λ). Unlike a weighted sum it also reaches the non-convex parts of a front
    (Steuer and Choo 1983).

    Args:
        losses: (n, 2), columns performance loss and interpretability loss; NaN stays NaN.
        weight: λ in [0, 1].
    """
    weighted = np.asarray(losses, dtype=np.float64) * np.array([1.0 - weight, weight])
    return weighted.max(axis=1) + AUGMENTATION * weighted.sum(axis=1)


def _number(value: Any) -> float:
    """Return ``value`` as a float, NaN when it is not a number (text and booleans are not)."""
    if isinstance(value, bool | str):
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _measure_weight(name: str, value: Any) -> float:
    number = _number(value)
    if not (math.isfinite(number) and number >= 0.0):
        raise SettingsError(
            f"The weight of the measure {name!r} is {value!r}",
            allowed="a finite number, zero or more",
            fix="use 0 to leave the measure out, or a positive weight",
        )
    return number
