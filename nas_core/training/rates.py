"""How the learning rate of a signal network goes over its training."""

from __future__ import annotations

import math

__all__ = ["rate_factor"]

WARM_UP, START = 0.15, 0.05


def rate_factor(schedule: str, step: int, steps: int) -> float:
    """Return what the candidate's learning rate is multiplied with at ``step`` (from 0) of ``steps``.

    ``constant`` is 1. ``one_cycle`` climbs from 0.05 to 1 over the first 15 % of the steps, then falls along half a
    cosine to 0: a high rate in between finds wide minima, its end settles in them.

    Source: Smith & Topin (2019), Super-convergence, arXiv 1708.07120.
    Differs: momentum stays as it is.
    """
    if schedule == "constant":
        return 1.0
    climb = WARM_UP * steps
    if step < climb:
        return START + (1 - START) * step / climb
    return 0.5 * (1 + math.cos(math.pi * (step - climb) / max(1.0, steps - climb)))
