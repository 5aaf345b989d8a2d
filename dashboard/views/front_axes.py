"""Quantities that can be axes of the front: where candidates lie on them, and which way is better.

n candidates, M measures. Every axis ends with its better end: up and to the right is better, whatever is chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.texts import spoken, text
from dashboard.views.card import measure_label

if TYPE_CHECKING:
    from nas_core.evaluation.baselines import Baseline
    from nas_core.objectives import Objective
    from nas_core.search import Ranking, Snapshot

__all__ = ["COSTS", "FAMILY", "Axis", "axis_keys", "axis_label", "axis_of", "axis_range", "baseline_value"]

COSTS = ("parameters", "operations", "seconds")
"""Columns of the archive of which less is better."""
FAMILY = "family_"
"""What the key of a family's score begins with."""
SCORE_RANGE = (-0.02, 1.03)


@dataclass(frozen=True)
class Axis:
    """One quantity of the candidates of an archive.

    Attributes:
        key: See :func:`axis_keys`.
        label: Title of the axis; says so where smaller is better.
        name: What the quantity is called in a sentence.
        values: (n,) in the quantity's own unit; NaN for a candidate that is not eligible or has none.
        losses: (n,) smaller is better.
        low, high: (n,) its 95 % interval; the values themselves where there is none, or nobody asked.
        log: Whether the axis is logarithmic.
        uncertain: Whether it has intervals.
        maximise: Whether larger values are better.
        goal: Name of the goal that can be set on it; empty where none can.
        bounds: What a goal can be; None for no bound.
    """

    key: str
    label: str
    name: str
    values: np.ndarray
    losses: np.ndarray
    low: np.ndarray
    high: np.ndarray
    log: bool
    uncertain: bool
    maximise: bool
    goal: str
    bounds: tuple[float | None, float | None]


def axis_keys(names: Sequence[str]) -> tuple[str, ...]:
    """Return what can be an axis of an archive with the measures ``names``: two, families, measures, costs."""
    from nas_core.preferences import MEASURE_FAMILIES

    families = dict.fromkeys(MEASURE_FAMILIES[name] for name in names if name in MEASURE_FAMILIES)
    some = [FAMILY + family for family in families] if len(families) > 1 else []
    return ("interpretability", "performance", *some, *names, *COSTS)


def axis_label(key: str, objective: Objective) -> str:
    """Return what a person reads for a quantity."""
    if key == "performance":
        return spoken(objective.label)
    if key == "interpretability":
        return text("run.front_x")
    if key.startswith(FAMILY):
        return text("front.family", family=text(f"weights.{key.removeprefix(FAMILY)}"))
    return text(f"front.axis_{key}") if key in COSTS else measure_label(key)


def axis_of(key: str, archive: Snapshot, ranking: Ranking, *, intervals: bool = False) -> Axis:
    """Return one quantity of all candidates of ``archive``, weighed as in ``ranking``.

    Args:
        key: One of :func:`axis_keys`.
        archive: The candidates.
        ranking: Of these, under the preference in force.
        intervals: Whether ``low`` and ``high`` are wanted; they are the values otherwise.
    """
    values, low, high = _values(key, archive, ranking, intervals)
    values = np.where(np.isnan(ranking.interpretability), np.nan, values)
    known = values[~np.isnan(values)]
    objective, cost = archive.objective, key in COSTS
    maximise = not cost and (key != "performance" or objective.maximise)
    losses = archive.performance_loss if key == "performance" else values if cost else 1.0 - values
    name = axis_label(key, objective)
    goal = "" if cost or key.startswith(FAMILY) else key
    bounds: tuple[float | None, float | None] = (0.0, 1.0)
    if key == "performance":
        bounds = (None, objective.best) if objective.maximise else (objective.best, None)
    return Axis(
        key=key, label=name if maximise else text("run.smaller", metric=name), name=name, values=values,
        losses=np.where(np.isnan(values), np.nan, losses), low=low, high=high,
        log=cost and len(known) > 0 and float(known.min()) > 0.0, uncertain=not cost, maximise=maximise, goal=goal,
        bounds=bounds,
    )  # fmt: skip


def _values(
    key: str, archive: Snapshot, ranking: Ranking, intervals: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a quantity (n,) with the ends of its intervals."""
    from nas_core.preferences import interpretability
    from nas_core.search import mean_interval

    if key in COSTS:
        column = archive.columns[key]
        return column, column, column
    if key == "performance":
        return tuple(archive.columns[f"performance{end}"] for end in ("", "_low", "_high"))  # type: ignore[return-value]
    scores = (archive.measures, archive.measures_low, archive.measures_high)
    if key in archive.names:
        at = archive.names.index(key)
        return scores[0][:, at], scores[1][:, at], scores[2][:, at]
    weights = ranking.preference.vector(archive.names)
    if key.startswith(FAMILY):
        weights = _family_weights(key.removeprefix(FAMILY), archive.names, weights)
    mean = interpretability(scores[0], weights) if key.startswith(FAMILY) else ranking.interpretability
    return (mean, *mean_interval(*scores, weights)) if intervals else (mean, mean, mean)


def _family_weights(family: str, names: Sequence[str], weights: np.ndarray) -> np.ndarray:
    """Return the weights within a family; equal ones where it does not count at present."""
    from nas_core.preferences import MEASURE_FAMILIES

    inside = np.array([MEASURE_FAMILIES.get(name) == family for name in names])
    return np.where(inside, weights, 0.0) if weights[inside].any() else inside.astype(float)


def axis_range(axis: Axis, known: np.ndarray, important: np.ndarray) -> tuple[float, float]:
    """Return what an axis shows before anybody zooms; its second number is the better end.

    Args:
        axis: The axis.
        known: (k,) what lies on it.
        important: (k,) bool, what must be in view: the front, goals, plain models. Of the rest most is.

    Returns:
        Decimal exponents where the axis is logarithmic, steps that do not creep while a run is live.
    """
    if axis.key != "performance" and axis.maximise:
        return SCORE_RANGE
    step = 0.05
    if axis.key != "performance":
        known = np.log10(known) if axis.log else known
        top = float(np.abs(known).max(initial=0.0))
        step = 0.25 if axis.log else 10.0 ** np.floor(np.log10(top / 2)) if top > 0.0 else 1.0
    return _shown_range(known, important, maximise=axis.maximise, step=step)


def _shown_range(known: np.ndarray, important: np.ndarray, *, maximise: bool, step: float) -> tuple[float, float]:
    if not len(known):
        return (0.5, 1.0) if maximise else (1.0, 0.0)
    signed = known if maximise else -known
    low = min(float(signed[important].min(initial=np.inf)), float(np.quantile(signed, 0.1)))
    high = float(signed.max())
    low, high = np.floor(low / step - 0.2) * step, np.ceil(high / step) * step
    shown = float(low), float(high + 0.04 * (high - low))
    return shown if maximise else (-shown[0], -shown[1])


def baseline_value(key: str, baseline: Baseline, names: Sequence[str], ranking: Ranking) -> float:
    """Return where a plain model lies on a quantity, NaN where it is not known of plain models."""
    from nas_core.preferences import interpretability

    if baseline.performance is None or key in COSTS:
        return float("nan")
    if key == "performance":
        return baseline.performance.value
    scores = np.array([[baseline.measures[n].value if n in baseline.measures else None for n in names]], float)
    if key in names:
        return float(scores[0, list(names).index(key)])
    weights = ranking.preference.vector(names)
    if key.startswith(FAMILY):
        weights = _family_weights(key.removeprefix(FAMILY), names, weights)
    return float(interpretability(scores, weights)[0])
