"""Running an explainer again: for another seed, or on another network."""

from __future__ import annotations

from typing import Any

import numpy as np

from nas_core.explanations.attribution import Attribution
from nas_core.explanations.base import Candidate, Explainer

__all__ = ["affordable_pairs", "rank_correlation", "rerun"]

# Operations that a prediction costs however small the network is: of a signal network, and in the large batches of a
# table.
OVERHEAD, OVERHEAD_TABLE = 40_000, 2_000


def affordable_pairs(explainer: Explainer[Any], candidate: Candidate, operations: int, budget: int) -> int:
    """Return how many pairs of an explained and a background row a method can take for ``budget`` operations.

    It counts and never looks at the clock, so the same explanation is checked on the same rows everywhere.

    Args:
        explainer: The method.
        candidate: What is explained.
        operations: Of one prediction.
        budget: Of all of them.
    """
    own = operations + (OVERHEAD if candidate.problem.dataset.signal is not None else OVERHEAD_TABLE)
    return budget // max(1, explainer.predictions(candidate) * own)


def rerun(
    explainer: Explainer[Any], candidate: Candidate, rows: np.ndarray, background: np.ndarray, *, seed: int, passes: int
) -> Attribution:
    """Return the attribution of raw rows, refined until it took so many sampled ``passes`` or needs no more.

    It depends on the passes and not on the clock, so the same call gives the same values everywhere.

    Raises:
        ExplanationError: The method does not apply to this candidate.
    """
    found: Attribution | None = None
    for found in explainer.refine(candidate, rows, background, seed=seed):
        if found.passes >= passes:
            break
    assert found is not None  # an explainer yields at least once
    return found


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float | None:
    """Return the mean over rows of Spearman's correlation of |a| and |b| (n, u); None where no row has two ranks."""
    from scipy.stats import rankdata

    found = []
    for one, other in zip(np.abs(a), np.abs(b)):
        ranks = np.stack([rankdata(one), rankdata(other)])
        ranks -= ranks.mean(1, keepdims=True)
        sizes = np.linalg.norm(ranks, axis=1)
        if sizes.all():
            found.append(float(ranks[0] @ ranks[1] / sizes.prod()))
    return float(np.mean(found)) if found else None
