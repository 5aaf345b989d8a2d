"""The band of a curve over refits of the same network, as pictures need it.

Units: as the curve's, log-odds or the target's unit. Letters: M values of the feature.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.texts import text
from dashboard.views.words import count, duration, number, percent

if TYPE_CHECKING:
    from nas_core.audit.shape_bands import Refits, ShapeBand

__all__ = ["RefitBand", "refit_band", "refit_words"]


@dataclass(frozen=True, eq=False)
class RefitBand:
    """A pointwise 95 % band over refits.

    Attributes:
        x: (M,) values; positions 0 … M − 1 of the levels of a category.
        low, high: (M,) its ends.
        missing: Its ends for a missing value; None where there are none.
        half: Half its width, the mean over the values.
        share: The same as a share of the range of the curve; None where the curve is flat.
    """

    x: np.ndarray
    low: np.ndarray
    high: np.ndarray
    missing: tuple[float, float] | None
    half: float
    share: float | None


def refit_band(band: ShapeBand, output: int, *, category: bool) -> RefitBand:
    """Return the band of one output."""
    low, high, y = (values[:, output] for values in (band.low, band.high, band.effect))
    half, span = float((high - low).mean() / 2) if len(y) else 0.0, float(np.ptp(y)) if len(y) else 0.0
    gone = None if band.missing is None else (float(band.missing[0, output]), float(band.missing[1, output]))
    x = np.arange(len(y), dtype=float) if category else band.grid
    return RefitBand(x, low, high, gone, half, half / span if span > 0 else None)


def refit_words(refits: Refits, unit: str, band: RefitBand | None = None) -> str:
    """Return what the band is and how wide, in words; without a band, what all bands are."""
    made = text("refits.about", refits=len(refits.networks), rows=count(len(refits.candidate.problem.train)),
                seconds=duration(refits.seconds))  # fmt: skip
    parts = [made]
    if band is not None and band.share is not None:
        parts.append(text("refits.width", half=number(band.half, 2), unit=unit, share=percent(band.share)))
    if refits.lost:
        parts.append(text("refits.lost", lost=len(refits.lost)))
    return text("refits.joined").join([*parts, text("refits.limits")])
