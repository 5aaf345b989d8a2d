"""The live Pareto front as bytes for the ``live_front`` element: five bytes a candidate instead of a figure's JSON.

Coordinates travel as 16-bit fractions of the range of the data (an error of 1/131,070 of it, far below a pixel; of the
logarithms where an axis is logarithmic), numbers as steps from one candidate to the next, beside the flags in one byte
as long as they are small.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict
from typing import Any

import numpy as np

from dashboard.theme import DARK, LIGHT, Palette
from dashboard.views.front import AxisView, FrontView

__all__ = ["MISSES", "ON_FRONT", "OUTSIDE", "RECENT", "front_payload"]

ON_FRONT, RECENT, MISSES, OUTSIDE = 1, 2, 4, 8
NIBBLE, BYTE, NUMBER = 2**4 - 1, 2**8 - 1, 2**32 - 1
TICKS = {"interpretability": ".2~f", "performance": ".3~f"}


def front_payload(view: FrontView, *, cards: str = "", chosen: str = "") -> bytes:
    """Return the bytes that the ``live_front`` element draws.

    uint32 length, JSON header, then of n points x and y (uint16 each), number and flags; and where the header says so
    z, interpretability (uint16 each) and colour (uint8). Flags take the low four bits of a byte; ``step`` in the header
    says where numbers are: 0, as steps in its high four bits; 1, as steps in a byte before it; 4, as they are in
    uint32. Costs 5n bytes and a header of about 3 kB, at most 14n bytes.

    Args:
        view: What to draw.
        cards: Address on this server that tells more of a candidate, with ``{number}`` in it; empty for none.
        chosen: Numbers of the candidates that are chosen, as :func:`dashboard.views.front_chosen.spelled` writes them.
    """
    parts = [_fractions(values, axis.log) for values, axis in zip(_coordinates(view), view.axes)]
    steps = np.diff(view.numbers.astype(np.int64), prepend=0)
    most = int(steps.max(initial=0)) if steps.min(initial=0) >= 0 else NUMBER
    size = 0 if most <= NIBBLE else 1 if most <= BYTE else 4
    numbers = {0: b"", 1: steps.astype(np.uint8).tobytes(), 4: view.numbers.astype("<u4").tobytes()}[size]
    more, extra = _extra(view, parts)
    header: dict[str, Any] = {
        "count": len(view.numbers),
        "step": size,
        "revision": "|".join([view.run, *(axis.key for axis in view.axes)]),
        **{name: _axis(axis, data) for name, axis, (_, data) in zip("xyz", view.axes, parts)},
        "best": view.best,
        "selected": view.selected,
        "floors": [_flat(floor, view.z is not None) for floor in view.floors],
        "plain": [_flat(point, view.z is not None) for point in view.plain],
        "goals": [asdict(goal) for goal in view.goals],
        "bands": [[b.number, round(b.low, 4), round(b.high, 4), b.lead] for b in view.bands],
        "weight": view.weight,
        "marks": asdict(view.marks),
        "words": dict(view.words),
        "summary": view.summary,
        "cards": cards,
        "chosen": chosen,
        "colours": {"light": _colours(LIGHT), "dark": _colours(DARK)},
        **more,
    }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    marks = ((view.on_front, ON_FRONT), (view.recent, RECENT), (~view.meets, MISSES), (view.outside, OUTSIDE))
    flags = np.sum([mask * np.uint8(bit) for mask, bit in marks], axis=0).astype(np.uint8)
    if size == 0:
        flags |= steps.astype(np.uint8) << 4
    return b"".join([struct.pack("<I", len(text)), text, parts[0][0], parts[1][0], numbers, flags.tobytes(), *extra])


def _coordinates(view: FrontView) -> list[np.ndarray]:
    return [view.x, view.y] if view.z is None else [view.x, view.y, view.z]


def _extra(view: FrontView, parts: list[tuple[bytes, list[float]]]) -> tuple[dict[str, Any], list[bytes]]:
    """Return what the header says of the blocks that are not always there, and these blocks."""
    more: dict[str, Any] = {}
    extra = [parts[2][0]] if view.z is not None else []
    if view.interpretability is not None:
        block, data = _fractions(view.interpretability, False)
        more["interpretability"] = {"data": data}
        extra.append(block)
    if view.colouring is not None:
        found = view.colouring
        more["colour"] = {"label": found.label, "names": found.names, "ends": found.ends}
        extra.append(found.codes.tobytes())
    return more, extra


def _axis(axis: AxisView, data: list[float]) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "key": axis.key,
        "name": axis.name,
        "label": axis.label,
        "data": data,
        "range": list(axis.range),
    }
    shown |= {"log": axis.log, "format": TICKS.get(axis.key, "~s" if axis.log else ".3~g")}
    return shown | {"goal": axis.goal, "bounds": axis.bounds, "maximise": axis.maximise}


def _flat(point: Any, deep: bool) -> dict[str, Any]:
    """Return a reference as a dictionary; its z only where there is a third axis."""
    found = asdict(point)
    return found if deep else {name: value for name, value in found.items() if name != "z"}


def _fractions(values: np.ndarray, log: bool) -> tuple[bytes, list[float]]:
    """Return ``values`` (n,) as 16-bit fractions of their range, and the range; of their logarithms where ``log``."""
    if not len(values):
        return b"", [0.0, 1.0]
    values = np.log10(values) if log else values
    low, high = float(values.min()), float(values.max())
    span = high - low or 1.0
    return np.round((values - low) / span * 65535).astype("<u2").tobytes(), [low, low + span]


def _colours(palette: Palette) -> dict[str, Any]:
    wanted = ("background", "panel", "ink", "muted", "grid", "accent", "chosen", "dominated", "front",
              "accuracy", "interpretability", "categories")  # fmt: skip
    more = {"onChosen": palette.on_chosen, "recent": palette.categories[2]}
    return {name: getattr(palette, name) for name in wanted} | more
