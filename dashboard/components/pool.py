"""The evaluations of a run, read once per process and topped up with what is newer.

A live run of ten thousand candidates would otherwise be read again from the store at every click.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from dashboard import process

if TYPE_CHECKING:
    from nas_core.records import Architecture, Evaluation
    from nas_core.spaces import SearchSpace
    from nas_core.store import Store

__all__ = ["Pool", "pool_of"]


class Pool:
    """The evaluations of one run in the order of their index, and their architectures, encoded when asked for."""

    def __init__(self, store: Store, run_id: str) -> None:
        self._store, self._run_id = store, run_id
        self._lock = threading.Lock()
        self._found: dict[str, Evaluation] = {}
        self._codes: dict[str, np.ndarray] = {}
        self._seen = 0

    def evaluations(self) -> list[Evaluation]:
        """Return all evaluations there are now; only those that are new are read."""
        with self._lock:
            for evaluation in self._store.evaluations(self._run_id, since=self._seen):
                self._found[evaluation.id] = evaluation
                self._seen = max(self._seen, evaluation.revision)
            return list(self._found.values())

    def encode(self, space: SearchSpace, architecture: Architecture) -> np.ndarray:
        """Return the encoded architecture, worked out once."""
        code = self._codes.get(architecture.id)
        if code is None:
            code = self._codes[architecture.id] = space.encode(architecture)
        return code


@st.cache_resource(max_entries=8, show_spinner=False)
def pool_of(run_id: str) -> Pool:
    """Return the shared pool of a run."""
    return Pool(process.store(), run_id)
