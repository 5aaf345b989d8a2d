"""Putting a store right: what nobody needs is removed, what is lost is no longer promised."""

from __future__ import annotations

import time

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from nas_core.errors import StoreError
from nas_core.records import Evaluation, Event, RunRecord
from nas_core.store import schema
from nas_core.store.base import changed, is_alive, present
from nas_core.store.checking import Books, Finding, Health, Progress, Survey, findings, survey
from nas_core.store.database import said_in_words, transaction
from nas_core.store.sql import SqlStore

__all__ = ["repair_store"]


def repair_store(store: SqlStore, books: Books, on_progress: Progress | None = None) -> Health:
    """Check a store and put right what can be; return what was found.

    Files that nothing refers to are removed, runs whose process has ended are marked as interrupted, and a candidate
    whose weights are lost no longer refers to them and says so. No evaluation is ever deleted. A run that is alive is
    left alone, and nobody can take a run while it is repaired. In a place of artifacts that several stores may use,
    files of runs that this store does not know are left alone too.

    Raises:
        StoreError: The database itself is damaged, or all artifacts are missing: they are probably somewhere else.
    """
    if damage := store.database.damage():
        raise StoreError(
            f"{store.url} is damaged and cannot be repaired: {damage[0]}",
            fix="restore a backup, or copy what can be read with sqlite3 FILE .recover",
        )
    surveys, counts = survey(store, books, on_progress)
    needed = {ref.artifact for s in surveys for ref in s.references.values()}
    if needed and needed == {name for s in surveys for name in s.broken} and not any(_files(store)):
        raise StoreError(
            f"None of {len(needed)} artifacts is in {store.artifacts.location}, so they are probably somewhere else",
            fix="put them there, or name their place; nothing was changed",
        )
    found: list[Finding] = []
    for each in surveys:
        done = True if each.clean else _repair(store, each)
        found += findings(each, repaired=done)
    return Health(store.url, counts, tuple(found))


def _files(store: SqlStore) -> list[str]:
    with said_in_words(store.artifacts.location):
        return list(store.artifacts.names())


def _repair(store: SqlStore, survey: Survey) -> bool:
    """Put one run right in one transaction; return False when it cannot be: nobody knows what it needs, or it lives."""
    if survey.unreadable or (not survey.id and not store.artifacts.exclusive):
        return False  # what belongs to no run of this store may belong to another store
    with transaction(store.database, writes=True) as c:
        if survey.record is not None:
            query = select(schema.runs.c.body).where(schema.runs.c.id == survey.id).with_for_update()
            record = RunRecord.model_validate_json(c.execute(query).scalar_one())
            if is_alive(record) or record.revision != survey.record.revision:
                return False
            _rewrite(c, record, survey)
        _remove(c, store, [*survey.orphans, *survey.broken])
    return True


def _rewrite(connection: Connection, record: RunRecord, survey: Survey) -> None:
    """Write the record, the candidates whose weights are lost, and an event that says what was done."""
    revision = record.revision + 1
    without = [c for c, ref in survey.references.items() if ref.artifact in survey.broken]
    table = schema.evaluations
    for candidate in without:
        here = (table.c.run_id == survey.id, table.c.id == candidate)
        body = connection.execute(select(table.c.body).where(*here)).scalar_one()
        body = _without_weights(Evaluation.model_validate_json(body), revision).model_dump_json()
        connection.execute(update(table).where(*here).values(revision=revision, body=body))
    done = {"lost_weights": without, "removed": len(survey.orphans), "interrupted": survey.abandoned}
    event = Event(kind="repaired", time=time.time(), evaluated=survey.evaluations, payload=done, revision=revision)
    row = {"run_id": survey.id, "revision": revision, "body": event.model_dump_json()}
    connection.execute(insert(schema.events).values(row))
    now = present(record)
    ended = {"state": now.state, "reason": now.reason, "owner": ""} if survey.abandoned else {}
    body = changed(record, ended, revision).model_dump_json()
    connection.execute(update(schema.runs).where(schema.runs.c.id == survey.id).values(revision=revision, body=body))


def _without_weights(evaluation: Evaluation, revision: int) -> Evaluation:
    words = "Its weights were lost and it has to be trained again to be explained"
    reason = f"{evaluation.reason}. {words}" if evaluation.reason else words
    return evaluation.model_copy(update={"weights": None, "reason": reason, "revision": revision})


def _remove(connection: Connection, store: SqlStore, names: list[str]) -> None:
    if not names:
        return
    one = delete(schema.artifacts).where(schema.artifacts.c.name == bindparam("gone"))
    connection.execute(one, [{"gone": name} for name in names])
    with said_in_words(store.artifacts.location):
        for name in names:
            store.artifacts.delete(name)
