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
from pydantic import Field, ValidationInfo, field_validator

from nas_core.errors import SettingsError
from nas_core.records import Record

__all__ = [
    "FAMILIES",
    "INTERPRETABILITY",
    "MEASURE_FAMILIES",
    "PERFORMANCE",
    "STRUCTURE_MEASURES",
    "Goal",
    "Preference",
    "interpretability",
    "tchebycheff",
]

STRUCTURE_MEASURES = (
    "feature_parsimony",
    "interaction_sparsity",
    "additivity",
    "main_effect_simplicity",
    "monotone_share",
    "operation_economy",
)
"""The measures of a table, in the order they are shown."""

FAMILIES = ("structure", "summary", "explanation")
"""What measures look at: how a network is built, how well something simple sums it up, how it is explained."""

MEASURE_FAMILIES: dict[str, str] = {
    **dict.fromkeys(STRUCTURE_MEASURES, "structure"),
    **dict.fromkeys(("tree_fidelity", "decision_path", "local_additive_fidelity"), "summary"),
    **dict.fromkeys(
        ("attribution_sparsity", "explainer_agreement", "explanation_stability", "introspectability"), "explanation"
    ),
}
"""The family of each measure by name."""

FLOOR = 0.01
"""ε of the geometric mean: one useless measure makes the mean small, not zero, so candidates stay comparable."""

AUGMENTATION = 0.05
"""Share of the plain weighted sum in the Tchebycheff scalar: it breaks ties in favour of Pareto optimal candidates."""

PERFORMANCE, INTERPRETABILITY = "performance", "interpretability"
"""What a goal may be set for beside single measures."""


class Goal(Record):
    """A line that a candidate has to reach before anything else about it counts.

    Attributes:
        name: ``performance``, ``interpretability`` (the weighted mean of the measures), or a measure.
        value: For performance a value of the metric, to be reached or bettered in the metric's own direction; for the
            others a score in [0, 1], at least.

    Raises:
        SettingsError: The value is not a finite number, or a score is not in [0, 1]; the name is no text.
    """

    name: str
    value: float

    @field_validator("name", mode="before")
    @classmethod
    def _named(cls, value: Any) -> str:
        if not isinstance(value, str) or not value:
            raise SettingsError(
                f"A goal is set for {value!r}",
                allowed=f"{PERFORMANCE}, {INTERPRETABILITY}, or the name of a measure",
                fix='write for example {"name": "performance", "value": 0.9}',
            )
        return value

    @field_validator("value", mode="before")
    @classmethod
    def _reachable(cls, value: Any, info: ValidationInfo) -> float:
        name, number = info.data.get("name", ""), _number(value)
        if not math.isfinite(number) or (name != PERFORMANCE and not 0.0 <= number <= 1.0):
            raise SettingsError(
                f"The goal for {name} is {value!r}",
                allowed="a finite number" if name == PERFORMANCE else "a score from 0 to 1, where 1 is interpretable",
                fix="set a goal such as 0.9, or none",
            )
        return number


