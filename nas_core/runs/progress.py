"""How far a run is, how fast, and where its time went."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pydantic import Field

from nas_core.records import Proposal, Record, RunRecord

__all__ = ["PHASES", "PackState", "Progress", "RunSnapshot", "Stopwatch", "Working"]

PHASES = ("train", "measure", "strategy", "store", "idle")
_WINDOW = 5


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


class Progress(Record):
    """Counters of a run.

    Attributes:
        evaluated: Candidates finished and committed.
        asked: Candidates proposed so far, those in work included.
        by_status: Finished candidates by status.
        rate: Candidates per second lately; None before the first.
        eta_seconds: Seconds until the budget is used up at that rate; None without a budget or a rate.
        seconds: Seconds by phase: train, measure, strategy, store, idle (paused).
        elapsed: Seconds running, pauses not counted.
        packs: Packs finished.
        pack: The pack in work.
        waiting: What a person proposed or overruled and is not in work yet; as the pack, only known where the run is.
        candidates: The budget in candidates.
        budget_seconds: The budget in seconds.
    """

    evaluated: int = 0
    asked: int = 0
    by_status: dict[str, int] = Field(default_factory=dict)
    rate: float | None = None
    eta_seconds: float | None = None
    seconds: dict[str, float] = Field(default_factory=lambda: dict.fromkeys(PHASES, 0.0))
    elapsed: float = 0.0
    packs: int = 0
    pack: PackState | None = None
    waiting: tuple[Proposal, ...] = ()
    candidates: int | None = None
    budget_seconds: float | None = None


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
    """Running time, time by phase and recent speed; pauses are counted as idle, not as running."""

    def __init__(self, progress: Progress) -> None:
        self.seconds = {**dict.fromkeys(PHASES, 0.0), **progress.seconds}
        self._before = progress.elapsed
        self._since: float | None = None
        self._marks: deque[tuple[float, int]] = deque(maxlen=_WINDOW)

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
        """Add the time of the body to a phase."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - began

    def add(self, seconds: Mapping[str, float]) -> None:
        """Add times that an evaluator took."""
        for name, value in seconds.items():
            self.seconds[name] = self.seconds.get(name, 0.0) + value

    @property
    def marked(self) -> bool:
        """True once a count was remembered."""
        return bool(self._marks)

    def mark(self, evaluated: int) -> None:
        """Remember how many candidates are finished now, for the speed."""
        self._marks.append((self.elapsed, evaluated))

    def rate(self) -> float | None:
        """Return candidates per second over the last packs, None before there are any."""
        if len(self._marks) < 2:
            return None
        (then, before), (now, after) = self._marks[0], self._marks[-1]
        return (after - before) / (now - then) if now > then and after > before else None

    def eta(self, evaluated: int, candidates: int | None, seconds: float | None) -> float | None:
        """Return the seconds left until the first of the two budgets is used up."""
        left = []
        rate = self.rate()
        if candidates is not None and rate:
            left.append(max(0, candidates - evaluated) / rate)
        if seconds is not None:
            left.append(max(0.0, seconds - self.elapsed))
        return min(left) if left else None
