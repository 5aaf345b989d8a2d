"""What plain models read of a problem, and how they look to the measures: like a pack of one network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nas_core.evaluation.baseline_models import FittedModel
from nas_core.evaluation.floors import word_counts

if TYPE_CHECKING:
    from nas_core.data.problem import Problem
    from nas_core.interpretability.base import NetworkPack

__all__ = ["Columns", "TablePack", "signal_pack"]


@dataclass(frozen=True)
class Columns:
    """What the models read of encoded rows.

    Attributes:
        kept: Columns of the bank.
        owner: (d,) the feature of each column read; None where they count words, which come from everywhere.
        vocabulary: Number of words; 0 where rows are numbers.
    """

    kept: np.ndarray
    owner: np.ndarray | None
    vocabulary: int

    @classmethod
    def of(cls, problem: Problem) -> Columns:
        """Return the columns of a problem."""
        from nas_core.interpretability import column_owner

        owner = column_owner(problem)
        signal = problem.dataset.signal
        if signal is None:
            encoder = problem.encoder
            kept = np.concatenate([np.asarray(encoder.columns("standardised", j)) for j in range(problem.P)])
            return cls(kept, owner[kept], 0)
        if signal.vocabulary:
            return cls(np.arange(len(owner)), None, signal.vocabulary)
        return cls(np.arange(len(owner)), owner, 0)

    @property
    def count(self) -> int:
        """Number of columns d that a model reads."""
        return self.vocabulary or len(self.kept)

    def read(self, E: np.ndarray) -> np.ndarray:
        """Return what a model reads (n, d) of encoded rows (n, D)."""
        values = E[:, self.kept]
        return word_counts(values, self.vocabulary) if self.vocabulary else values.astype(np.float64)


@dataclass(frozen=True)
class TablePack:
    """One model of a table as the measures look at networks."""

    fitted: FittedModel
    columns: Columns

    def predict(self, E: np.ndarray) -> np.ndarray:
        """Return the outputs (1, N, C) of encoded rows (N, D)."""
        return self.fitted.predict(self.columns.read(E))[None]

    def feature_deltas(
        self, problem: Problem, X: np.ndarray, edges: Sequence[np.ndarray], bins: np.ndarray
    ) -> np.ndarray:
        """Return the differences (1, N, P, C) across the cell of each row, exactly 0 for features it does not use."""
        rows = self.columns.read(problem.encoder.transform(X))
        found = np.zeros((len(X), problem.P, problem.C))
        owner = self.columns.owner
        assert owner is not None
        for j in sorted({int(owner[c]) for c in self.fitted.used}):
            ends = []
            for step in (1, 0):
                changed = rows.copy()
                values = edges[j][bins[:, j] + step]
                changed[:, owner == j] = problem.encoder.transform_feature(j, values, "standardised")[1]
                ends.append(self.fitted.predict(changed))
            found[:, j] = ends[0] - ends[1]
        return found[None]


def signal_pack(fitted: FittedModel, columns: Columns) -> NetworkPack:
    """Return one model of images or sequences as the measures look at networks."""
    import torch

    from nas_core.spaces.layers import SignalNetwork

    class _Wrapped(SignalNetwork):
        """A fitted model behind the face of a network without layers."""

        layers = ()

        def features(self, x: torch.Tensor) -> torch.Tensor:
            return x

        def head(self, maps: torch.Tensor) -> torch.Tensor:
            rows = maps.reshape(len(maps), -1).numpy()
            return torch.from_numpy(fitted.predict(columns.read(rows)))

        @property
        def map_weights(self) -> None:
            return None

    class _Pack:
        def module(self, k: int) -> SignalNetwork:
            return _Wrapped()

    return _Pack()
