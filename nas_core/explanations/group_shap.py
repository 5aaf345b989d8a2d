"""Exact SHAP of additive group networks: a feature's Shapley value involves its own group only."""

from __future__ import annotations

from collections.abc import Iterator
from math import factorial

import numpy as np

from nas_core.explanations.base import Explainer, Shares
from nas_core.explanations.candidate import FeatureGroup, TrainedCandidate
from nas_core.explanations.pieces import ELEMENTS, GroupPieces, Pieces
from nas_core.records import Verdict

__all__ = ["MAX_GROUP", "GroupShap", "enumerated_values", "group_values", "shapley_weights"]

MAX_GROUP = 10
# The worth of every coalition for every row is kept until the end; this keeps that within some megabytes.
ROWS_AT_ONCE = 256


class GroupShap(Explainer[TrainedCandidate]):
    """Exact Shapley values of the output against background rows, by enumerating the coalitions inside each group.

    The network is a sum over groups, f(x) = b + Σ f_g(x_g), so by additivity the Shapley value of a feature is that of
    its own group: 2^k coalitions for k features instead of 2^P. Missing features take the values of background rows
    (interventional SHAP). For a feature alone in its group it is f_g(x) − mean f_g over the background.

    Source: Lundberg & Lee (2017), arXiv 1705.07874; Shapley (1953).
    Costs: N·B·2^k passes behind the first layer of a group of k features, N + B for a feature alone. Exact:
    no sampling, no seed.
    """

    name, label = "group_shap", "Exact group SHAP"
    explains = TrainedCandidate
    by_group = True
    relatives = ("mixed_shap",)

    def fits(self, candidate: TrainedCandidate) -> Verdict:
        """Return whether every group is small enough to be enumerated."""
        largest = max((len(g.features) for g in candidate.groups if not g.linear), default=1)
        if largest > MAX_GROUP:
            return Verdict(
                ok=False,
                reason=f"its largest group has {largest} features; 2^{largest} coalitions are too many to enumerate",
            )
        parts = f"groups of at most {largest} features" if largest > 1 else "functions of one feature each"
        return Verdict(ok=True, reason=f"the network is a sum of {parts}")

    def shares(
        self, candidate: TrainedCandidate, rows: np.ndarray, background: np.ndarray, *, seed: int
    ) -> Iterator[Shares]:
        """Yield φ (N, P, C) once; features that are not used have exactly 0."""
        bank = candidate.bank(np.concatenate((rows, background)))
        own, other = bank[: len(rows)], bank[len(rows) :]
        values = np.zeros((len(rows), candidate.problem.P, candidate.outputs))
        for group in candidate.groups:
            values[:, list(group.features)] = group_values(candidate, group, own, other)
        yield Shares(values)


def group_values(candidate: TrainedCandidate, group: FeatureGroup, own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the exact Shapley values (N, k, C) of a group from encoded rows (N, d) and background (B, d)."""
    k = len(group.features)
    if k == 1:
        effect = candidate.group_effect(group.index, np.concatenate((own, other)))
        return (effect[: len(own)] - effect[len(own) :].mean(0))[:, None, :]
    if len(own) > ROWS_AT_ONCE:
        blocks = [own[a : a + ROWS_AT_ONCE] for a in range(0, len(own), ROWS_AT_ONCE)]
        return np.concatenate([group_values(candidate, group, block, other) for block in blocks])
    return enumerated_values(GroupPieces(candidate, group, own, other))


def enumerated_values(pieces: Pieces) -> np.ndarray:
    """Return the exact Shapley values (N, k, C) from all coalitions of the a active features: 2^a·N·B mixtures."""
    values = pieces.direct.copy()
    if len(pieces.active):
        values[:, pieces.active] += np.einsum("is,snc->nic", shapley_weights(len(pieces.active)), _worths(pieces))
    return values


def shapley_weights(k: int) -> np.ndarray:
    """Return (k, 2^k) the weight of every coalition's worth in the Shapley value of each of k players.

    Coalition s holds player i when bit i is set: weight (|s|−1)!(k−|s|)!/k! with i, and −|s|!(k−|s|−1)!/k! without.
    """
    weights = np.empty((k, 2**k))
    for s in range(2**k):
        size = s.bit_count()
        for i in range(k):
            inside = bool(s >> i & 1)
            before = size - 1 if inside else size
            weights[i, s] = (1 if inside else -1) * factorial(before) * factorial(k - before - 1) / factorial(k)
    return weights


def _worths(pieces: Pieces) -> np.ndarray:
    """Return (2^a, N, C) the mean output over the background for every coalition of its active features."""
    import torch

    from nas_core.training.device import one_thread

    players = len(pieces.active)
    with torch.inference_mode(), one_thread():
        present = torch.from_numpy((np.arange(2**players)[:, None] >> np.arange(players) & 1).astype(float))
        step = max(1, ELEMENTS // max(1, pieces.own.shape[1] * pieces.other.shape[1] * len(pieces.fixed)))
        worths = []
        for inside in torch.split(present, step):
            rows = torch.einsum("sj,jnh->snh", inside, pieces.own) + pieces.fixed
            absent = torch.einsum("sj,jbh->sbh", 1 - inside, pieces.other)
            worths.append(pieces.effect(rows[:, :, None] + absent[:, None]).mean(2))
        return torch.cat(worths).numpy()
