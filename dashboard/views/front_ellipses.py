"""95 % ellipses of the points of the front: where both quantities of a candidate lie together.

k points.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from dashboard.texts import text
from dashboard.views.front_axes import Axis

__all__ = ["WIDER", "ellipses", "no_ellipses"]

LEVEL = 0.95
Z = 1.959963984540054
"""Half the width of a 95 % interval of a normal quantity, in standard errors."""
WIDER = math.sqrt(-2.0 * math.log(1.0 - LEVEL)) / Z
"""What the semi-axis of the joint region is of half the width of an interval: 1.249."""
DIGITS = 5


def ellipses(axes: Sequence[Axis], at: np.ndarray, numbers: np.ndarray) -> tuple[tuple[float, ...], ...]:
    """Return the joint 95 % regions of the points ``at``: number, and where they end to each side of each axis.

    The two quantities count as independent and normal: with standard errors s, the sum of the squares of (value −
    centre) / s is χ² with 2 degrees of freedom, whose 95 % quantile is −2 ln 0.05; the arm of a 95 % interval is 1.96 s
    long. So the region is an ellipse whose semi-axes, √(−2 ln 0.05) s, are 1.249 times the arms. It is wider than the
    interval on each axis: it holds both values at once in 95 % of repetitions. Where the arms of an interval differ,
    each side has its own: the ellipse is put together of four quarters around the point. It may reach over what is
    possible (a ROC AUC above 1), and is drawn as far as that.

    Source: Johnson & Wichern (2007), Applied Multivariate Statistical Analysis, 6th ed., section 4.2; an arm for each
        side as in Zou & Donner (2008), Statistics in Medicine 27.

    Args:
        axes: The two axes, with their intervals.
        at: (k,) positions of points; one without an interval on either axis has no ellipse.
        numbers: (n,) the candidates' numbers.

    Returns:
        A row for each: number, lowest x, highest x, lowest y, highest y.
    """
    if _no_room(axes):
        return ()
    ends = [axis.values[at] + WIDER * (end[at] - axis.values[at]) for axis in axes for end in (axis.low, axis.high)]
    rows = np.round(np.column_stack(ends), DIGITS)
    there = (rows[:, 1] > rows[:, 0]) & (rows[:, 3] > rows[:, 2])  # NaN is not
    return tuple((float(numbers[k]), *map(float, row)) for k, row in zip(at[there], rows[there]))


def _no_room(axes: Sequence[Axis]) -> bool:
    """Return whether these axes have no ellipses: three, or one that is counted and not estimated."""
    return len(axes) != 2 or not all(axis.uncertain for axis in axes)


def no_ellipses(axes: Sequence[Axis]) -> str:
    """Return why no point has an ellipse, as a sentence."""
    if len(axes) != 2:
        return text("front.ellipses_space")
    exact = next((axis.name for axis in axes if not axis.uncertain), None)
    return text("front.ellipses_none") if exact is None else text("front.ellipses_exact", name=exact)
