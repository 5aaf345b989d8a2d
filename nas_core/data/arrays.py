"""From arrays of images or sequences to a data set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nas_core.data.dataset import Dataset, DataSource, FeatureSpec, Task
from nas_core.data.signal import Signal
from nas_core.errors import DataError

__all__ = ["SignalLimits", "signal_dataset"]

MIN_ROWS = 10


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
        DataError: Too few rows, too many numbers, labels of another length, one class only.
    """
    rows = np.asarray(X)
    SignalLimits.check(len(rows), signal.columns, name)
    if len(rows) < MIN_ROWS or len(labels) != len(rows):
        raise DataError(
            f"{name} has {len(rows)} rows and {len(labels)} labels",
            allowed=f"at least {MIN_ROWS} rows with a label each",
            fix="check the file",
        )
    y, names = _targets(np.asarray(labels), task, classes, name)
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
        held_out=None if held_out is None else np.sort(np.asarray(held_out, dtype=np.int64)),
    )


def _targets(
    labels: NDArray[np.generic], task: Task, classes: Sequence[str] | None, name: str
) -> tuple[NDArray[np.int64] | NDArray[np.float64], tuple[str, ...]]:
    """Return the class index of every row with the class names, or the numbers to predict."""
    if task == "regression":
        values = labels.astype(np.float64)
        if not np.isfinite(values).all():
            raise DataError(
                f"{name} has labels that are not finite numbers", allowed="numbers", fix="remove those rows"
            )
        return values, ()
    if classes is not None:
        return labels.astype(np.int64), tuple(classes)
    found, index = np.unique(labels, return_inverse=True)
    if len(found) < 2:
        raise DataError(f"{name} has one class only: {found[0]!r}", allowed="at least two classes", fix="add others")
    return index.astype(np.int64), tuple(str(c) for c in found)
