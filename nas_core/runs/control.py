"""What other threads may ask of a run: kept here until its coordinator looks.

The asking thread never waits for the search, and the search looks only between packs; a stop alone is seen at once,
because the evaluator asks :meth:`Control.is_set` all the time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from nas_core.preferences import Preference
from nas_core.records import Proposal, RunState

__all__ = ["Budget", "Control", "Ending"]


@dataclass(frozen=True)
class Budget:
    """A new budget; None for no limit."""

    candidates: int | None
    seconds: float | None


@dataclass(frozen=True)
class Ending:
    """How a run should end, or has ended."""

    state: RunState
    reason: str


class Control:
    """The wishes of other threads. All methods may be called from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._ending: Ending | None = None
        self._pausing = False
        self._preference: Preference | None = None
        self._budget: Budget | None = None
        self._proposals: list[Proposal] = []
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
    def pausing(self) -> bool:
        """True when the run should be paused."""
        return self._pausing

    def end(self, ending: Ending) -> None:
        """Ask for the end, now."""
        with self._wish():
            self._ending = self._ending or ending

    def pause(self) -> None:
        """Ask for a pause after the pack in work."""
        with self._wish():
            self._pausing = True

    def go_on(self) -> None:
        """Take a pause back."""
        with self._wish():
            self._pausing = False

    def steer(self, preference: Preference) -> None:
        """Ask for another preference; only the latest one counts."""
        with self._wish():
            self._preference = preference

    def set_budget(self, budget: Budget) -> None:
        """Ask for another budget; only the latest one counts."""
        with self._wish():
            self._budget = budget

    def propose(self, proposal: Proposal) -> None:
        """Ask for a candidate to be evaluated next."""
        with self._wish():
            self._proposals.append(proposal)

    def take_proposals(self) -> list[Proposal]:
        """Return the candidates asked for since the last call."""
        with self._changed:
            taken, self._proposals = self._proposals, []
            return taken

    def take_preference(self) -> Preference | None:
        """Return the preference asked for since the last call."""
        with self._changed:
            taken, self._preference = self._preference, None
            return taken

    def take_budget(self) -> Budget | None:
        """Return the budget asked for since the last call."""
        with self._changed:
            taken, self._budget = self._budget, None
            return taken

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
