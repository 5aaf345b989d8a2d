"""Where the candidates of a run are trained: the evaluator that its settings ask for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas_core.errors import SettingsError
from nas_core.evaluation.base import Evaluator
from nas_core.evaluation.cluster.address import LOCAL, check_cluster
from nas_core.runs.settings import RunSettings

if TYPE_CHECKING:
    from nas_core.data.problem import Problem
    from nas_core.evaluation.packs import Parents
    from nas_core.spaces.space import SearchSpace

__all__ = ["EvaluatorFactory", "Making", "check_executor", "executed", "trained_in_packs"]

EvaluatorFactory = Callable[["Problem", "SearchSpace", RunSettings], Evaluator]


def check_executor(settings: RunSettings) -> None:
    """Raise SettingsError unless a run with these settings could begin now, where it is to be executed."""
    check_cluster(settings.executor)
    if settings.executor != LOCAL and settings.device == "cuda" and not settings.task_gpus:
        raise SettingsError(
            "The device is cuda, and the tasks on the cluster take no GPU",
            allowed="a number of GPUs above 0 for each task; fractions let tasks share one",
            fix="add for example --task-gpus 0.25",
        )


@dataclass(frozen=True)
class Making:
    """Makes the evaluator of a run, here or on a node of a cluster; it travels there.

    Attributes:
        factory: Instead of training in packs; knows no parents.
    """

    problem: Problem
    space: SearchSpace
    settings: RunSettings
    factory: EvaluatorFactory | None = None

    def __call__(self, parents: Parents) -> Evaluator:
        """Return the evaluator, which asks ``parents`` whose weights candidates may start from."""
        if self.factory is None:
            return trained_in_packs(self.problem, self.space, self.settings, parents)
        return self.factory(self.problem, self.space, self.settings)


def executed(making: Making, parents: Parents) -> Evaluator:
    """Return the evaluator of a run, executed where its settings say.

    Raises:
        SettingsError: The cluster has no room for a task.
        RunError: The cluster cannot be joined.
    """
    settings = making.settings
    if settings.executor == LOCAL:
        return making(parents)
    from nas_core.evaluation.cluster.connection import Cluster, Needs
    from nas_core.evaluation.cluster.evaluator import ClusterEvaluator, share_size

    if settings.device == "auto":  # the same on every node, whatever it has
        device = "cuda" if settings.task_gpus else "cpu"
        making = Making(making.problem, making.space, settings.model_copy(update={"device": device}), making.factory)
    cluster = Cluster(settings.executor, Needs(settings.task_cpus, settings.task_gpus))
    inherit = parents if settings.inherit else None
    return ClusterEvaluator(cluster, making, size=share_size(making.space), parents=inherit)


def trained_in_packs(
    problem: Problem, space: SearchSpace, settings: RunSettings, parents: Parents | None = None
) -> Evaluator:
    """Return the evaluator that trains candidates in packs, children from the weights of ``parents`` if so set."""
    from nas_core.evaluation.packs import PackEvaluator

    inherit = parents if settings.inherit else None
    return PackEvaluator(problem, space, settings.seed, device=settings.device, parents=inherit)
