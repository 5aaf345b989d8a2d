"""PostgreSQL by URL: one store for several machines and people."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, Text, cast, create_engine, event, func, select
from sqlalchemy.dialects.postgresql import JSON, JSONB
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from nas_core.errors import StoreError
from nas_core.store.artifacts import Artifacts, DirectoryArtifacts
from nas_core.store.database import BUSY_SECONDS, Database, said_in_words
from nas_core.store.sql import SqlStore

__all__ = ["PostgresDatabase", "open_postgres"]

_LAYOUT_LOCK = 0x6E61_7369  # "nasi": an advisory lock of our own
_SECRET = ("password", "passfile", "sslpassword", "sslkey")
_PATIENCE: Mapping[str, Any] = {
    "connect_timeout": 10,  # s; the rest notices within a minute that a server is gone without a word
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,  # ms
}


class PostgresDatabase(Database):
    """A PostgreSQL database through psycopg; a connection that broke is replaced before it is used.

    Args:
        url: User, host, port, name and settings of the connection.
    """

    def __init__(self, url: URL) -> None:
        self.location = shown(url)
        patience = {name: value for name, value in _PATIENCE.items() if name not in url.query}
        try:
            self.engine = create_engine(
                url.set(drivername="postgresql+psycopg"), pool_pre_ping=True, connect_args=patience
            )
        except ModuleNotFoundError:
            raise StoreError(
                f"The store {self.location} needs psycopg, which is not installed",
                fix="install the extra `postgres`: pip install 'nasight[postgres]'",
            ) from None
        event.listen(self.engine, "connect", _configure)

    def options(self, *, writes: bool) -> dict[str, Any]:
        if writes:
            return {"isolation_level": "READ COMMITTED", "postgresql_readonly": False}
        return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}

    def lock_layout(self, connection: Connection) -> None:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LAYOUT_LOCK})")

    def keep_copy(self, version: int) -> None:
        """Do nothing: an upgrade is one transaction, and copies of a server are its administrator's (pg_dump)."""

    def picking(
        self, table: Table, chosen: Sequence[ColumnElement[bool]], groups: Sequence[Sequence[Sequence[str]]]
    ) -> Select[Any]:
        keys = ("id", "number", "revision")
        architecture = cast(cast(table.c.body, JSON)["architecture"], Text)  # JSONB would sort its names
        whole = cast(table.c.body, JSONB).label("whole")
        # The offset keeps the planner from pulling the query in, which would parse a text once for each place.
        read = select(*(table.c[key] for key in keys), architecture.label("architecture"), whole).where(*chosen)
        one = read.offset(0).subquery()
        lists = [
            cast(func.jsonb_build_array(*(one.c.whole[tuple(place)] for place in group)), Text) for group in groups
        ]
        return select(*(one.c[key] for key in keys), one.c.architecture, *lists)

    def damage(self) -> list[str]:
        return []


def open_postgres(text: str, data_directory: Path) -> SqlStore:
    """Return the store at a PostgreSQL URL.

    Args:
        text: ``postgresql://user@host:port/database``; ``?artifacts=`` names the place of large files: a directory, or
            a URL that fsspec understands. Without it, a directory of this machine.
        data_directory: Where that directory is.

    Raises:
        StoreError: The URL cannot be read, the server cannot be reached or does not let us in, psycopg is missing.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise StoreError(
            "The address of the PostgreSQL store cannot be read",
            allowed="postgresql://user:password@host:5432/database, special characters as %40",
            fix="correct the URL",
        ) from None
    place = url.query.get("artifacts")
    url = url.difference_update_query(["artifacts"])
    database = PostgresDatabase(url)
    return SqlStore(database, _artifacts(place if isinstance(place, str) else None, url, data_directory))


def shown(url: URL) -> str:
    """Return a URL for people: without passwords."""
    plain = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
    return plain.difference_update_query(_SECRET).render_as_string()


def _artifacts(place: str | None, url: URL, data_directory: Path) -> Artifacts:
    place = place.removeprefix("file://") if place else place
    if place is not None and "://" in place:
        from nas_core.store.remote import RemoteArtifacts

        return RemoteArtifacts(place)
    name = f"{url.host or 'local'}-{url.port or 5432}-{url.database or url.username or 'default'}"
    if url.query:  # another schema, or another server behind a socket: another store
        name += f"-{hashlib.sha256(shown(url).encode()).hexdigest()[:8]}"
    path = Path(place).expanduser().absolute() if place else data_directory / "artifacts" / name.replace("/", "_")
    with said_in_words(str(path)):
        return DirectoryArtifacts(path)


def _configure(connection: Any, _: Any) -> None:
    # A writer that waits longer than this for another one is told so.
    connection.execute(f"SET lock_timeout = {int(BUSY_SECONDS * 1000)}")
    connection.commit()
