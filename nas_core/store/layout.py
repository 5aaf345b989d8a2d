"""The layout of a store's tables: made in an empty database, brought up to date in an older one.

Records are kept as JSON text, so most changes of a record need no new layout. One that does is a step in ``STEPS``: a
function that changes the tables through the connection it is given, and an equal change of ``schema``. All steps that a
store lacks run in one transaction; where one fails, the store is as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, insert, inspect, select, update

from nas_core.errors import StoreError
from nas_core.store.database import Database, transaction
from nas_core.store.schema import marks, metadata, versions

__all__ = ["LAYOUT", "STEPS", "Step", "prepare"]

Step = Callable[[Connection], None]
"""Leads from one layout to the next."""


def _add_marks(connection: Connection) -> None:
    """Lead to layout 2: what people say of candidates. Whoever changes that table writes it out here as it is now."""
    marks.create(connection)


STEPS: tuple[Step, ...] = (_add_marks,)
"""The first leads from layout 1 to 2, and so on."""

LAYOUT = 1 + len(STEPS)
"""The layout that this NASight reads and writes."""


def prepare(database: Database, steps: Sequence[Step] = STEPS) -> None:
    """Create the tables in an empty database; bring those of an older layout up to date.

    A store of this layout is only read, so that opening one never waits for its writer. SQLite files that
    are changed are copied to ``<name>-layout<N>`` beside them first.

    Raises:
        StoreError: A newer layout, or somebody else's database; an upgrade failed, and changed nothing.
    """
    newest = 1 + len(steps)
    with transaction(database, writes=False) as connection:
        found = _layout(connection, database, newest)
    if found == newest:
        return
    with transaction(database, writes=True) as connection:
        database.lock_layout(connection)
        found = _layout(connection, database, newest)  # another process may have been faster
        if found is None:
            metadata.create_all(connection)
            connection.execute(insert(versions).values(version=newest))
        elif found < newest:
            database.keep_copy(found)
            for step in steps[found - 1 :]:
                step(connection)
            connection.execute(update(versions).values(version=newest))


def _layout(connection: Connection, database: Database, newest: int) -> int | None:
    """Return the layout of the tables there are, None where there are none; raise for one that cannot be used."""
    names = set(inspect(connection).get_table_names())
    found = connection.execute(select(versions.c.version)).scalar() if versions.name in names else None
    if found is None and names - {versions.name}:
        raise StoreError(
            f"{database.location} is a database of another program: it holds {', '.join(sorted(names)[:4])}",
            allowed="a store that NASight made, or a path where there is none yet",
            fix="choose another path with --store",
        )
    if found is not None and found > newest:
        raise StoreError(
            f"{database.location} has store layout {found}, made by a newer NASight",
            allowed=f"layout {newest} or older",
            fix="upgrade NASight, or choose another path with --store",
        )
    return found
