"""Main effect complexity: how many straight segments, or merged levels, it takes to redraw an effect curve.

Source: Molnar, Casalicchio & Bischl (2019), arXiv 1904.03867. Greedy breakpoints are added until the share of
unexplained variation is at most 5 %, then as many slopes as the error allows are set to 0; MEC = K + (slopes left) − 1.

All curves of a pack are segmented together: prefix sums give the error of a straight line on any stretch in O(1).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

__all__ = ["MAX_SEGMENTS", "TOLERANCE", "Segmentation", "curve_complexity", "level_complexity", "segment_curves"]

MAX_SEGMENTS = 5
TOLERANCE = 0.05
# Two errors closer than this share of the total variation are a tie; the leftmost breakpoint wins.
TIE = 1e-9
# Curves segmented at once: the working set (about 40 arrays of curves × borders) stays in the processor's cache.
CHUNK = 64


@dataclass(frozen=True)
class Segmentation:
    """The straight segments that redraw L curves on M borders each.

    Attributes:
        complexity: (L,) main effect complexity; 0 for a flat curve.
        segments: (L,) number of segments K.
        slopes: (L,) segments whose slope is not 0.
        starts: (L, MAX_SEGMENTS) border at which each segment starts; −1 where there is none.
        error: (L,) unexplained share of the variation before slopes are set to 0.
    """

    complexity: np.ndarray
    segments: np.ndarray
    slopes: np.ndarray
    starts: np.ndarray
    error: np.ndarray


def curve_complexity(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the main effect complexity (L,) of the curves ``y`` (L, M) at ``x`` (L, M) with ``weights`` (L, M) ≥ 0."""
    return segment_curves(x, y, weights).complexity


def segment_curves(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> Segmentation:
    """Return the segmentation of the curves ``y`` (L, M); borders of weight 0 at the end are padding.

    Costs O(MAX_SEGMENTS · L · M).
    """
    chunks = [slice(a, a + CHUNK) for a in range(0, max(len(y), 1), CHUNK)]
    parts = [_segment(x[c], y[c], weights[c]) for c in chunks]
    return Segmentation(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Segmentation)})


