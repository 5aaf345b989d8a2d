"""A search as Optuna's tutorial has it: define by run, one trial after the other, one Lightning fit each.

The study asks for the same named decisions of which this project makes its architectures, so the space is the same to
the last constraint. What is refused before training costs the study nothing but the asking. A candidate is judged by
the same judge and guards on the same validation rows; the study is told the same losses, the worst ones where a
candidate is not eligible. Only the measures that are losses are taken: a study needs no others.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import optuna
from one_fit import fit_one

from nas_core.data import Problem
from nas_core.evaluation.judged import JudgedPack
from nas_core.evaluation.performance import Judge
from nas_core.interpretability import MeasureContext, measure_pack
from nas_core.records import Architecture, Cost, Evaluation, Status, derive_seed
from nas_core.spaces import SearchSpace, facts
from nas_core.training.progress import PackItem

__all__ = ["SAMPLERS", "Study", "losses_of"]

SAMPLERS = {"optuna nsga2": optuna.samplers.NSGAIISampler, "optuna tpe": optuna.samplers.TPESampler}


@dataclass(frozen=True)
class TrialChooser:
    """Lets a trial take the decisions of which an architecture is made."""

    trial: optuna.Trial

    def pick(self, name: str, options: Sequence[Any], like: int | None) -> int:
        """Return the position of the option: a number where options are counted, else a category."""
        if len(options) == 1:
            return 0
        told = f"{name} ({len(options)})"  # one name has one distribution in a study
        if isinstance(options, range):
            return self.trial.suggest_int(told, 0, len(options) - 1)
        return int(self.trial.suggest_categorical(told, tuple(range(len(options)))))

    def number(self, name: str, like: float | None) -> float:
        """Return how far up its scale a number is."""
        return self.trial.suggest_float(name, 0.0, 1.0)


def losses_of(evaluation: Evaluation, problem: Problem) -> list[float]:
    """Return performance and search measures as losses in [0, 1]; the worst ones where it is not eligible."""
    names = problem.spec.search_measures
    if not evaluation.eligible or evaluation.performance is None:
        return [1.0] * (1 + len(names))
    scores = [evaluation.measures[name].value or 0.0 for name in names]
    return [problem.objective.loss(evaluation.performance.value), *(1.0 - score for score in scores)]


class Study:
    """One study on one problem.

    Args:
        problem: Data, split, metric and recipe.
        space: Where to search.
        sampler: A key of :data:`SAMPLERS`.
        seed: Of the sampler and of the training of every candidate.
    """

    def __init__(self, problem: Problem, space: SearchSpace, sampler: str, seed: int) -> None:
        self.problem, self.space, self.seed = problem, space, seed
        self.found: dict[str, Evaluation] = {}
        self.repeated = self.refused = 0
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        directions = ["minimize"] * (1 + len(problem.spec.search_measures))
        self.study = optuna.create_study(directions=directions, sampler=SAMPLERS[sampler](seed=seed))

    def optimise(self, seconds: float) -> None:
        """Search until the time is over; a trial that was begun before is finished."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.study.optimize(self._objective, timeout=seconds)

    def _objective(self, trial: optuna.Trial) -> list[float]:
        architecture = self.space.decide(TrialChooser(trial), self.problem.hints)
        if architecture is None:
            self.refused += 1
            raise optuna.TrialPruned
        if architecture.id in self.found:
            self.repeated += 1
        else:
            self.found[architecture.id] = self._evaluate(architecture)
        return losses_of(self.found[architecture.id], self.problem)

    def _evaluate(self, architecture: Architecture) -> Evaluation:
        problem, known = self.problem, facts(self.space, architecture)
        fields: dict[str, Any] = {
            "id": architecture.id, "architecture": architecture, "seed": derive_seed(self.seed, architecture.id),
        }  # fmt: skip
        try:
            result = fit_one(problem, self.space, PackItem(architecture, fields["seed"]))
            pack = JudgedPack.of(result, problem, self._judge, [known.used_features])
        except Exception as error:  # noqa: BLE001 - a candidate that cannot be trained is a bad one, not the end
            return Evaluation(status=Status.FAILED, reason=str(error), finished=time.time(), **fields)
        judgement = pack.judgements[0]
        if judgement is None:
            reason = result.outcomes[0].reason or "Its predictions are not finite numbers"
            return Evaluation(status=Status.FAILED, reason=reason, finished=time.time(), **fields)
        fields |= {"performance": judgement.performance, "skill": judgement.skill}
        if judgement.reason:
            return Evaluation(status=Status.INELIGIBLE, reason=judgement.reason, finished=time.time(), **fields)
        context = MeasureContext(self.space, [architecture], [known], problem, pack.model)
        cost = Cost(parameters=known.parameters, operations=known.operations, seconds=result.seconds)
        return Evaluation(
            status=Status.DONE, measures=measure_pack(context, problem.spec.search_measures)[0], cost=cost,
            finished=time.time(), **fields,
        )  # fmt: skip

    @cached_property
    def _judge(self) -> Judge:
        problem = self.problem
        classes = len(problem.dataset.classes) if problem.task == "classification" else 0
        return Judge(
            problem.objective, problem.valid.target, baseline=problem.baseline, classes=classes,
            seed=problem.spec.split_seed, unit=problem.judged,
        )  # fmt: skip
