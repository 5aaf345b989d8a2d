"""Columns of a table that a person should look at before anything is learned from them: constant, copied, leaking.

A *leak* is a column that would not be known when a prediction is needed: it was written down after the target, or made
from it. It shows by predicting the target suspiciously well on its own, by where its values are missing, or by values
that were filled in class by class. All that is seen here is a suspicion; a person decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nas_core.data.dataset import Dataset
from nas_core.errors import DataError

__all__ = ["ColumnWarning", "WarningKind", "column_warnings"]

WarningKind = Literal["constant", "duplicate", "leak", "missing_leak", "filled_leak"]
Codes = NDArray[np.int64]
Floats = NDArray[np.float64]
ROWS = 10_000  # rows looked at for leaks; a leak worth a warning shows in fewer
CELLS = 1_000_000  # rows × columns looked at, so that wide tables take no longer
LEAST_ROWS = 40
BINS = 64
BIN_ROWS = 10  # a bin has at least as many, where values differ
FOLDS = 3
PRIOR = 1.0  # rows of the overall mean that every bin is mixed with
SUSPICIOUS = {"two": 0.96, "several": 0.98, "regression": 0.98}  # skill of one column: 2 AUC − 1, or R²
ALONE = 0.85  # far above all others: this skill …
AHEAD = 0.45  # … and this much more than the next best column
PATTERN = {"classification": 0.7, "regression": 0.5}  # skill of where values are missing: they should say little
REPEATS = 10
PURE = 0.995
CHANCE = 1e-6


@dataclass(frozen=True)
class ColumnWarning:
    """What is suspicious about one column.

    Attributes:
        column: Name of the column.
        kind: constant, duplicate, leak (its values), missing_leak (where they are missing), filled_leak (values that
            repeat within one class).
        evidence: What was seen, a sentence with its numbers.
        suggestion: What to do, a sentence.
    """

    column: str
    kind: WarningKind
    evidence: str
    suggestion: str


def column_warnings(dataset: Dataset, rows: NDArray[np.int64] | None = None) -> tuple[ColumnWarning, ...]:
    """Return what is suspicious about the features of a table, in the order of its columns.

    Constant: one value only. Duplicate: the values of an earlier column, or an increasing or decreasing re-coding of
    them (for categories: any re-coding). Leak: means of the target in at most 64 bins of the column, estimated on two
    thirds of the rows, predict the other third with AUC .98 (of several classes .99, the mean one-versus-rest) or R²
    .98 (of the ranks of the target); or with AUC .925 or R² .85 where no other column comes near. Missing: the same for
    "is missing", from AUC .85 or R² .5.
    Filled: a number that repeats within one class only, among numbers that are found in several classes.

    Source: Kaufman, Rosset and Perlich (2012) on leakage; Kapoor and Narayanan (2023) on how common it is.
    Costs: at most 10,000 rows are looked at for leaks (1,000,000 cells in wide tables); about a second at
    100,000 × 50.

    Args:
        dataset: A table.
        rows: Rows to look at, the training rows, so that nothing of the other parts is seen; None for all.

    Raises:
        DataError: The data set holds images or sequences.
    """
    if dataset.signal is not None:
        raise DataError(
            f"{dataset.name} holds {dataset.modality} data", allowed="a table", fix="there are no columns to warn about"
        )
    rows = np.arange(dataset.N) if rows is None else rows
    found = [*_constant(dataset, rows), *_duplicates(dataset, rows)]
    useless = {w.column for w in found}
    wanted = int(min(ROWS, max(LEAST_ROWS, CELLS // max(1, dataset.P))))
    sample = rows if len(rows) <= wanted else rows[np.linspace(0, len(rows) - 1, wanted).astype(np.int64)]
    if len(sample) >= LEAST_ROWS:
        found += _leaks(dataset, sample, [j for j, f in enumerate(dataset.features) if f.name not in useless])
    place = {name: j for j, name in enumerate(dataset.feature_names)}
    return tuple(sorted(found, key=lambda w: place[w.column]))


def _constant(dataset: Dataset, rows: Codes) -> Iterator[ColumnWarning]:
    for j, feature in enumerate(dataset.features):
        x = dataset.X[rows, j]
        if not (x == x[0]).all() and not np.isnan(x).all():
            continue
        what = "no value" if np.isnan(x).all() else "the same value"
        merged = "With its rare categories merged, it" if feature.levels == ("other",) else "It"
        yield ColumnWarning(
            feature.name, "constant", f"{merged} has {what} in all {len(rows):,} rows that are learned from.",
            "Leave it out: nothing can be learned from it.",
        )  # fmt: skip


def _duplicates(dataset: Dataset, rows: Codes) -> Iterator[ColumnWarning]:
    """Yield the columns that repeat an earlier one; candidates are found on some rows and confirmed on all."""
    few = rows[np.linspace(0, len(rows) - 1, min(len(rows), 2_000)).astype(np.int64)]
    seen: dict[bytes, list[int]] = {}
    for j, feature in enumerate(dataset.features):
        x = dataset.X[few, j]
        if np.isnan(x).all() or (x == x[0]).all():
            continue
        key = _recoded(x, feature.kind == "categorical").tobytes()
        for earlier in seen.get(key, []):
            one, two = dataset.X[rows, earlier], dataset.X[rows, j]
            categorical = feature.kind == "categorical"
            if not np.array_equal(_recoded(one, categorical), _recoded(two, categorical)):
                continue
            other = dataset.features[earlier].name
            same = np.array_equal(one, two, equal_nan=True)
            seen_words = "holds the same values as" if same else "only writes differently what is in"
            yield ColumnWarning(
                feature.name, "duplicate", f"It {seen_words} {other!r}, in every row.",
                f"Leave one of the two out: together they count as two features and say as much as one ({other!r}).",
            )  # fmt: skip
            break
        else:
            seen.setdefault(key, []).append(j)


def _recoded(x: Floats, categorical: bool) -> Codes:
    """Return codes that are equal for columns that say the same: ranks of numbers, up or down; order of appearance."""
    present = ~np.isnan(x)
    codes = np.full(len(x), -1, dtype=np.int64)
    values, first, inverse = np.unique(x[present], return_index=True, return_inverse=True)
    if categorical:
        place = np.empty(len(values), dtype=np.int64)
        place[np.argsort(first)] = np.arange(len(values))
        codes[present] = place[inverse]
    elif len(inverse):
        # a decreasing re-coding turns the ranks round: the first row decides which way they are written
        turned = len(values) - 1 - inverse
        moved = np.flatnonzero(inverse != turned)
        up = not len(moved) or inverse[moved[0]] < turned[moved[0]]
        codes[present] = inverse if up else turned
    return codes


def _leaks(dataset: Dataset, rows: Codes, columns: list[int]) -> Iterator[ColumnWarning]:
    """Yield the columns that predict the target too well by their values, their gaps, or what fills them."""
    T = _targets(dataset, rows)
    fold = np.arange(len(rows)) % FOLDS
    fold = np.random.default_rng(0).permutation(fold)
    values, gaps = np.zeros(len(columns)), np.zeros(len(columns))
    for n, j in enumerate(columns):
        x = dataset.X[rows, j]
        missing = np.isnan(x)
        values[n] = _skill(x, T, fold, dataset.task)
        if 0.005 < missing.mean() < 0.995:
            gaps[n] = _skill(missing.astype(float), T, fold, dataset.task)
    best = np.sort(values)[::-1]
    limit = SUSPICIOUS["regression" if dataset.task == "regression" else "two" if T.shape[1] == 1 else "several"]
    for n, j in enumerate(columns):
        name = dataset.features[j].name
        if gaps[n] >= PATTERN[dataset.task]:
            yield _missing_leak(name, float(gaps[n]), dataset, rows, j)
            continue
        if dataset.task == "classification" and dataset.features[j].kind == "numeric":
            filled = _filled(dataset.X[rows, j], dataset.y[rows].astype(np.int64), dataset.classes)
            if filled:
                yield ColumnWarning(
                    name, "filled_leak", filled,
                    "Leave it out, or fill in its missing values without looking at the target.",
                )  # fmt: skip
                continue
        others = float(best[1] if values[n] >= best[0] and len(best) > 1 else best[0])
        ahead = len(columns) > 2 and values[n] >= ALONE and values[n] - others >= AHEAD
        if values[n] >= limit or ahead:
            yield _leak(name, float(values[n]), others if ahead else None, dataset)


def _leak(name: str, skill: float, others: float | None, dataset: Dataset) -> ColumnWarning:
    measure = _measure(dataset.task, skill)
    beside = f"; the next best column reaches {_measure(dataset.task, others)}" if others is not None else ""
    return ColumnWarning(
        name, "leak", f"Alone it predicts {dataset.target!r} with {measure}{beside}.",
        "Leave it out unless it is known before the target is.",
    )  # fmt: skip


def _missing_leak(name: str, skill: float, dataset: Dataset, rows: Codes, j: int) -> ColumnWarning:
    missing = np.isnan(dataset.X[rows, j])
    evidence = f"Where its values are missing predicts {dataset.target!r} with {_measure(dataset.task, skill)}"
    if dataset.task == "classification":
        y = dataset.y[rows].astype(np.int64)
        shares = np.array([missing[y == k].mean() if (y == k).any() else np.nan for k in range(len(dataset.classes))])
        low, high = int(np.nanargmin(shares)), int(np.nanargmax(shares))
        evidence += (
            f": it is missing in {shares[high]:.0%} of the rows of {dataset.classes[high]!r} "
            f"and in {shares[low]:.0%} of those of {dataset.classes[low]!r}"
        )
    return ColumnWarning(
        name, "missing_leak", evidence + ".", "Leave it out if the gaps arose after the target was known."
    )  # fmt: skip


def _measure(task: str, skill: float) -> str:
    return f"R² {skill:.3g} (of ranks)" if task == "regression" else f"AUC {0.5 + skill / 2:.3g}"


def _targets(dataset: Dataset, rows: Codes) -> Floats:
    """Return the target columns (n, M): one of two classes, each of several, or the ranks of the quantity.

    Bins cannot follow the tails of a skewed quantity, so that even its copy would seem to miss much; ranks have none.
    """
    y = dataset.y[rows]
    if dataset.task == "regression":
        _, inverse, counts = np.unique(y, return_inverse=True, return_counts=True)
        return (np.cumsum(counts) - (counts - 1) / 2)[inverse][:, None]
    hot = np.eye(len(dataset.classes))[y.astype(np.int64)]
    return hot[:, 1:] if len(dataset.classes) == 2 else hot


def _skill(x: Floats, T: Floats, fold: Codes, task: str) -> float:
    """Return how well bins of x (n,) predict targets T (n, M) on rows not used for them: R², or 2 AUC − 1.

    The fold decides which third of the rows is predicted; NaN is a bin of its own.
    """
    predicted = np.empty(T.shape)
    for k in range(FOLDS):
        fit = fold != k
        predicted[~fit] = _binned(x[fit], T[fit], x[~fit])
    if task == "regression":
        residual, total = ((T - predicted) ** 2).sum(), ((T - T.mean(axis=0)) ** 2).sum()
        return float(max(0.0, 1.0 - residual / total)) if total > 0 else 0.0
    found = [_auc(t > 0.5, p) for t, p in zip(T.T, predicted.T) if 0 < t.sum() < len(t)]
    return float(max(0.0, 2.0 * float(np.mean(found)) - 1.0)) if found else 0.0


def _binned(x: Floats, T: Floats, shown: Floats) -> Floats:
    """Return the mean targets (m, M) of the bins that ``shown`` (m,) falls into, estimated on x (n,) and T (n, M)."""
    known = x[~np.isnan(x)]
    values = np.unique(known)
    edges = values
    bins = int(np.clip(len(known) / BIN_ROWS, 4, BINS))
    if len(values) > bins:
        edges = np.unique(np.quantile(known, np.arange(bins) / bins, method="lower"))
    own, asked = (np.where(np.isnan(v), len(edges) + 1, np.searchsorted(edges, v, side="right")) for v in (x, shown))
    mean = T.mean(axis=0)
    count = np.bincount(own, minlength=len(edges) + 2)
    sums = np.stack([np.bincount(own, weights=t, minlength=len(edges) + 2) for t in T.T], axis=1)
    return ((sums + PRIOR * mean) / (count + PRIOR)[:, None])[asked]


def _auc(positive: NDArray[np.bool_], scores: Floats) -> float:
    """Return the AUC of scores (n,), ties counting one half."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    up = int(positive.sum())
    return float((ranks[positive].sum() - up * (up + 1) / 2) / (up * (len(scores) - up)))


