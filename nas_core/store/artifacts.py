"""Large bytes as files: complete under their name or not there at all, whatever happens meanwhile."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

from nas_core.store.base import artifact_name

__all__ = ["read_file", "write_file"]


def write_file(root: Path, name: str, data: bytes) -> str:
    """Write ``data`` to ``root/name`` (temporary name, fsync, rename, fsync of the directory) and return its SHA-256.

    Raises:
        OSError: The disk is full, the directory not writable …; no file is left behind.
    """
    path = root / artifact_name(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=".writing-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_directory(path.parent)
    return hashlib.sha256(data).hexdigest()


def read_file(root: Path, name: str) -> tuple[bytes, str]:
    """Return the bytes of ``root/name`` and their SHA-256.

    Raises:
        FileNotFoundError: There is no such artifact.
    """
    data = (root / artifact_name(name)).read_bytes()
    return data, hashlib.sha256(data).hexdigest()


def _sync_directory(path: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
