"""How far a run is: counts, rate, time left, and where its seconds went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nas_core.records import RunRecord
    from nas_core.runs.progress import Progress

__all__ = ["ProgressView", "progress_view"]


@dataclass(frozen=True)
class ProgressView:
    """Where a run stands.

    Attributes:
        run, name, state, reason: The run, its state and why it is in it.
        evaluated: Candidates finished so far.
        budget: Candidates it may evaluate; None when only time limits it.
        seconds_budget: Seconds it may take; None when only candidates limit it.
        share: Share of the budget used, in [0, 1]; None when there is none.
        by_status: How many candidates ended how.
        rate: Candidates a second; None before the first.
        eta: Seconds left; None when unknown or over.
        elapsed: Seconds spent searching, pauses not counted.
        paused: Seconds paused.
        phases: Seconds by phase, which are ``elapsed`` together.
        epochs: Epochs that the finished candidates were trained for.
        device: What they are trained on, in the words of the engine; empty where it is not known.
        memory, device_memory: Bytes of the process and of the accelerator; None where there is nothing to say.
        pack: The candidates in work: number, phase, size, epoch, epochs; empty when there are none.
    """

    run: str
    name: str
    state: str
    reason: str
    evaluated: int
    budget: int | None
    seconds_budget: float | None
    share: float | None
    by_status: Mapping[str, int]
    rate: float | None
    eta: float | None
    elapsed: float
    paused: float
    phases: Mapping[str, float]
    epochs: int
    device: str
    memory: int | None
    device_memory: int | None
    pack: Mapping[str, Any]

    @property
    def live(self) -> bool:
        """True while new candidates may still arrive."""
        return self.state in ("created", "running", "pausing", "stopping", "paused")


def progress_view(record: RunRecord, now: Progress, *, pausing: bool = False, ending: bool = False) -> ProgressView:
    """Return where the run stands.

    Args:
        record: The run as stored.
        now: Its counters.
        pausing: A pause was asked for and comes after the pack in work.
        ending: A stop was asked for and is under way.
    """
    settings = record.settings
    budget = now.candidates if now.candidates is not None else settings.get("candidates")
    seconds = now.budget_seconds if now.budget_seconds is not None else settings.get("seconds")
    state = str(record.state)
    pack = now.pack if state == "running" else None
    done = now.evaluated + (0.0 if pack is None else pack.done)
    shares = [done / budget] if budget else []
    shares += [now.elapsed / seconds] if seconds else []
    return ProgressView(
        run=record.id,
        name=record.name,
        state="stopping" if ending else "pausing" if pausing else state,
        reason=record.reason,
        evaluated=now.evaluated,
        budget=budget,
        seconds_budget=seconds,
        share=min(1.0, max(shares)) if shares else None,
        by_status=dict(now.by_status),
        rate=now.rate,
        eta=now.eta_seconds if state == "running" else None,
        elapsed=now.elapsed,
        paused=now.paused,
        phases=dict(now.seconds),
        epochs=now.epochs,
        device=now.device,
        memory=now.memory_bytes,
        device_memory=now.device_bytes,
        pack={} if pack is None else pack.model_dump(exclude={"candidates"}),
    )
