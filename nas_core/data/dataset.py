"""A data set as the search sees it: numbers, what each column means, and where it came from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from nas_core.data.options import ReadingOptions
from nas_core.data.signal import Modality, Signal
from nas_core.errors import DataError
from nas_core.records import Record, canonical_json

__all__ = ["Aside", "ColumnKind", "DataSource", "Dataset", "FeatureKind", "FeatureSpec", "Task"]

FeatureKind = Literal["numeric", "categorical"]
ColumnKind = Literal["numeric", "categorical", "ignore"]
Task = Literal["classification", "regression"]


@dataclass(frozen=True)
class FeatureSpec:
    """What one column of a data set means.

    Attributes:
        name: Name of the column.
        kind: ``numeric`` (the value counts) or ``categorical`` (the value is a code, an index into ``levels``).
        levels: Names of the categories, empty for a numeric feature.
        missing: Number of rows whose value is missing.
    """

    name: str
    kind: FeatureKind
    levels: tuple[str, ...] = ()
    missing: int = 0


class DataSource(Record):
    """Where a data set comes from and how its columns are read: enough to load it again.

    ``location`` is the name of a built-in set, the path of a file or a folder, or ``openml:`` with a number or a name;
    ``kinds`` holds only what a person decided, the other columns are guessed; ``reading`` says how images, series and
    texts are read; ``aside`` names the column that decides the split and is no feature unless ``kinds`` says so. A
    ``memory`` source was handed over as a table and cannot be loaded again.
    """

    kind: Literal["builtin", "file", "openml", "memory"]
    location: str
    target: str | None = None
    kinds: dict[str, ColumnKind] = Field(default_factory=dict)
    task: Task | None = None
    aside: str | None = None
    reading: ReadingOptions = ReadingOptions()


def _frozen(array: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return ``array`` if nobody can change it and it is contiguous, else a read-only copy."""
    if not array.flags.writeable and array.flags.c_contiguous and array.base is None:
        return array
    copy = np.array(array, order="C")
    copy.setflags(write=False)
    return copy


@dataclass(frozen=True, eq=False)
class Aside:
    """A column that is kept beside the features to split the rows by: groups that stay together, or an order.

    Attributes:
        name: Name of the column.
        codes: (N,) int64, the same number for the same value; in the order of the values where ``ordered``;
            −1 = missing.
        ordered: Whether the values have an order in time: numbers or dates.
        reason: Why they have no order; empty when they have one.
    """

    name: str
    codes: NDArray[np.int64]
    ordered: bool
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows to learn from, immutable.

    Attributes:
        name: What a person reads.
        features: One :class:`FeatureSpec` per column of ``X``, or per cell of ``signal``.
        X: (N, P) float64, read-only: a number, or the code of a category; NaN = missing. Of images and sequences
            (N, signal.columns) float32, NaN = padding.
        y: (N,) read-only: int64 class index, or the float64 value to predict in the target's own unit.
        task: ``classification`` or ``regression``.
        classes: Names of the classes in the order of their indices; empty for regression.
        target: Name of the predicted column.
        source: Where the data came from.
        notes: What was changed or left out while reading, in sentences for a person.
        signal: How the columns of images or sequences lie; None for a table.
        held_out: (k,) int64 row numbers that the source itself declares as its test part; None when it does not.
        aside: The column kept to split the rows by; None when there is none.
    """

    name: str
    features: tuple[FeatureSpec, ...]
    X: NDArray[np.float64]
    y: NDArray[np.int64] | NDArray[np.float64]
    task: Task
    classes: tuple[str, ...]
    target: str
    source: DataSource
    notes: tuple[str, ...] = ()
    signal: Signal | None = None
    held_out: NDArray[np.int64] | None = None
    aside: Aside | None = None

    def __post_init__(self) -> None:
        dtype = np.int64 if self.task == "classification" else np.float64
        kept = np.float64 if self.signal is None else np.float32
        object.__setattr__(self, "X", _frozen(np.asarray(self.X, dtype=kept)))
        object.__setattr__(self, "y", _frozen(np.asarray(self.y, dtype=dtype)))
        columns, P = (self.signal.columns, self.signal.features) if self.signal else (len(self.features),) * 2
        if (
            self.X.ndim != 2
            or self.y.shape != self.X.shape[:1]
            or (self.X.shape[1], len(self.features)) != (columns, P)
        ):
            raise DataError(
                f"The arrays do not fit together: X {self.X.shape}, y {self.y.shape}, {len(self.features)} features",
                allowed="X (N, P), y (N,) and P feature specifications; of a signal X (N, columns) and P cells",
                fix="build the data set with load_data or dataset_from_frame",
            )

    @property
    def N(self) -> int:  # noqa: N802 - the letter is declared in nas_core.records
        """Number of rows."""
        return int(self.X.shape[0])

    @property
    def P(self) -> int:  # noqa: N802
        """Number of features."""
        return len(self.features)

    @property
    def modality(self) -> Modality:
        """``tabular``, ``image`` or ``sequence``."""
        return self.signal.modality if self.signal else "tabular"

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the P features, in column order."""
        return tuple(f.name for f in self.features)

    @cached_property
    def hash(self) -> str:
        """SHA-256 (hexadecimal) of the content: features, task, classes, X and y; not of name, source or notes."""
        header: dict[str, Any] = {
            "features": [[f.name, f.kind, list(f.levels), f.missing] for f in self.features],
            "task": self.task,
            "classes": list(self.classes),
            "shape": list(self.X.shape),
        }
        if self.signal is not None:
            header["signal"] = self.signal.model_dump(mode="json")
        if self.held_out is not None:
            header["held_out"] = self.held_out.tolist()
        if self.aside is not None:
            header["aside"] = [self.aside.name, hashlib.sha256(self.aside.codes.astype("<i8").tobytes()).hexdigest()]
        digest = hashlib.sha256(canonical_json(header).encode())
        rows = max(1, 1_000_000 // max(1, self.X.shape[1]))  # in pieces: a wide table is not copied as a whole
        for start in range(0, self.N, rows):
            # every NaN has the same bytes, zero has one sign, and the byte order is little-endian on every machine
            X = self.X[start : start + rows]
            digest.update(np.where(np.isnan(X), np.nan, X + 0.0).astype("<f8").tobytes())
        digest.update(self.y.astype("<i8" if self.task == "classification" else "<f8").tobytes())
        return digest.hexdigest()
