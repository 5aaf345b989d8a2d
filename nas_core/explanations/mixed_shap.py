"""Group SHAP of candidates with large groups: exact where a group can be enumerated, sampled where it cannot."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nas_core.explanations.base import Explainer, Shares
from nas_core.explanations.candidate import TrainedCandidate
from nas_core.explanations.group_shap import MAX_GROUP, group_values
from nas_core.explanations.pieces import GroupPieces
from nas_core.explanations.sampling import PermutationSampler
from nas_core.records import Verdict, derive_seed

__all__ = ["MixedShap"]


class MixedShap(Explainer[TrainedCandidate]):
    """Exact Shapley values in the small groups, sampled ones inside each group that is too large to enumerate.

    Additivity keeps the sampling noise inside the large groups; completeness holds exactly everywhere. The sampled
    values come with standard errors and get better round by round: ``refine`` yields them after every round,
    ``explain`` stops when they are within 1 % of the largest value, or after five million passes.

    Source: Castro et al. (2009), Computers & Operations Research 36; Mitchell et al. (2022), JMLR 23.
    Costs: as exact group SHAP for small groups; 4 (k − 1) N B passes of its own network per round for a group of k
    features.
    """

    name, label = "mixed_shap", "Exact and sampled group SHAP"
    explains = TrainedCandidate
    sampled, by_group = True, True

    def fits(self, candidate: TrainedCandidate) -> Verdict:
        """Return how many groups are sampled."""
        large = sum(len(g.features) > MAX_GROUP for g in candidate.groups)
        if large:
            of = f"{large} of its {len(candidate.groups)} groups" if len(candidate.groups) > 1 else "its only group"
            return Verdict(ok=True, reason=f"{of} {'is' if large == 1 else 'are'} too large to enumerate")
        return Verdict(ok=True, reason="all of its groups are small: the values are exact")

    def shares(
        self, candidate: TrainedCandidate, rows: np.ndarray, background: np.ndarray, *, seed: int
    ) -> Iterator[Shares]:
        """Yield φ and its standard errors after every round, without end where a group is sampled."""
        bank = candidate.bank(np.concatenate((rows, background)))
        own, other = bank[: len(rows)], bank[len(rows) :]
        values = np.zeros((len(rows), candidate.problem.P, candidate.outputs))
        errors, passes, samplers = np.zeros(values.shape), 0, []
        for group in candidate.groups:
            if len(group.features) <= MAX_GROUP:
                values[:, list(group.features)] = group_values(candidate, group, own, other)
            else:
                of_group = derive_seed("orders", seed, group.index)
                sampler = PermutationSampler(GroupPieces(candidate, group, own, other), of_group)
                samplers.append((list(group.features), sampler))
        while True:
            for features, sampler in samplers:
                sampler.round()
                values[:, features], errors[:, features] = sampler.values, sampler.errors
                passes += sampler.passes
            yield Shares(values.copy(), errors.copy(), passes)
            if not passes:  # nothing is sampled, so nothing gets better
                return
