"""The versions of a run's search space: which there were, and in which one a candidate was proposed.

The record holds the present version; each edit left the version before it in its event, so every one can be read back,
and an edit is undone by another one with the earlier content.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nas_core.records import Evaluation, Event, RunRecord
from nas_core.spaces.space import SearchSpace
from nas_core.store.base import Store

__all__ = ["SpaceVersion", "proposed_in", "space_at", "space_versions"]


@dataclass(frozen=True)
class SpaceVersion:
    """One version of a run's space.

    Attributes:
        space: The declaration; its ``version`` is the number.
        words: What the edit that made it was said to be, empty for the first version.
        since: Candidates evaluated before it came into force.
        inside: How many of these lie in it.
        outside: How many do not: they stay known, and the strategy is not told of them.
    """

    space: SearchSpace
    words: str = ""
    since: int = 0
    inside: int = 0
    outside: int = 0


def space_versions(events: Iterable[Event], record: RunRecord) -> tuple[SpaceVersion, ...]:
    """Return all versions of a run's space, the first one first; the last one is in force.

    Args:
        events: Everything that happened to the run, in order.
        record: Its record, as of the last of the events.
    """
    edits = [event for event in events if event.kind == "space"]
    spaces = [*(event.payload["previous"] for event in edits), record.space]
    first, *later = (SearchSpace.model_validate(space) for space in spaces)
    counts = (e.payload for e in edits)
    edited = (
        SpaceVersion(space, p["words"], p["inside"] + p["outside"], p["inside"], p["outside"])
        for space, p in zip(later, counts)
    )
    return SpaceVersion(first), *edited


def space_at(versions: Sequence[SpaceVersion], number: int) -> SearchSpace:
    """Return the version with this number; the first one for a number from before runs counted them."""
    return next((v.space for v in reversed(versions) if v.space.version <= number), versions[0].space)


def proposed_in(store: Store, record: RunRecord, evaluation: Evaluation) -> tuple[SearchSpace, SearchSpace]:
    """Return the version that a candidate was proposed in, and the first one, whose scales all are measured on."""
    versions = space_versions(store.events(record.id), record)
    return space_at(versions, evaluation.space), versions[0].space
