"""Looking at a run, live or finished, without touching it: its record, its archive, its ranking under a preference."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import numpy as np

from dashboard import process
from dashboard.access import may_steer
from dashboard.texts import language
from dashboard.views.card import Card, candidate_card, measure_label
from dashboard.views.progress import ProgressView, progress_view

if TYPE_CHECKING:
    from nas_core.preferences import Preference
    from nas_core.records import Evaluation, RunRecord
    from nas_core.runs.viewer import RunView
    from nas_core.search import Archive, Ranking, Snapshot
    from nas_core.spaces import SearchSpace

__all__ = ["Memory", "Watched", "card_of", "ranking", "remembered", "run_weight", "standing", "watch"]

Found = TypeVar("Found")
Memory: TypeAlias = OrderedDict[tuple[Hashable, ...], Found]

_RANKINGS: Memory[Ranking] = OrderedDict()
_EVALUATIONS: Memory[Evaluation] = OrderedDict()
_CARDS: Memory[Card] = OrderedDict()
_KEPT = 256
_KEPT_CANDIDATES = 500_000
"""Candidates in all rankings that are kept: 30 MB, however long the runs are."""
_lock = Lock()


@dataclass(frozen=True)
class Watched:
    """A run at one moment.

    Attributes:
        record: The run as stored.
        progress: How far it is.
        archive: Everything it found; grows behind the snapshot.
        snapshot: What it had found at this moment.
        space: The space it searches.
        here: True when this process runs it.
        own: True when, besides, this visitor may steer it, so that its controls work in this tab.
        view: The engine's view of the run, for single candidates.
    """

    record: RunRecord
    progress: ProgressView
    archive: Archive
    snapshot: Snapshot
    space: SearchSpace
    here: bool
    own: bool
    view: RunView

    @property
    def inside(self) -> np.ndarray:
        """Which candidates (n,) of the snapshot lie in :attr:`space`, the version that is in force."""
        return self.view.inside(self.snapshot, self.space)

    def evaluation(self, candidate: str) -> Evaluation | None:
        """Return what is known of one candidate, None when the run has none of that name."""
        if self.snapshot.position(candidate) is None:
            return None
        key = (self.record.id, self.record.created, candidate)
        return remembered(_EVALUATIONS, key, lambda: self.view.evaluation(candidate))

    def id_of(self, number: int) -> str | None:
        """Return the identity of the candidate with this number."""
        at = np.flatnonzero(self.snapshot.index == number)
        return self.snapshot.ids[at[0]] if len(at) else None


def watch(run_id: str) -> Watched:
    """Return the run as it is now; costs one indexed query when nothing is new.

    Raises:
        StoreError: No such run in this store.
    """
    from nas_core.runs import registry
    from nas_core.runs.viewer import follow

    view = follow(process.store(), run_id)
    now = view.run
    progress = progress_view(now.record, now.progress, ending=now.stopping, pausing=now.pausing)
    run = registry.get(run_id)
    here = run is not None and run.alive
    own = here and may_steer(run_id)
    return Watched(now.record, progress, view.archive, view.snapshot, view.space, here, own, view)


def run_weight(record: RunRecord) -> float:
    """Return the λ that a run has now, by its settings."""
    return float(record.settings.get("preference", {}).get("weight", 0.5))


def standing(run_id: str) -> ProgressView:
    """Return how far a run is, without reading what it has found.

    Raises:
        StoreError: No such run in this store.
    """
    from nas_core.runs import registry
    from nas_core.runs.progress import Progress, RunSnapshot

    run = registry.get(run_id)
    if run is not None and run.store is process.store():
        now = run.snapshot()
    else:
        record = process.store().run(run_id)
        now = RunSnapshot(record=record, progress=Progress.model_validate(record.progress))
    return progress_view(now.record, now.progress, ending=now.stopping, pausing=now.pausing)


def card_of(watched: Watched, candidate: str, ranked: Ranking) -> Card | None:
    """Return the card of one candidate under ``ranked``, None when the run does not have it (yet)."""
    evaluation, at = watched.evaluation(candidate), watched.snapshot.position(candidate)
    if evaluation is None or at is None:
        return None
    value = float(ranked.interpretability[at])
    shown, space = None if np.isnan(value) else value, watched.view.space_of(evaluation)
    key = (watched.record.id, watched.record.created, candidate, evaluation.revision, space.id, shown, language())

    def made() -> Card:
        labels = {name: measure_label(name) for name in evaluation.measures}
        return candidate_card(evaluation, space, watched.snapshot.objective, labels, shown)

    return remembered(_CARDS, key, made)


def ranking(watched: Watched, preference: Preference) -> Ranking:
    """Return the candidates ranked under ``preference``; the last few answers are kept for all tabs.

    Candidates outside the version of the search space that is in force come last.
    """
    snapshot = watched.snapshot
    key = (watched.record.id, watched.record.created, snapshot.revision, len(snapshot), watched.space.id,
           preference.model_dump_json())  # fmt: skip
    kept = max(8, min(_KEPT, _KEPT_CANDIDATES // max(1, len(snapshot))))
    return remembered(_RANKINGS, key, lambda: snapshot.rank(preference, watched.inside), kept=kept)


def remembered(
    memory: Memory[Found], key: tuple[Hashable, ...], find: Callable[[], Found], *, kept: int = _KEPT
) -> Found:
    """Return what ``find`` returns, from memory when one of the last ``kept`` that were asked for; for all tabs."""
    with _lock:
        if key in memory:
            memory.move_to_end(key)
            return memory[key]
    found = find()
    with _lock:
        memory[key] = found
        while len(memory) > kept:
            memory.popitem(last=False)
    return found
