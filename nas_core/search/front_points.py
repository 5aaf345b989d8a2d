"""Points of a front of two losses that a person asks about: its knee, and those that no weight ever chooses."""

from __future__ import annotations

import numpy as np

from nas_core.search.fronts import non_dominated
from nas_core.search.ranking import front_scale, winners

__all__ = ["knee", "unsupported"]

ROUNDING = 1e-12
"""Points whose distances differ by less are equally far: on a straight front all are."""


def knee(losses: np.ndarray) -> int | None:
    """Return the position of the front's knee, where a little more of one loss stops buying much of the other.

    The point farthest below the line through the two ends of the front, both losses measured on the front's own range.
    Where the front bulges the other way, or has two points, that is one of its ends; of points that are equally far the
    first.

    Source: Das (1999), Structural Optimization 18, the bend of the boundary; Branke et al. (2004), PPSN VIII.

    Args:
        losses: (n, 2), smaller is better; rows with NaN are on no front.

    Returns:
        None where there is no front.
    """
    losses = np.asarray(losses, dtype=np.float64)
    front = np.flatnonzero(non_dominated(losses))
    if front.size == 0:
        return None
    ideal, span = front_scale(losses[front])
    below = 1.0 - ((losses[front] - ideal) / span).sum(axis=1)  # √2 times the distance from the line of the ends
    return int(front[np.argmax(below >= below.max() - ROUNDING)])


def unsupported(losses: np.ndarray) -> np.ndarray:
    """Return the mask (n,) of the front points that rank first for no λ, as :func:`winners` knows.

    A point equal to one that wins is as good, and is not unsupported. The augmented Tchebycheff scalar reaches also the
    parts of a front that bulge away from the ideal, so these are few: points that are almost dominated.

    Source: Steuer and Choo (1983). Differs: in integer programming points are called unsupported that no weighted *sum*
        makes first; here it is the scalar that candidates are ranked by.

    Args:
        losses: (n, 2), smaller is better; rows with NaN are on no front.
    """
    losses = np.asarray(losses, dtype=np.float64)
    mask = non_dominated(losses)
    front = np.flatnonzero(mask)
    for winner in winners(losses):
        mask[front] &= (losses[front] != losses[winner.position]).any(axis=1)
    return mask
