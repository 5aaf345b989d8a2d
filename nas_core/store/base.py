"""The interface of a store, and the rules every store keeps."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from nas_core.errors import StoreError
from nas_core.records import Evaluation, Event, Record, RunRecord, RunState
from nas_core.store.marks import Mark, MarkChange
from nas_core.store.owner import is_gone
from nas_core.store.summaries import Summaries

__all__ = [
    "ACTIVE",
    "DamagedRun",
    "Store",
    "artifact_name",
    "bad_artifact",
    "changed",
    "claimed",
    "damaged",
    "ended",
    "is_alive",
    "is_packed",
    "no_artifact",
    "no_candidate",
    "no_run",
    "owner_of",
    "present",
    "read_back",
]

ACTIVE = (RunState.RUNNING, RunState.PAUSED)
_CHANGEABLE = frozenset(RunRecord.model_fields) - {"id", "created", "revision", "data_hash"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,99}){0,3}")


R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class DamagedRun:
    """A run whose record cannot be read.

    Attributes:
        id: Of the run.
        reason: What is wrong and what to do, in words.
    """

    id: str
    reason: str


class Store(ABC):
    """Runs and what they found; one writer at a time per run, any number of readers.

    Every change of a run gives it a new revision (1, 2, 3 …); evaluations and events carry the revision they came with,
    so a reader that has seen revision r asks for what is ``since=r`` and gets only that. A run whose process has died
    reads as ``interrupted``. All methods may be called from any thread.
    """

    url: str

    @abstractmethod
    def create_run(self, record: RunRecord) -> RunRecord:
        """Add a run and return it with its first revision.

        Raises:
            StoreError: There is already a run with this id.
        """

    @abstractmethod
    def runs(self) -> list[RunRecord]:
        """Return all runs whose records can be read, the newest first; see :meth:`damaged_runs` for the others."""

    def damaged_runs(self) -> list[DamagedRun]:
        """Return the runs whose records cannot be read, the newest first; they hide no other run."""
        return []

    @abstractmethod
    def run(self, run_id: str) -> RunRecord:
        """Return one run.

        Raises:
            StoreError: No such run.
        """

    @abstractmethod
    def update_run(self, run_id: str, **changes: Any) -> RunRecord:
        """Change fields of a run's record and return it with its new revision."""

    @abstractmethod
    def claim(self, run_id: str, owner: str, now: float) -> RunRecord:
        """Make ``owner`` the one that runs a run and set it running, in one step: of two processes one succeeds.

        Raises:
            StoreError: A living owner has it.
        """

    @abstractmethod
    def commit(
        self,
        run_id: str,
        evaluations: Sequence[Evaluation],
        strategy_state: dict[str, Any] | None,
        progress: dict[str, Any],
        events: Sequence[Event] = (),
        **changes: Any,
    ) -> int:
        """Write all of it or none of it, and return the new revision.

        Args:
            run_id: The run.
            evaluations: Finished candidates; one that is already there is replaced.
            strategy_state: What the run needs to continue exactly; None keeps the present one.
            progress: Counters and seconds by phase.
            events: What happened.
            changes: Other fields of the run's record (state, reason, settings …).
        """

    @abstractmethod
    def note(self, run_id: str, events: Sequence[Event]) -> int:
        """Add what somebody else than the run's writer did to it, live or not, and return the new revision.

        Nothing else of the run changes, so its writer is not disturbed.

        Raises:
            StoreError: No such run.
        """

    @abstractmethod
    def evaluations(self, run_id: str, since: int = 0) -> list[Evaluation]:
        """Return the evaluations that came after revision ``since``, in the order of their index."""

    @abstractmethod
    def summaries(self, run_id: str, names: Sequence[str], since: int = 0) -> Summaries:
        """Return what a view needs of the same evaluations, much sooner: without curves, metrics and weights.

        Args:
            run_id: The run.
            names: The measures that are wanted.
            since: The revision that has been seen.
        """

    @abstractmethod
    def evaluation(self, run_id: str, candidate_id: str) -> Evaluation:
        """Return one evaluation.

        Raises:
            StoreError: The run has no such candidate.
        """

    @abstractmethod
    def events(self, run_id: str, since: int = 0) -> list[Event]:
        """Return the events that came after revision ``since``, in order."""

    @abstractmethod
    def strategy_state(self, run_id: str) -> dict[str, Any] | None:
        """Return the state committed last, None before the first."""

    @abstractmethod
    def marks(self, run_id: str) -> dict[str, Mark]:
        """Return what people said of the candidates of a run, by candidate, in the order of when it was changed.

        Raises:
            StoreError: No such run.
        """

    @abstractmethod
    def mark(self, run_id: str, candidate_id: str, change: MarkChange) -> Mark | None:
        """Change what is said of one candidate and return it; None when nothing is left, and then nothing is kept.

        The run keeps its revision, and anybody may do this, whoever runs it. Of two changes of one field the one
        committed last wins.

        Raises:
            StoreError: No such run, or it has no such candidate.
        """

    @abstractmethod
    def delete_run(self, run_id: str) -> None:
        """Remove a run with its evaluations, events, marks, strategy state, and the artifacts called KIND/``run_id``/….

        Raises:
            StoreError: No such run, or a living owner has it.
        """

    @abstractmethod
    def put_artifact(self, name: str, data: bytes) -> str:
        """Keep ``data`` under ``name`` (letters, digits, ``._-`` and at most three slashes) and return its SHA-256.

        What belongs to a run is called KIND/RUN/…, so that it can go with the run.
        """

    @abstractmethod
    def get_artifact(self, name: str, sha256: str | None = None) -> bytes:
        """Return the bytes of an artifact after checking them against their SHA-256.

        Raises:
            StoreError: It is missing or its bytes have changed.
        """

    @abstractmethod
    def close(self) -> None:
        """Release what the store holds; later calls raise StoreError."""


