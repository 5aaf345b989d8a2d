"""How often the tabs on live runs look, so that many who watch leave the search its time."""

from __future__ import annotations

import threading

__all__ = ["REFRESH", "SHARE", "Pace", "pace"]

REFRESH = 1.0
"""Seconds between two looks of a tab alone, and of the browser that steers."""
SHARE = 0.035
"""Of one processor core, what all looks of those who only watch may take together; sending takes half as much again."""
STEPS = (1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 30.0)
"""Seconds between two looks are one of these: a page whose interval changes is drawn anew as a whole."""


class Pace:
    """The seconds between two looks, from what a look costs and how many look.

    It goes up a step when the looks take a fifth more than their share, down one when they would take less than 70 % of
    it there, so that costs that vary a little change nothing. Safe from any thread.

    Args:
        cost: Processor seconds of one look, before any was measured.
    """

    def __init__(self, cost: float = 0.05) -> None:
        self._cost, self._step = cost, 0
        self._lock = threading.Lock()

    def told(self, seconds: float) -> None:
        """Take note of the processor seconds that one look took; the last twenty or so count."""
        with self._lock:
            self._cost += 0.1 * (seconds - self._cost)

    def seconds(self, tabs: int, *, steers: bool = False) -> float:
        """Return the seconds between two looks of a tab.

        Args:
            tabs: That are connected.
            steers: Whether this one belongs to the browser that steers the run.
        """
        if steers or tabs <= 1:
            return REFRESH
        with self._lock:
            wanted = tabs * self._cost / SHARE
            while self._step + 1 < len(STEPS) and wanted > 1.2 * STEPS[self._step]:
                self._step += 1
            while self._step > 0 and wanted < 0.7 * STEPS[self._step - 1]:
                self._step -= 1
            return STEPS[self._step]


pace = Pace()
"""Of this process."""
