"""What a run has found, as evidence for what architectures that nobody trained are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dashboard.components.pool import pool_of
from nas_core.store.uncollected import uncollected

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
    keys, fits, built = space.by_name.keys(), [], []
    with uncollected():
        for e in reversed(pool.candidates()):
            if e.eligible and (architecture := e.architecture).values.keys() == keys:
                fits.append(e)
                built.append(architecture)
                if len(fits) == MOST:
                    break
    fits, built = fits[::-1], built[::-1]
    scores = np.array([[e.score(n) for n in names] for e in fits], float).reshape(-1, len(names))
    codes = np.stack([pool.encode(space, a) for a in built]) if built else np.zeros((0, 1))
    performance = np.array([e.performance.value for e in fits if e.performance is not None])
    return Evidence(codes, performance, scores, tuple(names))
