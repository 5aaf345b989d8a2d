"""Long tables of series: a row per value, with the series it belongs to and its time."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nas_core.data.columns import TARGET_NAMES, is_text
from nas_core.data.dataset import DataSource
from nas_core.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LongColumns", "LongSeries", "find_long", "long_series"]

ID_NAMES = re.compile(r"(series|case|sample|unit|sequence|recording|instance|window)?[_ ]?(id|no|number|nr)?", re.I)
TIME_NAMES = ("time", "t", "step", "timestamp", "time_step", "timestep", "time step", "datetime", "date", "tick")
STRICT_ROWS, STRICT_SERIES = 3, 10


@dataclass(frozen=True)
class LongColumns:
    """Which columns of a long table mean what."""

    id: str
    time: str
    values: tuple[str, ...]
    target: str

    def source(self, source: DataSource) -> DataSource:
        """Return ``source`` with these columns recorded."""
        reading = source.reading.model_copy(
            update={"modality": "sequence", "id": self.id, "time": self.time, "values": self.values}
        )
        return source.model_copy(update={"target": self.target, "reading": reading})


@dataclass(frozen=True)
class LongSeries:
    """N series (channels, steps) with their labels; ``held`` are the row numbers of the test part."""

    series: list[NDArray[np.float64]]
    labels: pd.Series
    held: NDArray[np.int64]
    source: DataSource
    notes: tuple[str, ...]


def find_long(frame: pd.DataFrame, source: DataSource, *, strict: bool) -> LongColumns | None:
    """Return the columns of a long table by their names, or None when it is none.

    Args:
        frame: Any table.
        source: A target and columns that a person chose count more than names.
        strict: Ask for everything that makes a long table unmistakable: at least ten series of three rows on average,
            each time once in a series, and the same target in all rows of a series.
    """
    names = [str(c) for c in frame.columns]
    wishes = source.reading
    id = wishes.id or next((n for n in names if n and ID_NAMES.fullmatch(n) and n.lower() not in TARGET_NAMES), None)
    time = wishes.time or next((n for n in names if n.lower() in TIME_NAMES and n != id), None)
    if id is None or time is None or id not in names or time not in names:
        return None
    by_name = next((n for n in names if n.lower() in TARGET_NAMES and n not in (id, time)), None)
    target = source.target or by_name
    if target is None and not strict:
        target = next((n for n in reversed(names) if n not in (id, time, *wishes.values)), None)
    values = wishes.values or tuple(
        n for n in names if n not in (id, time, target) and frame[n].dtype.kind in "iuf"
    )  # fmt: skip
    if target is None or target not in names or target in (id, time) or not values:
        return None
    found = LongColumns(id, time, values, target)
    return found if not strict or _unmistakable(frame, found) else None


def _unmistakable(frame: pd.DataFrame, columns: LongColumns) -> bool:
    ids = frame[columns.id]
    series = int(ids.nunique())
    if series < STRICT_SERIES or len(frame) < STRICT_ROWS * series or ids.isna().any():
        return False
    if frame.duplicated([columns.id, columns.time]).any() or frame[columns.time].isna().any():
        return False
    if is_text(frame[columns.time]) and _dates(frame[columns.time]) is None:
        return False
    return bool((frame.groupby(columns.id, sort=False)[columns.target].nunique(dropna=False) == 1).all())


def long_series(frame: pd.DataFrame, source: DataSource, name: str, held: int) -> LongSeries:
    """Return the series of a long table in the order in which they first appear, each in the order of time.

    The last ``held`` rows of the table are test rows; an id there means another series than before.

    Raises:
        DataError: A column is not there, a time is missing or repeated, a label varies within a series.
    """
    columns = find_long(frame, source, strict=False)
    if columns is None:
        raise DataError(
            f"{name} has no columns of a long table with the names that are given: {source.reading.id!r}, "
            f"{source.reading.time!r}, {', '.join(map(repr, source.reading.values)) or 'numbers'}, {source.target!r}",
            allowed=", ".join(map(str, frame.columns))[:200],
            fix="say the columns of id, time, values and target",
        )
    values = _values(frame, columns, name)
    times = _times(frame[columns.time], columns.time)
    part = np.arange(len(frame)) >= len(frame) - held
    there = frame[columns.id].notna().to_numpy()
    key = frame.assign(**{"\x00part": part})[["\x00part", columns.id]][there]
    groups = key.groupby(["\x00part", columns.id], sort=False).ngroup()
    codes: NDArray[np.int64] = np.asarray(groups, dtype=np.int64)
    rows: NDArray[np.int64] = np.flatnonzero(there).astype(np.int64)
    order = np.lexsort((times[rows], codes))
    rows, codes = rows[order], codes[order]
    _check_times(rows, codes, times, frame, columns)
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    labels = frame[columns.target].iloc[rows]
    changed = labels.ne(labels.shift()) & ~(labels.isna() & labels.shift().isna())
    inside = changed.to_numpy() & (np.diff(codes, prepend=-1) == 0)
    if inside.any():
        where = frame[columns.id].iloc[rows[np.argmax(inside)]]
        raise DataError(
            f"The target {columns.target!r} changes within the series {str(where)[:40]!r}",
            allowed="one label for each series, repeated in all of its rows",
            fix="choose another target, or set the modality to tabular to read each row for itself",
        )
    per_series = labels.iloc[starts].reset_index(drop=True)
    series = [values[group].T for group in np.split(rows, starts[1:])]
    kept = np.flatnonzero(per_series.notna().to_numpy())
    notes = _notes(len(frame) - len(rows), len(series) - len(kept), columns, times, rows, codes)
    test = part[rows[starts]][kept]
    return LongSeries(
        [series[k] for k in kept], per_series.iloc[kept].reset_index(drop=True), np.flatnonzero(test),
        columns.source(source), tuple(notes),
    )  # fmt: skip


def _values(frame: pd.DataFrame, columns: LongColumns, name: str) -> NDArray[np.float64]:
    """Return the values (rows, channels)."""
    for column in columns.values:
        if column not in frame.columns or frame[column].dtype.kind not in "biuf":
            raise DataError(f"{column!r} is no column of numbers in {name}", allowed="names of numeric columns",
                            fix="correct its values, or choose other columns")  # fmt: skip
    return frame[list(columns.values)].to_numpy(dtype=np.float64, na_value=np.nan)


def _times(values: pd.Series, name: str) -> NDArray[Any]:
    """Return times that can be sorted: numbers, or dates read from text."""
    if values.isna().any():
        raise DataError(f"The time {name!r} is missing in row {int(np.argmax(values.isna())) + 1}",
                        allowed="a time in every row", fix="fill it in, or remove those rows")  # fmt: skip
    if not is_text(values):
        return values.to_numpy(dtype=np.float64)
    if values.dtype.kind == "M":
        return values.to_numpy().astype(np.int64)
    dates = _dates(values)
    if dates is None:
        raise DataError(f"The time {name!r} holds {str(values.iloc[0])[:40]!r}", allowed="numbers or dates",
                        fix="choose another column of time")  # fmt: skip
    return dates


def _dates(values: pd.Series) -> NDArray[np.int64] | None:
    """Return dates read from text as numbers, or None when one is no date."""
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            read = pd.to_datetime(values, errors="coerce", utc=True)
        except (ValueError, TypeError, OverflowError):
            return None
    return None if read.isna().any() else np.asarray(read.astype("int64"), dtype=np.int64)


def _check_times(
    rows: NDArray[np.int64], codes: NDArray[np.int64], times: NDArray[Any], frame: pd.DataFrame, columns: LongColumns
) -> None:
    same = (np.diff(codes) == 0) & (np.diff(times[rows]) == 0)
    if same.any():
        row = rows[1:][np.argmax(same)]
        raise DataError(
            f"The series {str(frame[columns.id].iloc[row])[:40]!r} has the time "
            f"{str(frame[columns.time].iloc[row])[:40]!r} twice",
            allowed="each time once in a series",
            fix="average such rows, or choose other columns for id and time",
        )


def _notes(
    without_id: int, unlabelled: int, columns: LongColumns, times: NDArray[Any], rows: NDArray[np.int64],
    codes: NDArray[np.int64],
) -> list[str]:  # fmt: skip
    notes = []
    if without_id:
        notes.append(f"{without_id:,} rows are left out: {columns.id!r} is missing.")
    if unlabelled:
        notes.append(f"{unlabelled:,} series are left out: their target {columns.target!r} is missing.")
    steps = np.diff(times[rows].astype(np.float64))[np.diff(codes) == 0]
    if len(steps) and np.ptp(steps) > 1e-6 * np.abs(steps).max():
        notes.append(f"{columns.time!r} has uneven steps: values are put in its order, the distances are not used.")
    return notes
