"""The one place a run writes from: finished candidates wait here until the store has them.

Weights go to an artifact first, then one transaction commits the evaluations, the strategy's state, the counters and
the events. When either fails, everything stays here and the same call can be made again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np

from nas_core.evaluation.base import Weights
from nas_core.records import Evaluation, Event, RunRecord, WeightsRef
from nas_core.runs.progress import Progress
from nas_core.store.base import Store
from nas_core.store.owner import SteadyClock

__all__ = ["Writer"]


class Writer:
    """Holds what a run has found until it is committed.

    Args:
        store: Where to.
        record: The run's record as it is now.
        clock: For heartbeats and events.
    """

    def __init__(self, store: Store, record: RunRecord, clock: SteadyClock | None = None) -> None:
        self._store, self._clock = store, clock or SteadyClock()
        self.record = record
        self.evaluations: list[Evaluation] = []
        self._events: list[Event] = []
        self._changes: dict[str, Any] = {}
        self._weights: dict[str, Weights] = {}
        self._references: dict[str, WeightsRef] = {}
        self._used: set[str] = set()
        self.last = time.monotonic()
        self.held = self.last  # when the first of the candidates that wait came

    def load(self, evaluations: Sequence[Evaluation]) -> None:
        """Take note of what an earlier process committed: its artifacts are not written again."""
        self._used = {e.weights.artifact for e in evaluations if e.weights is not None}

    def keep(self, evaluation: Evaluation) -> None:
        """Hold a finished candidate for the next commit."""
        if not self.evaluations:
            self.held = time.monotonic()
        self.evaluations.append(evaluation)

    def keep_weights(self, weights: dict[str, Weights]) -> None:
        """Hold the weights of candidates that finished together."""
        self._weights |= weights

    def note(self, kind: str, evaluated: int, **payload: Any) -> None:
        """Hold an event for the next commit."""
        self._events.append(Event(kind=kind, time=self._clock.now(), evaluated=evaluated, payload=payload))

    def now(self) -> float:
        """Return the time by the clock of the events."""
        return self._clock.now()

    def change(self, **changes: Any) -> None:
        """Hold changes of the record for the next commit."""
        self._changes |= changes

    def commit(self, state: dict[str, Any] | None, progress: Progress, *, number: int) -> None:
        """Write all that is held.

        Args:
            state: What the run needs to continue exactly.
            progress: Counters.
            number: Of the pack, for the artifact's name. After a crash the same pack writes the names again that
                nothing refers to, and no others.

        Raises:
            StoreError: Nothing is lost; call again.
        """
        self._save_weights(number)
        found = [e.model_copy(update={"weights": self._references.get(e.id)}) for e in self.evaluations]
        now = self._clock.now()
        counters = progress.model_dump(mode="json", exclude={"pack", "waiting"})
        changes = {**self._changes, "heartbeat": now}
        revision = self._store.commit(self.record.id, found, state, counters, self._events, **changes)
        self.record = self.record.model_copy(update={**changes, "progress": counters, "revision": revision})
        for evaluation in found:
            self._references.pop(evaluation.id, None)
        self.evaluations, self._events, self._changes = [], [], {}
        self.last = time.monotonic()

    def beat(self) -> None:
        """Leave a sign of life."""
        self.record = self._store.update_run(self.record.id, heartbeat=self._clock.now())
        self.last = time.monotonic()

    def _save_weights(self, number: int) -> None:
        if not self._weights:
            return
        from safetensors.numpy import save

        names = (f"weights/{self.record.id}/{number:05d}-{part:02d}.safetensors" for part in count())
        name = next(name for name in names if name not in self._used)
        tensors: dict[str, np.ndarray] = {
            f"{candidate}/{key}": np.asarray(array, order="C")  # keeps a counter without dimensions as it is
            for candidate, weights in self._weights.items()
            for key, array in weights.items()
        }
        digest = self._store.put_artifact(name, save(tensors))
        for candidate in self._weights:
            self._references[candidate] = WeightsRef(artifact=name, prefix=f"{candidate}/", sha256=digest)
        self._weights = {}
        self._used.add(name)

    def next_pack(self) -> None:
        """Forget the weights of candidates that were never finished."""
        self._references = {}
