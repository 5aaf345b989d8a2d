"""A store that also shows packed runs, which are read where they are and never written."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nas_core.records import Evaluation, Event, RunRecord
from nas_core.store.base import DamagedRun, Store, artifact_name, is_packed, owner_of
from nas_core.store.marks import Mark, MarkChange
from nas_core.store.packed import PackedStore
from nas_core.store.summaries import Summaries

__all__ = ["StoreWithExamples"]


class StoreWithExamples(Store):
    """A person's own store, and packed runs beside it.

    A packed run is found by its identity, and is not among :meth:`runs`: those are the person's own. Its file is read
    when it is asked for first. Everything written goes to the own store; what would change a packed run is refused.

    Args:
        own: The store of the person's own runs.
        examples: The files of packed runs by the identity of the run, each beginning with ``example-``.
        before_writing: Called before anything is written, in the thread that writes; what it raises refuses it.
    """

    def __init__(
        self, own: Store, examples: Mapping[str, Path], before_writing: Callable[[], object] = lambda: None
    ) -> None:
        self.own, self.examples = own, dict(examples)
        self._before_writing = before_writing
        self.url = own.url
        self._opened: dict[str, PackedStore] = {}
        self._lock = threading.Lock()

    def runs(self) -> list[RunRecord]:
        return self.own.runs()

    def damaged_runs(self) -> list[DamagedRun]:
        return self.own.damaged_runs()

    def create_run(self, record: RunRecord) -> RunRecord:
        self._before_writing()
        return self._of(record.id).create_run(record)

    def run(self, run_id: str) -> RunRecord:
        return self._of(run_id).run(run_id)

    def update_run(self, run_id: str, **changes: Any) -> RunRecord:
        self._before_writing()
        return self._of(run_id).update_run(run_id, **changes)

    def claim(self, run_id: str, owner: str, now: float) -> RunRecord:
        self._before_writing()
        return self._of(run_id).claim(run_id, owner, now)

    def commit(
        self, run_id: str, evaluations: Sequence[Evaluation], strategy_state: dict[str, Any] | None,
        progress: dict[str, Any], events: Sequence[Event] = (), **changes: Any,
    ) -> int:  # fmt: skip
        self._before_writing()
        return self._of(run_id).commit(run_id, evaluations, strategy_state, progress, events, **changes)

    def evaluations(self, run_id: str, since: int = 0) -> list[Evaluation]:
        return self._of(run_id).evaluations(run_id, since)

    def summaries(self, run_id: str, names: Sequence[str], since: int = 0) -> Summaries:
        return self._of(run_id).summaries(run_id, names, since)

    def evaluation(self, run_id: str, candidate_id: str) -> Evaluation:
        return self._of(run_id).evaluation(run_id, candidate_id)

    def events(self, run_id: str, since: int = 0) -> list[Event]:
        return self._of(run_id).events(run_id, since)

    def strategy_state(self, run_id: str) -> dict[str, Any] | None:
        return self._of(run_id).strategy_state(run_id)

    def note(self, run_id: str, events: Sequence[Event]) -> int:
        self._before_writing()
        return self._of(run_id).note(run_id, events)

    def marks(self, run_id: str) -> dict[str, Mark]:
        return self._of(run_id).marks(run_id)

    def mark(self, run_id: str, candidate_id: str, change: MarkChange) -> Mark | None:
        self._before_writing()
        return self._of(run_id).mark(run_id, candidate_id, change)

    def delete_run(self, run_id: str) -> None:
        self._before_writing()
        self._of(run_id).delete_run(run_id)

    def put_artifact(self, name: str, data: bytes) -> str:
        self._before_writing()
        return self._of(owner_of(name)).put_artifact(name, data)

    def get_artifact(self, name: str, sha256: str | None = None) -> bytes:
        return self._of(owner_of(artifact_name(name))).get_artifact(name, sha256)

    def close(self) -> None:
        self.own.close()

    def _of(self, run_id: str) -> Store:
        """Return the store that holds a run: a packed one where its identity is among the examples, else the own."""
        if not is_packed(run_id) or run_id not in self.examples:
            return self.own
        with self._lock:
            if run_id not in self._opened:
                self._opened[run_id] = PackedStore(self.examples[run_id])
            return self._opened[run_id]
