"""What two features do together beyond what each does by itself: their pure interaction, as a surface."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nas_core.errors import ExplanationError, SettingsError
from nas_core.explanations.base import Candidate, default_background
from nas_core.explanations.candidate import TrainedCandidate
from nas_core.explanations.curves import CURVE_ROWS, CurveMethod
from nas_core.explanations.moves import Moves, checked_table
from nas_core.interpretability.grid import Grid, effect_grid

__all__ = ["InteractionSurface", "interaction_partners", "interaction_surface"]

CELLS = 10


@dataclass(frozen=True)
class InteractionSurface:
    """The pure interaction of two features: what is left of their joint effect without the effect of either alone.

    Attributes:
        features, names: The two features.
        method: "ale" or "pdp".
        grids: Raw values of the first (M,) and the second (L,), increasing; category codes for a category.
        levels: Names of the categories of each; empty for numbers.
        effect: (M, L, C) the interaction at every pair of values, in logits or the unit of the target.
        counts: (M', L') rows in every cell between two neighbouring values; of categories, at every pair of levels.
        strength: (C,) variance of the interaction over the rows as a share of the variance of the output.
        rows: Number of rows.
        reason: Why it is 0 everywhere, in words; empty when it is not.
    """

    features: tuple[int, int]
    names: tuple[str, str]
    method: CurveMethod
    grids: tuple[np.ndarray, np.ndarray]
    levels: tuple[tuple[str, ...], tuple[str, ...]]
    effect: np.ndarray
    counts: np.ndarray
    strength: np.ndarray
    rows: int
    reason: str = ""


def interaction_partners(candidate: Candidate, feature: int) -> tuple[int, ...]:
    """Return the features (ascending) that the architecture lets interact with ``feature``: those of its group.

    Raises:
        ExplanationError: The candidate does not read a table.
    """
    table = checked_table(candidate, "Interactions")
    home = next((g for g in table.groups if feature in g.features), None)
    return () if home is None or home.linear else tuple(j for j in home.features if j != feature)


def interaction_surface(
    candidate: Candidate,
    pair: Sequence[int],
    method: CurveMethod = "ale",
    X: np.ndarray | None = None,
    *,
    cells: int = CELLS,
) -> InteractionSurface:
    """Return the pure interaction of two features.

    "ale": the second-order accumulated local effect: second differences across each cell, averaged over the rows in it,
    accumulated, less the first-order effects of the sum. A cell without rows takes the differences of the nearest one
    that has some. "pdp": joint partial dependence less both single ones, the part of Friedman's H statistic that is not
    additive; it averages over pairs of values that may not occur together. Features of different groups cannot
    interact: the surface is 0 and says why.

    Source: Apley & Zhu (2020), arXiv 1612.08468, section 3; Friedman & Popescu (2008), Annals of Applied Statistics 2.
    Costs: ALE 4 N passes of the group; PDP N (M L + M + L) passes.

    Args:
        candidate: Of a table.
        pair: Two different features.
        method: "ale" or "pdp".
        X: Raw rows (N, P); by default training rows, 1000 for ALE and 200 for PDP. Those with a missing value of one of
            the two are left out.
        cells: Most cells of a numeric feature, at quantiles.

    Raises:
        ExplanationError: The candidate does not read a table, the rows have the wrong shape, or none is complete.
        SettingsError: There is no such feature or method, or both are the same.
    """
    table = checked_table(candidate, "Interactions")
    first, second = _checked(table.problem.P, pair, method)
    X = table.checked(default_background(candidate.problem, CURVE_ROWS[method]) if X is None else X)
    X = _complete(table, X, first, second)
    names = candidate.problem.feature_names
    specs = [candidate.problem.dataset.features[j] for j in (first, second)]
    grid = effect_grid(X[:, [first, second]], [s.kind == "categorical" for s in specs], max_cells=cells)
    moves = Moves(table, X)
    reason = _reason(moves, first, second, grid)
    if reason:
        effect = np.zeros((len(grid.edges[0]), len(grid.edges[1]), candidate.outputs))
    else:
        effect = (_second_order if method == "ale" else _joint_less_single)(moves, (first, second), grid)
    levels = [tuple(s.levels[int(c)] for c in e) if s.kind == "categorical" else () for s, e in zip(specs, grid.edges)]
    return InteractionSurface(
        (first, second), (names[first], names[second]), method, (grid.edges[0], grid.edges[1]), (levels[0], levels[1]),
        effect, _counts(X, (first, second), grid), _strength(effect, grid, moves.outputs), len(X), reason,
    )  # fmt: skip


def _checked(P: int, pair: Sequence[int], method: str) -> tuple[int, int]:
    first, second = (int(j) for j in pair)
    if first == second or not (0 <= first < P and 0 <= second < P):
        raise SettingsError(
            f"There is no pair of features {first} and {second}", allowed=f"two different ones of 0 to {P - 1}",
            fix="choose two of them",
        )  # fmt: skip
    if method not in CURVE_ROWS:
        raise SettingsError(f"There is no surface {method!r}", allowed=", ".join(CURVE_ROWS), fix="choose one")
    return first, second


def _complete(candidate: TrainedCandidate, X: np.ndarray, first: int, second: int) -> np.ndarray:
    """Return the rows that have a value of both features.

    Raises:
        ExplanationError: There is none.
    """
    complete = X[~np.isnan(X[:, [first, second]]).any(1)]
    if not len(complete):
        names = candidate.problem.feature_names
        raise ExplanationError(
            f"No row has a value of both {names[first]!r} and {names[second]!r}",
            allowed="one row or more",
            fix="choose another pair, or pass other rows",
        )
    return complete


def _reason(moves: Moves, first: int, second: int, grid: Grid) -> str:
    """Return why the two cannot interact in these rows; empty where they can."""
    names = moves.candidate.problem.feature_names
    for p, j in enumerate((first, second)):
        if moves.group(j) is None:
            return f"the network does not read {names[j]}"
        if grid.edges[p][0] == grid.edges[p][-1]:
            return f"{names[j]} has one value only"
    apart = second not in interaction_partners(moves.candidate, first)
    return "the architecture adds them up, so they cannot interact" if apart else ""


def _second_order(moves: Moves, pair: tuple[int, int], grid: Grid) -> np.ndarray:
    """Return the second-order accumulated local effect (M, L, C) at the borders of the cells."""
    first, second = pair
    blocks = [moves.encoded(j, grid.edges[p]) for p, j in enumerate(pair)]
    low = [block[grid.cells[:, p]] for p, block in enumerate(blocks)]
    high = [block[grid.cells[:, p] + 1] for p, block in enumerate(blocks)]
    change = (
        moves.changed({first: high[0], second: high[1]}) - moves.changed({first: low[0], second: high[1]})
        - moves.changed({first: high[0], second: low[1]}) + moves.changed({first: low[0], second: low[1]})
    )  # fmt: skip
    count = _cell_counts(grid)
    sums = np.zeros((*count.shape, change.shape[1]))
    np.add.at(sums, (grid.cells[:, 0], grid.cells[:, 1]), change)
    steps = _filled(sums / np.maximum(count, 1)[:, :, None], count)
    joint = np.zeros((count.shape[0] + 1, count.shape[1] + 1, change.shape[1]))
    joint[1:, 1:] = steps.cumsum(0).cumsum(1)
    apart = joint - _main(joint, count)[:, None] - _main(joint.transpose(1, 0, 2), count.T)[None]
    corners = (apart[1:, 1:] + apart[1:, :-1] + apart[:-1, 1:] + apart[:-1, :-1]) / 4
    return apart - (count[:, :, None] * corners).sum((0, 1)) / count.sum()


def _main(joint: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Return the first-order effect (M, C) along the first axis of a surface (M, L, C), over the rows of the cells."""
    rises = np.diff(joint, axis=0)
    middle = (rises[:, 1:] + rises[:, :-1]) / 2
    mean = (count[:, :, None] * middle).sum(1) / np.maximum(count.sum(1), 1)[:, None]
    return np.concatenate((np.zeros((1, joint.shape[2])), mean.cumsum(0)))


