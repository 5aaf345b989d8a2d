"""From what a person wrote (a path, a URL, nothing) to an open store."""

from __future__ import annotations

import os
from pathlib import Path

from nas_core.errors import StoreError
from nas_core.store.base import Store
from nas_core.store.memory import InMemoryStore

__all__ = ["default_location", "open_store"]

FILE_NAME = "nasight.sqlite"
_FILES = (".sqlite", ".sqlite3", ".db")


def default_location() -> Path:
    """Return where runs go when nobody says: ``$NASIGHT_STORE``, else ``nasight`` in the user's data directory."""
    if chosen := os.environ.get("NASIGHT_STORE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "nasight"


def open_store(location: str | Path | None = None) -> Store:
    """Open a store, creating it when there is none.

    Args:
        location: A directory (the file in it is ``nasight.sqlite``), a file ending in .sqlite, .sqlite3 or .db,
            ``sqlite:///path``, ``memory:``, or None for :func:`default_location`.

    Raises:
        StoreError: It cannot be opened, or the URL is of a kind that is not supported.
    """
    text = str(default_location() if location is None else location).strip()
    if text in ("memory:", "sqlite://", "sqlite:///:memory:"):
        return InMemoryStore()
    if text.startswith("sqlite:///"):
        text = text.removeprefix("sqlite:///")
    if "://" in text or not text:
        raise StoreError(
            f"{text!r} is not a store that can be opened",
            allowed="a directory, a .sqlite or .db file, sqlite:///path, or memory:",
            fix="give a path",
        )
    path = Path(text).expanduser()
    from nas_core.store.sql import SqlStore  # SQLAlchemy costs a third of a second

    return SqlStore(path if path.is_file() or path.suffix in _FILES else path / FILE_NAME)
