"""From a table to a data set: of columns, or of the images, series or texts that its rows hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nas_core.data.columns import TARGET_NAMES, choose_target, guess_columns, guess_task, is_text, level_name
from nas_core.data.dataset import Dataset, DataSource, Task
from nas_core.data.frames import dataset_from_frame
from nas_core.data.long_table import find_long, long_series
from nas_core.data.reading import read_table
from nas_core.data.signal_files import image_dataset, series_dataset
from nas_core.data.tokens import text_columns, text_dataset
from nas_core.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["table_dataset", "with_test_rows"]

LONG = (
    "Rows that share {id!r} are read as one series in the order of {time!r}; choose the modality tabular to read each "
    "row for itself."
)
COLOUR_SIDE = 8  # fewer columns are three square planes by chance
TEXT = "{column!r} is read as a text; choose the modality tabular to read it as a column of categories."


def with_test_rows(frame: pd.DataFrame, source: DataSource) -> tuple[pd.DataFrame, int]:
    """Return the table with the rows of the test file at its end, and how many they are.

    Raises:
        DataError: The test file cannot be read, or has other columns.
    """
    if not source.reading.test:
        return frame, 0
    import pandas as pd

    path = Path(source.reading.test)
    test = read_table(path)
    absent, more = ([str(c) for c in a.columns if c not in set(b.columns)] for a, b in ((frame, test), (test, frame)))
    if absent or more:
        differences = [f"has no column {', '.join(map(repr, absent[:5]))}"] if absent else []
        differences += [f"has the further column {', '.join(map(repr, more[:5]))}"] if more else []
        raise DataError(
            f"The test file {path.name} {' and '.join(differences)}",
            allowed="the same columns in both files",
            fix="choose the test file that belongs to the table",
        )
    return pd.concat([frame, test[list(frame.columns)]], ignore_index=True), len(test)


def table_dataset(frame: pd.DataFrame, source: DataSource, name: str, held: int = 0) -> Dataset:
    """Return the data set of a table, of whatever modality its source wishes or its form makes unmistakable.

    Args:
        frame: The table; its last ``held`` rows are declared test rows.
        source: Where it came from, and how it is to be read.
        name: What a person reads.
        held: Number of test rows.

    Raises:
        DataError: Nothing can be learned from it as it is.
    """
    frame = frame.set_axis([str(c).strip() for c in frame.columns], axis="columns")
    if repeated := list(frame.columns[frame.columns.duplicated()]):
        raise DataError(f"{name} has the column name {repeated[0]!r} twice", allowed="different names", fix="rename it")
    wishes = source.reading
    modality = wishes.modality or ("sequence" if wishes.text or wishes.id or wishes.time or wishes.values else None)
    if modality == "tabular":
        return _columns(frame, source, name, held)
    if modality == "image":
        return _wide(frame, source, name, held)
    if modality == "sequence":
        return _sequence(frame, source, name, held)
    if found := find_long(frame.iloc[: len(frame) - held], source, strict=True):
        note = LONG.format(id=found.id, time=found.time)
        return _noted(_long(frame, found.source(source), name, held), note)
    if column := _only_text(frame, source.target):
        chosen = source.model_copy(update={"reading": wishes.model_copy(update={"text": column})})
        return _noted(_text(frame, chosen, name, held), TEXT.format(column=column))
    return _columns(frame, source, name, held)


def _columns(frame: pd.DataFrame, source: DataSource, name: str, held: int) -> Dataset:
    """Return the data set of a plain table, with its declared test rows."""
    if not held:
        return dataset_from_frame(frame, source.target, source.kinds, name, source, source.task)
    there = frame[choose_target(frame, source.target)].notna().to_numpy()
    dataset = dataset_from_frame(frame, source.target, source.kinds, name, source, source.task)
    rows = np.arange(dataset.N)[np.flatnonzero(there) >= len(frame) - held]
    return replace(dataset, held_out=rows.astype(np.int64)) if len(rows) else dataset


def _sequence(frame: pd.DataFrame, source: DataSource, name: str, held: int) -> Dataset:
    """Return the texts or series that a person wishes to read in a table."""
    wishes = source.reading
    if wishes.text is not None:
        return _text(frame, source, name, held)
    if wishes.id is not None or wishes.time is not None:
        return _long(frame, source, name, held)
    if found := find_long(frame, source, strict=False):
        return _long(frame, found.source(source), name, held)
    if not wishes.values and (texts := text_columns(frame, source.target)):
        return _text(frame, source.model_copy(update={"reading": wishes.model_copy(update={"text": texts[0]})}),
                     name, held)  # fmt: skip
    return _wide(frame, source, name, held)


def _long(frame: pd.DataFrame, source: DataSource, name: str, held: int) -> Dataset:
    """Return the series of a long table: a row per value."""
    found = long_series(frame, source, name, held)
    labels, task = _labels(found.labels, found.source.task, str(found.source.target))
    return series_dataset(
        found.series, labels, found.source, task=task, target=str(found.source.target), notes=found.notes,
        held_out=found.held,
    )  # fmt: skip


def _text(frame: pd.DataFrame, source: DataSource, name: str, held: int) -> Dataset:
    """Return the texts of a column, as ids of their words."""
    column = str(source.reading.text)
    others = frame.drop(columns=column) if column in frame.columns and source.target is None else frame
    target = choose_target(others, source.target)
    if column not in frame.columns or column == target:
        raise DataError(
            f"There is no column {column!r} with a text beside the target {target!r}",
            allowed=", ".join(str(c) for c in frame.columns if c != target)[:200],
            fix="choose the column that holds the text",
        )
    frame, held, notes = _with_target(frame, target, held, name)
    labels, task = _labels(frame[target], source.task, target)
    left = [c for c in frame.columns if c not in (column, target)]
    if left:
        notes.append(f"Only {column!r} is read: other columns are left out ({', '.join(left[:5])}"
                     f"{' …' if len(left) > 5 else ''}).")  # fmt: skip
    return text_dataset(frame[column], labels, source, task=task, target=target, name=name, notes=notes,
                        held_out=np.arange(len(frame) - held, len(frame)))  # fmt: skip


def _wide(frame: pd.DataFrame, source: DataSource, name: str, held: int) -> Dataset:
    """Return images or series whose pixels or steps are the numeric columns of a table, in their order."""
    target = choose_target(frame, source.target)
    frame, held, notes = _with_target(frame, target, held, name)
    labels, task = _labels(frame[target], source.task, target)
    columns = _number_columns(frame, source, target, notes)
    X = frame[columns].to_numpy(dtype=np.float64, na_value=np.nan)
    held_out = np.arange(len(frame) - held, len(frame))
    if source.reading.modality == "image":
        return image_dataset(_pixels(X, source.reading.size, name), labels, source, task=task, target=target,
                             notes=notes, held_out=held_out)  # fmt: skip
    there = ~np.isnan(X)
    steps = np.where(there.any(axis=1), X.shape[1] - np.argmax(there[:, ::-1], axis=1), 1)
    series = [row[None, :end] for row, end in zip(X, steps)]
    return series_dataset(series, labels, source, task=task, target=target, notes=notes, held_out=held_out)


def _number_columns(frame: pd.DataFrame, source: DataSource, target: str, notes: list[str]) -> list[str]:
    """Return the columns of numbers that are pixels or steps: those wished, or all but identifiers."""
    if wished := list(source.reading.values):
        if absent := [c for c in wished if c not in frame.columns or c == target or is_text(frame[c])]:
            raise DataError(
                f"{absent[0]!r} is no column of numbers beside the target {target!r}",
                allowed="names of numeric columns", fix="check the columns of the values",
            )  # fmt: skip
        return wished
    guesses = {g.name: g for g in guess_columns(frame, target)}
    kept = [
        str(c) for c in frame.columns
        if c != target and not is_text(frame[c]) and frame[c].dtype.kind in "biuf"
        and source.kinds.get(str(c)) != "ignore" and guesses[str(c)].flag not in ("identifier", "date")
    ]  # fmt: skip
    left = [str(c) for c in frame.columns if c != target and c not in set(kept)]
    if left:
        notes.append(f"Columns that are no numbers of the rows are left out: {', '.join(left[:5])}"
                     f"{' …' if len(left) > 5 else ''}.")  # fmt: skip
    if len(kept) < 2:
        raise DataError(
            f"The table has {len(kept)} numeric columns beside the target {target!r}",
            allowed="one column for each pixel or step of time",
            fix="choose the modality tabular, or name the columns",
        )
    return kept


def _pixels(X: NDArray[np.float64], size: tuple[int, int] | None, name: str) -> NDArray[np.float64]:
    """Return rows of pixels (N, columns) as images (N, C, H, W): of the wished size if it fits, else square."""
    columns = X.shape[1]
    for channels in (1, 3):
        pixels = columns // channels
        if size is not None and channels * size[0] * size[1] == columns:
            return X.reshape(len(X), channels, *size)
        side = int(np.sqrt(pixels))
        if channels * side * side == columns and side >= (2 if channels == 1 else COLOUR_SIDE):
            return X.reshape(len(X), channels, side, side)
    raise DataError(
        f"The {columns:,} numeric columns of {name} are not the pixels of an image"
        + (f" of {size[0]} × {size[1]}" if size else ""),
        allowed="height × width columns, row by row; three times as many for red, green and blue planes",
        fix="say the size (for example 28x28), and set the kind of other columns to ignore",
    )


def _with_target(frame: pd.DataFrame, target: str, held: int, name: str) -> tuple[pd.DataFrame, int, list[str]]:
    """Return the rows that have a target, how many of them are test rows, and notes."""
    there = frame[target].notna().to_numpy()
    if there.all():
        return frame, held, []
    if not there.any():
        raise DataError(f"The target {target!r} of {name} has no value", allowed="a target with values",
                        fix="choose another")  # fmt: skip
    kept = frame.loc[there].reset_index(drop=True)
    left = int((~there).sum())
    held = int(there[len(frame) - held :].sum()) if held else 0
    return kept, held, [f"{left:,} rows are left out: their target {target!r} is missing."]


def _labels(values: pd.Series, wished: Task | None, target: str) -> tuple[NDArray[Any], Task]:
    """Return the labels as texts or numbers, and the task they call for."""
    task = wished or guess_task(values)[0]
    if is_text(values) or values.dtype.kind not in "biuf":
        if task == "regression":
            raise DataError(f"The target {target!r} holds text", allowed="numbers", fix="set task='classification'")
        return np.array([level_name(v) for v in values]), task
    return values.to_numpy(), task


def _only_text(frame: pd.DataFrame, target: str | None) -> str | None:
    """Return the one column beside the target when it is a running text, and nothing else is to be learned from."""
    if frame.shape[1] != 2:
        return None
    texts = text_columns(frame, None)
    names = [str(c) for c in frame.columns]
    if len(texts) != 1 or texts[0] == target or texts[0].lower() in TARGET_NAMES:
        return None
    if target is None and next(n for n in names if n != texts[0]).lower() not in TARGET_NAMES and names[-1] == texts[0]:
        return None
    return texts[0]


def _noted(dataset: Dataset, note: str) -> Dataset:
    return replace(dataset, notes=(note, *dataset.notes))
