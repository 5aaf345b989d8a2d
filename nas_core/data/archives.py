"""Files of a folder or of a zip archive, read in memory: bounded, and nothing is ever extracted to the disk."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from nas_core.errors import DataError

__all__ = ["ZIP_ERRORS", "Files", "FolderFiles", "ZipFiles", "ZipLimits", "check_zip", "nested", "open_files"]

ZIP_ERRORS = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError, KeyError,
    struct.error, OverflowError,
)  # fmt: skip
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst")
FIX_ZIP = "make the archive again from a plain folder"


@dataclass(frozen=True)
class ZipLimits:
    """How much an archive or a folder may hold.

    Attributes:
        files: Number of files.
        bytes: Of all files together, unpacked.
        member: Of one file, unpacked.
        ratio: Unpacked over packed bytes, of files above ``free`` bytes.
        free: Files up to so many unpacked bytes may have any ratio.
    """

    files: int = 200_000
    bytes: int = 2_000_000_000
    member: int = 400_000_000
    ratio: float = 200.0
    free: int = 10_000_000


class Files(ABC):
    """Files under one root, by their paths with ``/`` between folders."""

    name: str

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Paths of all files that count, sorted; dot files and ``__MACOSX`` do not."""

    @abstractmethod
    def has(self, name: str) -> bool:
        """Return whether there is a file of this path."""

    @abstractmethod
    def open(self, name: str) -> IO[bytes]:
        """Open a file for reading bytes."""

    def read(self, name: str, most: int) -> bytes:
        """Return the bytes of a file.

        Raises:
            DataError: It is larger than ``most`` bytes or cannot be read.
        """
        with self.understood(name), self.open(name) as stream:
            data = stream.read(most + 1)
        if len(data) > most:
            raise DataError(
                f"{name} in {self.name} has more than {most / 1e6:,.1f} MB", allowed="smaller files", fix="split it"
            )
        return data

    @contextmanager
    def understood(self, name: str) -> Iterator[None]:
        """Turn what reading ``name`` raises into a DataError."""
        try:
            yield
        except ZIP_ERRORS as error:
            raise DataError(
                f"{name} in {self.name} cannot be read ({error or type(error).__name__})",
                allowed="files that can be read",
                fix="check the file, and make the archive again if it is one",
            ) from error


class FolderFiles(Files):
    """The files of a folder and of the folders in it; links to folders are not followed."""

    def __init__(self, folder: Path, limits: ZipLimits | None = None) -> None:
        self.folder, self.name, self.limits = folder, folder.name or str(folder), limits or ZipLimits()
        self._names: tuple[str, ...] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        if self._names is None:
            found: list[str] = []
            total = 0
            for root, folders, files in os.walk(self.folder):
                folders[:] = [f for f in folders if not _ignored(f)]
                for file in files:
                    path = Path(root) / file
                    if _ignored(file) or not path.is_file():  # broken links, devices
                        continue
                    found.append(path.relative_to(self.folder).as_posix())
                    total += path.stat().st_size
                    _check_amount(len(found), total, self.name, self.limits)
            self._names = tuple(sorted(found))
        return self._names

    def has(self, name: str) -> bool:
        return (self.folder / name).is_file()

    def open(self, name: str) -> IO[bytes]:
        return (self.folder / name).open("rb")


class ZipFiles(Files):
    """The files of a zip archive that passed :func:`check_zip`."""

    def __init__(self, archive: zipfile.ZipFile, name: str, limits: ZipLimits | None = None) -> None:
        self.archive, self.name = archive, name
        check_zip(archive, name, limits)
        self._infos = {
            info.filename: info
            for info in archive.infolist()
            if not info.is_dir() and not any(_ignored(part) for part in info.filename.split("/"))
        }

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._infos))

    def has(self, name: str) -> bool:
        return name in self._infos

    def open(self, name: str) -> IO[bytes]:
        return self.archive.open(self._infos[name])


