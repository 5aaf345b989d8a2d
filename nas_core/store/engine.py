"""SQLite opened so that a finished transaction survives a power cut, and its failures said in words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from nas_core.errors import StoreError
from nas_core.store.schema import SCHEMA_VERSION, metadata, versions

__all__ = ["open_engine", "prepare", "said_in_words", "transaction"]

BUSY_SECONDS = 10.0
_NOT_WRITABLE = (
    "readonly",
    "read-only",
    "permission",
    "unable to open",
    "no such file",
    "not a directory",
    "is a directory",
)


def open_engine(path: Path) -> Engine:
    """Return an engine over the SQLite file at ``path``: WAL, full fsync, foreign keys, 10 s wait for a writer."""
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _: Any) -> None:
        # The driver's own transaction handling begins too late and ends too early; we begin and end ourselves.
        connection.isolation_level = None
        cursor = connection.cursor()
        # The wait for other writers is the driver's timeout, given above.
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes its lock at once: a reader that turned writer could not wait for another writer.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def transaction(engine: Engine, location: str, *, writes: bool) -> Iterator[Connection]:
    """Run the body in one transaction; raise StoreError, in words, for anything the database refuses."""
    with said_in_words(location), engine.connect() as connection:
        connection = connection.execution_options(writes=writes)
        with connection.begin():
            yield connection


def prepare(engine: Engine, location: str) -> None:
    """Create the tables in an empty database; check the version of one that has them.

    Raises:
        StoreError: A newer layout, or somebody else's database.
    """
    with transaction(engine, location, writes=False) as connection:
        names = set(inspect(connection).get_table_names())
        found = None
        if versions.name in names:
            found = connection.execute(select(versions.c.version)).scalar()
    if found is None and names - {versions.name}:
        raise StoreError(
            f"{location} is a database of another program: it holds {', '.join(sorted(names)[:4])}",
            allowed="a store that NASight made, or a path where there is none yet",
            fix="choose another path with --store",
        )
    if found is not None and found > SCHEMA_VERSION:
        raise StoreError(
            f"{location} has store layout {found}, made by a newer NASight",
            allowed=f"layout {SCHEMA_VERSION} or older",
            fix="upgrade NASight, or choose another path with --store",
        )
    if found is None:
        with transaction(engine, location, writes=True) as connection:
            metadata.create_all(connection)
            if connection.execute(select(versions.c.version)).scalar() is None:
                connection.execute(insert(versions).values(version=SCHEMA_VERSION))


@contextmanager
def said_in_words(location: str) -> Iterator[None]:
    """Turn failures of the database and of the disk into StoreError."""
    try:
        yield
    except DBAPIError as error:
        raise _explained(location, str(error.orig)) from error
    except SQLAlchemyError as error:
        raise _explained(location, str(error)) from error
    except OSError as error:
        raise _explained(location, error.strerror or str(error)) from error


def _explained(location: str, message: str) -> StoreError:
    text = message.lower()
    if "full" in text or "no space" in text or "quota" in text:
        return StoreError(f"The disk that holds {location} is full ({message})", fix="free some space, then resume")
    if any(sign in text for sign in _NOT_WRITABLE):
        return StoreError(
            f"The store {location} cannot be written ({message})",
            allowed="a path in a directory where you may write",
            fix="choose another path with --store, or change the permissions",
        )
    if "not a database" in text or "malformed" in text or "encrypted" in text:
        return StoreError(
            f"{location} is not a NASight store ({message})",
            allowed="a SQLite file that NASight made, or a path where there is none yet",
            fix="choose another path with --store",
        )
    if "locked" in text or "busy" in text:
        return StoreError(f"The store {location} is busy ({message})", fix="try again when the other writer is done")
    return StoreError(f"The store {location} failed: {message}", fix="choose another path with --store, or see the log")
