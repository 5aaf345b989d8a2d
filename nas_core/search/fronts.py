"""Pareto fronts: dominance, ranks, crowding and hypervolume of losses (smaller is better).

A row with NaN is infeasible: it dominates nothing, is on no front and adds no volume. Equal rows do not dominate each
other, so duplicates of a front point are on the front too. Letters: n candidates, m losses.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import numpy as np

__all__ = ["crowding", "exclusive_volume", "hypervolume", "non_dominated", "ranks"]

BLOCK = 256
"""Rows compared at once in four or more dimensions: large enough for numpy, small enough for the cache."""

PAIRWISE_LIMIT = 600
"""Up to this many rows the full dominance matrix is cheaper than peeling front by front."""


def non_dominated(losses: np.ndarray) -> np.ndarray:
    """Return the bool mask (n,) of the rows that no other row dominates.

    Costs: O(n log n) for two and three losses; O(n·front) comparisons beyond.
    """
    losses = np.asarray(losses, dtype=np.float64)
    mask = np.zeros(len(losses), dtype=bool)
    feasible = np.flatnonzero(~np.isnan(losses).any(axis=1))
    if feasible.size == 0:
        return mask
    rows, inverse = _distinct(losses[feasible])
    keep = {1: _front_1d, 2: _front_2d, 3: _front_3d}.get(rows.shape[1], _front_nd)(rows)
    mask[feasible] = keep[inverse]
    return mask


def ranks(losses: np.ndarray) -> np.ndarray:
    """Return the front number of each row as int64 (n,): 0 = non-dominated, -1 = infeasible.

    Two and three losses: efficient non-dominated sort with binary search (Zhang et al. 2015), with a staircase per
    front instead of a scan. More losses: fronts are peeled off one after the other.
    """
    losses = np.asarray(losses, dtype=np.float64)
    result = np.full(len(losses), -1, dtype=np.int64)
    feasible = np.flatnonzero(~np.isnan(losses).any(axis=1))
    if feasible.size == 0:
        return result
    rows, inverse = _distinct(losses[feasible])
    sort = {1: _ranks_1d, 2: _ranks_2d, 3: _ranks_3d}.get(rows.shape[1], _ranks_nd)
    result[feasible] = sort(rows)[inverse]
    return result


def crowding(losses: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """Return the crowding distance (n,) of each row within its front (Deb et al. 2002); larger = less crowded.

    The ends of a front get infinity in the loss that they are an end of; infeasible rows (rank -1) get 0. A loss that
    is constant on a front separates nothing and adds nothing.
    """
    losses = np.asarray(losses, dtype=np.float64)
    distance = np.zeros(len(losses), dtype=np.float64)
    for front in range(int(rank.max(initial=-1)) + 1):
        members = np.flatnonzero(rank == front)
        for column in losses[members].T:
            order = np.argsort(column, kind="stable")
            values = column[order]
            span = values[-1] - values[0]
            if span <= 0.0:
                continue
            gaps = np.full(len(members), np.inf)
            gaps[1:-1] = (values[2:] - values[:-2]) / span
            distance[members[order]] += gaps
    return distance


def hypervolume(losses: np.ndarray, reference: np.ndarray | tuple[float, ...]) -> float:
    """Return the volume between ``losses`` (n, m) and ``reference`` (m,) that at least one row dominates.

    Exact in every dimension: a sweep for two and three losses; beyond, slices of exclusive volumes in one dimension
    less (While et al. 2012, WFG). Rows on or beyond the reference in any loss add 0.
    """
    losses = np.asarray(losses, dtype=np.float64)
    corner = np.asarray(reference, dtype=np.float64)
    inside = losses[(losses < corner).all(axis=1)]
    if len(inside) == 0:
        return 0.0
    return _volume((corner - inside)[non_dominated(inside)])


def exclusive_volume(point: np.ndarray, front: np.ndarray, reference: np.ndarray | tuple[float, ...]) -> float:
    """Return the hypervolume that ``point`` (m,) adds to ``front`` (n, m); 0 when it is dominated or beyond."""
    corner = np.asarray(reference, dtype=np.float64)
    if not (point < corner).all():
        return 0.0
    shadow = hypervolume(np.maximum(front, point), corner) if len(front) else 0.0
    return max(0.0, float(np.prod(corner - point)) - shadow)


def _distinct(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct rows in lexicographic order and, for each row, the position of its equal."""
    order = np.lexsort(rows.T[::-1])
    ordered = rows[order]
    first = np.ones(len(rows), dtype=bool)
    first[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    inverse = np.empty(len(rows), dtype=np.int64)
    inverse[order] = np.cumsum(first) - 1
    return ordered[first], inverse


# The functions below take distinct rows in lexicographic order: a row can only be dominated by an earlier one.


def _front_1d(rows: np.ndarray) -> np.ndarray:
    return np.arange(len(rows)) == 0


def _front_2d(rows: np.ndarray) -> np.ndarray:
    second = rows[:, 1]
    keep = np.ones(len(rows), dtype=bool)
    keep[1:] = second[1:] < np.minimum.accumulate(second)[:-1]
    return keep


def _front_3d(rows: np.ndarray) -> np.ndarray:
    stairs = _Staircase()
    return np.fromiter((stairs.add(y, z) for _, y, z in rows.tolist()), dtype=bool, count=len(rows))


def _front_nd(rows: np.ndarray) -> np.ndarray:
    # By sum: rows that dominate much come first, so few comparisons are wasted. Rounding is monotone and the sort is
    # stable on lexicographic rows, so a row still comes after all that dominate it, also when the float sums are equal.
    order = np.argsort(rows.sum(axis=1), kind="stable")
    keep = np.zeros(len(rows), dtype=bool)
    front = np.empty((0, rows.shape[1]))
    for start in range(0, len(rows), BLOCK):
        index = order[start : start + BLOCK]
        index = index[~_dominated_by(rows[index], front)]
        index = index[~_dominated_by(rows[index], rows[index])]
        keep[index] = True
        front = np.concatenate([front, rows[index]])
    return keep


def _dominated_by(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return which ``rows`` (n, m) a different row of ``others`` (k, m) dominates."""
    if len(others) == 0 or len(rows) == 0:
        return np.zeros(len(rows), dtype=bool)
    covered = np.ones((len(rows), len(others)), dtype=bool)
    equal = np.ones((len(rows), len(others)), dtype=bool)
    for mine, theirs in zip(rows.T, others.T):
        covered &= theirs[None, :] <= mine[:, None]
        equal &= theirs[None, :] == mine[:, None]
    return np.asarray((covered & ~equal).any(axis=1))


def _ranks_1d(rows: np.ndarray) -> np.ndarray:
    return np.arange(len(rows))


def _ranks_2d(rows: np.ndarray) -> np.ndarray:
    tails: list[float] = []  # the smallest second loss of each front: increasing, as every front dominates the next
    result = []
    for second in rows[:, 1].tolist():
        front = bisect_right(tails, second)
        if front == len(tails):
            tails.append(second)
        else:
            tails[front] = second
        result.append(front)
    return np.array(result, dtype=np.int64)


def _ranks_3d(rows: np.ndarray) -> np.ndarray:
    fronts: list[_Staircase] = []
    result = []
    for _, y, z in rows.tolist():
        low, high = 0, len(fronts)
        while low < high:  # a row dominated by a front is dominated by all fronts before it
            middle = (low + high) // 2
            if fronts[middle].covers(y, z):
                low = middle + 1
            else:
                high = middle
        if low == len(fronts):
            fronts.append(_Staircase())
        fronts[low].add(y, z)
        result.append(low)
    return np.array(result, dtype=np.int64)


def _ranks_nd(rows: np.ndarray) -> np.ndarray:
    if len(rows) <= PAIRWISE_LIMIT:
        return _ranks_pairwise(rows)
    result = np.full(len(rows), -1, dtype=np.int64)
    left = np.arange(len(rows))
    front = 0
    while len(left):
        keep = _front_nd(rows[left])
        result[left[keep]] = front
        left, front = left[~keep], front + 1
    return result


def _ranks_pairwise(rows: np.ndarray) -> np.ndarray:
    covered = np.ones((len(rows), len(rows)), dtype=bool)  # [i, j]: j is nowhere worse than i
    for column in rows.T:
        covered &= column[None, :] <= column[:, None]
    np.fill_diagonal(covered, False)
    result = np.full(len(rows), -1, dtype=np.int64)
    dominators = covered.sum(axis=1)
    front = 0
    while (result < 0).any():
        members = np.flatnonzero((dominators == 0) & (result < 0))
        result[members] = front
        dominators -= covered[:, members].sum(axis=1)
        front += 1
    return result


class _Staircase:
    """The non-dominated pairs (y, z) seen so far: y increasing, z strictly decreasing."""

    __slots__ = ("ys", "zs")

    def __init__(self) -> None:
        self.ys: list[float] = []
        self.zs: list[float] = []  # negated, so that both lists increase and bisect works on both

    def covers(self, y: float, z: float) -> bool:
        """Return True when a pair with y' ≤ y and z' ≤ z was seen."""
        at = bisect_right(self.ys, y)
        return at > 0 and -self.zs[at - 1] <= z

    def add(self, y: float, z: float) -> bool:
        """Insert a pair unless it is covered; return whether it was inserted."""
        if self.covers(y, z):
            return False
        start = bisect_left(self.ys, y)
        stop = bisect_right(self.zs, -z, lo=start)
        self.ys[start:stop] = [y]
        self.zs[start:stop] = [-z]
        return True


# Volumes below take *gains*, reference − loss: positive, larger is better, the reference is the origin.


def _volume(gains: np.ndarray) -> float:
    dimensions = gains.shape[1]
    if dimensions == 1:
        return float(gains.max())
    if dimensions == 2:
        return _volume_2d(gains)
    if dimensions == 3:
        return _volume_3d(gains)
    return _volume_nd(gains)


def _volume_2d(gains: np.ndarray) -> float:
    ordered = gains[np.argsort(-gains[:, 0], kind="stable")]
    height = np.maximum.accumulate(ordered[:, 1])
    steps = np.diff(height, prepend=0.0)
    return float((ordered[:, 0] * steps).sum())


def _volume_3d(gains: np.ndarray) -> float:
    """Sweep the third gain downwards; the area below the staircase of the first two grows by what each row adds."""
    rows = gains[np.argsort(-gains[:, 2], kind="stable")].tolist()
    xs: list[float] = []  # increasing
    ys: list[float] = []  # negated heights: increasing, so heights fall
    area = volume = 0.0
    above = rows[0][2]
    for x, y, z in rows:
        volume += area * (above - z)
        above = z
        stop = bisect_left(xs, x)  # stairs left of x
        if stop < len(xs) and -ys[stop] >= y:
            continue
        start = bisect_left(ys, -y, hi=stop)  # stairs no higher than y
        left = xs[start - 1] if start else 0.0
        covered, edge = 0.0, left
        for at in range(start, stop):
            covered -= (xs[at] - edge) * ys[at]
            edge = xs[at]
        if stop < len(xs):
            covered -= (x - edge) * ys[stop]
        end = stop + 1 if stop < len(xs) and xs[stop] == x else stop
        area += (x - left) * y - covered
        xs[start:end] = [x]
        ys[start:end] = [-y]
    return volume + area * above


def _volume_nd(gains: np.ndarray) -> float:
    """Sum over rows, best last gain first, of the slice that the rows before it leave uncovered."""
    ordered = gains[np.argsort(-gains[:, -1], kind="stable")]
    depth, flat = ordered[:, -1], ordered[:, :-1]
    total = 0.0
    for at, point in enumerate(flat):
        shadow = np.minimum(flat[:at], point)
        if flat.shape[1] > 3 and at > 1:
            shadow = shadow[non_dominated(-shadow)]
        exclusive = float(np.prod(point)) - (_volume(shadow) if at else 0.0)
        total += depth[at] * max(0.0, exclusive)
    return total
