"""From what a worker builds its evaluator: plain data, as the store has them, of one of the kinds listed here."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field, TypeAdapter

from nas_core.evaluation.base import Evaluator, Weights
from nas_core.records import Architecture, Proposal, Record

__all__ = ["EvaluatorRecipe", "MisbehavingRecipe", "PackRecipe", "SentParents", "recipe_of"]


class SentParents:
    """The parents that came with a pack: the parent process looked them up, as the worker has no store."""

    def __init__(self) -> None:
        self._architectures: dict[str, Architecture] = {}
        self._weights: Mapping[str, Weights] = {}
        self._of: Mapping[str, Sequence[str]] = {}

    def take(self, said: Mapping[str, Any], weights: Mapping[str, Weights]) -> None:
        """Keep what came with a pack: ``architectures`` of the parents, and the parents ``of`` each proposal."""
        found = [Architecture.model_validate(a) for a in said["architectures"]]
        self._architectures = {a.id: a for a in found}
        self._of, self._weights = said["of"], weights

    def __call__(self, proposals: Sequence[Proposal]) -> dict[str, tuple[Any, ...]]:
        """Return the parents of each proposal that has any."""
        from nas_core.training.progress import Parent

        ids = [p.architecture.id for p in proposals if p.architecture.id in self._of]
        return {
            key: tuple(Parent(self._architectures[k], dict(self._weights.get(k, {}))) for k in self._of[key])
            for key in ids
        }


class PackRecipe(Record):
    """The real evaluator.

    Attributes:
        problem: JSON form of a ProblemSpec, whose data can be loaded again.
        space: JSON form of the first version of the space.
        seed: The run's.
        device: auto, cpu, cuda or mps.
        cores: Processor cores that it uses at most; None for all.
    """

    kind: Literal["packs"] = "packs"
    problem: dict[str, Any]
    space: dict[str, Any]
    seed: int = 0
    device: str = "auto"
    cores: int | None = None

    def build(self, parents: SentParents) -> Evaluator:
        """Return the evaluator; whatever is loaded late is loaded now, so that no candidate is held to account for it.

        Raises:
            DataError: The data cannot be read or have changed.
        """
        from nas_core.data.problem import Problem, ProblemSpec
        from nas_core.evaluation.packs import PackEvaluator
        from nas_core.spaces.space import SearchSpace
        from nas_core.training.device import pick_device

        problem = Problem.load(ProblemSpec.model_validate(self.problem))
        space = SearchSpace.model_validate(self.space)
        _ = problem.train, problem.valid
        for late in ("nas_core.interpretability", "nas_core.training.fit"):
            importlib.import_module(late)
        if pick_device(self.device).type == "cpu":
            from nas_core.training.compiled.ready import prepare

            prepare(space.family)
        return PackEvaluator(problem, space, self.seed, device=self.device, parents=parents, cores=self.cores)

    @property
    def on_processor(self) -> bool:
        """Whether it trains on the processor for sure; drivers of accelerators map more memory than there is."""
        if self.device != "auto":
            return self.device == "cpu"
        import torch

        return not torch.cuda.is_available() and not torch.backends.mps.is_available()


class MisbehavingRecipe(Record):
    """The fake that crashes, hangs and eats memory; attributes as of MisbehavingEvaluator."""

    kind: Literal["misbehaving"] = "misbehaving"
    space: dict[str, Any]
    seed: int = 0
    delay: float = 0.0
    crashing: tuple[str, ...] = ()
    hanging: tuple[str, ...] = ()
    hungry: dict[str, int] = Field(default_factory=dict)
    digest: float = 0.5

    def build(self, parents: SentParents) -> Evaluator:
        """Return the evaluator."""
        from nas_core.evaluation.misbehaving import MisbehavingEvaluator
        from nas_core.spaces.space import SearchSpace

        return MisbehavingEvaluator(
            SearchSpace.model_validate(self.space), self.seed, delay=self.delay, crashing=self.crashing,
            hanging=self.hanging, hungry=self.hungry, digest=self.digest,
        )  # fmt: skip

    @property
    def on_processor(self) -> bool:
        """Whether it trains on the processor: it does not even train."""
        return True


EvaluatorRecipe = PackRecipe | MisbehavingRecipe


def recipe_of(said: Mapping[str, Any]) -> EvaluatorRecipe:
    """Return the recipe with this JSON form."""
    adapter: TypeAdapter[EvaluatorRecipe] = TypeAdapter(EvaluatorRecipe)
    return adapter.validate_python(said)