@contextmanager
def open_files(path: Path, limits: ZipLimits | None = None) -> Iterator[Files]:
    """Open a folder or a zip archive.

    Raises:
        DataError: It is not there, no archive, or refused; see :func:`check_zip`.
    """
    if path.is_dir():
        yield FolderFiles(path, limits)
        return
    if not path.is_file():
        raise DataError(f"There is no file {str(path)!r}", allowed="a folder or a zip archive", fix="check the path")
    _check_directory(path, limits or ZipLimits())
    try:
        archive = zipfile.ZipFile(path)
    except ZIP_ERRORS as error:
        raise DataError(
            f"{path.name} cannot be read as a zip archive ({error})", allowed="a zip archive", fix=FIX_ZIP
        ) from error
    with archive:
        yield ZipFiles(archive, path.name, limits)


def check_zip(archive: zipfile.ZipFile, name: str, limits: ZipLimits | None = None) -> None:
    """Raise DataError when an archive could do harm: from its directory alone, before anything is unpacked.

    Refused are paths that leave the archive, absolute paths, links, encrypted files, repeated names, too many files,
    too many bytes, and files that unpack to much more than they take.
    """
    limits = limits or ZipLimits()
    infos = archive.infolist()
    seen: set[str] = set()
    total = 0
    for info in infos:
        total += info.file_size
        _check_amount(len(infos), total, name, limits)
        if problem := _problem(info, limits):
            raise DataError(f"{name} holds {info.filename[:80]!r}, which {problem}",
                            allowed="plain files in folders of the archive", fix=FIX_ZIP)  # fmt: skip
        if info.filename in seen:
            raise DataError(f"{name} holds {info.filename[:80]!r} twice", allowed="each file once", fix=FIX_ZIP)
        seen.add(info.filename)


def _problem(info: zipfile.ZipInfo, limits: ZipLimits) -> str:
    """Return what is wrong with a member, "" when nothing is."""
    raw = info.orig_filename or info.filename
    parts = PurePosixPath(raw).parts
    if raw.startswith("/") or "\\" in raw or (len(raw) > 1 and raw[1] == ":"):
        return "is an absolute path, or one of another system"
    if ".." in parts or "\x00" in raw or not raw:
        return "leads out of the archive"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "is a link to another file"
    if info.flag_bits & 0x1:
        return "is encrypted"
    if info.file_size > limits.member:
        return f"unpacks to {info.file_size / 1e6:,.0f} MB, more than {limits.member / 1e6:,.0f} MB"
    if info.file_size > max(limits.free, limits.ratio * max(1, info.compress_size)):
        return f"unpacks to {info.file_size / max(1, info.compress_size):,.0f} times its size, as bombs do"
    return ""


def nested(names: tuple[str, ...]) -> str | None:
    """Return the first name that is an archive itself, or None."""
    return next((n for n in names if PurePosixPath(n).suffix.lower() in ARCHIVES), None)


def _check_amount(files: int, size: int, name: str, limits: ZipLimits) -> None:
    if files > limits.files:
        raise DataError(
            f"{name} holds more than {limits.files:,} files",
            allowed=f"at most {limits.files:,} files",
            fix="keep a random sample of them",
        )
    if size > limits.bytes:
        raise DataError(
            f"{name} holds more than {limits.bytes / 1e6:,.0f} MB unpacked",
            allowed=f"at most {limits.bytes / 1e6:,.0f} MB",
            fix="keep a random sample of the files, or make images smaller",
        )


def _check_directory(path: Path, limits: ZipLimits) -> None:
    """Raise DataError when the list of files in an archive is itself too long to be read.

    zipfile reads that list as a whole; its size stands in a record at the end of the file.
    """
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        size = file.tell()
        file.seek(max(0, size - 66_000))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        return  # no archive: zipfile says so
    count, length = struct.unpack("<HI", tail[at + 10 : at + 16])
    if count == 0xFFFF or length == 0xFFFFFFFF:
        large = tail.rfind(b"PK\x06\x06", 0, at)
        if large >= 0 and len(tail) >= large + 48:
            count, length = struct.unpack("<QQ", tail[large + 32 : large + 48])
    if count > limits.files or length > 300 * limits.files:
        _check_amount(max(count, limits.files + 1), 0, path.name, limits)


def _ignored(part: str) -> bool:
    return part.startswith(".") or part in ("__MACOSX", "Thumbs.db", "desktop.ini")
