"""Main effect complexity written as it is told, in plain loops: what the fast search has to agree with."""

from __future__ import annotations

import itertools

import numpy as np

from nas_core.interpretability.complexity import MAX_SEGMENTS, TIE, TOLERANCE


def line_error(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> tuple[float, float]:
    """Return (error of the best line, what its slope explains) by least squares."""
    flat = float(w @ (y - np.average(y, weights=w)) ** 2)
    if np.ptp(x) == 0:
        return flat, 0.0
    root = np.sqrt(w)
    design = np.column_stack([np.ones_like(x), x - x.mean()])
    coefficients = np.linalg.lstsq(design * root[:, None], y * root, rcond=None)[0]
    error = float(w @ (y - design @ coefficients) ** 2)
    return error, flat - error


def slow_complexity(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> tuple[int, list[int]]:
    """The greedy search written as it is told: try every border of every segment, refit, keep the best."""
    y = y - np.average(y, weights=w)
    total = float(w @ y**2)
    if total <= 0:
        return 0, [0]
    y = y / np.sqrt(total)
    cuts = [0, len(x)]

    def errors(cuts: list[int]) -> list[tuple[float, float]]:
        return [line_error(x[a:b], y[a:b], w[a:b]) for a, b in itertools.pairwise(cuts)]

    while sum(e for e, _ in errors(cuts)) > TOLERANCE + TIE and len(cuts) - 1 < MAX_SEGMENTS:
        now = sum(e for e, _ in errors(cuts))
        gains = {s: now - sum(e for e, _ in errors(sorted([*cuts, s]))) for s in range(1, len(x)) if s not in cuts}
        if not gains or max(gains.values()) <= TIE:
            break
        best = max(gains.values())
        cuts = sorted([*cuts, min(s for s, g in gains.items() if g >= best - TIE)])
    parts = errors(cuts)
    error, slopes = sum(e for e, _ in parts), len(parts)
    for explained in sorted(g for _, g in parts):
        if error + explained > TOLERANCE + TIE:
            break
        error, slopes = error + explained, slopes - 1
    return min(2 * MAX_SEGMENTS, len(parts) + slopes - 1), cuts[:-1]


def slow_levels(y: np.ndarray, w: np.ndarray) -> int:
    """Merge the two neighbouring groups that cost least while 95 % of the variation is kept."""
    groups = sorted(([v, m] for v, m in zip(y, w) if m > 0), key=lambda g: g[0])
    values = np.array([g[0] for g in groups])
    masses = np.array([g[1] for g in groups])
    total = masses @ (values - np.average(values, weights=masses)) ** 2
    if total <= 0:
        return 0
    spent = 0.0
    while len(groups) > 1:
        costs = [a[1] * b[1] / (a[1] + b[1]) * (a[0] - b[0]) ** 2 for a, b in itertools.pairwise(groups)]
        i = int(np.argmin(costs))
        if spent + costs[i] > (TOLERANCE + TIE) * total:
            break
        spent += costs[i]
        (a, wa), (b, wb) = groups[i], groups[i + 1]
        groups[i : i + 2] = [[(a * wa + b * wb) / (wa + wb), wa + wb]]
    return len(groups) - 1
