"""The effect of one feature as a curve: accumulated local effects, partial dependence and ICE lines of any group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from nas_core.errors import SettingsError
from nas_core.explanations.base import Candidate, default_background
from nas_core.explanations.curve_bands import resampled
from nas_core.explanations.moves import Moves, checked_table
from nas_core.explanations.shapes import histogram, numeric_grid
from nas_core.interpretability.effects import accumulate_effects
from nas_core.interpretability.grid import effect_grid

if TYPE_CHECKING:
    from nas_core.data import FeatureSpec

__all__ = ["CURVE_ROWS", "CurveMethod", "EffectCurve", "IceLines", "effect_curve", "effect_curves", "ice_lines"]

CurveMethod = Literal["ale", "pdp"]
CURVE_ROWS: dict[str, int] = {"ale": 1000, "pdp": 200}
CELLS, PER_CELL = 40, 10
POINTS = 40
NORMAL_95 = 1.96


@dataclass(frozen=True)
class EffectCurve:
    """What moving one feature does to the output, on average over rows; C outputs, in logits or the target's unit.

    Attributes:
        feature, name, kind: Which feature; ``numeric`` or ``categorical``.
        method: "ale" or "pdp".
        grid: (M,) raw values, increasing; category codes for a category; empty where no value is known.
        levels: Names of the M categories; empty for a number.
        effect: (M, C) output at the value − mean output over the rows.
        error: (M, C) standard errors of ``effect``; 0 where it is exact.
        low, high: (M, C) 95 % band over the rows that are averaged. It does not hold how training would vary.
        missing: (C,) the same for a missing value; None when the training rows have none.
        level: (C,) mean output over the rows: ``effect + level`` is on the scale of the output.
        edges, counts: (Q + 1,), (Q,) histogram of the training values; for a category counts per level and no edges.
        rows: Number of rows that are averaged.
        weight: (C,) root mean square of the effect over the rows: how much the feature does by itself.
        exact: Whether the architecture makes the effect the same for every row, so that all methods agree.
        reason: Why the curve is flat or empty, in words; empty when it is neither.
    """

    feature: int
    name: str
    kind: str
    method: CurveMethod
    grid: np.ndarray
    levels: tuple[str, ...]
    effect: np.ndarray
    error: np.ndarray
    low: np.ndarray
    high: np.ndarray
    missing: np.ndarray | None
    level: np.ndarray
    edges: np.ndarray
    counts: np.ndarray
    rows: int
    weight: np.ndarray
    exact: bool
    reason: str = ""


@dataclass(frozen=True)
class IceLines:
    """Individual conditional expectation: the output of each row as one feature moves; their mean is the PDP.

    Attributes:
        feature, name: Which feature.
        grid: (M,) raw values, category codes for a category.
        outputs: (N, M, C) output of row n with the feature at value m.
        own: (N,) value of the feature in each row, NaN = missing.
        own_outputs: (N, C) output of each row as it is.
    """

    feature: int
    name: str
    grid: np.ndarray
    outputs: np.ndarray
    own: np.ndarray
    own_outputs: np.ndarray


def effect_curve(
    candidate: Candidate,
    feature: int,
    method: CurveMethod = "ale",
    X: np.ndarray | None = None,
    *,
    points: int = POINTS,
    seed: int = 0,
) -> EffectCurve:
    """Return the curve of one feature.

    "ale" accumulates the mean change across narrow cells of the feature's values, each over the rows that lie in the
    cell, so no row is moved far from where the data are. "pdp" averages the output over all rows with the feature set
    to each value, whether such rows exist or not. For a feature that is alone in its group, or in a linear one, both
    are its exact shape function and nothing is averaged.

    Source: Apley & Zhu (2020), arXiv 1612.08468 (ALE); Friedman (2001), Annals of Statistics 29 (PDP).
    Differs: both are counted from the mean output. A missing value is moved to, like any value of a PDP. Neighbours of
    a category are its codes in their order, so the ALE of a category with many levels depends on that order.
    Costs: ALE 2 N passes of the feature's group and 200 resamples of N rows; PDP ``points`` · N passes.

    Args:
        candidate: Of a table.
        feature: Which one, 0 … P−1, used or not.
        method: "ale" or "pdp".
        X: Raw rows (N, P) to average over; by default training rows, 1000 for ALE and 200 for PDP.
        points: Most values on a PDP's grid; ALE has at most 40 cells of ten rows or more.
        seed: Of the resamples of the ALE band; the band of the PDP is ± 1.96 standard errors.

    Raises:
        ExplanationError: The candidate does not read a table, or the rows have the wrong shape.
        SettingsError: There is no such feature or method.
    """
    table = checked_table(candidate, "Curves")
    return _curve(Moves(table, _rows(candidate, method, X)), feature, method, points, seed)


def effect_curves(
    candidate: Candidate,
    method: CurveMethod = "ale",
    X: np.ndarray | None = None,
    *,
    features: Sequence[int] | None = None,
    points: int = POINTS,
    seed: int = 0,
) -> tuple[EffectCurve, ...]:
    """Return the curves of many features (all that are used, by default), the most important first.

    Important is what moves the output most by itself: the root mean square of the effect over the rows, averaged over
    the outputs. Arguments and errors are those of :func:`effect_curve`.
    """
    table = checked_table(candidate, "Curves")
    moves = Moves(table, _rows(candidate, method, X))
    found = [_curve(moves, j, method, points, seed) for j in (table.used if features is None else features)]
    return tuple(sorted(found, key=lambda c: -float(c.weight.mean())))


def ice_lines(candidate: Candidate, feature: int, X: np.ndarray, *, points: int = POINTS) -> IceLines:
    """Return how the output of each raw row ``X`` (N, P) changes as one feature moves over its training values.

    Source: Goldstein et al. (2015), Journal of Computational and Graphical Statistics 24.
    Costs: ``points`` · N passes of the feature's group.

    Raises:
        ExplanationError: The candidate does not read a table, or the rows have the wrong shape.
        SettingsError: There is no such feature.
    """
    moves = Moves(checked_table(candidate, "ICE lines"), X)
    _checked(moves, feature)
    grid = _value_grid(moves, feature, points)
    outputs = _over(moves, feature, grid).transpose(1, 0, 2)
    name = candidate.problem.feature_names[feature]
    return IceLines(feature, name, grid, outputs, moves.X[:, feature], moves.outputs)


def _rows(candidate: Candidate, method: str, X: np.ndarray | None) -> np.ndarray:
    if method not in CURVE_ROWS:
        raise SettingsError(f"There is no curve {method!r}", allowed=", ".join(get_args(CurveMethod)), fix="choose one")
    return default_background(candidate.problem, CURVE_ROWS[method]) if X is None else X


def _checked(moves: Moves, feature: int) -> None:
    P = moves.candidate.problem.P
    if not 0 <= feature < P:
        raise SettingsError(f"There is no feature {feature}", allowed=f"0 to {P - 1}", fix="choose one of them")


def _curve(moves: Moves, feature: int, method: CurveMethod, points: int, seed: int) -> EffectCurve:
    """Return one curve of the rows of ``moves``."""
    _checked(moves, feature)
    x = moves.X[:, feature]
    known = ~np.isnan(x)
    grid = _value_grid(moves, feature, points)
    if moves.group(feature) is None:
        found = _flat(moves, feature, method, grid, "the network does not read it")
    elif not len(grid):
        found = _flat(moves, feature, method, grid, "all its training values are missing")
    elif moves.acts_alone(feature):
        found = _exact(moves, feature, method, grid)
    elif method == "pdp":
        found = _dependence(moves, feature, grid)
    elif known.any():
        found = _accumulated(moves, feature, known, seed)
    else:
        found = _flat(moves, feature, method, grid[:0], "its value is missing in all of these rows")
    if not found.reason and len(found.grid) == 1:
        words = "it has one value only" + (" among these rows" if len(grid) > 1 else "")
        return replace(found, reason=words)
    return found


def _value_grid(moves: Moves, feature: int, points: int) -> np.ndarray:
    """Return the training values a curve is drawn at: all levels of a category, quantiles and even steps of a number.

    A column with fewer values than that has all its values and nothing between.
    """
    raw = moves.candidate.problem.train.raw[:, feature]
    known = np.unique(raw[~np.isnan(raw)])
    if not len(known) or len(known) <= points or _spec(moves, feature).kind == "categorical":
        return known
    return numeric_grid(raw[~np.isnan(raw)], points)


def _spec(moves: Moves, feature: int) -> FeatureSpec:
    return moves.candidate.problem.dataset.features[feature]


def _made(
    moves: Moves, feature: int, method: CurveMethod, grid: np.ndarray, effect: np.ndarray, error: np.ndarray,
    band: tuple[np.ndarray, np.ndarray], missing: np.ndarray | None, weight: np.ndarray, exact: bool, reason: str = "",
) -> EffectCurve:  # fmt: skip
    """Return the curve with its names and the histogram of the training values."""
    spec = _spec(moves, feature)
    raw = moves.candidate.problem.train.raw[:, feature]
    known = raw[~np.isnan(raw)]
    if spec.kind == "categorical":
        edges, counts = np.zeros(0), np.array([int(np.sum(known == code)) for code in grid], int)
        levels = tuple(spec.levels[int(code)] for code in grid)
    else:
        counts, edges = histogram(known)
        levels = ()
    return EffectCurve(
        feature, spec.name, spec.kind, method, grid, levels, effect, error, *band, missing, moves.outputs.mean(0),
        edges, counts, len(moves.X), weight, exact, reason,
    )  # fmt: skip


def _flat(moves: Moves, feature: int, method: CurveMethod, grid: np.ndarray, reason: str) -> EffectCurve:
    """Return a curve that is 0 because there is nothing to move, with the reason."""
    zero = np.zeros((len(grid), moves.candidate.outputs))
    return _made(moves, feature, method, grid, zero, zero, (zero, zero), None, zero.sum(0), True, reason)


def _has_missing(moves: Moves, feature: int) -> bool:
    return bool(moves.candidate.problem.encoder.has_indicator[feature])


def _over(moves: Moves, feature: int, values: np.ndarray) -> np.ndarray:
    """Return the outputs (M, N, C) of all rows with the feature at each of ``values`` (M,)."""
    if moves.group(feature) is None or not len(values):
        return np.tile(moves.outputs, (len(values), 1, 1))
    return np.stack([moves.changed({feature: block}) for block in moves.encoded(feature, values)])


def _exact(moves: Moves, feature: int, method: CurveMethod, grid: np.ndarray) -> EffectCurve:
    """Return the curve of a feature whose effect is the same for every row, read off one row."""
    one = Moves(moves.candidate, moves.X[:1])
    values = np.append(grid, np.nan)
    reached = _over(one, feature, values)[:, 0]
    own = one.candidate.group_effect(_index(moves, feature), _as_first(moves, feature))
    base = own - own[:1] + one.outputs  # the output of the first row with the value of each row
    effect = reached - base.mean(0)
    missing = effect[-1] if _has_missing(moves, feature) else None
    weight = np.sqrt(np.mean((base - base.mean(0)) ** 2, axis=0))
    zero = np.zeros((len(grid), moves.candidate.outputs))
    at = effect[:-1]
    return _made(moves, feature, method, grid, at, zero, (at, at), missing, weight, True)


def _index(moves: Moves, feature: int) -> int:
    group = moves.group(feature)
    assert group is not None
    return group.index


def _as_first(moves: Moves, feature: int) -> np.ndarray:
    """Return the bank of the first row, repeated, with this feature's columns of every row."""
    bank = np.repeat(moves.candidate.bank(moves.X[:1]), len(moves.X), axis=0)
    bank[:, moves.candidate.span(feature)] = moves.columns(feature)
    return bank


