"""A trained pack after it was judged, as the measures see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from nas_core.evaluation.guards import not_learnt, two_valued
from nas_core.evaluation.performance import Judge, Judgement

if TYPE_CHECKING:
    from nas_core.data.problem import Problem
    from nas_core.interpretability.base import NetworkPack, PackModel
    from nas_core.training.module_pack import ModulePack
    from nas_core.training.result import PackResult
    from nas_core.training.trained import TrainedPack

__all__ = ["JudgedPack"]


@dataclass(frozen=True)
class JudgedPack:
    """K trained candidates with their judgements.

    Attributes:
        pack: The networks.
        judgements: One of each candidate that finished, or was ended early, with finite predictions, else None.
        halted: Whether each was ended early.
    """

    pack: TrainedPack | ModulePack
    judgements: list[Judgement | None]
    halted: list[bool]

    @classmethod
    def of(cls, result: PackResult, problem: Problem, judge: Judge, used: Sequence[Sequence[int]] = ()) -> JudgedPack:
        """Predict the validation rows and judge the candidates that have finite predictions and were not cancelled.

        Args:
            result: The trained pack.
            problem: Its problem.
            judge: Of that problem.
            used: The features that each candidate reads; where they are not given, all of them.
        """
        halted = [o.halt is not None for o in result.outcomes]
        sound = [o.status == "done" or o.halt is not None for o in result.outcomes]
        if not any(sound):
            return cls(result.pack, [None] * len(sound), halted)
        outputs = result.pack.predict(problem.valid.E)
        sound = [done and bool(np.isfinite(outputs[k]).all()) for k, done in enumerate(sound)]
        judged = iter(judge.judge(outputs[sound]) if any(sound) else [])
        judgements = [next(judged) if ok else None for ok in sound]
        for k, judgement in enumerate(judgements):
            if judgement is not None and not judgement.reason and not halted[k]:
                inputs = _numbers(problem, used[k] if used else range(problem.P))
                reason = not_learnt(result.outcomes[k], problem.featureless_loss) or two_valued(outputs[k], inputs)
                judgements[k] = replace(judgement, reason=reason)
        return cls(result.pack, judgements, halted)

    @property
    def finished(self) -> list[bool]:
        """Whether each candidate was judged."""
        return [j is not None for j in self.judgements]

    @property
    def eligible(self) -> list[bool]:
        """Whether each candidate may enter a front."""
        return [
            j is not None and not j.reason and not halted for j, halted in zip(self.judgements, self.halted)
        ]  # fmt: skip

    @property
    def model(self) -> PackModel | NetworkPack:
        """The networks as the measures look at them."""
        from nas_core.training.module_pack import ModulePack

        if isinstance(self.pack, ModulePack):
            return self.pack
        return _Cleaned(self.pack, ~np.asarray(self.eligible))


def _numbers(problem: Problem, used: Sequence[int]) -> np.ndarray:
    """Return the numeric features (n, …) among ``used`` of the validation rows; of signals the whole rows."""
    if problem.dataset.signal is not None:
        return problem.valid.raw
    features = problem.dataset.features
    return problem.valid.X[:, [j for j in used if features[j].kind != "categorical"]]


@dataclass(frozen=True)
class _Cleaned:
    """A pack whose broken candidates predict zeros, so that they cannot disturb a measure of the others."""

    pack: TrainedPack
    broken: np.ndarray

    def predict(self, E: np.ndarray) -> np.ndarray:
        """Return the outputs (K, N, C) of encoded rows (N, D)."""
        return self._cleaned(self.pack.predict(E))

    def feature_deltas(
        self, problem: Problem, X: np.ndarray, edges: Sequence[np.ndarray], bins: np.ndarray
    ) -> np.ndarray:
        """Return the differences (K, N, P, C) across the cell of each row and feature."""
        return self._cleaned(self.pack.feature_deltas(problem, X, edges, bins))

    def weights(self, k: int) -> dict[str, np.ndarray]:
        """Return the weights of candidate ``k`` by name, for the module of its architecture."""
        found = self.pack.weights(k)
        return {name: np.zeros_like(value) for name, value in found.items()} if self.broken[k] else found

    def _cleaned(self, values: np.ndarray) -> np.ndarray:
        if self.broken.any():
            values = np.array(values)
            values[self.broken] = 0.0
        return values
