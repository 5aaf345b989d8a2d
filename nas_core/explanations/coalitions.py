"""What a network puts out when only some features of a row are known: the worth of sets of features."""

from __future__ import annotations

import numpy as np

from nas_core.explanations.base import Candidate
from nas_core.explanations.candidate import TrainedCandidate

__all__ = ["Coalitions"]

# Numbers mixed at once: they stay within some tens of megabytes.
NUMBERS = 2_000_000


class Coalitions:
    """The mean output over background rows when some features (or cells) come from a row and the others from there.

    Attributes:
        players: (a,) the features that the network uses and that are not the same in all of these rows; the others
            cannot matter.
        rows, background: N and B.

    Args:
        candidate: The network.
        rows: (N, P) raw rows, or (N, columns) of signals.
        background: (B, P) raw rows that stand for absent features.
    """

    def __init__(self, candidate: Candidate, rows: np.ndarray, background: np.ndarray) -> None:
        self._candidate = candidate
        raw = np.concatenate((rows, background))
        if isinstance(candidate, TrainedCandidate):
            bank = candidate.bank(raw)
            widths = [candidate.span(j).stop - candidate.span(j).start for j in candidate.used]
            owner = np.repeat(np.array(candidate.used, np.int64), widths)
        else:
            bank, owner = candidate.encode(raw), candidate.owner
        self.rows, self.background = len(rows), len(background)
        self._own, self._other = bank[: len(rows)], bank[len(rows) :]
        varying = np.unique(owner[(bank != bank[:1]).any(0)]) if len(bank) else np.zeros(0, np.int64)
        self.players = np.intersect1d(varying, np.array(candidate.used, np.int64))
        place = np.full(candidate.problem.P, len(self.players))
        place[self.players] = np.arange(len(self.players))
        self._place = place[owner]  # columns of the others belong to one more player, who is always there

    def worths(self, row: int, present: np.ndarray) -> np.ndarray:
        """Return (m, C) the worth of sets of players ``present`` (m, a) for the explained row at position ``row``."""
        present = np.concatenate((present, np.ones((len(present), 1), bool)), axis=1)
        step = max(1, NUMBERS // max(1, self._other.size))
        found = [np.zeros((0, self._candidate.outputs))]
        for at in range(0, len(present), step):
            inside = present[at : at + step][:, self._place]
            mixed = np.where(inside[:, None], self._own[row], self._other[None])
            outputs = self._predict(mixed.reshape(-1, mixed.shape[-1]))
            found.append(outputs.reshape(len(inside), self.background, -1).mean(1))
        return np.concatenate(found)

    def values(self, own: np.ndarray) -> np.ndarray:
        """Return (N, P, C) with the values (N, a, C) of the players in their places, 0 for the others."""
        values = np.zeros((self.rows, self._candidate.problem.P, self._candidate.outputs))
        values[:, self.players] = own
        return values

    def _predict(self, encoded: np.ndarray) -> np.ndarray:
        """Return the outputs (m, C) of encoded rows (m, D)."""
        if isinstance(self._candidate, TrainedCandidate):
            return self._candidate.predict_bank(encoded)
        import torch

        from nas_core.training.device import one_thread

        with torch.inference_mode(), one_thread():
            return self._candidate.run(torch.from_numpy(encoded)).numpy()
