"""Where the candidates of a run are trained: the evaluator that its settings ask for."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas_core.errors import SettingsError
from nas_core.evaluation.base import Evaluator
from nas_core.evaluation.cluster.address import LOCAL, check_cluster
from nas_core.evaluation.isolation.limits import Limits
from nas_core.evaluation.isolation.memory import resident_bytes
from nas_core.runs.settings import RunSettings

if TYPE_CHECKING:
    from nas_core.data.dataset import DataSource
    from nas_core.data.problem import Problem
    from nas_core.evaluation.isolation.recipes import EvaluatorRecipe
    from nas_core.evaluation.packs import Parents
    from nas_core.spaces.space import SearchSpace

__all__ = ["EvaluatorFactory", "Isolation", "Making", "check_executor", "device_words", "executed", "trained_in_packs"]

EvaluatorFactory = Callable[["Problem", "SearchSpace", RunSettings], Evaluator]


@dataclass(frozen=True)
class Isolation:
    """Whether candidates are trained in a worker process: with these limits, or None for in this process."""

    limits: Limits | None


def check_executor(settings: RunSettings, source: DataSource | None = None) -> None:
    """Raise SettingsError unless a run with these settings could begin now, where it is to be executed.

    Args:
        settings: Of the run.
        source: Where its data come from, once that is known.
    """
    if settings.executor != LOCAL and settings.isolation is not None:
        raise SettingsError(
            f"Candidates are to be trained on {settings.executor} and in a process of their own here",
            allowed="one of the two: a cluster has processes of its own, and gives out again what one of them loses",
            fix="drop --isolate and its limits, or --executor",
        )
    check_cluster(settings.executor)
    if settings.executor == LOCAL:
        if settings.device in ("cuda", "mps"):
            from nas_core.training.device import pick_device

            pick_device(settings.device)  # an accelerator that this machine lacks is refused before there is a run
        if settings.isolation is not None:
            _check_isolation(settings.isolation, source)
        return
    if settings.device == "cuda" and not settings.task_gpus:
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


def device_words(settings: RunSettings) -> str:
    """Return what candidates are trained on: ``cpu``, ``cuda (name of the GPU)``, ``mps``, ``cpu (ray)``."""
    if settings.executor != LOCAL:
        device = settings.device if settings.device != "auto" else "cuda" if settings.task_gpus else "cpu"
        return f"{device} ({settings.executor})"
    import torch

    from nas_core.training.device import pick_device

    device = pick_device(settings.device).type
    return f"cuda ({torch.cuda.get_device_name()})" if device == "cuda" else device


def trained_in_packs(
    problem: Problem, space: SearchSpace, settings: RunSettings, parents: Parents | None = None
) -> Evaluator:
    """Return the evaluator that trains candidates in packs, in a process of their own where the settings say so.

    Children begin from the weights of ``parents`` only where the settings say that, too.
    """
    from nas_core.evaluation.packs import PackEvaluator

    inherit = parents if settings.inherit else None
    if settings.isolation is not None:
        from nas_core.evaluation.isolation.evaluator import IsolatedEvaluator

        return IsolatedEvaluator(_recipe(problem, space, settings), settings.isolation, parents=inherit)
    evaluator = PackEvaluator(problem, space, settings.seed, device=settings.device, parents=inherit)
    return _on_all_cores(evaluator, problem, space, settings, inherit)


def _on_all_cores(
    evaluator: Evaluator, problem: Problem, space: SearchSpace, settings: RunSettings, parents: Parents | None
) -> Evaluator:
    """Return the evaluator with workers beside it where it would use one processor core, and they can load the data."""
    from nas_core.evaluation.cores import CoresEvaluator, cores_of_each, divided, processes_for
    from nas_core.evaluation.isolation.beside import Beside
    from nas_core.training.device import pick_device

    cores = 1 if settings.executor != LOCAL else processes_for(problem, space, pick_device(settings.device))
    if cores == 1:
        return evaluator

    recipe = _recipe(problem, space, settings, cores_of_each(cores))
    return CoresEvaluator(evaluator, lambda: Beside(recipe, parents), divided(problem), cores)


def _recipe(problem: Problem, space: SearchSpace, settings: RunSettings, cores: int | None = None) -> EvaluatorRecipe:
    from nas_core.evaluation.isolation.recipes import PackRecipe

    spec, plain = problem.spec.model_dump(mode="json"), space.model_dump(mode="json")
    return PackRecipe(problem=spec, space=plain, seed=settings.seed, device=settings.device, cores=cores)


def _check_isolation(limits: Limits, source: DataSource | None) -> None:
    """Raise SettingsError where a worker could not load the data, or a limit cannot be kept on this system."""
    if source is not None and source.kind == "memory":
        raise SettingsError(
            f"The data {source.location!r} were handed over as a table, and a worker process cannot load them again",
            allowed="data from a file, a built-in set or OpenML",
            fix="save the table as a CSV or Parquet file, or run without isolation",
        )
    limited = limits.memory is not None or limits.total is not None
    if limited and resident_bytes(os.getpid()) is None:
        raise SettingsError(
            "The memory of a process cannot be read on this system",
            allowed="limits of time",
            fix="drop those of memory",
        )