class _Lines:
    """Prefix sums of weighted moments (L, M + 1): error of the best straight line on any stretch of borders."""

    def __init__(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> None:
        total = np.maximum(weights.sum(1, keepdims=True), 1e-300)
        x = x - (weights * x).sum(1, keepdims=True) / total
        x = x / np.maximum(np.abs(np.where(weights > 0, x, 0)).max(1, keepdims=True, initial=0), 1e-300)
        size = (weights * y * y).sum(1, keepdims=True)
        y = y - (weights * y).sum(1, keepdims=True) / total
        variation = (weights * y * y).sum(1, keepdims=True)
        self.flat = variation[:, 0] <= 1e-24 * size[:, 0]  # what subtracting the mean leaves of a constant
        y = y / np.sqrt(np.where(variation > 0, variation, 1.0))
        moments = (weights, weights * x, weights * y, weights * x * x, weights * x * y, weights * y * y)
        sums = np.zeros((len(moments), len(x), x.shape[1] + 1))
        np.cumsum(np.stack(moments), axis=2, out=sums[:, :, 1:])
        self.sums = sums

    def keep(self, rows: np.ndarray) -> _Lines:
        """Return the same for some of the curves only."""
        kept = object.__new__(_Lines)
        kept.sums, kept.flat = self.sums[:, rows], self.flat[rows]
        return kept

    def at(self, positions: np.ndarray) -> np.ndarray:
        """Return the six prefix sums (6, L, S) at ``positions`` (L, S)."""
        sums, rows = self.sums, np.arange(len(positions))[:, None]
        # one flat take per moment, several times faster than indexing along an axis
        return np.take(sums.reshape(len(sums), -1), positions + rows * sums.shape[2], axis=1)


def _errors(stretch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (error of the best line, what its slope explains) from the moments (6, …) of a stretch."""
    w, wx, wy, wxx, wxy, wyy = stretch
    safe = np.where(w > 0, w, 1.0)
    mean_x, mean_y = wx / safe, wy / safe
    sxx, sxy, syy = wxx - wx * mean_x, wxy - wx * mean_y, wyy - wy * mean_y
    # A stretch with one distinct x has no slope; below this its spread is rounding.
    sloped = sxx > 1e-12 * np.maximum(wxx, 1e-300)
    gain = np.divide(sxy * sxy, sxx, out=np.zeros_like(sxx), where=sloped)
    gain = np.minimum(gain, np.maximum(syy, 0.0))
    return np.maximum(syy - gain, 0.0), gain


def _segment(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> Segmentation:
    """Segment one chunk of curves: add the best breakpoint of all segments until the error is small enough."""
    lines = _Lines(x, y, weights)
    count, borders = y.shape
    segment_of = np.zeros((count, borders), np.int64)  # start of the segment each border is in
    end_of = np.full((count, borders), borders)
    error, _ = _errors(lines.sums[:, :, -1])
    segments = np.ones(count, np.int64)
    for _ in range(MAX_SEGMENTS - 1):
        open_rows = np.flatnonzero((error > TOLERANCE + TIE) & ~lines.flat)
        if not len(open_rows):
            break
        at, gain = _best_split(lines.keep(open_rows), segment_of[open_rows], end_of[open_rows])
        improved = gain > TIE
        rows, at = open_rows[improved], at[improved]
        error[rows] -= gain[improved]
        segments[rows] += 1
        _split(segment_of, end_of, rows, at)
        if not len(rows):
            break
    return _simplify(lines, segment_of, end_of, error, segments)


def _best_split(lines: _Lines, starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the border (L,) whose split lowers the error most, and by how much (L,)."""
    borders = starts.shape[1]
    here, low, high = lines.sums[:, :, :borders], lines.at(starts), lines.at(ends)
    whole, _ = _errors(high - low)
    left, _ = _errors(here - low)
    right, _ = _errors(high - here)
    gain = whole - left - right
    best = gain.max(1, keepdims=True)
    at = np.argmax(gain >= best - TIE, axis=1)
    return at, gain[np.arange(len(at)), at]


def _split(starts: np.ndarray, ends: np.ndarray, rows: np.ndarray, at: np.ndarray) -> None:
    """Cut the segment around border ``at`` (R,) of the curves ``rows`` (R,) in two, in place."""
    position = np.arange(starts.shape[1])
    first, last = starts[rows, at][:, None], ends[rows, at][:, None]
    inside = (position >= first) & (position < last)
    before = position < at[:, None]
    ends[rows] = np.where(inside & before, at[:, None], ends[rows])
    starts[rows] = np.where(inside & ~before, at[:, None], starts[rows])


def _simplify(
    lines: _Lines, starts: np.ndarray, ends: np.ndarray, error: np.ndarray, segments: np.ndarray
) -> Segmentation:
    """Set slopes to 0, cheapest first, while the error allows, and count what is left."""
    borders = starts.shape[1]
    is_start = starts == np.arange(borders)
    ranked = np.where(is_start, np.arange(borders), borders)
    first = np.sort(ranked, axis=1)[:, :MAX_SEGMENTS]
    if first.shape[1] < MAX_SEGMENTS:
        first = np.pad(first, ((0, 0), (0, MAX_SEGMENTS - first.shape[1])), constant_values=borders)
    real = first < borders
    last = np.take_along_axis(np.pad(ends, ((0, 0), (0, 1)), constant_values=borders), first, axis=1)
    _, explained = _errors(lines.at(last) - lines.at(np.minimum(first, borders)))
    price = np.sort(np.where(real, explained, np.inf), axis=1)
    allowed = error[:, None] + np.cumsum(price, axis=1) <= TOLERANCE + TIE
    zeroed = np.minimum(allowed.sum(1), segments)
    slopes = segments - zeroed
    complexity = np.minimum(2 * MAX_SEGMENTS, segments + slopes - 1)
    complexity[lines.flat] = 0
    slopes[lines.flat] = 0
    return Segmentation(complexity, segments, slopes, np.where(real, first, -1), error)


def level_complexity(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return for each effect of a category (L, G levels) how many levels are left after merging, minus 1.

    Levels with the most similar effects are merged first (the pair whose merging costs least), while the merged effect
    keeps at least 95 % of the variation. ``weights`` (L, G) ≥ 0 are rows per level; a level of weight 0 does not count.
    Costs O(L · G²).
    """
    order = np.argsort(np.where(weights > 0, values, np.inf), axis=1, kind="stable")
    w = np.take_along_axis(weights, order, 1).astype(float)
    y = np.take_along_axis(values, order, 1)
    total = np.maximum(w.sum(1, keepdims=True), 1e-300)
    y = y - (w * y).sum(1, keepdims=True) / total
    variation = (w * y * y).sum(1)
    groups = (w > 0).sum(1)
    spent = np.zeros(len(y))
    alive = np.flatnonzero((groups > 1) & (variation > 0))
    while len(alive):
        at, cost = _cheapest_merge(y[alive], w[alive])
        affordable = spent[alive] + cost <= (TOLERANCE + TIE) * variation[alive]
        alive, at, cost = alive[affordable], at[affordable], cost[affordable]
        spent[alive] += cost
        groups[alive] -= 1
        _merge(y, w, alive, at)
        alive = alive[groups[alive] > 1]
    return np.where(variation > 0, groups - 1, 0)


def _cheapest_merge(y: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the first of the two neighbours (L,) that are cheapest to merge, and the error it adds (L,)."""
    a, b = w[:, :-1], w[:, 1:]
    both = np.where(a + b > 0, a + b, 1.0)
    cost = np.where((a > 0) & (b > 0), a * b / both * (y[:, 1:] - y[:, :-1]) ** 2, np.inf)
    at = np.argmin(cost, axis=1)
    return at, cost[np.arange(len(at)), at]


def _merge(y: np.ndarray, w: np.ndarray, rows: np.ndarray, at: np.ndarray) -> None:
    """Replace groups ``at`` and ``at + 1`` by their weighted mean and close the gap, in place."""
    if not len(rows):
        return
    a, b = w[rows, at], w[rows, at + 1]
    y[rows, at] = (a * y[rows, at] + b * y[rows, at + 1]) / (a + b)
    w[rows, at] = a + b
    last = y.shape[1] - 1
    source = np.arange(last + 1)[None, :] + (np.arange(last + 1)[None, :] > at[:, None])
    for array in (y, w):
        moved = np.take_along_axis(array[rows], np.minimum(source, last), 1)
        array[rows] = moved
    w[rows, last] = 0.0
