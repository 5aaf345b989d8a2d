"""How the hypervolume of a run grew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from nas_core.search import Archive

__all__ = ["HypervolumeView", "hypervolume_view"]

POINTS = 600
"""Points of the curve that are drawn; a step that nobody could see is left out."""


@dataclass(frozen=True)
class HypervolumeView:
    """The curve as steps.

    Attributes:
        candidates: (m,) number of candidates.
        volume: (m,) hypervolume after so many, in [0, 1].
        floor: Hypervolume of the model without features alone; None when unknown.
        last: The present value.
    """

    candidates: np.ndarray
    volume: np.ndarray
    floor: float | None
    last: float


def hypervolume_view(archive: Archive, count: int | None = None) -> HypervolumeView:
    """Return the hypervolume curve of ``archive``, of its first ``count`` candidates, thinned to what can be seen."""
    curve = archive.hypervolume_curve()[:count]
    row = archive.snapshot().floor()
    floor = None if row is None else float(np.prod(1.0 - row))
    if not len(curve):
        return HypervolumeView(np.zeros(0, dtype=int), curve, floor, floor or 0.0)
    at = np.unique(np.linspace(0, len(curve) - 1, min(len(curve), POINTS)).astype(int))
    return HypervolumeView(at + 1, curve[at], floor, float(curve[-1]))
