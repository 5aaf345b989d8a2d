"""What is asked of every architecture of a run again and again, worked out once for each: its values, what it chose."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from dashboard.views.axes import Variable, code_of, variables_of

if TYPE_CHECKING:
    from nas_core.runs.viewer import RunView
    from nas_core.search import Snapshot
    from nas_core.spaces import Choice

__all__ = ["RunMemory", "memory_of"]

_memories: WeakKeyDictionary[RunView, RunMemory] = WeakKeyDictionary()
_lock = threading.Lock()


class RunMemory:
    """Columns over the candidates of one view, in its order; only candidates that are new cost anything.

    A candidate that is evaluated again keeps its place and its architecture, so columns only ever grow.
    """

    def __init__(self, view: RunView) -> None:
        # Not the view: this is kept for as long as the view is, and would keep it for ever.
        self._known: tuple[Variable, ...] = variables_of(version.space for version in view.versions)
        self._values = np.empty((0, len(self._known)))
        self._versions = len(view.versions)
        self._held: dict[Choice, list[bool]] = {}
        self._growing = threading.Lock()

    def variables(self, view: RunView, snapshot: Snapshot) -> list[tuple[Variable, np.ndarray]]:
        """Return each scalar choice of the space with its values (n,), NaN where an architecture has none."""
        with self._growing:
            if len(view.versions) != self._versions:
                self._versions = len(view.versions)
                self._known = variables_of(version.space for version in view.versions)
                self._values = np.empty((0, len(self._known)))
            if fresh := snapshot.ids[len(self._values) :]:
                rows = [self._codes(view.architecture(candidate).values) for candidate in fresh]
                self._values = np.vstack([self._values, np.array(rows, dtype=float)])
            table = self._values[: len(snapshot)]
        return [(variable, table[:, at]) for at, variable in enumerate(self._known)]

    def _codes(self, values: Mapping[str, object]) -> list[float]:
        return [code_of(variable, values.get(variable.name)) for variable in self._known]

    def holding(self, view: RunView, snapshot: Snapshot, choice: Choice) -> np.ndarray:
        """Return which candidates (n,) decided for ``choice``; 0.2 s the first time for ten thousand."""
        from nas_core.spaces import has

        with self._growing:
            held = self._held.setdefault(choice, [])
            held += [has(view.architecture(candidate), choice) for candidate in snapshot.ids[len(held) :]]
            return np.array(held[: len(snapshot)], dtype=bool)


def memory_of(view: RunView) -> RunMemory:
    """Return the memory of a view, which goes with it."""
    with _lock:
        if view not in _memories:
            _memories[view] = RunMemory(view)
        return _memories[view]


def choices_of_run(view: RunView) -> Sequence[Choice]:
    """Return what the versions of the run's space left open, each once."""
    from nas_core.spaces import choices_of

    return tuple(dict.fromkeys(choice for version in view.versions for choice in choices_of(version.space)))
