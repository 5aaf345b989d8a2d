"""A trained pack: predictions of all candidates at once, effects of single features, and weights to keep."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from nas_core.spaces.tabular.layout import NetworkLayout
from nas_core.training.bank import Bank
from nas_core.training.device import one_thread
from nas_core.training.effects import pack_deltas
from nas_core.training.network import PackNetwork, pack_members

if TYPE_CHECKING:
    from nas_core.data.problem import Problem

__all__ = ["TrainedPack"]


class TrainedPack:
    """K trained networks of one pack.

    Args:
        layouts: Of the K candidates, in the order of the flat vectors.
        flat: (T,) parameters, candidate after candidate.
        stats: Running statistics of batch normalisation, candidate after candidate.
        order: Position among the items of each candidate of the flat vectors.
        D: Columns of the bank.
        device: Where to compute.
    """

    def __init__(
        self, layouts: Sequence[NetworkLayout], flat: Tensor, stats: Tensor, order: Sequence[int], D: int,
        device: torch.device,
    ) -> None:  # fmt: skip
        self.layouts, self.flat, self.stats, self.D, self.device = list(layouts), flat, stats, D, device
        self.place = np.argsort(np.asarray(order))  # item k is candidate place[k] of the flat vectors
        self.members = pack_members(self.layouts, [0] * len(self.layouts))

    @property
    def K(self) -> int:  # noqa: N802 - the letters are declared in nas_core.records
        """Number of candidates."""
        return len(self.layouts)

    @cached_property
    def network(self) -> PackNetwork:
        """All candidates as one network, in the order of the flat vectors."""
        with torch.inference_mode():
            network = PackNetwork(self.members, self.D, self.device)
            network.load(self.flat.to(self.device))
            network.load_stats(self.stats.to(self.device))
        return network

    def predict(self, E: np.ndarray) -> np.ndarray:
        """Return the outputs (K, n, C), logits or standardised regression outputs, of the encoded rows (n, D)."""
        with torch.inference_mode(), one_thread():
            logits = self.network.predict(Bank(E, self.device))
        return logits.transpose(1, 2).cpu().numpy()[self.place]

    def feature_deltas(
        self, problem: Problem, X: np.ndarray, edges: Sequence[np.ndarray], bins: np.ndarray
    ) -> np.ndarray:
        """Return (K, n, P, C): f with feature j at the upper border of row i's cell minus f with it at the lower one.

        The borders are ``edges[j][bins[i, j]]`` and ``edges[j][bins[i, j] + 1]``; features a candidate does not use
        give exactly 0. A feature only touches its own group, so only that sub-network is computed.
        Costs 2·n rows of one sub-network per used feature.
        """
        encoder, P = problem.encoder, X.shape[1]
        ends = [np.stack([edges[j][bins[:, j] + up] for j in range(P)], axis=1) for up in (0, 1)]
        E, low, high = np.split(encoder.transform(np.concatenate([X, *ends])), 3)
        with torch.inference_mode(), one_thread():
            deltas = pack_deltas(self, E, low, high, np.asarray(encoder.owner), P)
        return deltas[self.place]

    def weights(self, k: int) -> dict[str, np.ndarray]:
        """Return the state dict of candidate ``k`` as arrays, unpadded: for the module of its architecture."""
        member = self.members[int(self.place[k])]
        flat, stats = self.flat.numpy(), self.stats.numpy()
        arrays, start = {}, member.start
        for block in member.layout.blocks:
            arrays[block.name] = flat[start : start + block.size].reshape(block.shape).copy()
            start += block.size
        start = member.stats_start
        for group in member.layout.groups:
            for name in group.stats_names:
                arrays[name] = stats[start : start + group.width].copy()
                start += group.width
        return arrays

    def state_dict(self, k: int) -> dict[str, Tensor]:
        """Return the state dict of candidate ``k`` for ``build(architecture, …).load_state_dict``."""
        return {name: torch.from_numpy(values) for name, values in self.weights(k).items()}