def _filled(x: Floats, y: Codes, classes: tuple[str, ...]) -> str:
    """Return evidence that values were filled in class by class; empty when there is none.

    Suspicious is a value that repeats far more often than the others, in one class only, while the values next to it
    are found in several classes: so it is no tail of the distribution where one class is alone.
    """
    present = ~np.isnan(x)
    order = np.argsort(x[present], kind="stable")
    values, labels = x[present][order], y[present][order]
    distinct, start, counts = np.unique(values, return_index=True, return_counts=True)
    if len(distinct) < 3 * REPEATS:
        return ""
    often = np.flatnonzero(counts >= max(REPEATS, 10 * float(np.median(counts)), 0.005 * len(values)))
    told = []
    for n in often:
        own = np.bincount(labels[start[n] : start[n] + counts[n]], minlength=len(classes))
        k = int(np.argmax(own))
        share = float(np.mean(y == k))
        if own[k] < PURE * counts[n] or share ** int(own[k]) > CHANCE:
            continue
        around = np.concatenate([labels[max(0, start[n] - counts[n]) : start[n]],
                                 labels[start[n] + counts[n] : start[n] + 2 * counts[n]]])  # fmt: skip
        if len(around) >= REPEATS and np.mean(around == k) < 0.9:
            told.append((int(counts[n]), float(distinct[n]), classes[k]))
    return _told(told, len(x))


def _told(found: Iterable[tuple[int, float, str]], rows: int) -> str:
    parts = [f"{value:g} in {count:,} rows, all of {name!r}" for count, value, name in sorted(found, reverse=True)[:3]]
    if not parts:
        return ""
    return (
        f"Of {rows:,} rows it holds exactly {'; '.join(parts)}; values next to these occur in several classes, as if "
        "missing values had been filled in class by class."
    )