def _filled(steps: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Return steps (M, L, C) with those of cells without rows taken from the nearest cell that has some."""
    from scipy.ndimage import distance_transform_edt

    if (count > 0).all():
        return steps
    nearest = distance_transform_edt(count == 0, return_distances=False, return_indices=True)
    return steps[nearest[0], nearest[1]]


def _joint_less_single(moves: Moves, pair: tuple[int, int], grid: Grid) -> np.ndarray:
    """Return joint partial dependence less both single ones (M, L, C), counted from the mean output."""
    first, second = pair
    a, b = (moves.encoded(j, grid.edges[p]) for p, j in enumerate(pair))
    level = moves.outputs.mean(0)
    rows = np.stack([moves.changed({first: v}).mean(0) for v in a])
    columns = np.stack([moves.changed({second: w}).mean(0) for w in b])
    joint = np.stack([[moves.changed({first: v, second: w}).mean(0) for w in b] for v in a])
    return joint - rows[:, None] - columns[None] + level


def _cell_counts(grid: Grid) -> np.ndarray:
    """Return how many rows lie in each cell (M, L)."""
    shape = (len(grid.edges[0]) - 1, len(grid.edges[1]) - 1)
    flat = grid.cells[:, 0] * shape[1] + grid.cells[:, 1]
    return np.bincount(flat, minlength=shape[0] * shape[1]).reshape(shape)


def _counts(X: np.ndarray, pair: tuple[int, int], grid: Grid) -> np.ndarray:
    """Return how many rows lie in each drawn cell: between borders of numbers, at the levels of categories."""
    at, shape = [], []
    for p, j in enumerate(pair):
        levels = bool(grid.categorical[p])
        at.append(np.searchsorted(grid.edges[p], X[:, j]) if levels else grid.cells[:, p])
        shape.append(len(grid.edges[p]) - (0 if levels else 1))
    return np.bincount(at[0] * shape[1] + at[1], minlength=shape[0] * shape[1]).reshape(shape)


def _strength(effect: np.ndarray, grid: Grid, outputs: np.ndarray) -> np.ndarray:
    """Return (C,) the variance over the rows of the surface between its borders, as a share of that of the output."""
    (i, j), (s, t) = grid.cells.T, grid.shares.T[:, :, None]
    own = (
        (1 - s) * (1 - t) * effect[i, j] + s * (1 - t) * effect[i + 1, j]
        + (1 - s) * t * effect[i, j + 1] + s * t * effect[i + 1, j + 1]
    )  # fmt: skip
    whole, floor = outputs.var(0), 1e-10 * (1 + outputs.mean(0) ** 2)
    return np.divide(own.var(0), whole, out=np.zeros(outputs.shape[1]), where=whole >= floor)
