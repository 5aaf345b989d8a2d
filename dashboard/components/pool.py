"""The candidates of a run as everybody in this process shares them, and their architectures, encoded when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from dashboard import process
from nas_core.errors import StoreError

if TYPE_CHECKING:
    from nas_core.records import Architecture, Evaluation
    from nas_core.runs.viewer import RunView
    from nas_core.spaces import SearchSpace
    from nas_core.store.summaries import Summary

__all__ = ["Pool", "pool_of"]


class Pool:
    """The candidates of one run in the order in which they came."""

    def __init__(self, view: RunView) -> None:
        self._view = view
        self._codes: dict[tuple[str, str], np.ndarray] = {}

    def __len__(self) -> int:
        return len(self._view.candidates)

    def candidates(self) -> list[Summary]:
        """Return all candidates there are now, without their curves, metrics and weights."""
        return list(self._view.candidates.values())

    def some(self, ids: tuple[str, ...]) -> list[Summary]:
        """Return those of some candidates that the run has, in the order of ``ids``."""
        known = self._view.candidates
        return [known[key] for key in ids if key in known]

    def evaluation(self, candidate: str | None) -> Evaluation | None:
        """Return everything that is known of one candidate, None when the run has none of that name."""
        try:
            return None if candidate is None else self._view.evaluation(candidate)
        except StoreError:
            if candidate in self._view.candidates:
                raise
            return None

    def encode(self, space: SearchSpace, architecture: Architecture) -> np.ndarray:
        """Return the encoded architecture, worked out once for each version of the space."""
        key = (space.id, architecture.id)
        code = self._codes.get(key)
        if code is None:
            code = self._codes[key] = space.encode(architecture)
        return code


def pool_of(run_id: str) -> Pool:
    """Return the shared pool of a run of this process's store, as it is now.

    Raises:
        StoreError: No such run.
    """
    from nas_core.runs.viewer import follow

    store = process.store()
    return _pool(id(store), run_id, follow(store, run_id))


@st.cache_resource(max_entries=8, show_spinner=False)
def _pool(store: int, run_id: str, _view: RunView) -> Pool:
    return Pool(_view)  # which keeps its store: no other can have the same identity meanwhile
