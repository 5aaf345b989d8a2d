"""What a network answers when some features of a row are taken from background rows."""

from __future__ import annotations

import numpy as np

from nas_core.explanations.base import Candidate
from nas_core.explanations.candidate import TrainedCandidate
from nas_core.interpretability.cells import mixtures

__all__ = ["Mixer"]


class Mixer:
    """Rows of a candidate, encoded once, whose features can be replaced by those of background rows.

    Args:
        candidate: A network on a table, or on images or sequences.
        rows: (N, P or columns) raw rows.
        background: (B, P or columns) raw rows.
    """

    def __init__(self, candidate: Candidate, rows: np.ndarray, background: np.ndarray) -> None:
        self._candidate = candidate
        both = np.concatenate((candidate.checked(rows), candidate.checked(background)))
        if isinstance(candidate, TrainedCandidate):
            encoded = candidate.bank(both)
            self.owner = np.zeros(encoded.shape[1], np.int64)
            for j in candidate.used:
                self.owner[candidate.span(j)] = j
        else:
            encoded, self.owner = candidate.encode(both), candidate.owner
        self.own, self.other = encoded[: len(rows)], encoded[len(rows) :]

    def answers(self, row: int, present: np.ndarray) -> np.ndarray:
        """Return the mean outputs (m, C) over the background of a row that keeps the features ``present`` (m, P)."""
        mixed = mixtures(self.own[row], self.other, present[:, None], self.owner)
        m, B, D = mixed.shape
        return self._predict(mixed.reshape(m * B, D)).reshape(m, B, -1).mean(1)

    def _predict(self, encoded: np.ndarray) -> np.ndarray:
        if isinstance(self._candidate, TrainedCandidate):
            return self._candidate.predict_bank(encoded)
        import torch

        from nas_core.training.device import one_thread

        with torch.inference_mode(), one_thread():
            return self._candidate.run(torch.from_numpy(encoded)).numpy()
