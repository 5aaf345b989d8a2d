"""From a pandas table to a data set: kinds, categories, the target, and clear refusals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nas_core.data.columns import (
    aside_column,
    choose_target,
    guess_columns,
    guess_task,
    is_text,
    level_name,
    resolve_kinds,
)
from nas_core.data.dataset import Aside, ColumnKind, Dataset, DataSource, FeatureSpec, Task
from nas_core.data.reading import ReadLimits
from nas_core.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MAX_CLASSES", "MAX_LEVELS", "MIN_CLASS_ROWS", "MIN_ROWS", "OTHER", "dataset_from_frame"]

MIN_ROWS = 10
MIN_CLASS_ROWS = 3  # one for each part of the split
MAX_CLASSES = 50
MAX_LEVELS = 32
RARE_ROWS = 5  # a level with fewer rows joins "other", once there are more than MAX_RARE_FREE levels
MAX_RARE_FREE = 8
OTHER = "other"
LARGEST = 1e100  # beyond this, squares overflow


def dataset_from_frame(
    frame: pd.DataFrame,
    target: str | None = None,
    kinds: Mapping[str, ColumnKind] | None = None,
    name: str = "table",
    source: DataSource | None = None,
    task: Task | None = None,
    limits: ReadLimits | None = None,
    aside: str | None = None,
) -> Dataset:
    """Turn a table into a data set.

    Args:
        frame: One row per observation, column names that differ.
        target: Column to predict; by default one called target, label, class or y, else the last one.
        kinds: Corrections of the guessed kinds, by column name; ``ignore`` leaves a column out.
        name: What a person reads.
        source: Where the table came from; a table without one cannot be loaded again.
        task: ``classification`` or ``regression``; guessed from the target when None.
        limits: How large the table may be.
        aside: Column that decides the split; by default the source's. It is a feature only where ``kinds`` names it.

    Raises:
        DataError: Nothing can be learned from the table as it is; the message says why and what to do.
    """
    frame, own = frame.set_axis([str(c).strip() for c in frame.columns], axis="columns"), dict(kinds or {})
    _check_shape(frame, name, limits or ReadLimits())
    target = choose_target(frame, target)
    frame, notes = _drop_missing_target(frame, target)
    task = _check_task(task) or guess_task(frame[target])[0]
    y, classes = _classes(frame[target], target) if task == "classification" else _quantity(frame[target], target)
    aside = aside or (source.aside if source else None)
    asked = source.kinds if source else kinds or {}
    kept, kinds = _set_aside(frame, target, aside, kinds or {}, asked)
    chosen, left_out = resolve_kinds(guess_columns(frame, target), kinds, target)
    notes += left_out
    used = [(column, kind) for column, kind in chosen.items() if kind != "ignore"]
    if not used:
        raise DataError(
            f"{name} has no column to learn from besides the target {target!r}. {' '.join(left_out[:5])}",
            allowed="at least one numeric or categorical feature that varies",
            fix="choose another target, or correct the kinds of the columns",
        )
    features: list[FeatureSpec] = []
    X = np.empty((len(frame), len(used)))
    for j, (column, kind) in enumerate(used):
        X[:, j], spec, merged = _feature(frame[column], kind)
        features.append(spec)
        notes += merged
    X.setflags(write=False)  # a wide table is not copied once more
    source = (source or DataSource(kind="memory", location=name)).model_copy(
        update={"target": target, "task": task, "kinds": own, "aside": aside}
    )
    return Dataset(name, tuple(features), X, y, task, classes, target, source, tuple(notes), aside=kept)


def _set_aside(
    frame: pd.DataFrame, target: str, name: str | None, kinds: Mapping[str, ColumnKind], asked: Mapping[str, ColumnKind]
) -> tuple[Aside | None, Mapping[str, ColumnKind]]:
    """Return the column that decides the split, and the kinds with it left out unless a person asked for it."""
    if name is None:
        return None, kinds
    if name not in frame.columns or name == target:
        shown = ", ".join(str(c) for c in frame.columns if c != target)
        raise DataError(
            f"The rows cannot be split by {name!r}" + (": it is the target" if name == target else ""),
            allowed=f"a column of the table: {shown[:200]}",
            fix="choose one of the columns",
        )
    return aside_column(frame[name]), kinds if name in asked else {**kinds, name: "ignore"}


def _check_task(task: Task | None) -> Task | None:
    if task not in (None, "classification", "regression"):
        raise DataError(f"There is no task {task!r}", allowed="classification, regression", fix="check task=")
    return task


def _check_shape(frame: pd.DataFrame, name: str, limits: ReadLimits) -> None:
    """Raise DataError when a table is too small or too large, or repeats a column name."""
    repeated = frame.columns[frame.columns.duplicated()]
    if len(repeated):
        raise DataError(
            f"{name} has the column name {repeated[0]!r} {int((frame.columns == repeated[0]).sum())} times",
            allowed="column names that differ from each other",
            fix="rename or remove the repeated columns",
        )
    if frame.shape[1] < 2:
        raise DataError(
            f"{name} has {frame.shape[1]} column(s)", allowed="a target and at least one feature", fix="add columns"
        )
    limits.check(len(frame), frame.shape[1], name)
    _check_rows(len(frame), name)


def _check_rows(rows: int, name: str) -> None:
    if rows < MIN_ROWS:
        raise DataError(
            f"{name} has {rows} row{'s' * (rows != 1)}",
            allowed=f"at least {MIN_ROWS} rows: some to train on, some to choose by and some to report on",
            fix="add rows",
        )


def _drop_missing_target(frame: pd.DataFrame, target: str) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows that have a target value, and a note when some had none."""
    missing = frame[target].isna()
    count = int(missing.sum())
    if count == 0:
        return frame, []
    if count == len(frame):
        raise DataError(
            f"The target {target!r} has no value in any row", allowed="a target with values", fix="choose another"
        )
    _check_rows(len(frame) - count, f"After leaving out {count} rows whose target {target!r} is missing, the table")
    kept = frame.loc[~missing].reset_index(drop=True)
    return kept, [f"{count} rows are left out: their target {target!r} is missing."]


