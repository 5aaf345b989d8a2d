"""The books of a run: counters and times, what is held for the next commit, and what happens when a commit fails."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any, TypeVar

from nas_core.errors import StoreError, error_line
from nas_core.evaluation.base import Weights
from nas_core.records import Evaluation, Proposal, RunRecord, RunState, Status
from nas_core.runs.control import Control, Ending
from nas_core.runs.machine import memory_use
from nas_core.runs.progress import PackState, Progress, RunSnapshot, Stopwatch, seconds_left
from nas_core.runs.settings import RunSettings
from nas_core.runs.writer import Writer
from nas_core.store.base import Store

__all__ = ["Ledger"]

log = logging.getLogger(__name__)

WAIT_SECONDS = 60.0
LOOK_SECONDS = 1.0
"""Between two looks at the memory."""

Found = TypeVar("Found")


class Ledger:
    """Counts, times and commits for one coordinator, in whose thread every method is called.

    Args:
        store: Where to commit.
        record: The run's record as it is now.
        control: Wakes a run that waits for its store.
        publish: Takes each new snapshot.
    """

    def __init__(
        self, store: Store, record: RunRecord, control: Control, publish: Callable[[RunSnapshot], None]
    ) -> None:
        self._store, self._control, self._publish = store, control, publish
        self._writer = Writer(store, record)
        self._progress = Progress.model_validate(record.progress)
        self._watch = Stopwatch(self._progress)
        self._seconds: float | None = None
        self._pack_began = 0.0
        self._looked = float("-inf")
        self._replaced: list[Status] = []  # how the candidates ended before that are held for a second time

    @property
    def record(self) -> RunRecord:
        """The record as committed last."""
        return self._writer.record

    @property
    def packs(self) -> int:
        """Packs finished."""
        return self._progress.packs

    @property
    def silence(self) -> float:
        """Seconds since something was written."""
        return time.monotonic() - self._writer.last

    @property
    def held(self) -> float:
        """Seconds that a finished candidate has been waiting to be committed."""
        return time.monotonic() - self._writer.held if self._writer.evaluations else 0.0

    def load(self, evaluations: Sequence[Evaluation]) -> None:
        """Count what an earlier process found."""
        self._writer.load(evaluations)
        self._progress = _counted(self._progress, (), loaded=[e.status for e in evaluations])

    def evaluation(self, candidate: str) -> Evaluation:
        """Return a committed evaluation; waits while the store refuses, as :meth:`save` does."""
        return self._insist(lambda: self._store.evaluation(self.record.id, candidate))

    def evaluations(self, told: int) -> list[Evaluation]:
        """Return the first ``told`` evaluations, all committed, in the order of their numbers; waits likewise."""
        return [e for e in self._insist(lambda: self._store.evaluations(self.record.id)) if e.index < told]

    def trains_on(self, device: str) -> None:
        """Show what the candidates are trained on."""
        self._progress = self._progress.model_copy(update={"device": device})

    def phase(self, name: str) -> AbstractContextManager[None]:
        """Add the time of a ``with`` body to a phase."""
        return self._watch.phase(name)

    def pause(self) -> AbstractContextManager[None]:
        """Count the time of a ``with`` body as paused."""
        return self._watch.pause()

    def add_seconds(self, seconds: Mapping[str, float]) -> None:
        """Add the times that an evaluator took."""
        self._watch.add(seconds)

    def run_clock(self, seconds: float | None) -> None:
        """Count running time against the budget of ``seconds``; None for no budget."""
        self._seconds = seconds
        self._watch.go()
        self._control.set_deadline(None if seconds is None else max(0.0, seconds - self._watch.elapsed))
        if not self._watch.marked:
            self._watch.mark(self._progress.evaluated)

    def halt_clock(self) -> None:
        """Stop counting running time, while paused."""
        self._watch.halt()
        self._control.set_deadline(None)

    def keep(self, evaluation: Evaluation, *, before: Status | None = None) -> None:
        """Hold a finished candidate for the next commit; ``before`` is how it ended the first time."""
        self._writer.keep(evaluation)
        if before is not None:
            self._replaced.append(before)

    def keep_weights(self, weights: dict[str, Weights]) -> None:
        """Hold the weights of candidates that finished together."""
        self._writer.keep_weights(weights)

    def note(self, kind: str, **payload: Any) -> None:
        """Hold an event for the next commit."""
        self._writer.note(kind, self._progress.evaluated, **payload)

    def change(self, **changes: Any) -> None:
        """Hold changes of the record for the next commit."""
        self._writer.change(**changes)

    def next_pack(self, *, asked: int) -> None:
        """Begin a pack."""
        self._writer.next_pack()
        self._pack_began = self._writer.now()
        self._progress = self._progress.model_copy(update={"asked": asked})
        self._show()

    def show_pack(self, pack: PackState | None) -> None:
        """Publish how far the pack in work is."""
        self._progress = self._timed(self._progress.model_copy(update={"pack": pack}))
        self._show()

    def pack_finished(self, numbers: Sequence[int], *, again: bool = False) -> None:
        """Count a pack whose candidates, of these running numbers, are all held or committed, and note its time.

        One that was begun by an earlier process is noted from where this one went on with it.
        """
        facts = {"size": len(numbers), "first": min(numbers), "last": max(numbers), "again": again}
        self.note("pack", number=self._progress.packs, began=self._pack_began, **facts)
        self._progress = self._progress.model_copy(update={"packs": self._progress.packs + 1, "pack": None})
        self._watch.settle()
        self._watch.mark(self._progress.evaluated + len(self._writer.evaluations) - len(self._replaced))

    def show_waiting(self, proposals: Sequence[Proposal]) -> None:
        """Publish who waits from the next snapshot on."""
        self._progress = self._progress.model_copy(update={"waiting": tuple(proposals)})

    def save(self, state: dict[str, Any] | None, settings: RunSettings) -> None:
        """Commit what is held. While the store refuses, the run is paused and keeps everything in memory.

        Raises:
            StoreError: The run was stopped while the store refused.
        """
        self._insist(lambda: self._commit(state, settings))

    def try_save(self, state: dict[str, Any] | None, settings: RunSettings) -> None:
        """Commit what is held; a store that refuses keeps it for the next commit, which will say so."""
        with suppress(StoreError):
            self._commit(state, settings)

    def beat(self) -> None:
        """Leave a sign of life; a store that refuses it will say so at the next commit."""
        with suppress(StoreError):
            self._writer.beat()

    def finish(self, ending: Ending) -> None:
        """Commit the end of the run."""
        self.halt_clock()
        self.note(ending.state.value, reason=ending.reason)
        self.change(state=ending.state, reason=ending.reason, owner="")
        self._progress = self._progress.model_copy(update={"pack": None})
        self.save(None, RunSettings.model_validate(self.record.settings))

    def interrupt(self, error: Exception) -> None:
        """Record that the run ended by an error; at least in this process, where the store cannot take it."""
        reason = error_line(error)
        log.error("Run %s was interrupted", self.record.id, exc_info=error)
        if unsaved := len(self._writer.evaluations):
            reason += f" {unsaved} finished candidates could not be saved; resume evaluates them again."
        self.halt_clock()
        self.note("interrupted", reason=reason)
        ended = {"state": RunState.INTERRUPTED, "reason": reason, "owner": ""}
        self.change(**ended)
        self._progress = self._progress.model_copy(update={"pack": None})
        try:
            self._writer.commit(None, self._timed(self._counted()), number=self.packs)
        except Exception:  # the first error is the one that counts
            log.exception("The interruption of run %s could not be recorded", self.record.id)
            self._writer.record = self.record.model_copy(update=ended)
        self._show()

    def _insist(self, act: Callable[[], Found]) -> Found:
        """Return what ``act`` returns; whenever the store refuses, wait until somebody resumes the run."""
        while True:
            try:
                return act()
            except StoreError as error:
                self._hold(error)

    def _commit(self, state: dict[str, Any] | None, settings: RunSettings) -> None:
        budget = {"candidates": settings.candidates, "budget_seconds": settings.seconds}
        self._progress = self._progress.model_copy(update=budget)
        progress = self._timed(self._counted())
        with self._watch.phase("store"):
            self._writer.commit(state, progress, number=self._progress.packs)
        self._progress, self._replaced = progress, []
        self._show()

    def _counted(self) -> Progress:
        return _counted(self._progress, self._writer.evaluations, self._replaced)

    def _hold(self, error: StoreError) -> None:
        """Pause because the store refuses; return when somebody resumes, raise ``error`` when somebody stops."""
        count = len(self._writer.evaluations)
        reason = f"{error} {count} finished candidates are kept in memory; resume tries to save them again."
        log.error("Run %s is paused: %s", self.record.id, reason)
        self._control.pause()
        before = self._writer.record
        self._writer.record = before.model_copy(update={"state": RunState.PAUSED, "reason": reason})
        self._show()
        self.halt_clock()
        with self._watch.pause():
            while self._control.pausing and self._control.ending is None:
                self._control.wait(WAIT_SECONDS)
        self._writer.record = before
        if self._control.ending is not None:
            raise error
        self.note("store_failed", reason=str(error))
        self.run_clock(self._seconds)
        self._show()

    def _timed(self, progress: Progress) -> Progress:
        """Return ``progress`` with the times, the speed and the memory of this moment."""
        watch, pack, elapsed = self._watch, progress.pack, self._watch.elapsed
        now: dict[str, Any] = {
            "elapsed": elapsed,
            "paused": watch.paused,
            "seconds": watch.seconds(elapsed, "idle" if pack is None else pack.phase),
            "rate": watch.rate(elapsed, progress.evaluated + (0.0 if pack is None else pack.done)),
        }
        if time.monotonic() - self._looked >= LOOK_SECONDS:
            now["memory_bytes"], now["device_bytes"] = memory_use()
            self._looked = time.monotonic()
        progress = progress.model_copy(update=now)
        return progress.model_copy(update={"eta_seconds": seconds_left(progress.rate, progress)})

    def _show(self) -> None:
        self._publish(RunSnapshot(record=self.record, progress=self._progress))


def _counted(
    progress: Progress, new: Sequence[Evaluation], replaced: Sequence[str] = (), *, loaded: Sequence[str] = ()
) -> Progress:
    """Return ``progress`` with ``new`` evaluations added, or counted afresh from the statuses ``loaded``."""
    counts = Counter(loaded) if loaded else Counter(progress.by_status)
    counts.update(e.status for e in new)
    counts.subtract(replaced)
    counts = +counts  # without those that nobody has any more
    by_status = {str(status): count for status, count in sorted(counts.items())}
    evaluated = sum(counts.values())
    epochs = progress.epochs + sum(max(map(len, e.curves.values()), default=0) for e in new)
    return progress.model_copy(
        update={
            "by_status": by_status, "evaluated": evaluated, "asked": max(progress.asked, evaluated), "epochs": epochs
        }
    )  # fmt: skip
