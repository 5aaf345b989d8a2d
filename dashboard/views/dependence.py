"""The value of a feature beside what it adds, row by row, coloured by the feature that it acts together with most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.views.attributions import colour_shares

if TYPE_CHECKING:
    from dashboard.views.attributions import AttributionView
    from nas_core.data import Dataset

__all__ = ["DependenceView", "dependence"]

JITTER = 0.22


@dataclass(frozen=True, eq=False)
class DependenceView:
    """The rows of one feature, n of them.

    Attributes:
        name: Of the feature; ``partner`` is the name of the one that colours, empty where there is none.
        x: (n,) values; positions 0 … L − 1 of levels, spread a little; NaN where missing.
        y: (n,) attributions.
        low, high: (n,) their 95 % intervals where they are sampled, else ``y``.
        colour: (n,) where the partner's value lies between its 5th (0) and 95th (1) percentile; NaN where missing.
        levels: Names of the levels of a category, empty for a number.
        texts, partner_texts: Both values as a person reads them.
        rows: (n,) data-set rows.
        missing: Rows whose value is missing; their attribution is drawn at the left edge.
        unit: Of the attributions.
    """

    name: str
    partner: str
    x: np.ndarray
    y: np.ndarray
    low: np.ndarray
    high: np.ndarray
    colour: np.ndarray
    levels: tuple[str, ...]
    texts: tuple[str, ...]
    partner_texts: tuple[str, ...]
    rows: np.ndarray
    missing: int
    unit: str


def dependence(
    view: AttributionView, dataset: Dataset, feature: int, partner: int | None, errors: np.ndarray | None = None
) -> DependenceView:
    """Return the dependence of one feature; ``errors`` (n, P) are standard errors of sampled attributions."""
    spec = dataset.features[feature]
    values, y = view.data[:, feature], view.values[:, feature]
    x = values.astype(float).copy()
    if spec.kind == "categorical":
        x += JITTER * _spread(len(x))
    half = np.zeros(len(y)) if errors is None else 1.96 * errors[:, feature]
    named = "" if partner is None else view.names[partner]
    colour = np.full(len(y), 0.5) if partner is None else colour_shares(view.data[:, partner])
    own = tuple(row[feature] for row in view.texts)
    theirs = tuple("" if partner is None else row[partner] for row in view.texts)
    return DependenceView(view.names[feature], named, x, y, y - half, y + half, colour, spec.levels, own, theirs,
                          view.rows, int(np.isnan(values).sum()), view.unit)  # fmt: skip


def _spread(n: int) -> np.ndarray:
    """Return offsets in (−1, 1) that never put neighbours close together, the same for the same number of rows."""
    golden = 0.6180339887498949
    return 2 * ((np.arange(1, n + 1) * golden) % 1.0) - 1