def _classes(values: pd.Series, target: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return the class index of every row and the class names, in the order of the categories or sorted."""
    codes, names = _codes(values)
    counts = np.bincount(codes, minlength=len(names))
    if len(names) == 1:
        raise DataError(
            f"The target {target!r} has one class only: {names[0]!r}",
            allowed="at least two classes",
            fix="choose another target, or add rows of other classes",
        )
    if len(names) > MAX_CLASSES:
        raise DataError(
            f"The target {target!r} has {len(names)} classes",
            allowed=f"at most {MAX_CLASSES} classes",
            fix="choose another target, merge classes, or set task='regression' if it is a quantity",
        )
    small = [f"{names[k]!r} ({counts[k]})" for k in np.flatnonzero(counts < MIN_CLASS_ROWS)]
    if small:
        raise DataError(
            f"The target {target!r} has classes with too few rows: {', '.join(small[:5])}",
            allowed=f"at least {MIN_CLASS_ROWS} rows in every class, so that each part of the split has one",
            fix="add rows, merge these classes, leave their rows out, or set task='regression' if it is a quantity",
        )
    return codes, names


def _quantity(values: pd.Series, target: str) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return the numbers to predict (and no class names)."""
    numbers = _numbers(values, f"The target {target!r}", "set task='classification', or correct these values")
    if np.ptp(numbers) == 0:
        raise DataError(
            f"The target {target!r} is {numbers[0]:g} in every row",
            allowed="a target that varies",
            fix="choose another",
        )
    return numbers, ()


def _feature(values: pd.Series, kind: ColumnKind) -> tuple[NDArray[np.float64], FeatureSpec, list[str]]:
    """Return the values (codes for categories, NaN = missing), the specification, and notes of one column."""
    name = str(values.name)
    missing = int(values.isna().sum())
    if missing == len(values):
        raise DataError(
            f"Column {name!r} has no value in any row",
            allowed="a column with values",
            fix="fill it in, or set its kind to 'ignore'",
        )
    if kind == "numeric":
        fix = "correct these values, or set the kind of this column to 'categorical' or 'ignore'"
        return _numbers(values, f"Column {name!r}", fix), FeatureSpec(name, "numeric", (), missing), []
    present = values.notna().to_numpy()
    codes, levels = _codes(values[present])
    codes, levels, note = _merge_rare(codes, levels, name)
    result = np.full(len(values), np.nan)
    result[present] = codes
    return result, FeatureSpec(name, "categorical", levels, missing), note


def _numbers(values: pd.Series, what: str, fix: str) -> NDArray[np.float64]:
    """Return finite float64 numbers (NaN = missing), or say which row holds something else."""
    import pandas as pd

    try:
        numbers = pd.to_numeric(values.astype(object) if is_text(values) else values, errors="coerce")
        result: NDArray[np.float64] = numbers.to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise DataError(f"{what} does not hold numbers ({values.dtype})", allowed="numbers", fix=fix) from error
    lost = np.flatnonzero(np.isnan(result) & values.notna().to_numpy())
    if len(lost):
        raise DataError(
            f"{what} holds text where numbers are expected: {str(values.iloc[lost[0]])[:40]!r} in row {lost[0] + 1}"
            + (f" and {len(lost) - 1} more" if len(lost) > 1 else ""),
            allowed="numbers, and empty cells for missing values",
            fix=fix,
        )
    wild = np.flatnonzero(np.abs(result) > LARGEST)
    if len(wild):
        infinite = np.isinf(result[wild]).any()
        raise DataError(
            f"{what} holds {'an infinite value' if infinite else f'{result[wild[0]]:g}'} in row {wild[0] + 1}"
            + (f" and {len(wild) - 1} more" if len(wild) > 1 else ""),
            allowed=f"finite numbers between -{LARGEST:g} and {LARGEST:g}",
            fix="replace these values, or leave the cells empty for missing",
        )
    return result


def _codes(values: pd.Series) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return codes and names of the categories that occur, in declared order, numeric order, or alphabetical."""
    import pandas as pd

    if isinstance(values.dtype, pd.CategoricalDtype):
        used = values.cat.remove_unused_categories()
        names = tuple(level_name(c) for c in used.cat.categories)
        if len(set(names)) == len(names):
            return np.asarray(used.cat.codes, dtype=np.int64), names
        values = values.astype(object)
    if not is_text(values) and not pd.api.types.is_bool_dtype(values):
        distinct, inverse = np.unique(values.to_numpy(dtype=float), return_inverse=True)
        if not np.all(np.isfinite(distinct)):
            raise DataError(
                f"Column {values.name!r} holds an infinite value among its categories",
                allowed="finite numbers or text",
                fix="replace these values, or leave the cells empty for missing",
            )
        names = tuple(level_name(float(v)) for v in distinct)
        return inverse.astype(np.int64), names
    texts = np.array([level_name(v) for v in values], dtype=object)
    ordered = sorted(set(texts))
    index = {text: code for code, text in enumerate(ordered)}
    return np.array([index[t] for t in texts], dtype=np.int64), tuple(ordered)


def _merge_rare(
    codes: NDArray[np.int64], levels: tuple[str, ...], name: str
) -> tuple[NDArray[np.int64], tuple[str, ...], list[str]]:
    """Return codes and levels with rare levels merged into one called ``other``, placed last.

    Merged are the levels beyond the MAX_LEVELS - 1 most frequent and, in a column of more than MAX_RARE_FREE levels,
    those of fewer than RARE_ROWS rows.
    """
    counts = np.bincount(codes, minlength=len(levels))
    order = np.argsort(-counts, kind="stable")
    keep = np.ones(len(levels), dtype=bool)
    if len(levels) > MAX_LEVELS:
        keep[order[MAX_LEVELS - 1 :]] = False
    if len(levels) > MAX_RARE_FREE:
        keep &= counts >= RARE_ROWS
    if (~keep).sum() < 2 and len(levels) <= MAX_LEVELS:
        return codes, levels, []
    merged = int((~keep).sum())
    if OTHER in levels:
        keep[levels.index(OTHER)] = False
    kept = np.flatnonzero(keep)
    mapping = np.full(len(levels), len(kept), dtype=np.int64)
    mapping[kept] = np.arange(len(kept))
    names = (*(levels[k] for k in kept), OTHER)
    return mapping[codes], names, [f"Column {name!r}: {merged} rare categories are merged into {OTHER!r}."]
