"""Data a person uploaded, kept beside the store under a name made of their content, so that a run can be resumed."""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from dashboard.access import require_driver
from nas_core.data import DataSource
from nas_core.data.idx import is_idx
from nas_core.data.openml import is_openml, openml_table
from nas_core.errors import DataError
from nas_core.store import Store

__all__ = [
    "SUFFIXES",
    "find_upload",
    "keep_openml",
    "keep_upload",
    "keep_uploads",
    "plain_name",
    "title_of",
    "upload_folder",
    "uploads",
]

_DIGEST = re.compile(r"-[0-9a-f]{12}$")

SUFFIXES = ("csv", "tsv", "txt", "parquet", "pq", "npz", "zip", "ts", "gz", "idx3-ubyte", "idx1-ubyte")
TOGETHER = (
    "one file; or the files of one data set that belong together: images and labels in IDX format, or NAME_TRAIN.ts "
    "with NAME_TEST.ts"
)


@cache
def _temporary_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="nasight-uploads-"))


def upload_folder(store: Store) -> Path:
    """Return the folder of uploaded data: beside a store on disk, temporary beside one in memory."""
    location = Path(store.url)
    return location.parent / "uploads" if location.is_absolute() else _temporary_folder()


def keep_uploads(store: Store, files: Sequence[tuple[str, bytes]]) -> Path:
    """Write uploaded files (name, content) and return where they are; several become one zip archive.

    Raises:
        DataError: A file is empty, files do not belong together, or the folder cannot be written.
    """
    if len(files) == 1:
        return keep_upload(store, *files[0])
    named = sorted((Path(name.replace("\\", "/")).name, data) for name, data in files)
    names = [name for name, _ in named]
    alike = all(is_idx(n) for n in names) or all(n.lower().endswith(".ts") for n in names)
    if not files or not alike or len(set(names)) < len(names):
        raise DataError(
            f"{len(files)} files were uploaded together: {', '.join(names[:6])}", allowed=TOGETHER,
            fix="upload one file, or put a folder of images into a .zip archive",
        )  # fmt: skip
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in named:  # the same date always: the same files give the same archive
            archive.writestr(zipfile.ZipInfo(_safe_name(name), (1980, 1, 1, 0, 0, 0)), data)
    return keep_upload(store, Path(names[-1]).with_suffix(".zip").name, packed.getvalue())


def keep_openml(store: Store, name: str) -> Path:
    """Fetch a table of OpenML by its number or name, and keep it as a Parquet file; return where it is.

    Its declared target becomes the last column.

    Raises:
        DataError: There is no such table, or the network is needed and absent.
        AccessError: This visitor may only look.
    """
    require_driver()  # before anything is fetched
    found = openml_table(name if is_openml(name) else f"openml:{name}")
    frame = found.frame
    if found.target is not None:
        frame = frame[[*(c for c in frame.columns if c != found.target), found.target]]
    out = io.BytesIO()
    frame.to_parquet(out, index=False)
    return keep_upload(store, f"{found.name}.parquet", out.getvalue())


def keep_upload(store: Store, name: str, data: bytes) -> Path:
    """Write an uploaded file and return where it is; the same bytes under the same name are kept once.

    Raises:
        DataError: The file is empty, packed in a way that is not read, or the folder cannot be written.
        AccessError: This visitor may only look.
    """
    require_driver()
    if not data:
        raise DataError(f"The file {name!r} is empty", allowed="a header line and rows", fix="choose another file")
    if name.lower().endswith(".gz") and not is_idx(name):
        raise DataError(
            f"The file {name!r} is packed with gzip", allowed="packed IDX files (…-idx3-ubyte.gz); others unpacked",
            fix="unpack it, or put its content into a .zip archive",
        )  # fmt: skip
    path = upload_folder(store) / f"{_safe_stem(name)}-{hashlib.sha256(data).hexdigest()[:12]}{_suffix(name)}"
    if path.is_file() and path.stat().st_size == len(data):
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(file.name, path)
    except OSError as error:
        raise DataError(
            f"The data could not be kept in {path.parent} ({error.strerror})",
            allowed="a folder that can be written, with room on the disk",
            fix="free some room, or start the studio with another --store",
        ) from error
    return path


def uploads(store: Store) -> list[Path]:
    """Return the data kept so far, the newest first."""
    folder = upload_folder(store)
    if not folder.is_dir():
        return []
    files = [p for p in folder.iterdir() if p.suffix.removeprefix(".").lower() in SUFFIXES and p.is_file()]
    return sorted(files, key=lambda p: (-p.stat().st_mtime, p.name))


def find_upload(store: Store, name: str) -> Path | None:
    """Return the kept data called ``name``; only names that were kept are found, never another path."""
    return next((p for p in uploads(store) if p.name == name), None)


def title_of(store: Store, source: DataSource) -> str:
    """Return what a person calls uploaded data, without ending and digest; empty for data from elsewhere."""
    ours = source.kind == "file" and Path(source.location).parent == upload_folder(store)
    return Path(plain_name(Path(source.location).name)).stem if ours else ""


def plain_name(name: str) -> str:
    """Return what a person called the data kept as ``name``: "wines.csv" for "wines-fd2c0c254799.csv"."""
    stem, dot, suffix = name.rpartition(".")
    return f"{_DIGEST.sub('', stem)}{dot}{suffix}" if dot else _DIGEST.sub("", name)


def _safe_stem(name: str) -> str:
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", Path(name.replace("\\", "/")).stem).strip("_")
    return stem[:60] or "table"


def _safe_name(name: str) -> str:
    """Return a name for a file in an archive; train and test files keep finding each other by it."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", name).lstrip(".") or "file"


def _suffix(name: str) -> str:
    plain = Path(name.replace("\\", "/"))
    suffix = plain.suffix.lower()
    if not suffix and is_idx(plain.name):
        return ".idx3-ubyte" if "idx3" in plain.name.lower() else ".idx1-ubyte"
    return suffix if suffix.removeprefix(".") in SUFFIXES else ".csv"
