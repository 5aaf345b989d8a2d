"""The candidates in work: in training, and waiting for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboard.texts import spoken_line, spoken_steps, text

if TYPE_CHECKING:
    from nas_core.runs.progress import Progress
    from nas_core.spaces import SearchSpace

__all__ = ["WorkView", "work_view"]


@dataclass(frozen=True)
class WorkView:
    """Candidates in training, then those that wait.

    Attributes:
        phase: What the pack is in: ``train`` or ``measure``; empty when there is none.
        ids: Identity of each.
        labels: Its number, ``#12``; one that waits has none yet and says so.
        built: Its architecture in a line.
        made: The operator that made it.
        training: How many of them are in training.
    """

    phase: str
    ids: tuple[str, ...]
    labels: tuple[str, ...]
    built: tuple[str, ...]
    made: tuple[str, ...]
    training: int


def work_view(progress: Progress, space: SearchSpace) -> WorkView:
    """Return who is in work in a run.

    Args:
        progress: Of the run; only the process that runs it knows.
        space: The version of its space that is in force.
    """
    pack = progress.pack
    working = () if pack is None else pack.candidates
    known = {c.id for c in working}
    waiting = [p for p in progress.waiting if p.architecture.id not in known]
    proposals = [*(c.proposal for c in working), *waiting]
    return WorkView(
        phase="" if pack is None else pack.phase,
        ids=tuple(p.architecture.id for p in proposals),
        labels=(
            *(f"#{c.number}" for c in working),
            *(f"{text('steering.work_waits')} {n + 1}" for n in range(len(waiting))),
        ),
        built=tuple(spoken_line(space.engine.describe(space, p.architecture.values)) for p in proposals),
        made=tuple(spoken_steps(p.operator) for p in proposals),
        training=len(working),
    )
