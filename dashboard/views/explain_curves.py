"""The effect of one feature, and the interaction of two, as pictures need them.

Units: effects are on the scale of the model's output (log-odds, or the target's unit), counted from the mean output.
Letters: M values of the feature, n rows drawn as lines.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.texts import text
from dashboard.views.refit_bands import RefitBand
from dashboard.views.words import number, percent, signed

if TYPE_CHECKING:
    from nas_core.explanations import EffectCurve, IceLines, InteractionSurface

__all__ = ["CurveView", "SurfaceView", "curve_view", "lines_view", "surface_view"]


@dataclass(frozen=True)
class CurveView:
    """One curve, with its band or its lines.

    Attributes:
        name: Of the feature.
        x: (M,) values; positions 0 … M − 1 of the levels of a category.
        y, low, high: (M,) mean effect and its 95 % band; ``low`` and ``high`` are ``y`` where it is exact.
        levels: Names of the levels of a category; empty for a number.
        edges, counts: Histogram of the training values; per level and no edges for a category.
        missing: Effect of a missing value; None where there are none.
        lines: (n, M) lines of single rows, empty where none are drawn.
        rows: (n,) data-set rows of the lines.
        own: (n, 2) value and output of each row as it is; NaN where it is missing.
        unit: Of the effect.
        note: What the curve is and how far it is to be trusted, in words.
        reason: Why there is nothing to see; empty where there is.
        spoken: The curve in words, for who does not see it.
        refits: The band over refits; None where nothing was trained again.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    low: np.ndarray
    high: np.ndarray
    levels: tuple[str, ...]
    edges: np.ndarray
    counts: np.ndarray
    missing: float | None
    lines: np.ndarray
    rows: np.ndarray
    own: np.ndarray
    unit: str
    note: str
    reason: str
    spoken: str
    refits: RefitBand | None = None


@dataclass(frozen=True)
class SurfaceView:
    """The pure interaction of two features as a grid of equally large cells.

    Attributes:
        names: The features: along x and along y.
        ticks: Per axis (position, words) of the borders of the cells, or of the levels of a category.
        cells: (L, M) effect in each cell, rows of the picture from below; NaN where no training row lies.
        hover: (L, M) words of each cell.
        limit: Largest absolute effect in a cell with rows; the colours end there.
        unit, note, reason, spoken: As in :class:`CurveView`.
    """

    names: tuple[str, str]
    ticks: tuple[tuple[tuple[float, str], ...], tuple[tuple[float, str], ...]]
    cells: np.ndarray
    hover: tuple[tuple[str, ...], ...]
    limit: float
    unit: str
    note: str
    reason: str
    spoken: str


def curve_view(curve: EffectCurve, output: int, unit: str, refits: RefitBand | None = None) -> CurveView:
    """Return the picture of one output of a curve, with its band over refits where there is one."""
    y = curve.effect[:, output]
    note = text("whole.curve_exact") if curve.exact else text(f"whole.curve_{curve.method}", rows=curve.rows)
    none = np.zeros((0, 2))
    return CurveView(
        curve.name, np.arange(len(y)) if curve.levels else curve.grid, y, _ended(curve.low[:, output], y),
        _ended(curve.high[:, output], y), curve.levels, curve.edges, curve.counts, _at(curve.missing, output),
        np.zeros((0, len(y))), np.zeros(0, int), none, unit, note, _because(curve),
        _spoken(curve.name, curve.grid, y, curve.levels, unit), refits,
    )  # fmt: skip


def lines_view(curve: EffectCurve, lines: IceLines, rows: Sequence[int], output: int, unit: str) -> CurveView:
    """Return the picture of the lines of single rows around their mean, which is the partial dependence.

    ``curve`` is the partial dependence of the same rows, whose lines are ``lines``; ``rows`` are their numbers.
    """
    plain = curve_view(curve, output, unit)
    level = lines.own_outputs[:, output].mean()
    each = lines.outputs[:, :, output] - level
    own = np.column_stack([lines.own, lines.own_outputs[:, output] - level])
    if curve.levels:
        own[:, 0] = [np.searchsorted(curve.grid, v) if np.isfinite(v) else np.nan for v in lines.own]
    note = text("whole.curve_ice_exact" if curve.exact else "whole.curve_ice", rows=len(each))
    return CurveView(
        plain.name, plain.x, plain.y, plain.y, plain.y, plain.levels, plain.edges, plain.counts, plain.missing, each,
        np.asarray(rows, int), own, unit, note, plain.reason, plain.spoken,
    )  # fmt: skip


