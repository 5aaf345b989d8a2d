"""One finished run in one file: written once, read by anybody, changed by nobody.

The file is a zip of JSON and of the artifacts that the run's candidates refer to, so it can come with a package and be
opened where nothing may be written. What makes a run go on (its strategy's state) is left out.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from nas_core.errors import StoreError
from nas_core.records import Evaluation, Event, RunRecord
from nas_core.store.base import ACTIVE, Store, is_packed
from nas_core.store.marks import Mark, MarkChange
from nas_core.store.memory import InMemoryStore
from nas_core.store.summaries import Summaries

__all__ = ["PackedStore", "write_packed"]

RECORD, EVALUATIONS, EVENTS, ARTIFACTS = "run.json", "evaluations.json", "events.json", "artifacts/"
LARGEST = 64 * 1024 * 1024
"""Bytes that a file may unpack to; a packed run is a few."""
_DATE = (1980, 1, 1, 0, 0, 0)  # of every member, so that the same run gives the same bytes


def write_packed(store: Store, run_id: str, path: Path, *, name: str) -> None:
    """Write a finished run of ``store`` to ``path`` under the identity ``name``, which begins with ``example-``.

    Raises:
        StoreError: No such run, it has not ended, or ``name`` is not that of a packed run.
    """
    record = store.run(run_id)
    if record.state in ACTIVE:
        raise StoreError(f"Run {run_id} is {record.state}", allowed="a run that has ended", fix="stop it first")
    if not is_packed(name):
        raise StoreError(f"{name!r} is no name of a packed run", allowed="example-…", fix="let it begin so")
    evaluations = [_renamed(e, run_id, name) for e in store.evaluations(run_id)]
    kept = record.model_copy(update={"id": name, "owner": "", "heartbeat": 0.0, "revision": 0})
    original = {e.weights.artifact: e.weights.sha256 for e in store.evaluations(run_id) if e.weights is not None}
    with zipfile.ZipFile(path, "w") as pack:
        _add(pack, RECORD, kept.model_dump_json().encode())
        _add(pack, EVALUATIONS, _listed(evaluations))
        _add(pack, EVENTS, _listed(store.events(run_id)))
        for artifact, digest in original.items():
            _add(pack, ARTIFACTS + artifact.replace(f"/{run_id}/", f"/{name}/"), store.get_artifact(artifact, digest))


class PackedStore(Store):
    """A store of the one run in a file, which only reads.

    Args:
        path: The file.

    Raises:
        StoreError: It is missing, too large, or not a packed run.
    """

    def __init__(self, path: Path) -> None:
        self.url = str(path)
        self._memory = _read(path)

    def runs(self) -> list[RunRecord]:
        return self._memory.runs()

    def run(self, run_id: str) -> RunRecord:
        return self._memory.run(run_id)

    def evaluations(self, run_id: str, since: int = 0) -> list[Evaluation]:
        return self._memory.evaluations(run_id, since)

    def summaries(self, run_id: str, names: Sequence[str], since: int = 0) -> Summaries:
        return self._memory.summaries(run_id, names, since)

    def evaluation(self, run_id: str, candidate_id: str) -> Evaluation:
        return self._memory.evaluation(run_id, candidate_id)

    def events(self, run_id: str, since: int = 0) -> list[Event]:
        return self._memory.events(run_id, since)

    def strategy_state(self, run_id: str) -> dict[str, Any] | None:
        return self._memory.strategy_state(run_id)

    def get_artifact(self, name: str, sha256: str | None = None) -> bytes:
        return self._memory.get_artifact(name, sha256)

    def create_run(self, record: RunRecord) -> RunRecord:
        self._refuse(record.id)

    def update_run(self, run_id: str, **changes: Any) -> RunRecord:
        self._refuse(run_id)

    def claim(self, run_id: str, owner: str, now: float) -> RunRecord:
        self._refuse(run_id)

    def commit(
        self, run_id: str, evaluations: Sequence[Evaluation], strategy_state: dict[str, Any] | None,
        progress: dict[str, Any], events: Sequence[Event] = (), **changes: Any,
    ) -> int:  # fmt: skip
        self._refuse(run_id)

    def note(self, run_id: str, events: Sequence[Event]) -> int:
        self._refuse(run_id)

    def marks(self, run_id: str) -> dict[str, Mark]:
        return self._memory.marks(run_id)

    def mark(self, run_id: str, candidate_id: str, change: MarkChange) -> Mark | None:
        self._refuse(run_id)

    def delete_run(self, run_id: str) -> None:
        self._refuse(run_id)

    def put_artifact(self, name: str, data: bytes) -> str:
        self._refuse(name)

    def close(self) -> None:
        self._memory.close()

    def _refuse(self, what: str) -> NoReturn:
        raise StoreError(
            f"{what} belongs to the recorded example, which cannot be changed or continued",
            allowed="looking at it",
            fix="start a run of your own on the same data",
        )


def _renamed(evaluation: Evaluation, old: str, new: str) -> Evaluation:
    weights = evaluation.weights
    if weights is None:
        return evaluation
    artifact = weights.artifact.replace(f"/{old}/", f"/{new}/")
    return evaluation.model_copy(update={"weights": weights.model_copy(update={"artifact": artifact})})


def _listed(records: Sequence[Evaluation] | Sequence[Event]) -> bytes:
    return json.dumps([record.model_dump(mode="json") for record in records], separators=(",", ":")).encode()


def _add(pack: zipfile.ZipFile, name: str, data: bytes) -> None:
    member = zipfile.ZipInfo(name, _DATE)
    pack.writestr(member, data, zipfile.ZIP_DEFLATED, 9)


def _read(path: Path) -> InMemoryStore:
    memory = InMemoryStore()
    try:
        with zipfile.ZipFile(path) as pack:
            members = dict(_members(pack, path))
        record = RunRecord.model_validate_json(members.pop(RECORD))
        evaluations = [Evaluation.model_validate(e) for e in json.loads(members.pop(EVALUATIONS))]
        events = [Event.model_validate(e) for e in json.loads(members.pop(EVENTS))]
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, ValidationError) as error:
        raise StoreError(
            f"{path.name} is not a packed run ({type(error).__name__})", fix="install NASight again"
        ) from error
    memory.create_run(record)
    for name, data in members.items():
        memory.put_artifact(name.removeprefix(ARTIFACTS), data)
    memory.commit(record.id, evaluations, None, record.progress, events)
    return memory


def _members(pack: zipfile.ZipFile, path: Path) -> Iterator[tuple[str, bytes]]:
    left = LARGEST
    for member in pack.infolist():
        with pack.open(member) as file:
            data = file.read(left + 1)
        left -= len(data)
        if left < 0:
            raise StoreError(f"{path.name} unpacks to more than {LARGEST:,} bytes", fix="install NASight again")
        yield member.filename, data
