"""How far a run is, how fast, and where its time went."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pydantic import Field, model_validator

from nas_core.records import Proposal, Record, RunRecord

__all__ = ["PHASES", "PackState", "Progress", "RunSnapshot", "Stopwatch", "Working", "seconds_left"]

PHASES = ("train", "measure", "strategy", "store", "idle")
"""What the thread of a run does: ``idle`` is whatever is none of the other four, such as waiting for a worker."""

_MARKS, _WINDOW = 5, 60.0


class Working(Record):
    """A candidate in work: its running number, and what was proposed."""

    number: int
    proposal: Proposal

    @property
    def id(self) -> str:
        """Identity of the architecture."""
        return self.proposal.architecture.id


class PackState(Record):
    """The candidates in work: how many, in which phase, after how many of at most how many epochs.

    ``candidates`` are those that are not finished.
    """

    number: int
    phase: str
    size: int
    epoch: int = 0
    epochs: int = 0
    candidates: tuple[Working, ...] = ()

    @property
    def done(self) -> float:
        """Candidates that the epochs behind those that are not finished amount to."""
        if not self.epochs:
            return 0.0
        finished = max(0, self.size - len(self.candidates))  # they count in full in the epochs
        return max(0.0, self.size * self.epoch / self.epochs - finished)


class Progress(Record):
    """Counters of a run.

    Attributes:
        evaluated: Candidates finished and committed.
        asked: Candidates proposed so far, those in work included.
        by_status: Finished candidates by status.
        epochs: Epochs that the finished candidates were trained for, all together.
        rate: Candidates per second lately, those in work counted by their epochs; None before there are any.
        eta_seconds: Seconds until the budget is used up at that rate; None without a budget or a rate.
        seconds: Seconds by phase: train, measure, strategy, store, idle; together they are ``elapsed``.
        elapsed: Seconds running, pauses not counted.
        paused: Seconds paused.
        device: What the candidates are trained on, in words; empty where it is not known.
        memory_bytes: Resident memory of the process that searches and of its workers; None where it is not known.
        device_bytes: Memory of the accelerator that this process has reserved; None without one.
        packs: Packs finished.
        pack: The pack in work.
        waiting: What a person proposed or overruled and is not in work yet; as the pack, only known where the run is.
        candidates: The budget in candidates.
        budget_seconds: The budget in seconds.
    """

    evaluated: int = 0
    asked: int = 0
    by_status: dict[str, int] = Field(default_factory=dict)
    epochs: int = 0
    rate: float | None = None
    eta_seconds: float | None = None
    seconds: dict[str, float] = Field(default_factory=lambda: dict.fromkeys(PHASES, 0.0))
    elapsed: float = 0.0
    paused: float = 0.0
    device: str = ""
    memory_bytes: int | None = None
    device_bytes: int | None = None
    packs: int = 0
    pack: PackState | None = None
    waiting: tuple[Proposal, ...] = ()
    candidates: int | None = None
    budget_seconds: float | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_pauses(cls, given: Any) -> Any:
        """Take the pauses out of the phases of a run that was recorded when they counted as idle."""
        if not isinstance(given, dict) or "paused" in given or "idle" not in given.get("seconds", {}):
            return given
        seconds = dict(given["seconds"])
        paused = seconds.pop("idle")
        seconds["idle"] = max(0.0, given.get("elapsed", 0.0) - sum(seconds.values()))
        return {**given, "seconds": seconds, "paused": paused}


class RunSnapshot(Record):
    """A run at one moment; a later moment is another snapshot.

    Attributes:
        record: The record, with its state, reason and revision.
        progress: Counters.
        pausing: A pause was asked for and comes after the pack in work.
        stopping: A stop was asked for and is under way.
    """

    record: RunRecord
    progress: Progress
    pausing: bool = False
    stopping: bool = False


class Stopwatch:
    """Running time, where it went, and the speed lately; pauses are counted apart.

    The phases are a partition of the running time: what nobody claimed is ``idle``, or the phase of the pack in work
    as long as there is one, and where more is claimed than has passed, training and measuring have less.
    """

    def __init__(self, progress: Progress) -> None:
        self.paused = progress.paused
        self._settled = {**dict.fromkeys(PHASES, 0.0), **progress.seconds}
        self._claimed = dict.fromkeys(PHASES, 0.0)
        self._before = self._settled_at = progress.elapsed
        self._since: float | None = None
        self._marks: deque[tuple[float, float]] = deque()

    @property
    def elapsed(self) -> float:
        """Seconds running, those of earlier processes included."""
        return self._before + (0.0 if self._since is None else time.monotonic() - self._since)

    def go(self) -> None:
        """Start or continue to count running time."""
        if self._since is None:
            self._since = time.monotonic()

    def halt(self) -> None:
        """Stop counting running time."""
        self._before, self._since = self.elapsed, None

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Claim the time of the body for a phase."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._claimed[name] += time.monotonic() - began

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Count the time of the body as paused; running time is halted meanwhile."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.paused += time.monotonic() - began

    def add(self, seconds: Mapping[str, float]) -> None:
        """Claim times that an evaluator took."""
        for name, value in seconds.items():
            self._claimed[name] += value

    def settle(self) -> None:
        """Close the account of what has passed: what nobody has claimed was idle."""
        now = self.elapsed
        self._settled = self.seconds(now)
        self._claimed, self._settled_at = dict.fromkeys(PHASES, 0.0), now

    def seconds(self, elapsed: float, working: str = "idle") -> dict[str, float]:
        """Return the seconds by phase, which are ``elapsed`` together; what nobody has claimed yet is ``working``'s."""
        passed, claimed = elapsed - self._settled_at, dict(self._claimed)
        if (over := sum(claimed.values()) - passed) > 0:
            for names in (("train", "measure"), PHASES):
                taken = sum(claimed[name] for name in names)
                share = max(0.0, 1 - over / taken) if taken > 0 else 1.0
                claimed |= {name: claimed[name] * share for name in names}
                over = sum(claimed.values()) - passed
        else:
            claimed[working if working in PHASES else "train"] -= over
        return {name: self._settled[name] + claimed[name] for name in PHASES}

    @property
    def marked(self) -> bool:
        """True once a count was remembered."""
        return bool(self._marks)

    def mark(self, evaluated: float) -> None:
        """Remember how many candidates are finished now, for the speed: the last five times, and the last minute."""
        self._marks.append((self.elapsed, evaluated))
        while len(self._marks) > _MARKS and self._marks[1][0] < self.elapsed - _WINDOW:
            self._marks.popleft()

    def rate(self, elapsed: float, done: float) -> float | None:
        """Return candidates per second from the oldest count that is remembered to ``done``; None before there are any.

        Args:
            elapsed: Seconds running, now.
            done: Candidates finished by now, those in work counted by their epochs.
        """
        if not self._marks:
            return None
        then, before = self._marks[0]
        return (done - before) / (elapsed - then) if elapsed > then and done > before else None


def seconds_left(rate: float | None, now: Progress) -> float | None:
    """Return the seconds left until the first of the two budgets is used up; None where that is not known."""
    left = []
    if now.candidates is not None and rate:
        working = 0.0 if now.pack is None else now.pack.done
        left.append(max(0.0, now.candidates - now.evaluated - working) / rate)
    if now.budget_seconds is not None:
        left.append(max(0.0, now.budget_seconds - now.elapsed))
    return min(left) if left else None
