"""From files of arrays and series to data sets: ``.npz``, IDX and ``.ts``."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_core.data.archives import Files, FolderFiles
from nas_core.data.arrays import flat_labels, label_task, signal_dataset
from nas_core.data.dataset import Dataset, DataSource, Task
from nas_core.data.idx import read_idx_set
from nas_core.data.npz import Arrays, read_npz
from nas_core.data.options import ReadingOptions
from nas_core.data.pictures import channels_first, prepared
from nas_core.data.reading import ReadLimits, check_file
from nas_core.data.series import stacked
from nas_core.data.signal import Modality, image_signal, sequence_signal
from nas_core.data.time_series import Cases, beside_name, parse_ts
from nas_core.errors import DataError

__all__ = [
    "array_modality",
    "array_table",
    "idx_dataset",
    "image_dataset",
    "npz_dataset",
    "series_dataset",
    "ts_dataset",
]

IMAGE_SIDE = 4
MOST_SLENDER = 2  # longer images are taken for series of several channels, unless they hold bytes


def array_modality(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Modality:
    """Return what rows of arrays (N, …) seem to be.

    Four axes are images. Three are images when both sides have at least 4 pixels and the values are bytes or one side
    is at most twice the other; else series of several channels. Two are series of one channel.
    """
    if len(shape) >= 4:
        return "image"
    if len(shape) == 3:
        low, high = sorted(shape[1:])
        if low >= IMAGE_SIDE and (dtype.kind in "bu" or high <= MOST_SLENDER * low):
            return "image"
    return "sequence"


def npz_dataset(source: DataSource) -> Dataset:
    """Return the images or series of a ``.npz`` file.

    Raises:
        DataError: The file is broken or too large, or holds nothing of this kind.
    """
    file = Path(source.location)
    arrays = _npz_arrays(file, source)
    y = flat_labels(arrays.y, file.name)
    task: Task = source.task or label_task(y)
    X, options = arrays.X, source.reading
    modality = options.modality or array_modality(X.shape, X.dtype)
    held = np.arange(len(X) - arrays.held, len(X))
    if modality == "image":
        return image_dataset(
            channels_first(X, file.name), y, source, task=task, target=arrays.target, notes=arrays.notes, held_out=held
        )
    values = _as_series(X, file.name)
    said = () if options.modality or X.ndim == 3 else (
        f"Each row is read as a series of {X.shape[1]:,} steps; choose the modality tabular if the order of the "
        "columns means nothing.",
    )  # fmt: skip
    return series_dataset(
        values, y, source, task=task, target=arrays.target, notes=(*arrays.notes, *said), held_out=held
    )


def array_table(source: DataSource) -> tuple[NDArray[Any], NDArray[Any], int, str, tuple[str, ...]]:
    """Return rows (N, columns), labels, the number of test rows, their name and notes of a ``.npz`` file of a table.

    Raises:
        DataError: The file is broken or too large, or its rows are no rows of a table.
    """
    file = Path(source.location)
    arrays = _npz_arrays(file, source)
    if arrays.X.ndim != 2:
        raise DataError(
            f"The rows of {file.name} have the shape {arrays.X.shape[1:]}",
            allowed="(rows, columns) for a table",
            fix="choose the modality image or sequence",
        )
    return arrays.X, flat_labels(arrays.y, file.name), arrays.held, arrays.target, arrays.notes


def ts_dataset(source: DataSource, files: Files | None = None, name: str | None = None) -> Dataset:
    """Return the series of a ``.ts`` file, with those of the test file.

    Args:
        source: The file, or the archive that holds it.
        files: The archive; None for a file on disk.
        name: Path of the file in the archive.

    Raises:
        DataError: A file is broken or too large.
    """
    path = Path(source.location)
    beside = files or FolderFiles(path.parent)
    name = name or path.name
    train = _parse(beside, name)
    other = beside_name(name)
    named = source.reading.test
    test: Cases | None = None
    if named:
        check_file(Path(named), ReadLimits())
        test = _parse(FolderFiles(Path(named).parent), Path(named).name)
    elif named is None and other is not None and beside.has(other):
        test = _parse(beside, other)
        if files is None:
            named = str(path.parent / other)
    source = with_test(source, named if test is not None else "")
    cases = [*train.series, *(test.series if test else [])]
    if test is not None and len(test.series[0]) != len(train.series[0]):
        raise DataError(
            f"{name} has {len(train.series[0])} dimensions, its test file {len(test.series[0])}",
            allowed="the same dimensions in both",
            fix="choose the test file that belongs to it",
        )
    texts = [*train.labels, *(test.labels if test else [])]
    task, labels, classes = _ts_labels(texts, train, source.task, name)
    notes = [*train.notes, *(n for n in (test.notes if test else ()) if n not in train.notes)]
    held = np.arange(len(train.series), len(cases))
    return series_dataset(
        cases, labels, source, task=task, target=source.target or "label", classes=classes, notes=notes, held_out=held
    )


def image_dataset(
    images: NDArray[Any], labels: Sequence[object] | NDArray[Any], source: DataSource, *, task: Task, target: str,
    notes: Sequence[str] = (), held_out: NDArray[np.int64] | None = None, classes: Sequence[str] | None = None,
) -> Dataset:  # fmt: skip
    """Return the data set of images (N, C, H, W) in the size and colours that the source wishes."""
    name = Path(source.location).stem
    X, more = prepared(images, source.reading, name)
    source = source.model_copy(update={"target": target, "task": task, "reading": _said(source.reading, "image")})
    return signal_dataset(
        X, labels, image_signal(*X.shape[1:]), name=name, task=task, target=target, source=source,
        notes=[*notes, *more], held_out=held_out, classes=classes,
    )  # fmt: skip


def series_dataset(
    series: Sequence[NDArray[Any]] | NDArray[Any], labels: Sequence[object] | NDArray[Any], source: DataSource, *,
    task: Task, target: str, notes: Sequence[str] = (), held_out: NDArray[np.int64] | None = None,
    classes: Sequence[str] | None = None,
) -> Dataset:  # fmt: skip
    """Return the data set of N series (channels, steps); NaN = missing."""
    name = Path(source.location).stem
    X, padded, more = stacked(series, name, source.reading.length)
    source = source.model_copy(update={"target": target, "task": task, "reading": _said(source.reading, "sequence")})
    return signal_dataset(
        X, labels, sequence_signal(*X.shape[1:], padded=padded), name=name, task=task, target=target, source=source,
        notes=[*notes, *more], held_out=held_out, classes=classes,
    )  # fmt: skip


def idx_dataset(source: DataSource, files: Files | None = None, name: str | None = None) -> Dataset:
    """Return the images of an IDX file, with the labels and the test images beside it.

    Args:
        source: The file, or the folder or archive that holds it.
        files: The folder or archive; None for a file on disk.
        name: Path of the images in it.

    Raises:
        DataError: A file is broken or too large, or there are no labels.
    """
    path, named = Path(source.location), source.reading.test
    test = (FolderFiles(Path(named).parent), Path(named).name) if named else None
    found = read_idx_set(files or FolderFiles(path.parent), name or path.name, test, look=named is None)
    X, y = found.X[:, None] if found.X.ndim == 3 else channels_first(found.X, path.name), found.y
    held = np.arange(len(X) - found.held, len(X))
    return image_dataset(
        X, y, source, task=source.task or label_task(y), target=source.target or "label", notes=found.notes,
        held_out=held,
    )  # fmt: skip


def with_test(source: DataSource, test: str | None) -> DataSource:
    """Return ``source`` with its test file recorded; "" when there is none."""
    return source.model_copy(update={"reading": source.reading.model_copy(update={"test": test})})


def _said(options: ReadingOptions, modality: Modality) -> ReadingOptions:
    return options.model_copy(update={"modality": modality})


def _npz_arrays(file: Path, source: DataSource) -> Arrays:
    """Return the arrays of a file and of the test file that a person named."""
    check_file(file, ReadLimits())
    arrays = read_npz(file, source.target)
    if not source.reading.test:
        if source.reading.test == "" and arrays.held:
            kept = len(arrays.X) - arrays.held
            arrays = Arrays(arrays.X[:kept], arrays.y[:kept], 0, arrays.target, arrays.notes)
        return arrays
    named = Path(source.reading.test)
    check_file(named, ReadLimits())
    test = read_npz(named)
    if test.X.shape[1:] != arrays.X.shape[1:] or test.y.shape[1:] != arrays.y.shape[1:]:
        raise DataError(
            f"{file.name} has rows of the shape {arrays.X.shape[1:]}, {named.name} of {test.X.shape[1:]}",
            allowed="the same shape in both files",
            fix="choose the test file that belongs to it",
        )
    X, y = np.concatenate([arrays.X, test.X]), np.concatenate([arrays.y, test.y])
    return Arrays(X, y, arrays.held + len(test.X), arrays.target, arrays.notes)


def _as_series(X: NDArray[Any], name: str) -> list[NDArray[Any]] | NDArray[Any]:
    """Return (N, channels, steps) from (N, steps), (N, channels, steps) or (N, steps, channels).

    The channels are the shorter axis. Trailing steps without any value are padding, and are cut off.
    """
    if X.ndim > 3:
        raise DataError(
            f"The series of {name} have the shape {X.shape}",
            allowed="(rows, steps), (rows, channels, steps) or (rows, steps, channels)",
            fix="save the array in one of these shapes",
        )
    values = X[:, None] if X.ndim == 2 else X
    if X.ndim == 3 and X.shape[2] < X.shape[1]:
        values = np.moveaxis(X, 1, 2)
    if values.dtype.kind != "f" or not np.isnan(values[:, :, -1]).any():
        return values
    there = ~np.isnan(values).all(axis=1)  # (N, steps)
    steps = np.where(there.any(axis=1), values.shape[2] - np.argmax(there[:, ::-1], axis=1), 1)
    return [row[:, :end] for row, end in zip(values, steps)]


def _parse(files: Files, name: str) -> Cases:
    data = files.read(name, ReadLimits().bytes)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")  # comments of the archive's files name their authors in any encoding
    return parse_ts(io.StringIO(text), name)


def _ts_labels(
    texts: list[str], cases: Cases, wished: Task | None, name: str
) -> tuple[Task, Sequence[object] | NDArray[Any], tuple[str, ...] | None]:
    """Return the task, the labels, and the names of the classes in the order that the header declares them."""
    task = wished or cases.task
    if task is None or task == "regression":
        try:
            numbers = np.array([float(t) for t in texts])
        except ValueError as error:
            if task == "regression":
                raise DataError(
                    f"{name} has labels that are not numbers ({error})", allowed="numbers",
                    fix="set task='classification'",
                ) from error  # fmt: skip
            numbers = None
        task = task or ("classification" if numbers is None else label_task(numbers))
        if task == "regression" and numbers is not None:
            return task, numbers, None
    declared = tuple(c for c in cases.classes if c in set(texts))
    if declared and set(texts) <= set(declared):
        index = {c: k for k, c in enumerate(declared)}
        return task, np.array([index[t] for t in texts]), declared
    return task, np.array(texts), None
