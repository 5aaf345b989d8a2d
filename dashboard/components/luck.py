"""Chances and ties of a front, drawn on a thread of their own: the page shows the newest answer and never waits."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from dashboard.watching import Watched
from nas_core.errors import error_line

if TYPE_CHECKING:
    import numpy as np

    from nas_core.search import FrontLuck, Ranking, Snapshot

__all__ = ["Luck", "luck_of", "luck_working"]

GROWTH = 0.05
"""Share of new candidates after which the draws of a live run are repeated."""
WAIT = 0.25
"""Seconds that a page of a run which has ended waits, so that most answers are there at once."""
KEPT = 8

_kept: OrderedDict[tuple[str, str, str], Luck] = OrderedDict()
_lock = threading.Lock()


class Luck:
    """The answers for one run under one set of weights and goals.

    Attributes:
        found: The newest answer; None before the first one.
        failure: Why there is none; empty when there is.
    """

    def __init__(self) -> None:
        self.found: FrontLuck | None = None
        self.failure = ""
        self._counted = (-1, -1)  # candidates and revision of what was asked last
        self._thread: threading.Thread | None = None

    @property
    def working(self) -> bool:
        """Whether an answer is on its way."""
        return self._thread is not None and self._thread.is_alive()

    def ask(self, snapshot: Snapshot, ranked: Ranking, inside: np.ndarray, *, live: bool) -> None:
        """Begin to work out the answer for ``snapshot``, unless one is in work or what is known is new enough."""
        n = len(snapshot)
        first = self._counted[0] < 0
        enough = first or not live or n >= self._counted[0] * (1 + GROWTH) + 10
        if self.working or not enough or self._counted == (n, snapshot.revision):
            return
        self._counted = (n, snapshot.revision)
        self._thread = threading.Thread(
            target=self._go, args=(snapshot, ranked, inside), name="nasight-luck", daemon=True
        )
        self._thread.start()
        if not live:
            self.wait(WAIT)

    def wait(self, timeout: float | None = None) -> None:
        """Wait until no answer is on its way, at most ``timeout`` seconds."""
        if self._thread is not None:
            self._thread.join(timeout)

    def _go(self, snapshot: Snapshot, ranked: Ranking, inside: np.ndarray) -> None:
        from nas_core.search import front_luck

        try:
            self.found, self.failure = front_luck(snapshot, ranked, inside), ""
        except Exception as error:
            logging.getLogger(__name__).exception("Chances could not be worked out")
            self.failure = error_line(error)


def luck_of(watched: Watched, ranked: Ranking) -> Luck:
    """Return the answers for a run as it is ranked; whatever λ is, they are the same."""
    wish = ranked.preference.model_copy(update={"weight": 0.5}).model_dump_json()
    key = (f"{watched.record.id} {watched.record.created}", watched.space.id, wish)
    with _lock:
        luck = _kept.setdefault(key, Luck())
        _kept.move_to_end(key)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    luck.ask(watched.snapshot, ranked, watched.inside, live=watched.progress.live)
    return luck


def luck_working(watched: Watched) -> bool:
    """Return whether an answer for this run is on its way."""
    own = f"{watched.record.id} {watched.record.created}"
    with _lock:
        return any(luck.working for key, luck in _kept.items() if key[0] == own)
