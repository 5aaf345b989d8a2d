"""The live Pareto front as bytes for the ``live_front`` element: six bytes a candidate instead of a figure's JSON.

Coordinates travel as 16-bit fractions of the range of the data (an error of 1/131,070 of it, far below a pixel),
numbers as steps from one candidate to the next.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict
from typing import Any

import numpy as np

from dashboard.theme import DARK, LIGHT, Palette
from dashboard.views.front import FrontView

__all__ = ["MISSES", "ON_FRONT", "OUTSIDE", "RECENT", "front_payload"]

ON_FRONT, RECENT, MISSES, OUTSIDE = 1, 2, 4, 8


def front_payload(view: FrontView) -> bytes:
    """Return the bytes that ``front.js`` draws: uint32 length, JSON header, then x, y, number and flags of n points.

    Costs 6n bytes and a header of about 2 kB; 9n where numbers are more than 255 apart.
    """
    x, x_data = _fractions(view.interpretability)
    y, y_data = _fractions(view.performance)
    steps = np.diff(view.numbers.astype(np.int64), prepend=0)
    small = not len(steps) or bool(steps.min() >= 0 and steps.max() <= 255)
    numbers = steps.astype(np.uint8) if small else view.numbers.astype("<u4")
    header: dict[str, Any] = {
        "count": len(view.numbers),
        "step": 1 if small else 4,
        "revision": view.run,
        "x": {"label": view.x_label, "data": x_data, "range": list(view.x_range), "format": ".2~f"},
        "y": {"label": view.y_label, "data": y_data, "range": list(view.y_range), "format": ".3~f"},
        "best": view.best,
        "selected": view.selected,
        "floors": [asdict(floor) for floor in view.floors],
        "plain": [asdict(point) for point in view.plain],
        "goals": [asdict(goal) for goal in view.goals],
        "bands": [[band.number, round(band.low, 4), round(band.high, 4)] for band in view.bands],
        "weight": view.weight,
        "words": dict(view.words),
        "summary": view.summary,
        "colours": {"light": _colours(LIGHT), "dark": _colours(DARK)},
    }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    marks = ((view.on_front, ON_FRONT), (view.recent, RECENT), (~view.meets, MISSES), (view.outside, OUTSIDE))
    flags = np.sum([mask * np.uint8(bit) for mask, bit in marks], axis=0)
    return b"".join([struct.pack("<I", len(text)), text, x, y, numbers.tobytes(), flags.astype(np.uint8).tobytes()])


def _fractions(values: np.ndarray) -> tuple[bytes, list[float]]:
    """Return ``values`` (n,) as 16-bit fractions of their range, and the range."""
    if not len(values):
        return b"", [0.0, 1.0]
    low, high = float(values.min()), float(values.max())
    span = high - low or 1.0
    return np.round((values - low) / span * 65535).astype("<u2").tobytes(), [low, low + span]


def _colours(palette: Palette) -> dict[str, str]:
    wanted = ("background", "panel", "ink", "muted", "grid", "chosen", "dominated", "front",
              "accuracy", "interpretability")  # fmt: skip
    more = {"onChosen": palette.on_chosen, "recent": palette.categories[2]}
    return {name: getattr(palette, name) for name in wanted} | more