def _dependence(moves: Moves, feature: int, grid: np.ndarray) -> EffectCurve:
    """Return partial dependence: the mean over the rows of their ICE lines, counted from the rows' own outputs."""
    N = len(moves.X)
    apart = _over(moves, feature, np.append(grid, np.nan)) - moves.outputs
    effect = apart.mean(1)
    error = apart.std(1, ddof=1)[:-1] / np.sqrt(N) if N > 1 else np.full(effect[:-1].shape, np.inf)
    missing = effect[-1] if _has_missing(moves, feature) else None
    effect = effect[:-1]
    weight = _root_mean_square(moves, feature, grid, effect, missing)
    band = (effect - NORMAL_95 * error, effect + NORMAL_95 * error)
    return _made(moves, feature, "pdp", grid, effect, error, band, missing, weight, False)


def _root_mean_square(
    moves: Moves, feature: int, grid: np.ndarray, effect: np.ndarray, missing: np.ndarray | None
) -> np.ndarray:
    """Return (C,) the spread over the rows of the effect at their own values."""
    x = moves.X[:, feature]
    known = ~np.isnan(x)
    at = [np.interp(x[known], grid, column) for column in effect.T]
    own = np.zeros((len(x), effect.shape[1]))
    own[known] = np.stack(at, axis=1)
    own[~known] = 0.0 if missing is None else missing
    return own.std(0)


