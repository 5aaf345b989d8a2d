"""Occlusion: what changes when one feature, patch, step or word is taken away."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nas_core.explanations.base import Candidate, Explainer, Shares
from nas_core.explanations.candidate import TrainedCandidate
from nas_core.explanations.coalitions import Coalitions
from nas_core.explanations.signal_candidate import SignalCandidate
from nas_core.records import Verdict

__all__ = ["Occlusion"]


class Occlusion(Explainer[Candidate]):
    """What changes when one feature, patch, step or word is replaced: output − mean output with it from other rows.

    A quick first look. Interactions are counted several times or not at all, so the values do not add up to the output.

    Source: Zeiler & Fergus (2014), arXiv 1311.2901; of features: Robnik-Šikonja & Kononenko (2008).
    Differs: what is taken away comes from background rows instead of being grey or 0, so that mixtures look like data.
    Costs: N·B·P predictions.
    """

    name, label = "occlusion", "Occlusion"
    explains = (TrainedCandidate, SignalCandidate)
    additive = False
    per_cell = 1

    def fits(self, candidate: Candidate) -> Verdict:
        """Return that it applies to every network."""
        return Verdict(ok=True, reason="it needs nothing but predictions")

    def shares(self, candidate: Candidate, rows: np.ndarray, background: np.ndarray, *, seed: int) -> Iterator[Shares]:
        """Yield φ (N, P, C) once."""
        sets = Coalitions(candidate, rows, background)
        a = len(sets.players)
        present = np.concatenate((~np.eye(a, dtype=bool), np.ones((1, a), bool)))
        own = np.zeros((len(rows), a, candidate.outputs))
        for n in range(len(rows)):
            worths = sets.worths(n, present)
            own[n] = worths[-1] - worths[:-1]
        yield Shares(sets.values(own))
