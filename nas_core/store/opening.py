"""From what a person wrote (a path, a URL, nothing) to an open store."""

from __future__ import annotations

import os
import re
from pathlib import Path

from nas_core.errors import StoreError
from nas_core.store.base import Store
from nas_core.store.memory import InMemoryStore

__all__ = ["artifacts_beside", "data_directory", "default_location", "open_store", "sqlite_path"]

FILE_NAME = "nasight.sqlite"
_FILES = (".sqlite", ".sqlite3", ".db")
_POSTGRES = re.compile(r"postgres(ql)?(\+\w+)?://")


def data_directory() -> Path:
    """Return the directory of this program's data, ``nasight`` in the user's data directory."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "nasight"


def default_location() -> str:
    """Return where runs go when nobody says: ``$NASIGHT_STORE``, else :func:`data_directory`."""
    return os.environ.get("NASIGHT_STORE") or str(data_directory())


def open_store(location: str | Path | None = None) -> Store:
    """Open a store, creating it when there is none.

    Args:
        location: A directory (the file in it is ``nasight.sqlite``), a file ending in .sqlite, .sqlite3 or .db,
            ``sqlite:///path``, ``postgresql://user@host/database`` with ``?artifacts=DIRECTORY-OR-URL`` for the place
            of large files, ``memory:``, or None for :func:`default_location`.

    Raises:
        StoreError: It cannot be opened, or the URL is of a kind that is not supported.
    """
    text = str(default_location() if location is None else location).strip()
    if text in ("memory:", "sqlite://", "sqlite:///:memory:"):
        return InMemoryStore()
    # SQLAlchemy costs a third of a second, so it is imported only here.
    if _POSTGRES.match(text):
        from nas_core.store.postgres import open_postgres

        return open_postgres(text, data_directory())
    from nas_core.store.artifacts import DirectoryArtifacts
    from nas_core.store.database import said_in_words
    from nas_core.store.sql import SqlStore
    from nas_core.store.sqlite import SqliteDatabase

    path = sqlite_path(text)
    database = SqliteDatabase(path)
    with said_in_words(database.location):
        artifacts = DirectoryArtifacts(artifacts_beside(database.path), exclusive=True)
    return SqlStore(database, artifacts)


def artifacts_beside(path: Path) -> Path:
    """Return the directory of the artifacts of a SQLite store."""
    return path.with_name(f"{path.stem}-artifacts")


def sqlite_path(text: str) -> Path:
    """Return the SQLite file that a location means: a file, or the one in a directory.

    Raises:
        StoreError: It is a URL of something else, or empty.
    """
    path = text.removeprefix("sqlite:///")
    if "://" in path or not path:
        raise StoreError(
            f"{_without_password(text)!r} is not a store that can be opened",
            allowed="a directory, a .sqlite or .db file, sqlite:///path, postgresql://user@host/database, or memory:",
            fix="give a path",
        )
    try:
        if "\0" in path:
            raise ValueError("it holds a zero byte")
        found = Path(path).expanduser()
        return found if found.is_file() or found.suffix in _FILES else found / FILE_NAME
    except (OSError, ValueError, RuntimeError) as error:  # too long, a zero byte, a home nobody has
        raise StoreError(
            f"{path[:80]!r} is no path of a store ({getattr(error, 'strerror', None) or error})",
            allowed="a path that this system can have", fix="choose another path with --store",
        ) from None  # fmt: skip


def _without_password(url: str) -> str:
    """Return ``url`` with what stands between its scheme and its host shortened to the user's name."""
    return re.sub(r"(?<=://)([^/@:]*):.*@", r"\1@", url)
