"""Watching a run, wherever it runs: in this process, in another one, or long ago.

A view only reads. One view per run is shared by everybody who watches in this process; it asks the store for what is
newer than what it has, so ten tabs cost about as much as one, and the search never waits for any of them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from nas_core.objectives import Objective, recorded_objective
from nas_core.preferences import STRUCTURE_MEASURES
from nas_core.records import Architecture, Evaluation, Event, RunRecord
from nas_core.runs import registry
from nas_core.runs.progress import Progress, RunSnapshot
from nas_core.runs.settings import RunSettings
from nas_core.runs.versions import SpaceVersion, space_at, space_versions
from nas_core.search.archive import Archive
from nas_core.search.snapshot import SEARCH_MEASURES, Snapshot
from nas_core.spaces.space import SearchSpace
from nas_core.store.base import Store, no_candidate
from nas_core.store.summaries import Summary

__all__ = ["RunView", "follow"]

FRESH_SECONDS = 0.2
_KEPT = 32  # views; the oldest is let go

_lock = threading.Lock()
_views: dict[tuple[int, str], RunView] = {}


class RunView:
    """The archive, the record and the progress of one run, as they were when :meth:`refresh` was called last.

    Args:
        store: Where the run is kept.
        run_id: The run.

    Raises:
        StoreError: No such run.
    """

    def __init__(self, store: Store, run_id: str) -> None:
        self.store, self.run_id = store, run_id
        record = store.run(run_id)
        self.baseline = record.baseline
        self.measures: tuple[str, ...] = tuple(record.problem.get("measures") or STRUCTURE_MEASURES)
        self.objective: Objective = recorded_objective(record.problem)
        self.search: tuple[str, ...] = tuple(record.problem.get("search_measures") or SEARCH_MEASURES)
        self.archive = Archive(self.objective, self.measures, baseline=record.baseline, search=self.search)
        self._events: tuple[Event, ...] = ()
        self._edits = 0  # of the space, among the events
        self._candidates: dict[str, Summary] = {}
        self._belongs: dict[str, dict[str, bool]] = {}  # by identity of a space and of a candidate
        self._read: tuple[int, tuple[SpaceVersion, ...]] | None = None  # the versions, as of how many edits
        self._refreshing = threading.Lock()
        self._checked = 0.0
        self._seen = 0
        self._run = RunSnapshot(record=record, progress=Progress.model_validate(record.progress))
        self.refresh()

    def refresh(self) -> bool:
        """Take over what is new; return whether anything in the archive, the state or the events is.

        Costs one small query when nothing is new, none when the last look is less than 0.2 s ago. While another thread
        refreshes, the present state is good enough.
        """
        if time.monotonic() - self._checked < FRESH_SECONDS or not self._refreshing.acquire(blocking=False):
            return False
        try:
            return self._take_over()
        finally:
            self._refreshing.release()

    def _take_over(self) -> bool:
        run = registry.get(self.run_id)
        if run is not None and run.alive and run.store is self.store:
            self._run = run.snapshot()
        else:
            record = self.store.run(self.run_id)
            self._run = RunSnapshot(record=record, progress=Progress.model_validate(record.progress))
        self._checked = time.monotonic()
        revision = self._run.record.revision
        if revision <= self._seen:
            return False
        found = self.store.summaries(self.run_id, self.measures, since=self._seen)
        events = self.store.events(self.run_id, since=self._seen)
        # Each query sees its own moment; what came after the record was read is left for the next time.
        found = found.take(np.flatnonzero(found.revision <= revision).tolist())
        self._candidates = {**self._candidates, **dict(zip(found.ids, found.rows()))}  # readers go on with theirs
        self.archive.add(found)
        fresh = tuple(e for e in events if e.revision <= revision)
        self._events += fresh
        self._edits += sum(event.kind == "space" for event in fresh)
        self._seen = revision
        return True

    @property
    def run(self) -> RunSnapshot:
        """Record, progress, and whether a pause or a stop is under way."""
        return self._run

    @property
    def record(self) -> RunRecord:
        """The record, with the state and its reason."""
        return self._run.record

    @property
    def progress(self) -> Progress:
        """Counters, speed, time by phase; with the pack in work when the run is in this process."""
        return self._run.progress

    @property
    def events(self) -> tuple[Event, ...]:
        """What happened to the run, in order."""
        return self._events

    @property
    def candidates(self) -> Mapping[str, Summary]:
        """What is known of the candidates by identity, in the order in which they came; grows when refreshed."""
        return MappingProxyType(self._candidates)

    @property
    def snapshot(self) -> Snapshot:
        """The candidates so far; it never changes."""
        return self.archive.snapshot()

    @property
    def settings(self) -> RunSettings:
        """The settings in force, changes made during the run included."""
        return RunSettings.model_validate(self.record.settings)

    @property
    def versions(self) -> tuple[SpaceVersion, ...]:
        """The versions of the search space, the first one first; the last one is in force."""
        read, edits = self._read, self._edits
        if read is None or read[0] != edits:
            read = self._read = (edits, space_versions(self._events, self.record))
        return read[1]

    @property
    def space(self) -> SearchSpace:
        """The version of the search space that is in force."""
        return self.versions[-1].space

    def space_of(self, evaluation: Evaluation) -> SearchSpace:
        """Return the version of the search space that a candidate was proposed in."""
        return space_at(self.versions, evaluation.space)

    def space_after(self, evaluated: int) -> SearchSpace:
        """Return the version of the search space that was in force once so many candidates were evaluated."""
        edits = [event for event in self._events if event.kind == "space"]
        return self.versions[min(sum(e.evaluated <= evaluated for e in edits), len(self.versions) - 1)].space

    def inside(self, snapshot: Snapshot | None = None, space: SearchSpace | None = None) -> np.ndarray:
        """Return which candidates (n,) lie in a version of the space.

        What is found is kept for each version, so only candidates of other versions are looked at, each once.

        Args:
            snapshot: Of :attr:`archive`; the present one when None.
            space: One of :attr:`versions`; the one in force when None.
        """
        snapshot = snapshot or self.snapshot
        versions = self.versions
        if len(versions) == 1:
            return np.ones(len(snapshot), dtype=bool)
        wanted = space or versions[-1].space
        known = self._belongs.setdefault(wanted.id, {})
        for candidate in snapshot.ids:
            if candidate not in known:
                told = self._candidates[candidate]
                known[candidate] = told.space == wanted.version or not wanted.validate_architecture(told.architecture)
        return np.array([known[candidate] for candidate in snapshot.ids], dtype=bool)

    def architecture(self, candidate_id: str) -> Architecture:
        """Return what was proposed as a candidate, from memory.

        Raises:
            StoreError: The run has no such candidate, or it came after the last :meth:`refresh`.
        """
        try:
            return self._candidates[candidate_id].architecture
        except KeyError:
            raise no_candidate(self.run_id, candidate_id) from None

    def reason(self, candidate_id: str) -> str:
        """Return why a candidate cannot enter a front, from memory; empty for one that can, and for one not known."""
        told = self._candidates.get(candidate_id)
        return "" if told is None or told.eligible else told.reason

    def evaluation(self, candidate_id: str) -> Evaluation:
        """Return everything that is known of one candidate.

        Raises:
            StoreError: The run has no such candidate.
        """
        return self.store.evaluation(self.run_id, candidate_id)


def follow(store: Store, run_id: str) -> RunView:
    """Return the view of a run that is shared in this process, refreshed.

    Raises:
        StoreError: No such run.
    """
    key = (id(store), run_id)
    with _lock:
        view = _views.get(key)
        if view is None:
            view = _views[key] = RunView(store, run_id)
            while len(_views) > _KEPT:
                del _views[next(iter(_views))]
    view.refresh()
    return view
