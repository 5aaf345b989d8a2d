"""The in-memory twin of the SQL store: the same rules, gone with the process; for tests and throw-away runs."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from nas_core.errors import StoreError
from nas_core.records import Evaluation, Event, RunRecord, freeze
from nas_core.store.base import (
    Store,
    artifact_name,
    bad_artifact,
    changed,
    claimed,
    ended,
    no_artifact,
    no_candidate,
    no_run,
    owner_of,
    present,
)
from nas_core.store.marks import Mark, MarkChange, marked
from nas_core.store.summaries import Summaries, summaries_of
from nas_core.store.uncollected import uncollected

__all__ = ["InMemoryStore"]


@dataclass
class _Run:
    record: RunRecord
    evaluations: dict[str, Evaluation] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    state: dict[str, Any] | None = None
    marks: dict[str, Mark] = field(default_factory=dict)


class InMemoryStore(Store):
    """A store in this process's memory."""

    def __init__(self) -> None:
        self.url = "memory:"
        self._runs: dict[str, _Run] = {}
        self._artifacts: dict[str, tuple[str, bytes]] = {}
        self._lock = threading.Lock()
        self._open = True

    def create_run(self, record: RunRecord) -> RunRecord:
        with self._locked():
            if record.id in self._runs:
                raise StoreError(f"There is already a run {record.id!r}", fix="choose another id")
            self._runs[record.id] = _Run(record.model_copy(update={"revision": 1}))
            return self._runs[record.id].record

    def runs(self) -> list[RunRecord]:
        with self._locked():
            records = [run.record for run in self._runs.values()]
        return [present(r) for r in sorted(records, key=lambda r: (r.created, r.id), reverse=True)]

    def run(self, run_id: str) -> RunRecord:
        with self._locked():
            return present(self._run(run_id).record)

    def update_run(self, run_id: str, **changes: Any) -> RunRecord:
        with self._locked():
            run = self._run(run_id)
            run.record = changed(run.record, changes, run.record.revision + 1)
            return run.record

    def claim(self, run_id: str, owner: str, now: float) -> RunRecord:
        with self._locked():
            run = self._run(run_id)
            run.record = claimed(run.record, owner, now, run.record.revision + 1)
            return run.record

    def commit(
        self,
        run_id: str,
        evaluations: Sequence[Evaluation],
        strategy_state: dict[str, Any] | None,
        progress: dict[str, Any],
        events: Sequence[Event] = (),
        **changes: Any,
    ) -> int:
        with self._locked():
            run = self._run(run_id)
            revision = run.record.revision + 1
            record = changed(run.record, {**changes, "progress": freeze(progress)}, revision)
            state = run.state if strategy_state is None else freeze(strategy_state)
            run.record, run.state = record, state
            run.evaluations |= {e.id: e.model_copy(update={"revision": revision}) for e in evaluations}
            run.events += [e.model_copy(update={"revision": revision}) for e in events]
            return revision

    def note(self, run_id: str, events: Sequence[Event]) -> int:
        with self._locked():
            run = self._run(run_id)
            run.record = changed(run.record, {}, run.record.revision + 1)
            run.events += [e.model_copy(update={"revision": run.record.revision}) for e in events]
            return run.record.revision

    def evaluations(self, run_id: str, since: int = 0) -> list[Evaluation]:
        with self._locked():
            found = [e for e in self._run(run_id).evaluations.values() if e.revision > since]
        return sorted(found, key=lambda e: (e.index, e.id))

    def summaries(self, run_id: str, names: Sequence[str], since: int = 0) -> Summaries:
        with uncollected():
            return summaries_of(self.evaluations(run_id, since), names)

    def evaluation(self, run_id: str, candidate_id: str) -> Evaluation:
        with self._locked():
            try:
                return self._run(run_id).evaluations[candidate_id]
            except KeyError:
                raise no_candidate(run_id, candidate_id) from None

    def events(self, run_id: str, since: int = 0) -> list[Event]:
        with self._locked():
            return [e for e in self._run(run_id).events if e.revision > since]

    def strategy_state(self, run_id: str) -> dict[str, Any] | None:
        with self._locked():
            state = self._run(run_id).state
            return None if state is None else freeze(state)

    def marks(self, run_id: str) -> dict[str, Mark]:
        with self._locked():
            found = self._run(run_id).marks.values()
            return {m.candidate: m for m in sorted(found, key=lambda m: (m.changed, m.candidate))}

    def mark(self, run_id: str, candidate_id: str, change: MarkChange) -> Mark | None:
        with self._locked():
            run = self._run(run_id)
            if candidate_id not in run.evaluations:
                raise no_candidate(run_id, candidate_id)
            mark = marked(run.marks.pop(candidate_id, None), candidate_id, change)
            if mark.empty:
                return None
            run.marks[candidate_id] = mark
            return mark

    def delete_run(self, run_id: str) -> None:
        with self._locked():
            ended(self._run(run_id).record)
            del self._runs[run_id]
            self._artifacts = {n: a for n, a in self._artifacts.items() if owner_of(n) != run_id}

    def put_artifact(self, name: str, data: bytes) -> str:
        with self._locked():
            digest = hashlib.sha256(data).hexdigest()
            self._artifacts[artifact_name(name)] = (digest, bytes(data))
            return digest

    def get_artifact(self, name: str, sha256: str | None = None) -> bytes:
        with self._locked():
            if artifact_name(name) not in self._artifacts:
                raise no_artifact(name)
            digest, data = self._artifacts[name]
        if sha256 is not None and digest != sha256:
            raise bad_artifact(name, sha256, digest)
        return data

    def close(self) -> None:
        with self._lock:
            self._open = False

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._lock:
            if not self._open:
                raise StoreError("This store has been closed", fix="open it again")
            yield

    def _run(self, run_id: str) -> _Run:
        try:
            return self._runs[run_id]
        except KeyError:
            raise no_run(run_id, list(self._runs)) from None
