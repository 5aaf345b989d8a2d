"""From a name or a path to a data set, and from a recorded source to the same data set again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from nas_core.data.builtin import BUILTIN, IMAGES, builtin_frame, builtin_images
from nas_core.data.bundles import bundle_dataset
from nas_core.data.dataset import ColumnKind, Dataset, DataSource, Task
from nas_core.data.frames import dataset_from_frame
from nas_core.data.idx import is_idx
from nas_core.data.openml import is_openml, openml_table
from nas_core.data.options import Colour
from nas_core.data.reading import PARQUET_SUFFIXES, TEXT_SUFFIXES, read_table
from nas_core.data.signal import Modality
from nas_core.data.signal_files import array_table, idx_dataset, npz_dataset, ts_dataset
from nas_core.data.tables import table_dataset, with_test_rows
from nas_core.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FORMATS", "load", "load_data", "load_frame"]

FORMATS = (
    "a table (.csv, .tsv, .txt, .parquet), arrays (.npz), a folder or .zip of images in one folder per class, "
    "IDX files (-idx3-ubyte, also .gz), time series (.ts), or openml:NAME or openml:NUMBER"
)

NAMED = {"tabular": "a table", "image": "images", "sequence": "series or texts"}


def load_data(
    location: str | Path,
    target: str | None = None,
    kinds: Mapping[str, ColumnKind] | None = None,
    task: Task | None = None,
    *,
    modality: Modality | None = None,
    size: tuple[int, int] | None = None,
    colour: Colour = "auto",
    length: int | None = None,
    text: str | None = None,
    id: str | None = None,
    time: str | None = None,
    values: Sequence[str] = (),
    test: str | Path | None = None,
    aside: str | None = None,
) -> Dataset:
    """Load a built-in set by its name, a file or a folder by its path, or ``openml:NAME`` from the internet.

    Args:
        location: A built-in set; a table (CSV, TSV, Parquet); arrays (.npz); a folder or zip of images, one folder per
            class; IDX files; time series (.ts); ``openml:31``, ``openml:credit-g`` or ``openml:credit-g@1``.
        target: Column, or array, to predict.
        kinds: Corrections of the guessed kinds of columns.
        task: ``classification`` or ``regression``; guessed when None.
        modality: ``tabular``, ``image`` or ``sequence``; guessed when None. Tables stay tables unless they are
            unmistakably a text with a label, or a long table of series (id, time, value).
        size: Height and width that images are resized to.
        colour: ``grey``, ``colour``, or ``auto`` for grey where every image is grey.
        length: Steps of a series, or words of a text, that are kept at most.
        text: Column that holds a text.
        id, time, values: Columns of a long table of series.
        test: A file of the same form with the test rows; None looks for one beside the file, "" takes none.
        aside: Column of a table that decides the split (groups, or time); no feature unless ``kinds`` names it.

    Raises:
        DataError: It cannot be read or learned from; the message says why and what to do.
    """
    name = str(location)
    reading = {
        "modality": modality, "size": size, "colour": colour, "length": length, "text": text, "id": id, "time": time,
        "values": tuple(values), "test": _absolute(test),
    }  # fmt: skip
    if name in BUILTIN or name in IMAGES:
        kind = "builtin"
    elif is_openml(name):
        kind = "openml"
    else:
        path = _path(name)
        if not path.suffix and not path.exists():
            raise DataError(
                f"There is no built-in data set or file {name!r}",
                allowed=f"{', '.join((*BUILTIN, *IMAGES))}; or the path of {FORMATS}",
                fix="check the name",
            )
        kind, name = "file", str(path.resolve())
    return load(_source(kind, name, target, kinds, task, reading, aside))


def _path(name: str) -> Path:
    """Return the path that ``name`` writes.

    Raises:
        DataError: It is empty, a URL, or nothing that a file can be called.
    """
    if not name.strip():
        raise DataError("The name of the data is empty", allowed=f"a built-in data set, or {FORMATS}", fix="give one")
    if "://" in name:
        raise DataError(
            f"{name[:80]!r} is a URL, and data are not fetched from one", allowed=f"a built-in data set, or {FORMATS}",
            fix="download it, and give the path of the file",
        )  # fmt: skip
    try:
        path = Path(name).expanduser()
        path.lstat()
    except FileNotFoundError:
        return path
    except (OSError, ValueError, RuntimeError) as error:
        raise DataError(
            f"{name[:80]!r} cannot be opened ({getattr(error, 'strerror', None) or error})",
            allowed="the path of a file that you may read", fix="check the path",
        ) from None  # fmt: skip
    return path


def _absolute(test: str | Path | None) -> str | None:
    return str(Path(test).expanduser().resolve()) if test else None if test is None else ""


def _source(
    kind: str, location: str, target: str | None, kinds: Mapping[str, ColumnKind] | None, task: str | None,
    reading: Mapping[str, Any], aside: str | None,
) -> DataSource:  # fmt: skip
    """Return the source record, or a DataError for a task, a kind or a wish that does not exist."""
    values = {
        "kind": kind, "location": location, "target": target, "kinds": dict(kinds or {}), "task": task,
        "reading": dict(reading), "aside": aside,
    }  # fmt: skip
    try:
        return DataSource.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = " of ".join(str(part) for part in reversed(first["loc"]) if part != "reading")
        allowed = str(first["msg"]).removeprefix("Value error, ")
        raise DataError(f"The setting {where} is {first['input']!r}", allowed=allowed, fix="check it") from error


def load_frame(source: DataSource) -> pd.DataFrame:
    """Return the raw table of a source, for a preview; without the rows of a test file.

    Raises:
        DataError: It cannot be read, or is no table.
    """
    if source.kind == "builtin":
        return builtin_frame(source.location)[0]
    if source.kind == "openml":
        return openml_table(source.location).frame
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
    dataset = _load(source)
    _check_wishes(source, dataset)
    return dataset


def _load(source: DataSource) -> Dataset:
    """Return the data set, by the kind of its source and the form of its file."""
    if source.kind == "builtin":
        return builtin_images(source) if source.location in IMAGES else _builtin_table(source)
    if source.kind == "openml":
        return _openml(source)
    if source.kind == "memory":
        load_frame(source)  # says that it is gone
    path = Path(source.location)
    suffix = path.suffix.lower()
    if path.is_dir() or suffix == ".zip":
        return bundle_dataset(source)
    if suffix == ".npz":
        return _arrays(source)
    if is_idx(path.name):
        return idx_dataset(source)
    if suffix == ".ts":
        return ts_dataset(source)
    if suffix not in TEXT_SUFFIXES + PARQUET_SUFFIXES:
        raise DataError(
            f"The file {path.name!r} has the ending {suffix or '(none)'!r}",
            allowed=FORMATS,
            fix="save the table as CSV or Parquet, arrays as .npz, images in a .zip",
        )
    frame, held = with_test_rows(load_frame(source), source)
    return table_dataset(frame, source, path.stem, held)


def _arrays(source: DataSource) -> Dataset:
    """Return the images, series or table of a ``.npz`` file."""
    if source.reading.modality != "tabular":
        return npz_dataset(source)
    import pandas as pd

    X, y, held, target, notes = array_table(source)
    frame = pd.DataFrame(X, columns=[f"x{j + 1}" for j in range(X.shape[1])])
    frame[target] = y
    dataset = table_dataset(frame, source.model_copy(update={"target": target}), Path(source.location).stem, held)
    return replace(dataset, notes=(*notes, *dataset.notes))


def _openml(source: DataSource) -> Dataset:
    """Return the data set of a table of OpenML; its source records the version that was fetched."""
    found = openml_table(source.location)
    exact = source.model_copy(update={"target": source.target or found.target, "location": found.location})
    dataset = table_dataset(found.frame, exact, found.name)
    return replace(dataset, name=found.name, notes=(*found.notes, *dataset.notes))


def _builtin_table(source: DataSource) -> Dataset:
    """Return the table of a built-in set."""
    frame, target, task, kinds = builtin_frame(source.location)
    chosen = source.target or target
    own_task = task if chosen == target else None
    known = {n: k for n, k in kinds.items() if n != chosen} | dict(source.kinds)
    dataset = dataset_from_frame(frame, chosen, known, source.location, source, source.task or own_task)
    # the kinds of a built-in set are ours, only a person's corrections belong to the source
    return replace(dataset, source=dataset.source.model_copy(update={"kinds": dict(source.kinds)}))


def _check_wishes(source: DataSource, dataset: Dataset) -> None:
    """Raise DataError when a wish about reading had no meaning for these data."""
    wishes, modality = source.reading, dataset.modality
    if wishes.modality not in (None, modality):
        raise DataError(
            f"{dataset.name} holds {NAMED[modality]}, not {NAMED[wishes.modality]}",
            allowed=f"the modality {modality}",
            fix="leave the modality out, or choose another file",
        )
    apart = (
        ("size", wishes.size is not None, "image"),
        ("colour", wishes.colour != "auto", "image"),
        ("length", wishes.length is not None, "sequence"),
    )
    for what, wished, only in apart:
        if wished and modality != only:
            raise DataError(
                f"A {what} is given, but {dataset.name} holds {NAMED[modality]}",
                allowed=f"a {what} for {NAMED[only]}",
                fix=f"leave the {what} out, or choose the modality {only}",
            )
    if wishes.test and source.kind != "file":
        raise DataError(
            f"A test file is given, but {dataset.name} is no file", allowed="a test file beside a file",
            fix="leave it out: the test part is drawn from the data",
        )  # fmt: skip
