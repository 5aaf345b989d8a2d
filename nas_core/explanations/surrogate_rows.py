"""The rows that simple models imitate a candidate on, and those they are judged on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nas_core.explanations.base import default_background
from nas_core.interpretability.agreement import Agreement, class_agreement, output_agreement
from nas_core.interpretability.trees import hard_classes

if TYPE_CHECKING:
    from nas_core.explanations.candidate import TrainedCandidate

__all__ = ["MAX_ROWS", "ImitatedRows"]

MAX_ROWS = 2000


@dataclass(frozen=True)
class ImitatedRows:
    """Training rows to imitate on and validation rows to be judged on, imputed, with the network's outputs.

    Features that the network does not read are the same in all rows: nothing can be asked of what stands in for others.
    """

    X: np.ndarray
    outputs: np.ndarray
    held: np.ndarray
    held_outputs: np.ndarray
    categorical: list[bool]

    @classmethod
    def of(cls, candidate: TrainedCandidate) -> ImitatedRows:
        problem = candidate.problem
        raw, held = default_background(problem, MAX_ROWS), problem.valid.raw[:: -(-len(problem.valid) // MAX_ROWS)]
        impute = problem.encoder.impute
        kinds = [f.kind == "categorical" for f in problem.dataset.features]
        unread = np.setdiff1d(np.arange(problem.P), candidate.used)
        X, Z = np.array(impute(raw)), np.array(impute(held))
        X[:, unread] = Z[:, unread] = X[0, unread]
        return cls(X, candidate.predict(raw), Z, candidate.predict(held), kinds)

    def judged(self, said: np.ndarray, classes: int) -> tuple[Agreement, float]:
        """Return how well the held-out outputs are reproduced, and the share of rows with the same class."""
        if not np.isfinite(self.held_outputs).all():
            return Agreement(None, None, None, "its held-out outputs are not finite numbers"), np.nan
        if not classes:
            return output_agreement(self.held_outputs, said), np.nan
        own = hard_classes(self.held_outputs)
        return class_agreement(own, said), float(np.mean(own == said))
