"""From a name or a path to a data set, and from a recorded source to the same data set again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from nas_core.data.builtin import BUILTIN, IMAGES, builtin_frame, builtin_images
from nas_core.data.dataset import ColumnKind, Dataset, DataSource, Task
from nas_core.data.frames import dataset_from_frame
from nas_core.data.reading import read_table
from nas_core.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["load", "load_data", "load_frame"]


def load_data(
    location: str | Path,
    target: str | None = None,
    kinds: Mapping[str, ColumnKind] | None = None,
    task: Task | None = None,
) -> Dataset:
    """Load a built-in set by its name, or a CSV, TSV or Parquet file by its path.

    Raises:
        DataError: It cannot be read or learned from; the message says why and what to do.
    """
    name = str(location)
    if name in BUILTIN or name in IMAGES:
        return load(_source("builtin", name, target, kinds, task))
    if not Path(name).suffix and not Path(name).exists():
        raise DataError(
            f"There is no built-in data set or file {name!r}",
            allowed=", ".join(BUILTIN) + ", or the path of a CSV, TSV or Parquet file",
            fix="check the name",
        )
    return load(_source("file", str(Path(name).expanduser().resolve()), target, kinds, task))


def _source(
    kind: str, location: str, target: str | None, kinds: Mapping[str, ColumnKind] | None, task: str | None
) -> DataSource:
    """Return the source record, or a DataError for a task or a kind that does not exist."""
    values = {"kind": kind, "location": location, "target": target, "kinds": dict(kinds or {}), "task": task}
    try:
        return DataSource.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = " of ".join(str(part) for part in reversed(first["loc"]))
        raise DataError(f"The setting {where} is {first['input']!r}", allowed=first["msg"], fix="check it") from error


def load_frame(source: DataSource) -> pd.DataFrame:
    """Return the raw table of a source, for a preview.

    Raises:
        DataError: It cannot be read.
    """
    if source.kind == "builtin":
        return builtin_frame(source.location)[0]
    if source.kind == "memory":
        raise DataError(
            f"The table {source.location!r} was handed over in memory and is gone",
            allowed="a built-in set or a file",
            fix="save the table as CSV or Parquet and load that file",
        )
    return read_table(source.location)


def load(source: DataSource) -> Dataset:
    """Load the data set that a source describes.

    Raises:
        DataError: It cannot be read or learned from.
    """
    if source.kind == "builtin" and source.location in IMAGES:
        return builtin_images(source)
    if source.kind != "builtin":
        name = Path(source.location).stem
        return dataset_from_frame(load_frame(source), source.target, source.kinds, name, source, source.task)
    frame, target, task, kinds = builtin_frame(source.location)
    chosen = source.target or target
    own_task = task if chosen == target else None
    known = {n: k for n, k in kinds.items() if n != chosen} | dict(source.kinds)
    dataset = dataset_from_frame(frame, chosen, known, source.location, source, source.task or own_task)
    # the kinds of a built-in set are ours, only a person's corrections belong to the source
    return replace(dataset, source=dataset.source.model_copy(update={"kinds": dict(source.kinds)}))