def _accumulated(moves: Moves, feature: int, known: np.ndarray, seed: int) -> EffectCurve:
    """Return accumulated local effects over the rows whose value is known, with a bootstrap band."""
    N, C = moves.outputs.shape
    categorical = _spec(moves, feature).kind == "categorical"
    # the spread of a step can be told where a cell holds several rows
    most = int(np.clip(known.sum() // PER_CELL, 1, CELLS))
    cells = effect_grid(moves.X[known][:, [feature]], [categorical], max_cells=most)
    edges = moves.encoded(feature, cells.edges[0])
    at = np.zeros(N, np.int64)
    at[known] = cells.cells[:, 0]
    deltas = (moves.changed({feature: edges[at + 1]}) - moves.changed({feature: edges[at]}))[known]
    # each output is a function of its own: logits are not centred over the classes, as SHAP values are not
    found = accumulate_effects(moves.outputs[known].T[:, :, None], deltas.T[:, :, None, None], cells)
    curve = found.curves[0]
    effect = np.zeros((len(edges), C)) if curve is None else curve[:, :, 0]
    error, low, high = resampled(deltas, cells, effect, seed)
    effect, missing, shift = _with_missing(moves, feature, known, effect)
    weight = _root_mean_square(moves, feature, cells.edges[0], effect, missing)
    keep = slice(None) if cells.edges[0][0] < cells.edges[0][-1] else slice(0, 1)
    return _made(moves, feature, "ale", cells.edges[0][keep], effect[keep], error[keep],
                 (low[keep] - shift, high[keep] - shift), missing, weight, False)  # fmt: skip


def _with_missing(
    moves: Moves, feature: int, known: np.ndarray, effect: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Return (effect, effect of a missing value, shift): counted from the mean over all rows, missing ones too."""
    if not _has_missing(moves, feature):
        return effect, None, np.zeros(effect.shape[1])
    gone = moves.changed({feature: moves.encoded(feature, np.array([np.nan]))[0]})
    missing = (gone - moves.outputs)[known].mean(0)
    shift = missing * float(np.mean(~known))
    return effect - shift, missing - shift, shift
