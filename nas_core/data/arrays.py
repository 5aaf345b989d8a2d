"""From arrays of images or sequences to a data set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_core.data.columns import CLASS_VALUES, level_name
from nas_core.data.dataset import Dataset, DataSource, FeatureSpec, Task
from nas_core.data.signal import Signal
from nas_core.errors import DataError

__all__ = ["SignalLimits", "flat_labels", "label_task", "signal_dataset"]

MIN_ROWS = 10
MIN_CLASS_ROWS = 3  # one for each part of the split
MAX_CLASSES = 1_000
Targets = tuple[NDArray[np.int64] | NDArray[np.float64], tuple[str, ...]]


class SignalLimits:
    """How much images or sequences may take: rows, and numbers altogether (400 MB as float32)."""

    ROWS = 1_000_000
    NUMBERS = 100_000_000

    @classmethod
    def check(cls, rows: int, columns: int, name: str) -> None:
        """Raise DataError when so many rows of so many numbers are too large."""
        for given, allowed, what in (
            (rows, cls.ROWS, "rows"),
            (rows * columns, cls.NUMBERS, "numbers (rows × size of a row)"),
        ):
            if given > allowed:
                raise DataError(
                    f"{name} has {given:,} {what}",
                    allowed=f"at most {allowed:,} {what}",
                    fix="keep a random sample of the rows, or make images smaller",
                )


def signal_dataset(
    X: NDArray[np.generic],
    labels: Sequence[object] | NDArray[np.generic],
    signal: Signal,
    *,
    name: str,
    task: Task = "classification",
    classes: Sequence[str] | None = None,
    target: str = "label",
    source: DataSource | None = None,
    notes: Sequence[str] = (),
    held_out: NDArray[np.int64] | None = None,
) -> Dataset:
    """Return the data set of images or sequences.

    Args:
        X: (N, …) numbers whose last axes have the signal's shape or are flat; NaN = padding.
        labels: (N,) a class of any kind, or the number to predict.
        signal: The shape of one row.
        name: What a person reads.
        task: ``classification`` or ``regression``.
        classes: Names of the classes when labels are indices into them; else they are found and sorted.
        target: What the labels are called.
        source: Where they came from; arrays without one cannot be loaded again.
        notes: What was changed while reading.
        held_out: Rows that the source declares as its test part.

    Raises:
        DataError: Too few rows, too many numbers, labels of another length, one class only, classes too small to be
            split, a quantity that does not vary.
    """
    rows = np.asarray(X)
    SignalLimits.check(len(rows), signal.columns, name)
    held = np.empty(0, dtype=np.int64) if held_out is None else np.sort(np.asarray(held_out, dtype=np.int64))
    free = np.ones(len(rows), dtype=bool)
    free[held] = False
    if free.sum() < MIN_ROWS or len(labels) != len(rows):
        beside = f" beside {len(held)} test rows" if len(held) else ""
        raise DataError(
            f"{name} has {int(free.sum())} rows{beside} and {len(labels)} labels",
            allowed=f"at least {MIN_ROWS} rows to learn from, with a label each",
            fix="check the file",
        )
    y, names = _quantities(labels, name) if task == "regression" else _classes(labels, classes, free, name)
    return Dataset(
        name=name,
        features=tuple(FeatureSpec(n, "numeric") for n in signal.feature_names),
        X=rows.reshape(len(rows), signal.columns).astype(np.float32),
        y=y,
        task=task,
        classes=names,
        target=target,
        source=source or DataSource(kind="memory", location=name, target=target, task=task),
        notes=tuple(notes),
        signal=signal,
        held_out=held if len(held) else None,
    )


def flat_labels(labels: NDArray[Any], name: str) -> NDArray[Any]:
    """Return labels (N,) from (N,), (N, 1) or one-hot (N, C).

    Raises:
        DataError: They have another form.
    """
    if labels.ndim == 1:
        return labels
    if labels.ndim == 2 and labels.shape[1] == 1:
        return labels[:, 0]
    numbers = labels.ndim == 2 and labels.dtype.kind in "biuf"
    if numbers and np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all():
        return np.argmax(labels, axis=1)
    raise DataError(
        f"The labels of {name} have the shape {labels.shape}",
        allowed="one label for each row: (rows,), (rows, 1), or one-hot (rows, classes)",
        fix="predict one thing: keep one column of the labels",
    )


def label_task(labels: NDArray[Any]) -> Task:
    """Return ``classification`` for texts, true/false, and whole numbers that repeat five times on average.

    More than 20 classes are taken for classes only when the numbers count from 0 or 1 without gaps.
    """
    if labels.dtype.kind not in "iuf":
        return "classification"
    if not np.isfinite(labels.astype(np.float64)).all():
        return "regression"
    distinct = np.unique(labels)
    if len(distinct) <= 2:
        return "classification"
    whole = bool(np.all(distinct == np.floor(distinct)))
    counted = bool(distinct[0] in (0, 1) and np.all(np.diff(distinct.astype(np.float64)) == 1))
    few = len(distinct) <= CLASS_VALUES or (labels.dtype.kind in "iu" and counted and len(distinct) <= MAX_CLASSES)
    return "classification" if whole and few and len(labels) >= 5 * len(distinct) else "regression"


def _quantities(labels: Sequence[object] | NDArray[np.generic], name: str) -> Targets:
    """Return the numbers to predict, and no classes."""
    try:
        values = np.asarray(labels).astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{name} has labels that are not numbers ({error})", allowed="numbers", fix="set task='classification'"
        ) from error
    if not np.isfinite(values).all():
        raise DataError(f"{name} has labels that are not finite numbers", allowed="numbers", fix="remove those rows")
    if np.ptp(values) == 0:
        raise DataError(
            f"{name} has the label {values[0]:g} in every row", allowed="labels that vary", fix="choose another target"
        )
    return values, ()


def _classes(
    labels: Sequence[object] | NDArray[np.generic], classes: Sequence[str] | None, free: NDArray[np.bool_], name: str
) -> Targets:
    """Return the class index of every row and the names of the classes."""
    values = np.asarray(labels)
    if classes is not None:
        index, names = values.astype(np.int64), tuple(classes)
    else:
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise DataError(f"{name} has labels without a value", allowed="a class for every row", fix="remove them")
        found, inverse = np.unique(values, return_inverse=True)
        index, names = inverse.astype(np.int64), tuple(level_name(c) for c in found.tolist())
    if len(names) < 2:
        raise DataError(f"{name} has one class only: {names[0]!r}", allowed="at least two classes", fix="add others")
    if len(names) > MAX_CLASSES:
        raise DataError(
            f"{name} has {len(names):,} classes",
            allowed=f"at most {MAX_CLASSES:,} classes",
            fix="set task='regression' if the labels are a quantity, or merge classes",
        )
    counts = np.bincount(index[free], minlength=len(names))
    needed = MIN_CLASS_ROWS if free.all() else MIN_CLASS_ROWS - 1
    small = [f"{names[k]!r} ({counts[k]})" for k in np.flatnonzero(counts < needed)]
    if small:
        raise DataError(
            f"{name} has classes with too few rows: {', '.join(small[:5])}",
            allowed=f"at least {needed} rows in every class beside the declared test rows"
            if needed < MIN_CLASS_ROWS
            else f"at least {needed} rows in every class, so that each part of the split has one",
            fix="add rows, merge these classes, or leave their rows out",
        )
    return index, names
