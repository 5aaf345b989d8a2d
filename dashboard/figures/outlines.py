"""Outlines of boxes: closed polygons whose form says what kind of operation a box is."""

from __future__ import annotations

import math

from dashboard.views.graph import SHEET
from nas_core.spaces.graph_kinds import Outline

__all__ = ["box_outline"]

CORNER = 9.0
SLANT = 9.0
STEPS = 4


def box_outline(outline: Outline, x: float, y: float, width: float, height: float) -> tuple[list[float], list[float]]:
    """Return the polygon of a box around (x, y), first point repeated at the end; it stays inside width × height."""
    left, right, bottom, top = x - width / 2, x + width / 2, y - height / 2, y + height / 2
    if outline == "pill":
        return _rounded(left, right, bottom, top, min(height, width) / 2)
    if outline == "rounded":
        return _rounded(left, right, bottom, top, min(CORNER, height / 2))
    if outline == "cut":
        c = min(6.0, height / 3)
        return (
            [left + c, right - c, right, right, right - c, left + c, left, left, left + c],
            [bottom, bottom, bottom + c, top - c, top, top, top - c, bottom + c, bottom],
        )
    if outline == "funnel":
        s = min(SLANT, width / 6)
        return [left + s, right - s, right, left, left + s], [bottom, bottom, top, top, bottom]
    if outline == "stack":
        return _stack(left, right, bottom, top)
    return [left, right, right, left, left], [bottom, bottom, top, top, bottom]


def _rounded(left: float, right: float, bottom: float, top: float, radius: float) -> tuple[list[float], list[float]]:
    xs: list[float] = []
    ys: list[float] = []
    corners = ((right, bottom, -1, 1, -90), (right, top, -1, -1, 0), (left, top, 1, -1, 90), (left, bottom, 1, 1, 180))
    for cx, cy, inward, upward, start in corners:
        for step in range(STEPS + 1):
            angle = math.radians(start + 90 * step / STEPS)
            xs.append(cx + inward * radius + radius * math.cos(angle))
            ys.append(cy + upward * radius + radius * math.sin(angle))
    return [*xs, xs[0]], [*ys, ys[0]]


def _stack(left: float, right: float, bottom: float, top: float) -> tuple[list[float], list[float]]:
    """Return a sheet with the edge of a second one behind it, drawn in one line."""
    s = SHEET
    front = [(left, bottom), (right - s, bottom), (right - s, top - s), (left, top - s), (left, bottom)]
    behind = [(left, top - s), (left + s, top - s), (left + s, top), (right, top), (right, bottom + s),
              (right - s, bottom + s), (right - s, top - s), (left, top - s), (left, bottom)]  # fmt: skip
    points = [*front, *behind]
    return [p[0] for p in points], [p[1] for p in points]
