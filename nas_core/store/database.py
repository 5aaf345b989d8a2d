"""A database that holds a store: its transactions, its layout, and its failures said in words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, Table
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from nas_core.errors import StoreError

__all__ = ["BUSY_SECONDS", "Database", "said_in_words", "transaction"]

BUSY_SECONDS = 10.0
"""How long a writer waits for another one."""

_NOT_WRITABLE = (
    "readonly",
    "read-only",
    "permission",
    "unable to open",
    "no such file",
    "not a directory",
    "is a directory",
)
_NOT_ADMITTED = ("authentication failed", "no password supplied", "no pg_hba.conf entry", "does not exist")
_NOT_REACHED = (
    "connection to server",
    "connection failed",
    "connection refused",
    "connection is bad",
    "connection is closed",
    "connection is lost",
    "consuming input failed",
    "server closed the connection",
    "terminating connection",
    "resolve host",
    "could not translate host name",
    "timeout expired",
    "timed out",
)
_BUSY = ("locked", "busy", "lock timeout", "deadlock")


class Database(ABC):
    """One kind of database; what all kinds have in common is in :mod:`nas_core.store.sql`.

    Attributes:
        location: How it is called in front of people; never with a password.
        engine: Its connections.
    """

    location: str
    engine: Engine

    @abstractmethod
    def options(self, *, writes: bool) -> dict[str, Any]:
        """Return the options of a connection for one transaction.

        One that reads sees a single moment and never waits; one that writes sees what was committed last.
        """

    @abstractmethod
    def lock_layout(self, connection: Connection) -> None:
        """Let nobody else create or change tables until the transaction of ``connection`` ends."""

    @abstractmethod
    def keep_copy(self, version: int) -> None:
        """Copy everything before layout ``version`` is changed, where the database can do that by itself."""

    @abstractmethod
    def picking(
        self, table: Table, chosen: Sequence[ColumnElement[bool]], groups: Sequence[Sequence[Sequence[str]]]
    ) -> Select[Any]:
        """Return the query for parts of the JSON texts of a table of evaluations, as JSON texts.

        Its columns: id, number and revision; the architecture; for each group a list of what stands at its places, null
        where there is nothing.

        Args:
            table: With the columns id, number, revision and body.
            chosen: What the rows must meet.
            groups: Places of a text, each the names that lead to it; at most 96 in one group.
        """

    @abstractmethod
    def damage(self) -> list[str]:
        """Return what the database itself finds wrong with its file, in words."""


@contextmanager
def transaction(database: Database, *, writes: bool) -> Iterator[Connection]:
    """Run the body in one transaction; raise StoreError, in words, for anything the database refuses."""
    with said_in_words(database.location), database.engine.connect() as connection:
        connection = connection.execution_options(**database.options(writes=writes))
        with connection.begin():
            yield connection


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
    message = " ".join(message.split())
    text = message.lower()
    if "full" in text or "no space" in text or "quota" in text:
        return StoreError(f"The disk that holds {location} is full ({message})", fix="free some space, then resume")
    if any(sign in text for sign in _NOT_REACHED):
        return _no_answer(location, message)
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
    if any(sign in text for sign in _BUSY):
        return StoreError(f"The store {location} is busy ({message})", fix="try again when the other writer is done")
    return StoreError(f"The store {location} failed: {message}", fix="choose another path with --store, or see the log")


def _no_answer(location: str, message: str) -> StoreError:
    if any(sign in message.lower() for sign in _NOT_ADMITTED):
        return StoreError(
            f"The server of {location} did not let NASight in ({message})",
            allowed="a user, a password and a database that the server knows",
            fix="correct the URL, or put the password into ~/.pgpass or PGPASSWORD",
        )
    return StoreError(
        f"The server of {location} cannot be reached ({message})",
        fix="start the server or correct the URL; a run that waits goes on when it is resumed",
    )
