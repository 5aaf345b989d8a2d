"""Shape functions: what a feature that is alone in its group adds to the output, drawn over its values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nas_core.explanations.base import default_background
from nas_core.explanations.candidate import FeatureGroup, TrainedCandidate

__all__ = ["ShapeFunction", "histogram", "numeric_grid", "shape_functions"]

POINTS = 100
BINS = 20


@dataclass(frozen=True)
class ShapeFunction:
    """The effect of one feature alone in its group: exact, the whole of its influence.

    Attributes:
        feature, name, kind: Which feature; ``numeric`` or ``categorical``.
        grid: (M,) raw values, increasing; category codes for a category.
        levels: Names of the M categories; empty for a number.
        effect: (M, C) f_g − its mean over the background, in logits or the unit of the target.
        missing: (C,) the effect of a missing value; None when the training rows have none.
        edges, counts: (Q + 1,), (Q,) histogram of the training values; for a category, counts per level and no edges.
    """

    feature: int
    name: str
    kind: str
    grid: np.ndarray
    levels: tuple[str, ...]
    effect: np.ndarray
    missing: np.ndarray | None
    edges: np.ndarray
    counts: np.ndarray

    @property
    def span(self) -> float:
        """Largest minus smallest effect over the grid, the widest of the outputs."""
        return float(np.ptp(self.effect, axis=0).max(initial=0.0))


def shape_functions(
    candidate: TrainedCandidate, background: np.ndarray | None = None, *, points: int = POINTS
) -> tuple[ShapeFunction, ...]:
    """Return the shape functions of all features alone in their group, the widest first.

    The effect at a value is the exact SHAP value of the feature for any row with that value.
    """
    against = default_background(candidate.problem) if background is None else np.asarray(background, float)
    alone = [g for g in candidate.groups if len(g.features) == 1]
    return tuple(sorted((_shape(candidate, g, against, points) for g in alone), key=lambda s: -s.span))


def _shape(candidate: TrainedCandidate, group: FeatureGroup, background: np.ndarray, points: int) -> ShapeFunction:
    """Return the shape function of one group of one feature."""
    (j,) = group.features
    spec = candidate.problem.dataset.features[j]
    raw = candidate.problem.train.raw[:, j]
    known = raw[~np.isnan(raw)]
    categorical = spec.kind == "categorical"
    grid = np.unique(known) if categorical else numeric_grid(known, points)

    def effect(values: np.ndarray) -> np.ndarray:
        return candidate.group_effect(group.index, candidate.encode({j: values}, len(values)))

    centre = effect(background[:, j]).mean(0)
    missing = effect(np.array([np.nan]))[0] - centre if candidate.problem.encoder.has_indicator[j] else None
    if categorical:
        edges, counts = np.zeros(0), np.array([np.sum(known == code) for code in grid])
    else:
        counts, edges = histogram(known)
    levels = tuple(spec.levels[int(code)] for code in grid) if categorical else ()
    return ShapeFunction(j, spec.name, spec.kind, grid, levels, effect(grid) - centre, missing, edges, counts)


def numeric_grid(values: np.ndarray, points: int) -> np.ndarray:
    """Return increasing values over the range: half evenly spaced, half at quantiles, where the rows are."""
    if not len(values):
        return np.zeros(1)
    even = np.linspace(values.min(), values.max(), points // 2)
    return np.unique(np.concatenate((even, np.quantile(values, np.linspace(0, 1, points - points // 2)))))


def histogram(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (counts, edges) of up to BINS equal bins."""
    if not len(values) or values.min() == values.max():
        at = float(values[0]) if len(values) else 0.0
        return np.array([len(values)]), np.array([at, at])
    counts, edges = np.histogram(values, bins=BINS)
    return counts, edges
