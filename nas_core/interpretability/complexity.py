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
# Curves × borders segmented at once, for a working set of about 40 arrays of so many numbers.
CHUNK = 25_600


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
    size = max(1, CHUNK // max(1, y.shape[1]))
    chunks = [slice(a, a + size) for a in range(0, max(len(y), 1), size)]
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

    def at(self, positions: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return the six prefix sums (6, R, S) of the curves ``rows`` (R,) at ``positions`` (R, S)."""
        # one flat take per moment, several times faster than indexing along an axis
        places = positions + rows[:, None] * self.sums.shape[2]
        return np.take(self.sums.reshape(len(self.sums), -1), places, axis=1)


def _errors(stretch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (error of the best line, what its slope explains) from the moments (6, …) of a stretch."""
    w, wx, wy, wxx, wxy, wyy = stretch
    safe = np.where(w > 0, w, 1.0)
    mean_x, mean_y = wx / safe, wy / safe
    sxx, sxy, syy = wxx - wx * mean_x, wxy - wx * mean_y, wyy - wy * mean_y
    # A stretch with one distinct x has no slope; below this its spread is rounding.
    sloped = sxx > 1e-12 * np.maximum(wxx, 1e-300)
    syy = np.maximum(syy, 0.0)
    gain = np.where(sloped, np.minimum(sxy * sxy / np.where(sloped, sxx, 1.0), syy), 0.0)
    return np.maximum(syy - gain, 0.0), gain


def _segment(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> Segmentation:
    """Segment one chunk of curves: add the best breakpoint of all segments until the error is small enough."""
    lines = _Lines(x, y, weights)
    error, _ = _errors(lines.sums[:, :, -1])
    found = _Segments.whole(error, y.shape[1])
    segments = np.ones(len(y), np.int64)
    for cuts in range(MAX_SEGMENTS - 1):
        rows = np.flatnonzero((error > TOLERANCE + TIE) & ~lines.flat)
        own = slice(None) if cuts else slice(1)  # all borders of an uncut curve are in one segment
        low, high = lines.at(found.starts[rows, own], rows), lines.at(found.ends[rows, own], rows)
        at, gain, halves = _best_split(lines.sums[:, rows, :-1], low, high, found.errors[rows, own])
        improved = gain > TIE
        rows, at = rows[improved], at[improved]
        if not len(rows):
            break
        error[rows] -= gain[improved]
        segments[rows] += 1
        found.split(rows, at, halves[:, improved])
    return _simplify(lines, found, error, segments)


@dataclass
class _Segments:
    """The segment that each of M borders of L curves is in: where it starts, where it ends, its error; (L, M) each."""

    starts: np.ndarray
    ends: np.ndarray
    errors: np.ndarray

    @classmethod
    def whole(cls, errors: np.ndarray, borders: int) -> _Segments:
        """Return one segment for each curve, whose errors (L,) are known."""
        shape = len(errors), borders
        return cls(np.zeros(shape, np.int64), np.full(shape, borders), np.repeat(errors[:, None], borders, axis=1))

    def split(self, rows: np.ndarray, at: np.ndarray, halves: np.ndarray) -> None:
        """Cut the segments around the borders ``at`` (R,) of the curves ``rows`` (R,) in two with errors (2, R)."""
        position, at = np.arange(self.starts.shape[1]), at[:, None]
        starts, ends = self.starts[rows], self.ends[rows]
        left = (starts == np.take_along_axis(starts, at, 1)) & (position < at)
        right = (ends == np.take_along_axis(ends, at, 1)) & (position >= at)
        self.ends[rows] = np.where(left, at, ends)
        self.starts[rows] = np.where(right, at, starts)
        errors = np.where(left, halves[0][:, None], self.errors[rows])
        self.errors[rows] = np.where(right, halves[1][:, None], errors)


def _best_split(
    here: np.ndarray, low: np.ndarray, high: np.ndarray, errors: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the border (R,) whose split lowers the error of each curve most, by how much (R,), and what it leaves.

    What it leaves are the errors of the two halves (2, R).

    Args:
        here: (6, R, M) prefix sums at the borders.
        low, high: (6, R, M or 1) prefix sums where the segment of each border starts and ends.
        errors: (R, M or 1) error of that segment.
    """
    left, _ = _errors(here - low)
    right, _ = _errors(high - here)
    gain = errors - left - right
    best = gain.max(1, keepdims=True)
    at = np.argmax(gain >= best - TIE, axis=1)
    own = np.arange(len(at)), at
    return at, gain[own], np.stack((left[own], right[own]))


def _simplify(lines: _Lines, found: _Segments, error: np.ndarray, segments: np.ndarray) -> Segmentation:
    """Set slopes to 0, cheapest first, while the error allows, and count what is left."""
    starts, ends, rows = found.starts, found.ends, np.arange(len(error))
    borders = starts.shape[1]
    is_start = starts == np.arange(borders)
    ranked = np.where(is_start, np.arange(borders), borders)
    first = np.sort(ranked, axis=1)[:, :MAX_SEGMENTS]
    if first.shape[1] < MAX_SEGMENTS:
        first = np.pad(first, ((0, 0), (0, MAX_SEGMENTS - first.shape[1])), constant_values=borders)
    real = first < borders
    last = np.take_along_axis(np.pad(ends, ((0, 0), (0, 1)), constant_values=borders), first, axis=1)
    _, explained = _errors(lines.at(last, rows) - lines.at(np.minimum(first, borders), rows))
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
