"""What other threads may ask of a run: kept here until its coordinator looks.

The asking thread never waits for the search, and the search looks only between packs. Two things are seen at once: a
stop, because the evaluator asks :meth:`Control.is_set` all the time, and a candidate that is given up, because the
referee of its training asks :attr:`Control.kills`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from nas_core.preferences import Preference
from nas_core.records import Proposal, RunState
from nas_core.spaces.space import SearchSpace

__all__ = ["Budget", "Control", "Ending", "Halving", "Rules", "SpaceEdit", "StrategyChange"]


@dataclass(frozen=True)
class Budget:
    """A new budget; None for no limit."""

    candidates: int | None
    seconds: float | None


@dataclass(frozen=True)
class Rules:
    """New rules for when to end: at a candidate that meets all goals, after so many candidates without growth."""

    until_goals: bool
    plateau: int | None


@dataclass(frozen=True)
class Halving:
    """Whether candidates that are almost surely dominated are trained to the end."""

    on: bool


@dataclass(frozen=True)
class StrategyChange:
    """Another strategy, by name."""

    name: str


@dataclass(frozen=True)
class SpaceEdit:
    """Another version of the space, and what the change is said to be."""

    space: SearchSpace
    words: str = ""


@dataclass(frozen=True)
class Ending:
    """How a run should end, or has ended."""

    state: RunState
    reason: str


Wish = Preference | Budget | Rules | Halving | StrategyChange | SpaceEdit
AnyWish = TypeVar("AnyWish", Preference, Budget, Rules, Halving, StrategyChange, SpaceEdit)


class Control:
    """The wishes of other threads. All methods may be called from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._ending: Ending | None = None
        self._closing: Ending | None = None
        self._pausing = False
        self._wishes: dict[type[Wish], Wish] = {}
        self._proposals: list[Proposal] = []
        self._overruled: list[str] = []
        self._kills: frozenset[str] = frozenset()
        self._deadline: float | None = None
        self._news = False

    def is_set(self) -> bool:
        """Return True when the candidates in work should be given up: stopped, or the time is used up."""
        return self._ending is not None or self.late()

    def late(self) -> bool:
        """Return True when the time budget is used up."""
        return self._deadline is not None and time.monotonic() >= self._deadline

    def set_deadline(self, seconds: float | None) -> None:
        """Let :meth:`late` become true in ``seconds`` from now; None for never."""
        self._deadline = None if seconds is None else time.monotonic() + seconds

    @property
    def ending(self) -> Ending | None:
        """How the run should end, None while it should go on; the first wish counts."""
        return self._ending

    @property
    def closing(self) -> Ending | None:
        """How the run should end once the pack in work is finished, None while it should go on."""
        return self._closing

    @property
    def pausing(self) -> bool:
        """True when the run should be paused."""
        return self._pausing

    @property
    def kills(self) -> frozenset[str]:
        """The candidates that should be given up."""
        return self._kills

    def end(self, ending: Ending) -> None:
        """Ask for the end, now."""
        with self._wish():
            self._ending = self._ending or ending

    def end_after_pack(self, ending: Ending) -> None:
        """Ask for the end after the pack in work; the first wish counts."""
        with self._wish():
            self._closing = self._closing or ending

    def pause(self) -> None:
        """Ask for a pause after the pack in work."""
        with self._wish():
            self._pausing = True

    def go_on(self) -> None:
        """Take a pause back."""
        with self._wish():
            self._pausing = False

    def ask(self, wish: Wish) -> None:
        """Ask for a change of the run; only the latest one of each kind counts."""
        with self._wish():
            self._wishes[type(wish)] = wish

    def asked(self, kind: type[AnyWish]) -> AnyWish | None:
        """Return the change of this kind that was asked for and not taken yet."""
        wish = self._wishes.get(kind)
        return wish if isinstance(wish, kind) else None

    def take(self, kind: type[AnyWish]) -> AnyWish | None:
        """Return the change of this kind that was asked for since the last call."""
        with self._changed:
            wish = self._wishes.pop(kind, None)
        return wish if isinstance(wish, kind) else None

    def propose(self, proposal: Proposal) -> None:
        """Ask for a candidate to be evaluated next."""
        with self._wish():
            self._proposals.append(proposal)

    def take_proposals(self) -> list[Proposal]:
        """Return the candidates asked for since the last call."""
        with self._changed:
            taken, self._proposals = self._proposals, []
            return taken

    def overrule(self, candidate: str) -> None:
        """Ask for a candidate to be trained to the end after all."""
        with self._wish():
            self._overruled.append(candidate)

    def take_overruled(self) -> list[str]:
        """Return the candidates to be trained to the end that were asked for since the last call."""
        with self._changed:
            taken, self._overruled = self._overruled, []
            return taken

    def kill(self, candidate: str) -> None:
        """Ask for a candidate in work, or waiting, to be given up."""
        with self._wish():
            self._kills |= {candidate}

    def end_kills(self, candidates: Iterable[str]) -> None:
        """Forget the wish to give up candidates that are not in work any more."""
        with self._changed:
            self._kills -= frozenset(candidates)

    def withdraw(self, candidate: str) -> bool:
        """Take back a proposal or an overruling that the run has not seen yet; return whether there was one."""
        with self._changed:
            before = len(self._proposals) + len(self._overruled)
            self._proposals = [p for p in self._proposals if p.architecture.id != candidate]
            self._overruled = [key for key in self._overruled if key != candidate]
            return len(self._proposals) + len(self._overruled) < before

    def wait(self, seconds: float) -> None:
        """Wait until somebody asks for something that has not been waited for yet, at most ``seconds``."""
        with self._changed:
            if not self._news:
                self._changed.wait(seconds)
            self._news = False

    @contextmanager
    def _wish(self) -> Iterator[None]:
        with self._changed:
            yield
            self._news = True
            self._changed.notify_all()