class Preference(Record):
    """How much interpretability counts (λ), what it is made of, and which lines have to be reached first.

    Attributes:
        weight: λ in [0, 1]: 0 = accuracy only, 1 = interpretability only.
        measures: Weight of each measure by name, not negative; stored so that they sum to 1. Empty: all measures that
            are there count the same.
        families: Weight of each family by name, not negative; stored so that they sum to 1. Empty: measures are
            weighed against one another without regard to families. Otherwise a measure counts its family's share times
            its own share within the family (one simplex between the families, one within each), so that a family does
            not gain by having many measures. A family that is not named does not count; one whose measures are not
            weighed counts them the same.
        goals: Lines to reach, each name once. A candidate that reaches them all comes before every one that does not,
            whatever λ is; of those that do not, the one that misses them by least is the best.

    Raises:
        SettingsError: λ is not a number in [0, 1]; a weight is negative or not finite; all are zero; no such family;
            two goals for the same.
    """

    weight: float = 0.5
    measures: dict[str, float] = Field(default_factory=dict)
    families: dict[str, float] = Field(default_factory=dict)
    goals: tuple[Goal, ...] = ()

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
        return _simplex(value, "measure", '{"feature_parsimony": 1, "additivity": 2}')

    @field_validator("families", mode="before")
    @classmethod
    def _families_normalised(cls, value: Any) -> dict[str, float]:
        weights = _simplex(value, "family", '{"structure": 2, "explanation": 1}')
        if unknown := [name for name in weights if name not in FAMILIES]:
            raise SettingsError(
                f"There is no family of measures {unknown[0]!r}",
                allowed=", ".join(FAMILIES),
                fix="weigh one of these, or single measures",
            )
        return weights

    @field_validator("goals")
    @classmethod
    def _goals_differ(cls, value: tuple[Goal, ...]) -> tuple[Goal, ...]:
        names = [goal.name for goal in value]
        if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
            raise SettingsError(
                f"There are {names.count(twice[0])} goals for {twice[0]}",
                allowed="one goal for each",
                fix="keep the one that is harder to reach",
            )
        return value

    def vector(self, names: Sequence[str]) -> np.ndarray:
        """Return the weights of ``names`` as float64 (M,), summing to 1; zero for a measure without a weight.

        Families none of whose measures is among ``names`` drop out, and the others share their weight.

        Raises:
            SettingsError: A measure with a positive weight is not among ``names``; families are weighed and a measure
                belongs to none, or to none of those that are left.
        """
        unknown = [name for name, weight in self.measures.items() if weight > 0.0 and name not in names]
        if unknown:
            raise SettingsError(
                f"There is a weight for {', '.join(repr(name) for name in unknown)}, which is not measured here",
                allowed=", ".join(names) or "no measure",
                fix="drop the weight, or add the measure to the problem",
            )
        shares = self.shares(names)
        if self.families and names and not shares.any():
            counted = ", ".join(name for name, weight in self.families.items() if weight > 0.0)
            raise SettingsError(
                f"Nothing that is measured here has a weight: only the family {counted} counts",
                allowed=", ".join(dict.fromkeys(MEASURE_FAMILIES[name] for name in names)),
                fix="give a family that is measured a weight",
            )
        return shares

    def shares(self, names: Sequence[str]) -> np.ndarray:
        """Return the weights of ``names`` as float64 (M,), leaving aside weights of what is not among them.

        Raises:
            SettingsError: Families are weighed, and a measure belongs to none.
        """
        if not self.families:
            if not self.measures:
                return np.full(len(names), 1.0 / max(1, len(names)))
            return np.array([self.measures.get(name, 0.0) for name in names], dtype=np.float64)
        weights, homes = np.zeros(len(names)), [_family(name) for name in names]
        for family, share in self.families.items():
            inside = [at for at, home in enumerate(homes) if home == family]
            named = any(MEASURE_FAMILIES.get(name) == family for name in self.measures)
            own = np.array([self.measures.get(names[at], 0.0) if named else 1.0 for at in inside])
            if own.sum() > 0.0:
                weights[inside] = share * own / own.sum()
        total = weights.sum()
        return weights / total if total > 0.0 else weights


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


def _family(measure: str) -> str:
    if measure not in MEASURE_FAMILIES:
        raise SettingsError(
            f"The measure {measure!r} belongs to no family, so the weights of families do not say how much it counts",
            allowed=", ".join(MEASURE_FAMILIES),
            fix="weigh single measures, and no families",
        )
    return MEASURE_FAMILIES[measure]


def _simplex(value: Any, what: str, example: str) -> dict[str, float]:
    """Return weights by name that sum to 1; none where ``value`` is empty."""
    several = {"measure": "measures", "family": "families"}[what]
    if not isinstance(value, Mapping):
        raise SettingsError(
            f"The {what} weights are {value!r}",
            allowed=f"a mapping from {what} names to weights",
            fix=f"write for example {example}",
        )
    weights = {str(name): _share(what, str(name), weight) for name, weight in value.items()}
    if not weights:
        return weights
    total = math.fsum(weights.values())
    if total <= 0.0:
        raise SettingsError(
            f"The weights of all {several} are zero ({', '.join(weights)})",
            allowed="at least one weight above zero",
            fix=f"give at least one {what} a positive weight",
        )
    # Weights that already sum to 1 stay as they are, so that a round trip through JSON changes nothing.
    return weights if abs(total - 1.0) < 1e-12 else {name: weight / total for name, weight in weights.items()}


def _share(what: str, name: str, value: Any) -> float:
    number = _number(value)
    if not (math.isfinite(number) and number >= 0.0):
        raise SettingsError(
            f"The weight of the {what} {name!r} is {value!r}",
            allowed="a finite number, zero or more",
            fix=f"use 0 to leave the {what} out, or a positive weight",
        )
    return number
