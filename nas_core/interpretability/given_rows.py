"""Rows that a person brings, as numbers: arrays of any kind, lists, and data frames with words in them.

A model that was fitted to a frame wants frames: what is computed here on numbers is turned back into what was given
before the model sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nas_core.errors import DataError, SettingsError

__all__ = ["GivenRows", "read_rows"]

Restore = Callable[[np.ndarray], Any]
NAMED = 4


@dataclass(frozen=True)
class GivenRows:
    """N rows of P features.

    Attributes:
        values: (N, P) float64 without missing values; words are codes, in the order of the words.
        categorical: (P,) True where the values are codes without an order.
        names: P names.
        restore: From numbers (m, P) to what the model reads: the same array, or objects, or a frame.
    """

    values: np.ndarray
    categorical: np.ndarray
    names: tuple[str, ...]
    restore: Restore


def read_rows(
    X: Any, *, categorical: Sequence[int | str | bool] | None = None, names: Sequence[str] | None = None
) -> GivenRows:
    """Return the rows of an array (N, P), a list of rows, or a data frame.

    A column that holds anything but numbers is a category. Numbers stay numbers unless ``categorical`` names them.

    Args:
        X: The rows.
        categorical: Which columns hold codes without an order: their numbers, their names, or P truth values.
        names: P names; by default those of the frame, or ``x1`` …

    Raises:
        DataError: There are no rows, or they hold missing or infinite values, dates, or rows of different lengths.
        SettingsError: ``categorical`` or ``names`` do not fit.
    """
    frame = hasattr(X, "columns") and hasattr(X, "iloc")
    columns, restore = _of_frame(X) if frame else _of_array(X)
    if not columns or not len(columns[0][0]):
        raise DataError(
            f"There are {len(columns[0][0]) if columns else 0} rows of {len(columns)} features",
            allowed="at least one row and one feature",
            fix="pass the rows that the model predicts",
        )
    known = tuple(str(n) for n in (X.columns if frame else (f"x{j + 1}" for j in range(len(columns)))))
    if names is not None:
        if len(names) != len(columns):
            raise SettingsError(f"{len(names)} names for {len(columns)} features", allowed="one for each", fix="count")
        known = tuple(str(n) for n in names)
    values = np.stack([values for values, _ in columns], 1)
    _check_finite(values, known)
    flags = np.array([words for _, words in columns]) | _flags(categorical, known)
    return GivenRows(values, flags, known, restore)


def _of_array(X: Any) -> tuple[list[tuple[np.ndarray, bool]], Restore]:
    """Return (values, holds words) of each column of an array, and the way back."""
    if hasattr(X, "toarray"):
        raise DataError("The rows are a sparse matrix", allowed="an array or a data frame", fix="pass X.toarray()")
    try:
        given = np.asarray(X)
    except ValueError:
        given = np.zeros(0)
    if given.ndim != 2:
        what = f"an array of shape {given.shape}" if given.size else "no array with two dimensions"
        fix = "X.reshape(-1, 1) for one feature, X.reshape(1, -1) for one row"
        raise DataError(f"The rows are {what}", allowed="(N, P): N rows of P features, all of one length", fix=fix)
    if given.dtype.kind in "biuf":
        values = given.astype(np.float64)
        return [(values[:, j], False) for j in range(values.shape[1])], _same
    if given.dtype.kind not in "OUS":
        raise DataError(f"The rows hold {given.dtype}", allowed="numbers and words", fix="turn them into numbers")
    parts = [_numbers_or_words(given[:, j], f"column {j}") for j in range(given.shape[1])]

    def restore(values: np.ndarray) -> np.ndarray:
        told = np.empty(values.shape, object)
        for j, (_, levels) in enumerate(parts):
            told[:, j] = values[:, j] if levels is None else levels[values[:, j].astype(int)]
        return told

    return [(values, levels is not None) for values, levels in parts], restore


def _same(values: np.ndarray) -> np.ndarray:
    return values


def _of_frame(frame: Any) -> tuple[list[tuple[np.ndarray, bool]], Restore]:
    """Return (values, holds words) of each column of a pandas frame, and the way back to such a frame."""
    import pandas as pd

    parts: list[tuple[np.ndarray, np.ndarray | None]] = []
    for j, name in enumerate(frame.columns):
        column = frame.iloc[:, j]
        if pd.api.types.is_numeric_dtype(column.dtype):
            parts.append((column.to_numpy(dtype=np.float64, na_value=np.nan), None))
        elif pd.api.types.is_datetime64_any_dtype(column.dtype):
            raise DataError(f"The column {name!r} holds dates", allowed="numbers and words", fix="turn it into numbers")
        else:
            parts.append(_numbers_or_words(column.to_numpy(dtype=object), repr(name)))

    def restore(values: np.ndarray) -> Any:
        told: dict[int, Any] = {}
        for j, (_, levels) in enumerate(parts):
            numbers = values[:, j]
            told[j] = numbers if levels is None else pd.Series(levels[numbers.astype(int)]).astype(frame.dtypes.iloc[j])
        made = pd.DataFrame(told)
        made.columns = frame.columns
        return made

    return [(values, levels is not None) for values, levels in parts], restore


def _numbers_or_words(column: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Return a column of objects (N,) as numbers and None, or as codes and their levels."""
    try:
        return np.array([np.nan if v is None else v for v in column], np.float64), None
    except (TypeError, ValueError):
        pass
    if any(v is None or v != v for v in column):
        raise _missing(name)
    levels = np.array(sorted(set(column.tolist()), key=lambda v: (str(type(v)), str(v))), object)
    codes = {level: code for code, level in enumerate(levels)}
    return np.array([codes[v] for v in column.tolist()], np.float64), levels


def _check_finite(values: np.ndarray, names: Sequence[str]) -> None:
    """Raise DataError where a value is missing or infinite."""
    if np.isfinite(values).all():
        return
    missing = np.flatnonzero(np.isnan(values).any(0))
    if len(missing):
        raise _missing(_listed(missing, names))
    endless = _listed(np.flatnonzero(np.isinf(values).any(0)), names)
    raise DataError(f"Values of {endless} are infinite", allowed="finite numbers", fix="cut them off, or drop the rows")


def _missing(names: str) -> DataError:
    return DataError(
        f"Values of {names} are missing",
        allowed="rows without missing values: effects and resampling need a number in every place",
        fix="impute them as the model does, or pass only complete rows",
    )


def _listed(features: np.ndarray, names: Sequence[str]) -> str:
    rest = len(features) - NAMED
    return ", ".join(names[int(j)] for j in features[:NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _flags(categorical: Sequence[int | str | bool] | None, names: Sequence[str]) -> np.ndarray:
    """Return which features (P,) a person called categories."""
    flags = np.zeros(len(names), bool)
    if categorical is None:
        return flags
    given = list(categorical)
    if len(given) == len(names) and all(isinstance(c, bool | np.bool_) for c in given):
        return np.array(given, bool)
    for entry in given:
        if isinstance(entry, str) and entry in names:
            flags[names.index(entry)] = True
        elif isinstance(entry, int | np.integer) and not isinstance(entry, bool) and 0 <= entry < len(names):
            flags[entry] = True
        else:
            raise SettingsError(
                f"categorical names {entry!r}",
                allowed=f"numbers from 0 to {len(names) - 1}, names of features, or one truth value for each",
                fix="correct it",
            )
    return flags
