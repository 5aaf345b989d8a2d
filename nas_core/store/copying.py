"""A copy of a store that is complete in itself, made while runs are writing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import delete, select

from nas_core.errors import StoreError
from nas_core.records import Evaluation, RunRecord
from nas_core.store import schema
from nas_core.store.artifacts import WRITING, DirectoryArtifacts
from nas_core.store.base import ACTIVE, Store, changed, read_back
from nas_core.store.database import said_in_words, transaction
from nas_core.store.opening import artifacts_beside, sqlite_path
from nas_core.store.sql import SqlStore
from nas_core.store.sqlite import SqliteDatabase

__all__ = ["back_up"]


def back_up(store: Store, target: str, on_progress: Callable[[int, int], None] | None = None) -> Path:
    """Copy a SQLite store and return the file of the copy, which is there only when the copy is complete.

    First the database as it is at one moment, by SQLite's online backup; then the artifacts that this copy refers to. A
    run that was alive is interrupted in the copy: it can be resumed from there.

    Args:
        store: The store; nobody has to wait for the copy.
        target: A directory, or a file ending in .sqlite, .sqlite3 or .db, where there is no store yet.
        on_progress: Called with how many artifacts are copied, and how many there are.

    Raises:
        StoreError: The store is of another kind, there is a store at ``target``, or it cannot be written.
    """
    source = store.database if isinstance(store, SqlStore) else None
    if not isinstance(store, SqlStore) or not isinstance(source, SqliteDatabase):
        raise StoreError(
            f"The store {store.url} cannot be copied by NASight",
            allowed="a SQLite store",
            fix="copy a PostgreSQL database with pg_dump, and its directory of artifacts" if source is not None
            else "keep runs in a directory: --store DIRECTORY",
        )  # fmt: skip
    path = sqlite_path(target).expanduser().absolute()
    if path.exists():
        raise StoreError(f"There is something at {path} already", fix="choose another place for the copy")
    unfinished = path.with_name(f"{WRITING}{path.name}")
    place = artifacts_beside(path)
    was_there = place.exists()
    try:
        source.copy_to(unfinished)
        needed = _settled(unfinished)
        with said_in_words(str(place)):
            artifacts = DirectoryArtifacts(place)
        for done, (name, digest) in enumerate(needed.items()):
            data = store.get_artifact(name, digest)
            with said_in_words(artifacts.location):
                artifacts.write(name, data)
            if on_progress is not None:
                on_progress(done + 1, len(needed))
        with said_in_words(str(path)):
            os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        if not was_there:
            shutil.rmtree(place, ignore_errors=True)
        raise
    return path


def _settled(path: Path) -> dict[str, str]:
    """Let no run of the copy be alive and no artifact be known that no candidate needs; return those that are."""
    copy = SqliteDatabase(path)
    try:
        return _settle(copy)
    finally:
        copy.engine.dispose()


def _settle(copy: SqliteDatabase) -> dict[str, str]:
    with transaction(copy, writes=True) as c:
        for run_id, body in c.execute(select(schema.runs.c.id, schema.runs.c.body)).all():
            record = read_back(RunRecord, body, run_id)
            if record.state in ACTIVE:
                reason = "It was running when this copy was made; resume continues where it was"
                ended = {"state": "interrupted", "owner": "", "reason": reason}
                new = changed(record, ended, record.revision + 1)
                values = {"revision": new.revision, "body": new.model_dump_json()}
                c.execute(schema.runs.update().where(schema.runs.c.id == new.id).values(values))
        table = schema.evaluations
        rows = c.execute(select(table.c.run_id, table.c.body))
        read = (read_back(Evaluation, body, run_id) for run_id, body in rows)
        needed = {e.weights.artifact: e.weights.sha256 for e in read if e.weights is not None}
        for name in c.execute(select(schema.artifacts.c.name)).scalars().all():
            if name not in needed:
                c.execute(delete(schema.artifacts).where(schema.artifacts.c.name == name))
    return needed
