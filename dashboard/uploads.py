"""Tables a person uploaded, kept beside the store under a name made of their content, so that a run can be resumed."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from functools import cache
from pathlib import Path

from nas_core.errors import DataError
from nas_core.store import Store

__all__ = ["SUFFIXES", "find_upload", "keep_upload", "upload_folder", "uploads"]

SUFFIXES = ("csv", "tsv", "txt", "parquet", "pq")


@cache
def _temporary_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="nasight-uploads-"))


def upload_folder(store: Store) -> Path:
    """Return the folder of uploaded tables: beside a store on disk, temporary beside one in memory."""
    location = Path(store.url)
    return location.parent / "uploads" if location.is_absolute() else _temporary_folder()


def keep_upload(store: Store, name: str, data: bytes) -> Path:
    """Write an uploaded table and return where it is; the same bytes under the same name are kept once.

    Raises:
        DataError: The file is empty or the folder cannot be written.
    """
    if not data:
        raise DataError(f"The file {name!r} is empty", allowed="a header line and rows", fix="choose another file")
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
            f"The table could not be kept in {path.parent} ({error.strerror})",
            allowed="a folder that can be written, with room on the disk",
            fix="free some room, or start the studio with another --store",
        ) from error
    return path


def uploads(store: Store) -> list[Path]:
    """Return the tables kept so far, the newest first."""
    folder = upload_folder(store)
    if not folder.is_dir():
        return []
    files = [p for p in folder.iterdir() if p.suffix.removeprefix(".").lower() in SUFFIXES and p.is_file()]
    return sorted(files, key=lambda p: (-p.stat().st_mtime, p.name))


def find_upload(store: Store, name: str) -> Path | None:
    """Return the kept table called ``name``; only names that were kept are found, never another path."""
    return next((p for p in uploads(store) if p.name == name), None)


def _safe_stem(name: str) -> str:
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", Path(name.replace("\\", "/")).stem).strip("_")
    return stem[:60] or "table"


def _suffix(name: str) -> str:
    suffix = Path(name.replace("\\", "/")).suffix.lower()
    return suffix if suffix.removeprefix(".") in SUFFIXES else ".csv"
