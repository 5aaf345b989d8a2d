"""Folders and zip archives: what is in them decides how they are read."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path, PurePosixPath

from nas_core.data.archives import Files, nested, open_files
from nas_core.data.dataset import Dataset, DataSource
from nas_core.data.idx import idx_names, is_idx
from nas_core.data.image_files import IMAGE_SUFFIXES, folder_dataset
from nas_core.data.signal_files import idx_dataset, ts_dataset
from nas_core.errors import DataError

__all__ = ["bundle_dataset"]

ALLOWED = (
    "images (png, jpg, …) in one folder per class, IDX files of images and labels, or time series (NAME_TRAIN.ts and "
    "NAME_TEST.ts)"
)


def bundle_dataset(source: DataSource) -> Dataset:
    """Return the images or series in a folder or a zip archive.

    Raises:
        DataError: It cannot be opened, could do harm, or holds nothing of this kind.
    """
    with ExitStack() as stack:
        files = stack.enter_context(open_files(Path(source.location)))
        names = files.names
        if any(PurePosixPath(n).suffix.lower() in IMAGE_SUFFIXES for n in names):
            _refuse_archives(files)
            wished = source.reading.test
            test = stack.enter_context(open_files(Path(wished))) if wished else None
            return folder_dataset(source, files, test)
        if images := idx_names(files):
            _refuse_archives(files)
            return idx_dataset(source, files, images[0])
        if series := _series(files):
            _refuse_archives(files)
            return ts_dataset(source, files, series)
        _refuse_archives(files)
        held = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
        raise DataError(
            f"{files.name} holds {held or 'no files'}",
            allowed=ALLOWED,
            fix="give a table or an .npz file itself, or put files of these kinds into it",
        )


def _refuse_archives(files: Files) -> None:
    """Raise DataError when an archive lies within the archive; packed IDX files are none."""
    inner = nested(tuple(n for n in files.names if not is_idx(n)))
    if inner is not None:
        raise DataError(
            f"{files.name} holds another archive, {inner[:80]!r}",
            allowed="plain files",
            fix="unpack the inner archive, and give it or its folder",
        )


def _series(files: Files) -> str | None:
    """Return the path of the series to learn from, or None when there are none.

    Raises:
        DataError: Several could be meant.
    """
    found = [n for n in files.names if n.lower().endswith(".ts")]
    trains = [n for n in found if PurePosixPath(n).stem.lower().endswith("train")]
    chosen = trains or found
    if len(chosen) > 1:
        raise DataError(
            f"{files.name} holds several time series: {', '.join(chosen[:5])}",
            allowed="one NAME_TRAIN.ts with its NAME_TEST.ts",
            fix="give one of these files itself",
        )
    return chosen[0] if chosen else None
