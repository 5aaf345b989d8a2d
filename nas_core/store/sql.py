"""The store in a database: tables for records, and a place for artifacts beside it.

The same statements serve every kind of database. A writer locks what it changes at once: SQLite the file, PostgreSQL
the row of the run, so revisions increase one by one and of two claims one succeeds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, insert, select, update

from nas_core.errors import StoreError
from nas_core.records import Evaluation, Event, RunRecord, canonical_json, freeze
from nas_core.store import schema
from nas_core.store.artifacts import Artifacts
from nas_core.store.base import (
    DamagedRun,
    Store,
    bad_artifact,
    changed,
    claimed,
    damaged,
    ended,
    no_artifact,
    no_candidate,
    no_run,
    owner_of,
    present,
    read_back,
)
from nas_core.store.database import Database, said_in_words, transaction
from nas_core.store.layout import prepare
from nas_core.store.marks import Mark, MarkChange, marked
from nas_core.store.summaries import FIELDS, PLACES, SCORES, Summaries, summaries_of, summaries_of_texts
from nas_core.store.uncollected import uncollected

__all__ = ["SqlStore"]

_AT_ONCE = 96  # places that a database picks out of a record into one list: PostgreSQL takes 100, SQLite 127


class SqlStore(Store):
    """A store in a database.

    Args:
        database: For the records; its tables are created, or brought up to date, when needed.
        artifacts: For large bytes.

    Raises:
        StoreError: It cannot be opened or written, is not a NASight store, or was made by a newer NASight.
    """

    def __init__(self, database: Database, artifacts: Artifacts) -> None:
        self.database, self.artifacts = database, artifacts
        self.url = database.location
        self._open = True
        try:
            prepare(database)
        except StoreError:
            self.close()
            raise

    def create_run(self, record: RunRecord) -> RunRecord:
        record = record.model_copy(update={"revision": 1})
        with self._transaction(writes=True) as c:
            if c.execute(select(schema.runs.c.id).where(schema.runs.c.id == record.id)).first():
                raise StoreError(f"There is already a run {record.id!r}", fix="choose another id")
            values = {"id": record.id, "created": record.created, "revision": 1, "body": record.model_dump_json()}
            c.execute(insert(schema.runs).values(values))
        return record

    def runs(self) -> list[RunRecord]:
        return [present(found) for found in self._all_runs() if isinstance(found, RunRecord)]

    def damaged_runs(self) -> list[DamagedRun]:
        return [found for found in self._all_runs() if isinstance(found, DamagedRun)]

    def run(self, run_id: str) -> RunRecord:
        with self._transaction() as c:
            return present(_record(c, run_id))

    def update_run(self, run_id: str, **changes: Any) -> RunRecord:
        with self._transaction(writes=True) as c:
            return _save(c, lambda r: changed(r, changes, r.revision + 1), run_id)

    def claim(self, run_id: str, owner: str, now: float) -> RunRecord:
        with self._transaction(writes=True) as c:
            return _save(c, lambda r: claimed(r, owner, now, r.revision + 1), run_id)

    def commit(
        self,
        run_id: str,
        evaluations: Sequence[Evaluation],
        strategy_state: dict[str, Any] | None,
        progress: dict[str, Any],
        events: Sequence[Event] = (),
        **changes: Any,
    ) -> int:
        changes = {**changes, "progress": freeze(progress)}
        with self._transaction(writes=True) as c:
            revision = _save(c, lambda r: changed(r, changes, r.revision + 1), run_id).revision
            if evaluations:
                table = schema.evaluations
                c.execute(delete(table).where(table.c.run_id == run_id, table.c.id.in_([e.id for e in evaluations])))
                c.execute(insert(table), [_evaluation_row(run_id, e, revision) for e in evaluations])
            if events:
                c.execute(insert(schema.events), [_event_row(run_id, e, revision) for e in events])
            if strategy_state is not None:
                c.execute(delete(schema.states).where(schema.states.c.run_id == run_id))
                c.execute(insert(schema.states).values(run_id=run_id, body=canonical_json(strategy_state)))
        return revision

    def note(self, run_id: str, events: Sequence[Event]) -> int:
        with self._transaction(writes=True) as c:
            revision = _save(c, lambda r: changed(r, {}, r.revision + 1), run_id).revision
            if events:
                c.execute(insert(schema.events), [_event_row(run_id, e, revision) for e in events])
        return revision

    def evaluations(self, run_id: str, since: int = 0) -> list[Evaluation]:
        table = schema.evaluations
        bodies = self._since(table, run_id, since, (table.c.number, table.c.id))
        with uncollected():
            return [read_back(Evaluation, b, run_id) for b in bodies]

    def summaries(self, run_id: str, names: Sequence[str], since: int = 0) -> Summaries:
        with uncollected():
            try:
                return self._picked(run_id, names, since)
            except (StoreError, ValueError):
                # An older or a damaged record: whole records say what they lack, or what is wrong.
                return summaries_of(self.evaluations(run_id, since), names)

    def _picked(self, run_id: str, names: Sequence[str], since: int) -> Summaries:
        if strange := [name for name in names if not name.isidentifier()]:
            raise ValueError(f"{strange} would have to be escaped")
        places = [("measures", name, number) for name in names for number in SCORES]
        parts = [places[at : at + _AT_ONCE] for at in range(0, len(places), _AT_ONCE)]
        table, heads_at = schema.evaluations, [*((field,) for field in FIELDS), *PLACES]
        chosen = (table.c.run_id == run_id, table.c.revision > since)
        query = self.database.picking(table, chosen, [heads_at, *parts])
        with self._transaction() as c:
            rows = c.execute(query).all()
            if not rows:
                _check_known(c, run_id)
        ids, numbers, revisions, architectures, heads, *measures = zip(*rows) if rows else [()] * (5 + len(parts))
        return summaries_of_texts(list(zip(ids, numbers, revisions)), architectures, heads, measures, names)

    def evaluation(self, run_id: str, candidate_id: str) -> Evaluation:
        table = schema.evaluations
        query = select(table.c.body).where(table.c.run_id == run_id, table.c.id == candidate_id)
        with self._transaction() as c:
            body = c.execute(query).scalar()
            if body is None:
                _check_known(c, run_id)
                raise no_candidate(run_id, candidate_id)
        return read_back(Evaluation, body, run_id)

    def events(self, run_id: str, since: int = 0) -> list[Event]:
        bodies = self._since(schema.events, run_id, since, (schema.events.c.number,))
        return [read_back(Event, b, run_id) for b in bodies]

    def strategy_state(self, run_id: str) -> dict[str, Any] | None:
        with self._transaction() as c:
            _check_known(c, run_id)
            body = c.execute(select(schema.states.c.body).where(schema.states.c.run_id == run_id)).scalar()
        try:
            return None if body is None else json.loads(body)
        except (ValueError, RecursionError) as error:
            raise damaged(run_id, f"strategy state: {error}") from None

    def marks(self, run_id: str) -> dict[str, Mark]:
        table = schema.marks
        order = (table.c.changed, table.c.candidate_id)
        with self._transaction() as c:
            bodies = c.execute(select(table.c.body).where(table.c.run_id == run_id).order_by(*order)).scalars().all()
            if not bodies:
                _check_known(c, run_id)
        return {m.candidate: m for m in (read_back(Mark, b, run_id) for b in bodies)}

    def mark(self, run_id: str, candidate_id: str, change: MarkChange) -> Mark | None:
        table, evaluations = schema.marks, schema.evaluations
        here = (table.c.run_id == run_id, table.c.candidate_id == candidate_id)
        with self._transaction(writes=True) as c:
            # The lock of the run's row orders two people who write the same mark; its revision stays as it is.
            _record(c, run_id, lock=True)
            known = (evaluations.c.run_id == run_id, evaluations.c.id == candidate_id)
            if c.execute(select(evaluations.c.id).where(*known)).first() is None:
                raise no_candidate(run_id, candidate_id)
            body = c.execute(select(table.c.body).where(*here)).scalar()
            mark = marked(None if body is None else read_back(Mark, body, run_id), candidate_id, change)
            c.execute(delete(table).where(*here))
            if mark.empty:
                return None
            values = {"run_id": run_id, "candidate_id": candidate_id, "changed": mark.changed}
            c.execute(insert(table).values(**values, body=mark.model_dump_json()))
        return mark

    def delete_run(self, run_id: str) -> None:
        with self._transaction(writes=True) as c:
            found = _read_or_damaged(run_id, _body(c, run_id, lock=True))
            if isinstance(found, RunRecord):  # whatever is damaged can be run by nobody
                ended(found)
            names = [n for n in c.execute(select(schema.artifacts.c.name)).scalars() if owner_of(n) == run_id]
            if names:
                one = delete(schema.artifacts).where(schema.artifacts.c.name == bindparam("gone"))
                c.execute(one, [{"gone": name} for name in names])
            c.execute(delete(schema.runs).where(schema.runs.c.id == run_id))  # what belongs to it goes with it
        with said_in_words(self.artifacts.location):
            for name in names:
                self.artifacts.delete(name)

    def put_artifact(self, name: str, data: bytes) -> str:
        self._check_open()
        with said_in_words(self.artifacts.location):
            digest = self.artifacts.write(name, data)
        with self._transaction(writes=True) as c:
            c.execute(delete(schema.artifacts).where(schema.artifacts.c.name == name))
            c.execute(insert(schema.artifacts).values(name=name, sha256=digest, size=len(data)))
        return digest

    def get_artifact(self, name: str, sha256: str | None = None) -> bytes:
        with self._transaction() as c:
            expected = c.execute(select(schema.artifacts.c.sha256).where(schema.artifacts.c.name == name)).scalar()
        with said_in_words(self.artifacts.location):
            try:
                data, found = self.artifacts.read(name)
            except FileNotFoundError:
                raise no_artifact(name) from None
        if expected is None:
            raise no_artifact(name)
        if found != (expected if sha256 is None else sha256):
            raise bad_artifact(name, sha256 or expected, found)
        return data

    def close(self) -> None:
        self._open = False
        self.database.engine.dispose()

    def _all_runs(self) -> list[RunRecord | DamagedRun]:
        """Return every run as it was written, the newest first, or what is wrong with it."""
        order = (schema.runs.c.created.desc(), schema.runs.c.id.desc())
        with self._transaction() as c:
            rows = c.execute(select(schema.runs.c.id, schema.runs.c.body).order_by(*order)).all()
        return [_read_or_damaged(run_id, body) for run_id, body in rows]

    def _since(self, table: Table, run_id: str, since: int, order: tuple[Any, ...]) -> Sequence[str]:
        query = select(table.c.body).where(table.c.run_id == run_id, table.c.revision > since).order_by(*order)
        with self._transaction() as c:
            bodies = c.execute(query).scalars().all()
            if not bodies:
                _check_known(c, run_id)
        return bodies

    def _transaction(self, *, writes: bool = False) -> Any:
        self._check_open()
        return transaction(self.database, writes=writes)

    def _check_open(self) -> None:
        if not self._open:
            raise StoreError("This store has been closed", fix="open it again")


def _check_known(connection: Connection, run_id: str) -> None:
    """Raise StoreError unless there is such a run; its record, which may be long, is not read."""
    if connection.execute(select(schema.runs.c.id).where(schema.runs.c.id == run_id)).first() is None:
        raise _unknown(connection, run_id)


def _unknown(connection: Connection, run_id: str) -> StoreError:
    order = schema.runs.c.created.desc()
    return no_run(run_id, connection.execute(select(schema.runs.c.id).order_by(order).limit(9)).scalars().all())


def _record(connection: Connection, run_id: str, *, lock: bool = False) -> RunRecord:
    return read_back(RunRecord, _body(connection, run_id, lock=lock), run_id)


def _body(connection: Connection, run_id: str, *, lock: bool = False) -> str:
    query = select(schema.runs.c.body).where(schema.runs.c.id == run_id)
    body = connection.execute(query.with_for_update() if lock else query).scalar()
    if body is None:
        raise _unknown(connection, run_id)
    return body


def _read_or_damaged(run_id: str, body: str) -> RunRecord | DamagedRun:
    try:
        return read_back(RunRecord, body, run_id)
    except StoreError as error:
        return DamagedRun(run_id, str(error))


def _save(connection: Connection, change: Any, run_id: str) -> RunRecord:
    record: RunRecord = change(_record(connection, run_id, lock=True))
    values = {"revision": record.revision, "body": record.model_dump_json()}
    connection.execute(update(schema.runs).where(schema.runs.c.id == run_id).values(values))
    return record


def _evaluation_row(run_id: str, evaluation: Evaluation, revision: int) -> dict[str, Any]:
    body = evaluation.model_copy(update={"revision": revision}).model_dump_json()
    return {"run_id": run_id, "id": evaluation.id, "number": evaluation.index, "revision": revision, "body": body}


def _event_row(run_id: str, event: Event, revision: int) -> dict[str, Any]:
    body = event.model_copy(update={"revision": revision}).model_dump_json()
    return {"run_id": run_id, "revision": revision, "body": body}