def surface_view(surface: InteractionSurface, output: int, unit: str) -> SurfaceView:
    """Return the picture of one output of an interaction; the first feature runs along x.

    Cells hold about as many rows each, so they are drawn equally large, and their borders are written at the axes.
    """
    cells = surface.effect[:, :, output]
    for axis in (0, 1):
        if not surface.levels[axis]:  # between the borders of numbers; a category has a cell per level
            cells = (np.delete(cells, 0, axis) + np.delete(cells, -1, axis)) / 2
    seen = np.where(surface.counts > 0, cells, np.nan)
    limit = float(np.nanmax(np.abs(seen), initial=0.0)) if np.isfinite(seen).any() else 0.0
    spans = [_spans(surface, axis) for axis in (0, 1)]
    hover = tuple(
        tuple(_cell_words(surface, spans, i, j, float(seen[i, j]), unit) for i in range(seen.shape[0]))
        for j in range(seen.shape[1])
    )
    share = float(surface.strength[output])
    told = percent(share) if share >= 0.01 else text("whole.below_one")
    first, second = surface.names
    note = text(f"whole.surface_{surface.method}", first=first, second=second, share=told, rows=surface.rows)
    reason = text("whole.surface_none", reason=surface.reason) if surface.reason else ""
    return SurfaceView(
        surface.names, (_ticks(surface, 0), _ticks(surface, 1)), seen.T, hover, limit, unit, note, reason,
        text("whole.surface_spoken", first=first, second=second, share=told, limit=number(limit, 2), unit=unit),
    )  # fmt: skip


def _because(curve: EffectCurve) -> str:
    return text("whole.curve_none", name=curve.name, reason=curve.reason) if curve.reason else ""


def _ended(band: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the band, the curve itself where nothing is known of it."""
    return np.where(np.isfinite(band), band, y)


def _at(values: np.ndarray | None, output: int) -> float | None:
    return None if values is None else float(values[output])


def _spoken(name: str, grid: np.ndarray, y: np.ndarray, levels: tuple[str, ...], unit: str) -> str:
    """Return where the curve begins, ends, and is highest and lowest."""
    if not len(y):
        return text("whole.spoken_empty", name=name)
    places = [0, int(np.argmin(y)), int(np.argmax(y)), len(y) - 1]
    told = [
        f"{levels[i] if levels else number(float(grid[i]))}: {signed(float(y[i]), 2)}" for i in dict.fromkeys(places)
    ]
    return text("whole.spoken", name=name, unit=unit, points="; ".join(told))


def _ticks(surface: InteractionSurface, axis: int) -> tuple[tuple[float, str], ...]:
    """Return where to write what along one axis; cells have the width 1 and begin at 0."""
    if surface.levels[axis]:
        return tuple((i + 0.5, level) for i, level in enumerate(surface.levels[axis]))
    return tuple((float(i), number(float(v))) for i, v in enumerate(surface.grids[axis]))


def _spans(surface: InteractionSurface, axis: int) -> tuple[str, ...]:
    """Return what each cell of an axis holds, in words."""
    if surface.levels[axis]:
        return surface.levels[axis]
    grid = surface.grids[axis]
    return tuple(f"{number(float(a))} – {number(float(b))}" for a, b in itertools.pairwise(grid))


def _cell_words(surface: InteractionSurface, spans: list[tuple[str, ...]], i: int, j: int, value: float,
                unit: str) -> str:  # fmt: skip
    first, second = surface.names
    told = signed(value) + f" {unit}" if np.isfinite(value) else text("whole.no_rows")
    count = int(surface.counts[i, j])
    rows = text("whole.one_row") if count == 1 else text("whole.rows", count=count)
    return f"{first} {spans[0][i]}<br>{second} {spans[1][j]}<br><b>{told}</b><br>{rows}"