def present(record: RunRecord) -> RunRecord:
    """Return the record as it is true now: a run whose process has gone is interrupted, whatever it wrote last."""
    if record.state in ACTIVE and record.owner and is_gone(record.owner, record.heartbeat):
        reason = "The process that ran it ended without stopping it; resume continues where it was"
        return record.model_copy(update={"state": RunState.INTERRUPTED, "reason": reason})
    return record


def changed(record: RunRecord, changes: dict[str, Any], revision: int) -> RunRecord:
    """Return ``record`` with ``changes``, validated."""
    if wrong := sorted(set(changes) - _CHANGEABLE):
        raise StoreError(
            f"A run has no field {', '.join(wrong)} that can change",
            allowed=", ".join(sorted(_CHANGEABLE)),
            fix="name one of these",
        )
    return RunRecord.model_validate({**record.model_dump(), **changes, "revision": revision})


def is_alive(record: RunRecord) -> bool:
    """Tell whether the run is owned by a process that has not ended."""
    return record.state in ACTIVE and record.owner != "" and not is_gone(record.owner, record.heartbeat)


def ended(record: RunRecord) -> RunRecord:
    """Return ``record``; raise StoreError when a living owner has it."""
    if is_alive(record):
        raise StoreError(
            f"Run {record.id} is {record.state} and cannot be deleted",
            allowed="a run that has ended",
            fix="stop it first",
        )
    return record


def claimed(record: RunRecord, owner: str, now: float, revision: int) -> RunRecord:
    """Return ``record`` as owned by ``owner``; raise StoreError when a living owner has it."""
    if record.owner != owner and is_alive(record):
        raise StoreError(
            f"Run {record.id} is being run by another process ({record.owner})",
            allowed="one process per run",
            fix="stop it there, or watch it from here without resuming it",
        )
    state = {"state": RunState.RUNNING, "reason": "", "owner": owner, "heartbeat": now}
    return changed(record, state, revision)


def is_packed(run_id: str) -> bool:
    """Return True for the identity of a recorded example that comes with the program; own runs begin with a date."""
    return run_id.startswith("example-")


def read_back(kind: type[R], body: str, run_id: str) -> R:
    """Return a record from the text that a store kept of it.

    Raises:
        StoreError: It has been damaged.
    """
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the text"
        raise damaged(run_id, f"{kind.__name__}, {where}: {first['msg']}") from None


def damaged(run_id: str, what: str) -> StoreError:
    """Return the error for a run of which something that was written cannot be read."""
    return StoreError(
        f"A record of the run {run_id} is damaged ({what})",
        allowed="what NASight wrote",
        fix="`nasight check` lists all damage; restore the store from a backup, or `nasight delete` the run",
    )


def no_run(run_id: str, known: Sequence[str]) -> StoreError:
    """Return the error for a run that the store does not have."""
    return StoreError(
        f"There is no run {run_id!r} in this store",
        allowed=", ".join(known[:8]) + (" …" if len(known) > 8 else "") if known else "none: the store is empty",
        fix="`nasight runs` lists them",
    )


def no_candidate(run_id: str, candidate_id: str) -> StoreError:
    """Return the error for a candidate that a run does not have."""
    return StoreError(f"Run {run_id} has no candidate {candidate_id!r}", fix="`nasight show` lists its candidates")


def artifact_name(name: str) -> str:
    """Return ``name`` if it is a safe relative name, so that no artifact can leave its directory.

    Raises:
        StoreError: It is not.
    """
    if not _NAME.fullmatch(name) or ".." in name:
        raise StoreError(
            f"{name!r} is not an artifact name",
            allowed="letters, digits, '.', '_', '-' and up to three '/', no '..'",
            fix="rename it",
        )
    return name


def owner_of(name: str) -> str:
    """Return the run that an artifact belongs to, as its name KIND/RUN/… says; empty when it says none."""
    parts = name.split("/")
    return parts[1] if len(parts) > 2 else ""


def no_artifact(name: str) -> StoreError:
    """Return the error for an artifact that is missing."""
    return StoreError(f"The artifact {name} is missing", fix="restore its file, or run the search again")


def bad_artifact(name: str, expected: str, found: str) -> StoreError:
    """Return the error for an artifact whose bytes are not those that were written."""
    return StoreError(
        f"The artifact {name} has changed since it was written: SHA-256 {found[:12]}…",
        allowed=f"{expected[:12]}…",
        fix="restore its file from a backup, or run the search again",
    )
