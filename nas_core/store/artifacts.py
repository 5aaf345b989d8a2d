"""Large bytes as files: complete under their name or not there at all, whatever happens meanwhile."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from nas_core.store.base import artifact_name, owner_of

__all__ = ["WRITING", "Artifacts", "DirectoryArtifacts"]

WRITING = ".writing-"
"""How the last part of the name of a file begins that is being written, or was when its writer was killed."""


class Artifacts(ABC):
    """A place for large bytes. All methods may be called from any thread; failures are OSErrors.

    Attributes:
        location: How it is called in front of people.
        exclusive: Whether one store alone uses it, so that what this store does not know is of nobody.
    """

    location: str
    exclusive: bool

    @abstractmethod
    def write(self, name: str, data: bytes) -> str:
        """Keep ``data`` under ``name`` and return its SHA-256; a failure leaves what was there before."""

    @abstractmethod
    def read(self, name: str) -> tuple[bytes, str]:
        """Return the bytes kept under ``name`` and their SHA-256.

        Raises:
            FileNotFoundError: There are none.
        """

    @abstractmethod
    def delete(self, name: str) -> None:
        """Remove a file that :meth:`names` has given; one that has gone is no error."""

    @abstractmethod
    def names(self) -> Iterator[str]:
        """Yield the name of every file, half-written ones too."""


class DirectoryArtifacts(Artifacts):
    """Artifacts in a directory of this machine, which is created when missing.

    A file is written under a temporary name, synchronised, renamed, and its directory synchronised, so that what was
    written survives a power cut.
    """

    def __init__(self, root: Path, *, exclusive: bool = False) -> None:
        self.root, self.location, self.exclusive = root, str(root), exclusive
        root.mkdir(parents=True, exist_ok=True)

    def write(self, name: str, data: bytes) -> str:
        path = self.root / artifact_name(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=WRITING, dir=path.parent)
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

    def read(self, name: str) -> tuple[bytes, str]:
        data = (self.root / artifact_name(name)).read_bytes()
        return data, hashlib.sha256(data).hexdigest()

    def delete(self, name: str) -> None:
        path = self.root / name
        path.unlink(missing_ok=True)
        if owner_of(name):  # the directory of one run goes with its last file
            with contextlib.suppress(OSError):
                path.parent.rmdir()

    def names(self) -> Iterator[str]:
        for path in sorted(self.root.rglob("*")):
            if path.is_file():
                yield path.relative_to(self.root).as_posix()


def _sync_directory(path: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
