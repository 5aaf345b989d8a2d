"""The values of one row as bars from zero, for methods whose values do not add up to the output."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dashboard.views.attributions import AttributionView
from nas_core.explanations import Attribution

__all__ = ["Contributions", "contributions"]

NORMAL_95 = 1.96


@dataclass(frozen=True)
class Contributions:
    """The features of one row by the size of their values, the largest first.

    Attributes:
        names, texts: Of the features, and their values in this row as a person reads them.
        values: Signed, or sizes without a sign.
        margins: Half the 95 % interval of each; 0 where it is not sampled.
        hidden: Features with smaller values that are left out.
        unit: Of the values.
        signed: Whether they say in which direction a feature moves the output.
    """

    names: tuple[str, ...]
    texts: tuple[str, ...]
    values: np.ndarray
    margins: np.ndarray
    hidden: int
    unit: str
    signed: bool


def contributions(view: AttributionView, attribution: Attribution, position: int, top: int = 12) -> Contributions:
    """Return the ``top`` values of the row at ``position`` of a view of one output of an attribution."""
    values = view.values[position]
    order = [j for j in np.argsort(-np.abs(values), kind="stable") if values[j] != 0.0]
    errors = np.zeros_like(attribution.values) if attribution.errors is None else attribution.errors
    output = attribution.output_names.index(view.output)
    shown = order[:top]
    return Contributions(
        tuple(view.names[j] for j in shown), tuple(view.texts[position][j] for j in shown), values[shown],
        NORMAL_95 * errors[position, shown, output], len(order) - len(shown), view.unit,
        attribution.signed,
    )  # fmt: skip
