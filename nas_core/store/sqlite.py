"""SQLite opened so that a finished transaction survives a power cut.

Write-ahead logging with full fsync: a transaction that was committed survives a kill at any moment. Write-ahead
logging does not work on network drives.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, create_engine, event, func, select

from nas_core.errors import StoreError
from nas_core.store.artifacts import WRITING
from nas_core.store.database import BUSY_SECONDS, Database, said_in_words, transaction

__all__ = ["SqliteDatabase"]

SHOWN = 5


class SqliteDatabase(Database):
    """A SQLite file: WAL, full fsync, foreign keys, 10 s wait for a writer.

    Args:
        path: The file; it and its directory are created when missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self.location = str(self.path)
        with said_in_words(self.location):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        waits = {"timeout": BUSY_SECONDS, "check_same_thread": False}
        self.engine = create_engine(f"sqlite:///{self.path}", connect_args=waits)
        event.listen(self.engine, "connect", _configure)
        event.listen(self.engine, "begin", _begin)

    def options(self, *, writes: bool) -> dict[str, Any]:
        return {"writes": writes}

    def lock_layout(self, connection: Connection) -> None:
        """Do nothing: a transaction that writes has the whole file."""

    def keep_copy(self, version: int) -> None:
        self.copy_to(self.path.with_name(f"{self.path.stem}-layout{version}{self.path.suffix}"))

    def picking(
        self, table: Table, chosen: Sequence[ColumnElement[bool]], groups: Sequence[Sequence[Sequence[str]]]
    ) -> Select[Any]:
        body, keys = table.c.body, (table.c.id, table.c.number, table.c.revision)
        lists = [func.json_extract(body, *("$." + ".".join(place) for place in group)) for group in groups]
        return select(*keys, func.json_extract(body, "$.architecture"), *lists).where(*chosen)

    def damage(self) -> list[str]:
        try:
            with transaction(self, writes=False) as c:
                rows = c.exec_driver_sql(f"PRAGMA integrity_check({SHOWN})").scalars().all()
                strays = c.exec_driver_sql("PRAGMA foreign_key_check").all()
        except StoreError as error:
            return [error.given]
        found = [str(row) for row in rows if row != "ok"]
        return found + [f"A row of {table} belongs to no {parent}" for table, _, parent, _ in strays[:SHOWN]]

    def copy_to(self, target: Path) -> None:
        """Write the database as it is at this moment to ``target``, while others read and write it.

        Raises:
            StoreError: The target cannot be written.
        """
        temporary = target.with_name(f"{WRITING}{target.name}")
        with said_in_words(str(target)):
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.unlink(missing_ok=True)
            try:
                self._copy(temporary)
                os.replace(temporary, target)
            finally:
                temporary.unlink(missing_ok=True)

    def _copy(self, target: Path) -> None:
        try:
            with closing(sqlite3.connect(self.path)) as source, closing(sqlite3.connect(target)) as copy:
                source.backup(copy)  # all pages in one step: a reader, which nobody has to wait for
                copy.execute("PRAGMA journal_mode=DELETE")  # one file, until it is opened as a store
        except sqlite3.Error as error:
            raise OSError(f"the copy failed: {error}") from error
        with target.open("rb+") as file:
            os.fsync(file.fileno())


def _configure(connection: sqlite3.Connection, _: Any) -> None:
    # The driver's own transaction handling begins too late and ends too early; we begin and end ourselves.
    connection.isolation_level = None
    cursor = connection.cursor()
    # The wait for other writers is the driver's timeout, given above.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    # A writer takes its lock at once: a reader that turned writer could not wait for another writer.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
