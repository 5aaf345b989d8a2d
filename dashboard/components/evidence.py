"""What a run has found, as evidence for what architectures that nobody trained are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dashboard.components.pool import pool_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nas_core.comparison.expected import Evidence
    from nas_core.spaces import SearchSpace

__all__ = ["evidence_of"]

MOST = 4_000
"""Candidates that are read, the latest ones."""


def evidence_of(run_id: str, space: SearchSpace, names: Sequence[str]) -> Evidence:
    """Return the latest candidates of a run that may enter a front and have the variables of ``space``.

    Args:
        run_id: The run.
        space: What architectures are encoded in.
        names: The measures.
    """
    from nas_core.comparison.expected import Evidence

    pool = pool_of(run_id)
    fits = [e for e in pool.evaluations() if e.eligible and e.architecture.values.keys() == space.by_name.keys()]
    fits = fits[-MOST:]
    scores = np.array([[_score(e.measures.get(n)) for n in names] for e in fits], float).reshape(-1, len(names))
    codes = np.stack([pool.encode(space, e.architecture) for e in fits]) if fits else np.zeros((0, 1))
    performance = np.array([e.performance.value for e in fits if e.performance is not None])
    return Evidence(codes, performance, scores, tuple(names))


def _score(measurement: Any) -> float:
    return np.nan if measurement is None or measurement.value is None else float(measurement.value)
