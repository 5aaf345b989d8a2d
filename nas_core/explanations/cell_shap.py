"""Shapley values of the cells of images and sequences, exact where there are few, sampled and refined where not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from nas_core.explanations.base import Explainer, Shares
from nas_core.explanations.group_shap import MAX_GROUP, enumerated_values
from nas_core.explanations.sampling import PermutationSampler
from nas_core.explanations.signal_candidate import SignalCandidate
from nas_core.records import Verdict, derive_seed

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["CellPieces", "CellShap"]

# Explained rows taken apart at once, so that all their mixtures stay within some tens of megabytes.
ROWS_AT_ONCE = 8


class CellPieces:
    """The network as a function of the cells of a signal, for N rows and B background rows.

    Every column belongs to one cell, so the "sums" of a mixture are the encoded mixture itself. Only the a cells that
    the network reads and that are not the same in all of these rows are kept; the others have exactly 0.

    Attributes:
        active: (a,) the cells that are kept.
        own, other: (a, N, D), (a, B, D) the encoded rows, all but the cell's columns 0.
        fixed: (D,) the columns of the other cells.
        direct: (N, P, C) zeros.
    """

    def __init__(self, candidate: SignalCandidate, own: np.ndarray, other: np.ndarray) -> None:
        import torch

        self._candidate, self.outputs = candidate, candidate.outputs
        rows = np.concatenate([own, other]).astype(np.float64)
        varies = (rows != rows[:1]).any(0)
        owner = candidate.owner
        used = set(candidate.used)
        self.active = np.array([j for j in np.unique(owner[varies]) if j in used], np.int64)
        holds = torch.from_numpy(owner[None] == self.active[:, None])
        bank = torch.from_numpy(rows)
        pieces = bank[None] * holds[:, None]
        self.own, self.other = pieces[:, : len(own)], pieces[:, len(own) :]
        self.fixed = bank[0] * ~holds.any(0)
        self.direct = np.zeros((len(own), candidate.problem.P, candidate.outputs))

    def effect(self, sums: Tensor) -> Tensor:
        """Return the outputs (…, C) of encoded mixtures (…, D)."""
        return self._candidate.run(sums)


class CellShap(Explainer[SignalCandidate]):
    """Shapley values of patches, steps or words against background rows.

    Absent cells take the numbers of background rows (interventional SHAP). All coalitions are enumerated where at most
    10 cells differ; else random orders and their reverses are walked, round by round, and every value has a standard
    error. Either way base and values add up to the output.

    Source: Lundberg & Lee (2017), arXiv 1705.07874; Castro et al. (2009); Mitchell et al. (2022), JMLR 23.
    Costs: 4 (a − 1) N B predictions per round for a cells that differ, N rows and B background rows; 2^a N B where they
    are enumerated.
    """

    name, label = "cell_shap", "SHAP of cells"
    explains = SignalCandidate
    sampled = True
    per_cell = 4

    def fits(self, candidate: SignalCandidate) -> Verdict:
        """Return that it applies to every network, and whether it samples."""
        read = len(candidate.used)
        if read <= MAX_GROUP:
            return Verdict(ok=True, reason=f"the network reads {read} cells: all coalitions are enumerated")
        return Verdict(ok=True, reason=f"orders in which {read} cells appear are sampled")

    def shares(
        self, candidate: SignalCandidate, rows: np.ndarray, background: np.ndarray, *, seed: int
    ) -> Iterator[Shares]:
        """Yield φ and its standard errors after every round, without end where values are sampled."""
        bank = candidate.encode(np.concatenate((rows, background)))
        own, other = bank[: len(rows)], bank[len(rows) :]
        values = np.zeros((len(rows), candidate.problem.P, candidate.outputs))
        errors, passes = np.zeros(values.shape), 0
        samplers: list[tuple[slice, PermutationSampler]] = []
        for at in range(0, len(rows), ROWS_AT_ONCE):
            block = slice(at, at + ROWS_AT_ONCE)
            pieces = CellPieces(candidate, own[block], other)
            if len(pieces.active) <= MAX_GROUP:
                values[block] = enumerated_values(pieces)
            else:
                samplers.append((block, PermutationSampler(pieces, derive_seed("orders", seed, at))))
        while True:
            for block, sampler in samplers:
                sampler.round()
                values[block], errors[block] = sampler.values, sampler.errors
                passes += sampler.passes
            yield Shares(values.copy(), errors.copy(), passes)
            if not samplers:
                return
