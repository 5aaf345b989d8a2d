"""Guessing what the columns of a table are; every guess gives its reason and a person can correct it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nas_core.data.dataset import Aside, ColumnKind, Task
from nas_core.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ColumnGuess", "aside_column", "choose_target", "guess_columns", "guess_task", "is_text"]

TARGET_NAMES = ("target", "label", "class", "y")
NUMERIC_SHARE = 0.9  # text of which this share are numbers was meant to be numeric
FREE_TEXT_LEVELS = 50  # above this number of values, half of them unique: free text or an identifier
CLASS_VALUES = 20  # a target of at most this many whole numbers is a class
DATES = "ignore", "dates are not features; derive numbers from them", "date"
DATE_FORMATS = ("ISO8601", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y")
_DATE_LIKE = re.compile(r"\d{1,4}[-./]\d{1,2}")
_ID_NAME = re.compile(r"(^|[^a-z])(id|uuid|guid|index|rownum)s?$|^\(unnamed\)$", re.IGNORECASE)


@dataclass(frozen=True)
class ColumnGuess:
    """What one column seems to be.

    Attributes:
        name: Name of the column.
        kind: ``numeric``, ``categorical``, or ``ignore`` for a column nothing can be learned from.
        reason: Why, in a phrase for a person.
        missing: Number of missing values.
        unique: Number of different values.
        example: The first value, as text.
        flag: Why a person should look: ``constant``, ``identifier``, ``empty``, ``text``, ``date``, ``nested``, or "".
    """

    name: str
    kind: ColumnKind
    reason: str
    missing: int
    unique: int
    example: str
    flag: str = ""


def choose_target(frame: pd.DataFrame, target: str | None = None) -> str:
    """Return the column to predict: ``target``, else one called target, label, class or y, else the last one.

    Raises:
        DataError: ``target`` is not a column.
    """
    names = [str(n) for n in frame.columns]
    if target is not None:
        if target not in names:
            shown = ", ".join(names[:12]) + (" …" if len(names) > 12 else "")
            raise DataError(f"There is no column {target!r} to predict", allowed=shown, fix="choose one of the columns")
        return target
    by_name = {n.lower(): n for n in names}
    return next((by_name[n] for n in TARGET_NAMES if n in by_name), names[-1])


def guess_task(values: pd.Series) -> tuple[Task, str]:
    """Return the task a target column calls for, and the reason.

    Text, true/false and two different values are classes; so are at most 20 different whole numbers that repeat five
    times on average. Everything else is a quantity.
    """
    if is_text(values):
        return "classification", "its values are text"
    numbers = values.dropna().to_numpy(dtype=float)
    distinct = np.unique(numbers)
    if values.dtype == bool or len(distinct) <= 2:
        return "classification", f"it has {len(distinct)} different values"
    whole = bool(np.all(np.isfinite(distinct)) and np.all(distinct == np.floor(distinct)))
    if whole and len(distinct) <= CLASS_VALUES and len(numbers) >= 5 * len(distinct):
        return "classification", f"it has {len(distinct)} different whole numbers"
    return "regression", f"it has {len(distinct)} different numbers"


def guess_columns(frame: pd.DataFrame, target: str | None = None) -> list[ColumnGuess]:
    """Return one guess for every column but ``target``, in the order of the table.

    Costs: one pass over every column, O(N log N) each.
    """
    return [_guess(frame[name]) for name in frame.columns if name != target]


def is_text(values: pd.Series) -> bool:
    """Return whether a column holds text, categories or mixed values rather than numbers or true/false."""
    from pandas.api import types

    return not types.is_numeric_dtype(values) or isinstance(values.dtype, _categorical_dtype())


def _categorical_dtype() -> Any:
    import pandas as pd

    return pd.CategoricalDtype


def _guess(values: pd.Series) -> ColumnGuess:
    """Return the guess for one column."""
    from pandas.api import types

    present = values.dropna()
    missing = int(len(values) - len(present))
    example = "" if present.empty else str(present.iloc[0])[:40]
    if present.empty:
        return ColumnGuess(str(values.name), "ignore", "every value is missing", missing, 0, "", "empty")
    if isinstance(present.iloc[0], list | tuple | dict | set | bytes | np.ndarray):
        return ColumnGuess(str(values.name), "ignore", "its values are nested", missing, 0, example, "nested")
    unique = int(present.nunique())
    if unique == 1:
        kind, reason, flag = "ignore", "it has one value only", "constant"
    elif types.is_datetime64_any_dtype(values) or types.is_timedelta64_dtype(values):
        kind, reason, flag = DATES
    elif types.is_bool_dtype(values):
        kind, reason, flag = "categorical", "true or false", ""
    elif is_text(values):
        kind, reason, flag = _guess_text(present, unique)
    else:
        kind, reason, flag = _guess_number(present, unique, missing)
    return ColumnGuess(str(values.name), kind, reason, missing, unique, example, flag)  # type: ignore[arg-type]


def _guess_text(present: pd.Series, unique: int) -> tuple[str, str, str]:
    """Return kind, reason and flag of a text column without its missing values."""
    import pandas as pd

    if isinstance(present.dtype, pd.CategoricalDtype):
        return "categorical", f"{unique} categories", ""
    numbers = int(pd.to_numeric(present, errors="coerce").notna().sum())
    if numbers >= NUMERIC_SHARE * len(present):
        text = len(present) - numbers
        return "numeric", f"numbers, except {text} of {len(present)}" if text else "numbers", "text" if text else ""
    if _are_dates(present):
        return DATES
    if unique == len(present) and len(present) > 20:
        return "ignore", "every value is different, like an identifier", "identifier"
    if unique > FREE_TEXT_LEVELS and unique > 0.5 * len(present):
        return "ignore", f"{unique} different texts in {len(present)} rows: free text", "text"
    return "categorical", f"text with {unique} different values", ""


def _are_dates(present: pd.Series) -> bool:
    """Return whether all texts are dates, whatever may be the day and the month in them."""
    texts = present.map(str).drop_duplicates().str.strip()
    if not texts.head(20).str.match(_DATE_LIKE).all():
        return False
    return any(dates.notna().all() for dates in _as_dates(texts))


def _as_dates(texts: pd.Series) -> list[pd.Series]:
    """Return the texts read as dates in each of the ways in which dates are written; NaT where they cannot be."""
    import pandas as pd

    return [pd.to_datetime(texts, format=form, errors="coerce", utc=True) for form in DATE_FORMATS]


def _guess_number(present: pd.Series, unique: int, missing: int) -> tuple[str, str, str]:
    """Return kind, reason and flag of a numeric column without its missing values."""
    numbers = present.to_numpy(dtype=float)
    if unique == len(present) and not missing and len(numbers) > 20 and np.all(numbers == np.floor(numbers)):
        steps = np.diff(numbers)
        if _ID_NAME.search(str(present.name)) or bool(np.all(steps == 1)):
            return "ignore", "whole numbers, each once, like an identifier", "identifier"
    return "numeric", f"{unique} different numbers", ""


def resolve_kinds(
    guesses: list[ColumnGuess], kinds: Mapping[str, ColumnKind], target: str
) -> tuple[dict[str, ColumnKind], list[str]]:
    """Return the kind of every feature column after a person's corrections, and notes on what is left out.

    Raises:
        DataError: A correction names a column that does not exist, the target, or a kind that does not exist.
    """
    allowed = ("numeric", "categorical", "ignore")
    known = {g.name for g in guesses}
    for name, kind in kinds.items():
        if name == target:
            raise DataError(
                f"{name!r} is the target, not a feature", allowed="kinds of features", fix="set the task instead"
            )
        if name not in known:
            raise DataError(
                f"There is no column {name!r}", allowed=", ".join(sorted(known)[:12]), fix="check the kinds"
            )
        if kind not in allowed:
            raise DataError(f"Column {name!r} has the kind {kind!r}", allowed=", ".join(allowed), fix="check the kinds")
    result: dict[str, ColumnKind] = {}
    notes: list[str] = []
    for guess in guesses:
        result[guess.name] = kinds.get(guess.name, guess.kind)
        if result[guess.name] == "ignore" and guess.name not in kinds:
            notes.append(f"Column {guess.name!r} is left out: {guess.reason}.")
    return result, notes


def level_name(value: object) -> str:
    """Return the text of a category: 2.0 is written 2, text is stripped."""
    if isinstance(value, float) and math.isfinite(value) and value == math.floor(value):
        return str(int(value))
    return str(value).strip()


def aside_column(values: pd.Series) -> Aside:
    """Return a column as it serves to split the rows: codes of its values, in time order for numbers and dates.

    Texts are dates when all of them can be read in exactly one way: 2024-01-31, 31.1.2024, 31/1/2024 or 1/31/2024.
    """
    name, present = str(values.name), values.notna().to_numpy()
    codes = np.full(len(values), -1, dtype=np.int64)
    keys, reason = _in_order(values[present])
    if keys is None:
        texts = np.array([level_name(v) for v in values[present]], dtype=object)
        index = {text: code for code, text in enumerate(sorted(set(texts)))}
        codes[present] = [index[text] for text in texts]
    else:
        codes[present] = np.unique(keys, return_inverse=True)[1]
    codes.setflags(write=False)
    return Aside(name, codes, keys is not None, reason)


def _in_order(present: pd.Series) -> tuple[NDArray[Any] | None, str]:
    """Return numbers (n,) in the order of the values, or None with the reason why there is no order."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(present) or pd.api.types.is_timedelta64_dtype(present):
        return present.astype("int64").to_numpy(), ""
    if not is_text(present):
        numbers = present.to_numpy(dtype=float)
        return (numbers, "") if np.isfinite(numbers).all() else (None, "it holds an infinite value")
    plain = pd.to_numeric(present.astype(object), errors="coerce")
    if plain.notna().all():
        return plain.to_numpy(dtype=float), ""
    texts = present.map(str).str.strip()
    read = _as_dates(texts)
    fitting = [dates.astype("int64").to_numpy() for dates in read if dates.notna().all()]
    if len(fitting) == 1 or (fitting and all(np.array_equal(fitting[0], other) for other in fitting[1:])):
        return fitting[0], ""
    if fitting:
        return None, "its dates can be read as day/month and as month/day: write them as 2024-01-31"
    odd = next(
        (str(t) for t, ok in zip(texts, np.any([d.notna() for d in read], axis=0)) if not ok), str(texts.iloc[0])
    )
    return None, f"it holds {odd[:40]!r}, which is neither a number nor a date such as 2024-01-31"
