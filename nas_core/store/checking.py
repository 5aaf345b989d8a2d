"""Whether a store is sound: what is damaged or lost, and what lies about that nobody needs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, select

from nas_core.errors import StoreError
from nas_core.records import Evaluation, Event, RunRecord, WeightsRef
from nas_core.store import schema
from nas_core.store.base import ACTIVE, is_alive, owner_of
from nas_core.store.database import said_in_words, transaction
from nas_core.store.marks import Mark
from nas_core.store.sql import SqlStore

__all__ = ["Books", "Finding", "Health", "Survey", "check_store", "survey"]

Books = Callable[[RunRecord, Sequence[Evaluation], "dict[str, Any] | None"], list[str]]
"""Says in words what does not fit together in a run: its record, its evaluations, its strategy state."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be.

    Attributes:
        run: The run it concerns; empty for the store.
        words: What it is.
        harmful: False for leftovers, which cost space and nothing else.
        repaired: True when it has been put right.
    """

    run: str
    words: str
    harmful: bool
    repaired: bool = False


@dataclass(frozen=True)
class Health:
    """What a check has found.

    Attributes:
        location: Of the store.
        counts: How many runs, evaluations, events, marks, artifacts and bytes were looked at.
        findings: What is not as it should be.
    """

    location: str
    counts: dict[str, int]
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """True when nothing harmful is left."""
        return not any(f.harmful and not f.repaired for f in self.findings)


@dataclass
class Survey:
    """What was found of one run; ``record`` is None where it cannot be read.

    Attributes:
        problems: What is wrong with its rows, in words.
        references: Candidate to where its weights are.
        broken: Artifact to what is wrong with it.
        orphans: Artifacts that no candidate refers to, and files that were not finished.
        unreadable: True when a row cannot be read: then nobody knows which artifacts are needed.
    """

    id: str
    record: RunRecord | None = None
    evaluations: int = 0
    events: int = 0
    marks: int = 0
    problems: list[str] = field(default_factory=list)
    references: dict[str, WeightsRef] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    orphans: list[str] = field(default_factory=list)
    unreadable: bool = False

    @property
    def abandoned(self) -> bool:
        """True when it is called running or paused, and its process has ended."""
        return self.record is not None and self.record.state in ACTIVE and not is_alive(self.record)

    @property
    def clean(self) -> bool:
        """True when there is nothing to repair."""
        return not (self.broken or self.orphans or self.abandoned)


def check_store(store: SqlStore, books: Books, on_progress: Progress | None = None) -> Health:
    """Read all of a store and say what is not as it should be; nothing is changed, and no writer has to wait.

    Args:
        store: The store.
        books: What has to fit together in a run.
        on_progress: Called with how much is done, and how much there is.
    """
    try:
        surveys, counts = survey(store, books, on_progress)
    except StoreError as error:  # so damaged that it cannot be read to its end
        found = [Finding("", words, True) for words in store.database.damage()]
        return Health(store.url, {}, (*found, Finding("", error.given, True)))
    damage = [Finding("", words, True) for words in store.database.damage()]
    return Health(store.url, counts, (*damage, *(f for s in surveys for f in findings(s))))


def findings(survey: Survey, *, repaired: bool = False) -> Iterator[Finding]:
    """Yield what was found of a run, in words; ``repaired`` says whether what can be put right has been."""
    found = Finding(survey.id, "", True)
    for words in survey.problems:
        yield replace(found, words=words)
    for name, wrong in survey.broken.items():
        users = sum(ref.artifact == name for ref in survey.references.values())
        lost = f"The weights of {users} candidates in {name} are lost: {wrong}"
        yield replace(found, words=lost, repaired=repaired)
    litter = Finding(survey.id, "", False, repaired)
    if survey.abandoned:
        yield replace(litter, words="It is called running, and its process has ended")
    if survey.orphans:
        yield replace(litter, words=f"{len(survey.orphans)} files that nothing refers to, such as {survey.orphans[0]}")


def survey(store: SqlStore, books: Books, on_progress: Progress | None = None) -> tuple[list[Survey], dict[str, int]]:
    """Return what was found of each run, one named "" for what belongs to none, and how much was looked at."""
    with transaction(store.database, writes=False) as c:
        ids = c.execute(select(schema.runs.c.id).order_by(schema.runs.c.created)).scalars().all()
    surveys: dict[str, Survey] = {}
    for run_id in ids:
        with transaction(store.database, writes=False) as c:
            surveys[run_id] = _read_run(c, run_id, books)
    # In this order: what a run refers to has been written before, and what is written meanwhile belongs to a live run.
    with transaction(store.database, writes=False) as c:
        table = schema.artifacts
        rows = {name: (sha, size) for name, sha, size in c.execute(select(table.c.name, table.c.sha256, table.c.size))}
    with said_in_words(store.artifacts.location):
        files = set(store.artifacts.names())
    needed = {ref.artifact: s for s in surveys.values() for ref in s.references.values()}
    for done, (name, of) in enumerate(needed.items()):
        if wrong := _wrong_with(store, name, rows.get(name, ("", 0))[0], of):
            of.broken[name] = wrong
        if on_progress is not None:
            on_progress(done + 1, len(needed))
    spared = _spared(store, surveys)
    for name in sorted((files | set(rows)) - set(needed)):
        owner = owner_of(name)
        of = surveys.setdefault(owner if owner in surveys else "", Survey(""))
        if owner not in spared and not of.unreadable:
            of.orphans.append(name)
    return list(surveys.values()), _counts(surveys, rows)


def _spared(store: SqlStore, surveys: Mapping[str, Survey]) -> set[str]:
    """Return the runs whose files may be needed soon or already: alive, not to be read, or begun after the survey."""
    with transaction(store.database, writes=False) as c:
        bodies = c.execute(select(schema.runs.c.id, schema.runs.c.body)).all()
    read = {run_id: _parsed(Survey(run_id), RunRecord, body, "record") for run_id, body in bodies}
    return {run_id for run_id, record in read.items() if run_id not in surveys or record is None or is_alive(record)}


def _counts(surveys: dict[str, Survey], rows: dict[str, tuple[str, int]]) -> dict[str, int]:
    return {
        "runs": len([name for name in surveys if name]),
        "evaluations": sum(s.evaluations for s in surveys.values()),
        "events": sum(s.events for s in surveys.values()),
        "marks": sum(s.marks for s in surveys.values()),
        "artifacts": len(rows),
        "bytes": sum(size for _, size in rows.values()),
    }


def _read_run(connection: Connection, run_id: str, books: Books) -> Survey:
    """Read all rows of a run at one moment."""
    found = Survey(run_id)
    table = schema.runs
    revision, body = connection.execute(select(table.c.revision, table.c.body).where(table.c.id == run_id)).one()
    record = _parsed(found, RunRecord, body, "record")
    evaluations = list(_rows(connection, found, schema.evaluations, Evaluation))
    events = list(_rows(connection, found, schema.events, Event))
    found.evaluations, found.events = len(evaluations), len(events)
    _read_marks(connection, found, {e.id for e in evaluations})
    found.references = {e.id: e.weights for e in evaluations if e.weights is not None}
    if record is None:
        return found
    found.record = record
    if (record.id, record.revision) != (run_id, revision):
        found.problems.append(f"Its record says revision {record.revision}, its row {revision}")
    if late := [r.revision for r in (*evaluations, *events) if r.revision > record.revision]:
        found.problems.append(f"{len(late)} rows have revision {max(late)}, after its own {record.revision}")
    state = connection.execute(select(schema.states.c.body).where(schema.states.c.run_id == run_id)).scalar()
    if not found.unreadable:
        found.problems += books(record, evaluations, _json(found, state))
    return found


def _read_marks(connection: Connection, found: Survey, candidates: set[str]) -> None:
    """Read what people said of candidates; no artifact depends on it, so an unreadable mark hides nothing else."""
    table = schema.marks
    strangers = 0
    for row in connection.execute(select(table).where(table.c.run_id == found.id).order_by(table.c.candidate_id)):
        found.marks += 1
        try:
            mark = Mark.model_validate_json(row.body)
        except ValidationError as error:
            found.problems.append(f"The mark of {row.candidate_id} cannot be read: {error.errors()[0]['msg']}")
            continue
        if (mark.candidate, mark.changed) != (row.candidate_id, row.changed):
            found.problems.append(f"The row of the mark of {row.candidate_id} does not agree with its text")
        strangers += mark.candidate not in candidates
    if strangers and not found.unreadable:
        found.problems.append(f"{strangers} marks are of candidates that the run does not have")


def _rows(connection: Connection, found: Survey, table: Any, kind: Any) -> Iterator[Any]:
    rows = connection.execute(select(table).where(table.c.run_id == found.id).order_by(table.c.number))
    for row in rows:
        value = _parsed(found, kind, row.body, table.name)
        if value is None:
            continue
        agrees = value.revision == row.revision
        if table is schema.evaluations:
            agrees = agrees and (value.id, value.index) == (row.id, row.number)
        if not agrees:
            found.problems.append(f"A row of {table.name} does not agree with its text (number {row.number})")
        yield value


def _parsed(found: Survey, kind: Any, body: str, name: str) -> Any:
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        found.problems.append(f"A row of {name} cannot be read: {error.errors()[0]['msg']}")
        found.unreadable = True
        return None


def _json(found: Survey, text: str | None) -> dict[str, Any] | None:
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        found.problems.append("Its strategy state cannot be read")
        return None


def _wrong_with(store: SqlStore, name: str, expected: str, of: Survey) -> str:
    """Say what is wrong with an artifact; empty when nothing is."""
    with said_in_words(store.artifacts.location):
        try:
            _, digest = store.artifacts.read(name)
        except FileNotFoundError:
            return "the file is missing"
    if any(ref.sha256 != digest for ref in of.references.values() if ref.artifact == name):
        return "the file has changed since it was written"
    return "" if digest == expected else "the store does not know the file"
