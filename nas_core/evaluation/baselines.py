"""Plain models on the same axes as a search: judged on the same rows, measured by the same measures.

    from nas_core import baselines

    for found in baselines(problem):
        print(found.label, found.performance, found.measures["additivity"].value)

``floors`` are what a search must beat, losses only; these are what else one could use, from a constant to boosting.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from nas_core.errors import error_line
from nas_core.evaluation.baseline_models import MODELS, FittedModel, Model, TrainingRows
from nas_core.evaluation.baseline_packs import Columns, TablePack, signal_pack
from nas_core.evaluation.floors import spread
from nas_core.evaluation.performance import Judge
from nas_core.records import Architecture, Estimate, Measurement, Record

if TYPE_CHECKING:
    from nas_core.data.problem import Part, Problem
    from nas_core.spaces import SearchSpace, StructuralFacts

__all__ = ["Baseline", "baselines"]

log = logging.getLogger(__name__)
# Training rows, and numbers of a design matrix of a signal, at most; rows of it at least.
MAX_ROWS, MAX_NUMBERS, FEWEST_ROWS = 20_000, 4_000_000, 1_000
# Measures of networks that have a counterpart for any function.
COUNTERPARTS = ("attribution_sparsity", "explanation_stability")


class Baseline(Record):
    """One plain model.

    Attributes:
        name: featureless, linear, decision_tree, random_forest, gradient_boosting or explainable_boosting.
        label: For people.
        reason: Why it has no performance, or why its interpretability is undefined; else empty.
        performance, skill: On the validation rows, with 95 % intervals; None where it could not be fitted.
        features: Names of the features it uses.
        operations, parameters: Of one prediction; numbers that were fitted.
        measures: By name; without values where it is no better than a constant.
        seconds: For fitting and measuring.
    """

    name: str
    label: str
    reason: str = ""
    performance: Estimate | None = None
    skill: Estimate | None = None
    features: tuple[str, ...] = ()
    operations: int | None = None
    parameters: int | None = None
    measures: dict[str, Measurement] = Field(default_factory=dict)
    seconds: float = 0.0

    @property
    def eligible(self) -> bool:
        """True when it is better than ignoring the inputs, so that its measures mean something."""
        return self.performance is not None and not self.reason


def baselines(
    problem: Problem,
    space: SearchSpace | None = None,
    measures: Iterable[str] | None = None,
    on_progress: Callable[[str, int, int], None] | None = None,
    *,
    on_found: Callable[[Baseline], None] | None = None,
    models: Sequence[Model] = MODELS,
) -> list[Baseline]:
    """Return plain models of ``problem``, the simplest first: fitted on training rows, judged on validation rows.

    They read the standardised columns of a table (categories as yes or no, with an indicator where values are missing),
    the numbers of images and series, or how often each word occurs. 20,000 training rows are used at most, fewer of
    large signals. What is known by construction is not estimated: a linear model is additive and monotone, trees use
    the features they split, and all features of one tree may act together. The test part is never read.

    Costs: seconds for a table of some thousand rows; the explainable boosting machine takes most of them.

    Args:
        problem: The problem.
        space: The space searched, for measures that depend on what is possible in it; the default one when None.
        measures: Which measures to take; those of the problem when None.
        on_progress: Called with the label of each model, how many are done, and how many there are.
        on_found: Called with each as soon as it is measured.
        models: Which models.

    Raises:
        SettingsError: No such measure.
    """
    found = []
    stand = _stand(problem, space, measures)
    for done, model in enumerate(models):
        if on_progress:
            on_progress(stand.label(model), done, len(models))
        found.append(stand.baseline(model))
        if on_found:
            on_found(found[-1])
    return found


def _stand(problem: Problem, space: SearchSpace | None, measures: Iterable[str] | None) -> _Stand:
    from nas_core.interpretability import measure_named
    from nas_core.spaces import SearchSpace

    names = tuple(problem.spec.measures if measures is None else measures)
    for name in names:
        measure_named(name)
    return _Stand(problem, space or SearchSpace.for_problem(problem), names)


class _Stand:
    """Where models are fitted, judged and measured."""

    def __init__(self, problem: Problem, space: SearchSpace, names: Sequence[str]) -> None:
        from nas_core.spaces import facts

        self.problem, self.space, self.names = problem, space, names
        self.columns = Columns.of(problem)
        self.most = facts(space, space.sample(np.random.default_rng(0))).max_operations
        self.judge = Judge(
            problem.objective, problem.valid.target, baseline=problem.baseline,
            classes=len(problem.dataset.classes) if problem.task == "classification" else 0,
            seed=problem.spec.split_seed, unit=problem.judged,
        )  # fmt: skip

    def label(self, model: Model) -> str:
        """Return what a model is called for this task."""
        return model.regression_label or model.label if self.problem.task == "regression" else model.label

    def baseline(self, model: Model) -> Baseline:
        """Return one model, fitted, judged and measured; with the reason where that cannot be done."""
        from nas_core.interpretability import undefined

        began = time.perf_counter()
        reason = model.missing or self._too_dear(model)
        if not reason:
            try:
                found = self._measured(model)
                return found.model_copy(update={"seconds": time.perf_counter() - began})
            except Exception as error:
                log.exception("The baseline %s failed", model.name)
                reason = error_line(error)
        measures = undefined(reason, self.names)
        return Baseline(name=model.name, label=self.label(model), reason=reason, measures=measures)

    def _rows(self) -> np.ndarray:
        """Return which training rows are used, evenly spaced."""
        most = MAX_ROWS
        if self.problem.dataset.signal is not None:
            most = int(np.clip(MAX_NUMBERS // self.columns.count, FEWEST_ROWS, MAX_ROWS))
        return spread(len(self.problem.train), most)

    def _too_dear(self, model: Model) -> str:
        numbers = len(self._rows()) * self.columns.count * self.problem.C
        if model.most_numbers is None or numbers <= model.most_numbers:
            return ""
        return f"it would take minutes for {self.columns.count:,} columns and {self.problem.C} outputs"

    def _measured(self, model: Model) -> Baseline:
        from nas_core.interpretability import undefined

        problem = self.problem
        rows, part = self._rows(), problem.train
        weights = None if part.weights is None else part.weights[rows]
        read = TrainingRows(
            self.columns.read(part.E[rows]), part.y[rows], weights, problem.C, problem.task == "classification"
        )
        fitted = model.fit(read)
        judgement = self.judge.judge(self._outputs(fitted, problem.valid)[None])[0]
        facts = self._facts(fitted)
        measures = undefined(judgement.reason, self.names) if judgement.reason else self._measures(fitted, facts)
        return Baseline(
            name=model.name, label=self.label(model), reason=judgement.reason, performance=judgement.performance,
            skill=judgement.skill, features=tuple(problem.feature_names[j] for j in facts.used_features),
            operations=facts.operations, parameters=facts.parameters, measures=measures,
        )  # fmt: skip

    def _outputs(self, fitted: FittedModel, part: Part) -> np.ndarray:
        return fitted.predict(self.columns.read(part.E))

    def _facts(self, fitted: FittedModel) -> StructuralFacts:
        """Return what is known of a model, by feature instead of by column."""
        from nas_core.interpretability.model_facts import closed_pairs
        from nas_core.spaces import StructuralFacts

        P, owner = self.problem.P, self.columns.owner
        if owner is None:  # how often a word occurs depends on all places
            used: tuple[int, ...] = tuple(range(P)) if fitted.used else ()
            pairs = P * (P - 1) // 2 if used and not fitted.linear else 0
        else:
            used = tuple(sorted({int(owner[c]) for c in fitted.used}))
            pairs = closed_pairs([(tuple({int(owner[c]) for c in group}), ()) for group in fitted.groups])
        certified = {j: 0 for j in used if fitted.linear and self._rising(j)}
        return StructuralFacts(used, pairs, certified, fitted.operations, fitted.parameters, self.most)

    def _rising(self, j: int) -> bool:
        """Return whether all columns of feature ``j`` of a table rise with it, so that a linear model cannot turn."""
        if self.problem.dataset.signal is not None:
            return False
        encoder = self.problem.encoder
        return bool(encoder.monotone[encoder.columns("standardised", j)].all())

    def _measures(self, fitted: FittedModel, facts: StructuralFacts) -> dict[str, Measurement]:
        from nas_core.interpretability import MeasureContext, measure_pack

        place = Architecture(family=self.space.family, values={})
        signal = self.problem.dataset.signal is not None
        model = signal_pack(fitted, self.columns) if signal else TablePack(fitted, self.columns)
        context = MeasureContext(self.space, [place], [facts], self.problem, model)
        found = measure_pack(context, self.names)[0]
        wanted = [n for n in COUNTERPARTS if n in found and found[n].value is None]
        return found if signal or not wanted else {**found, **self._of_function(fitted, facts, context.rows, wanted)}

    def _of_function(
        self, fitted: FittedModel, facts: StructuralFacts, rows: np.ndarray, wanted: Sequence[str]
    ) -> dict[str, Measurement]:
        """Return measures that need gradients of a network by their counterpart for any function."""
        from nas_core.interpretability.model_agnostic import measure

        problem = self.problem

        def predict(X: np.ndarray) -> np.ndarray:
            parts = [problem.encoder.transform_feature(j, X[:, j], "standardised")[1] for j in range(problem.P)]
            return fitted.predict(np.concatenate(parts, axis=1).astype(np.float64))

        flags = [f.kind == "categorical" for f in problem.dataset.features]
        return measure(predict, rows, task=problem.task, categorical=flags, facts=facts, measures=wanted)
