"""The band of a curve over refits, drawn behind it."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from dashboard.theme import Palette
from dashboard.views.refit_bands import RefitBand

__all__ = ["add_refit_band", "refit_bars"]


def add_refit_band(figure: go.Figure, band: RefitBand, colours: Palette) -> None:
    """Draw the band of a number as a grey ribbon with dashed edges, so that it is told from a band over rows."""
    red, green, blue = (int(colours.muted[i : i + 2], 16) for i in (1, 3, 5))
    figure.add_trace(go.Scatter(
        x=np.concatenate((band.x, band.x[::-1])), y=np.concatenate((band.high, band.low[::-1])), mode="lines",
        fill="toself", fillcolor=f"rgba({red},{green},{blue},0.16)", hoverinfo="skip", meta="refits",
        line={"width": 1, "color": colours.muted, "dash": "dash"},
    ))  # fmt: skip


def refit_bars(band: RefitBand, y: np.ndarray, colours: Palette) -> dict[str, Any]:
    """Return the band of a category as error bars around ``y`` (M,)."""
    return {"type": "data", "symmetric": False, "array": band.high - y, "arrayminus": y - band.low,
            "color": colours.ink, "thickness": 1.2, "width": 3, "visible": True}  # fmt: skip
