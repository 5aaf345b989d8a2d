"""Writing the replay file on a thread of its own, with its progress, and a way to end it."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from dashboard import process
from dashboard.replay import ReplayPlan, replay_data, replay_page
from nas_core.errors import NasightError, error_line

if TYPE_CHECKING:
    from nas_core.data import Problem
    from nas_core.reports import DecisionRecord

__all__ = ["ReplayJob"]


class ReplayJob:
    """One file being written.

    ``state`` is running, done, cancelled or failed; ``share`` and ``step`` say how far it is; ``page`` is the file,
    ``message`` why there is none.

    Args:
        record: The decision that the file opens with.
        plan: How much is put in.
        problem: The run's problem, for what networks look at.
    """

    def __init__(self, record: DecisionRecord, plan: ReplayPlan, problem: Problem | None) -> None:
        self.record, self.plan, self._problem = record, plan, problem
        self.state, self.share, self.step, self.message, self.page = "running", 0.0, "step_read", "", b""
        self._stop, self._store = threading.Event(), process.store()
        self._thread = threading.Thread(target=self._go, name="nasight-replay", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Ask it to end between two candidates."""
        self._stop.set()

    def wait(self, seconds: float) -> None:
        """Wait until it has ended, at most so long."""
        self._thread.join(seconds)

    def _go(self) -> None:
        from nas_core.runs.viewer import follow

        try:
            view = follow(self._store, self.record.run_id)
            data = replay_data(
                view, self.record, self.plan, problem=self._problem, told=self._heard, stop=self._stop
            )  # fmt: skip
            if data is None:
                self.state = "cancelled"
                return
            self.page = replay_page(data).encode()
            self.state = "done"
        except NasightError as error:
            self.message, self.state = str(error), "failed"
        except Exception as error:
            logging.getLogger(__name__).exception("The replay could not be written")
            self.message, self.state = error_line(error), "failed"

    def _heard(self, share: float, step: str) -> None:
        self.share, self.step = share, step
