"""The real evaluator: train a pack, predict the validation rows, judge, and measure what deserves it."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from nas_core.errors import SettingsError
from nas_core.evaluation.base import Evaluator, PackProgress, Stop, Weights
from nas_core.evaluation.performance import Judge, Judgement
from nas_core.records import Architecture, Cost, Evaluation, Measurement, Proposal, Status, derive_seed
from nas_core.spaces import SearchSpace, StructuralFacts, facts

if TYPE_CHECKING:
    from nas_core.data.problem import Problem, Recipe
    from nas_core.training.fit import PackResult, TrainedPack, TrainOutcome

__all__ = ["PackEvaluator"]

log = logging.getLogger(__name__)

NOT_MEASURED = "Not measured: interpretability is undefined for a model that is no better than ignoring its inputs"


class PackEvaluator(Evaluator):
    """Trains all proposals of a call as one pack and evaluates them on the fixed validation rows.

    A candidate's seed comes from the evaluator's seed and its identity, so its numbers do not depend on the pack. When
    a pack as a whole raises, it is halved until the candidate that is to blame stands alone.

    Args:
        problem: Data, metric, recipe and measures.
        space: The space the proposals come from.
        seed: The run's seed.
        recipe: Instead of the problem's.
        device: auto, cpu, cuda or mps.
    """

    def __init__(
        self, problem: Problem, space: SearchSpace, seed: int = 0, *, recipe: Recipe | None = None, device: str = "auto"
    ) -> None:
        self._problem, self._space, self._seed = problem, space, seed
        self._recipe = recipe or problem.spec.recipe
        self._device = device
        self._judge = Judge(
            problem.objective,
            problem.valid.y,
            baseline=problem.baseline,
            classes=len(problem.dataset.classes) if problem.task == "classification" else 0,
            seed=problem.spec.split_seed,
        )
        self._weights: dict[str, Weights] = {}
        self._seconds = {"train": 0.0, "measure": 0.0}

    def evaluate(
        self,
        proposals: Sequence[Proposal],
        *,
        stop: Stop,
        on_progress: Callable[[PackProgress], None] | None = None,
    ) -> Iterator[Evaluation]:
        if not proposals:
            return
        if stop.is_set():
            yield from (self._cancelled(p) for p in proposals)
            return
        try:
            yield from self._pack(proposals, stop, on_progress)
        except SettingsError:  # the run is set up wrongly, no candidate is to blame
            raise
        except Exception as error:
            if len(proposals) == 1:
                log.exception("Candidate %s failed", proposals[0].architecture.id)
                yield self._evaluation(proposals[0], Status.FAILED, reason=f"{type(error).__name__}: {error}")
                return
            log.warning("A pack of %d failed (%s); halving it", len(proposals), error)
            half = len(proposals) // 2
            yield from self.evaluate(proposals[:half], stop=stop, on_progress=on_progress)
            yield from self.evaluate(proposals[half:], stop=stop, on_progress=on_progress)

    def take_weights(self) -> dict[str, Weights]:
        taken, self._weights = self._weights, {}
        return taken

    def take_seconds(self) -> dict[str, float]:
        taken, self._seconds = self._seconds, {"train": 0.0, "measure": 0.0}
        return taken

    def _pack(
        self, proposals: Sequence[Proposal], stop: Stop, on_progress: Callable[[PackProgress], None] | None
    ) -> list[Evaluation]:
        """Return the evaluations of one pack; nothing of it is kept when it raises."""
        result = self._train(proposals, stop, on_progress)
        if on_progress:
            on_progress(PackProgress("measure", len(proposals), self._recipe.max_epochs, self._recipe.max_epochs))
        began = time.perf_counter()
        pack = _Judged.of(proposals, result, self._problem, self._judge)
        known = [facts(self._space, p.architecture) for p in proposals]
        measured = self._measure([p.architecture for p in proposals], known, pack)
        weights = {p.architecture.id: result.pack.weights(k) for k, p in enumerate(proposals) if pack.finished[k]}
        self._seconds["measure"] += time.perf_counter() - began
        self._weights |= weights
        return [
            self._finished(p, o, j, m, f)
            for p, o, j, m, f in zip(proposals, result.outcomes, pack.judgements, measured, known)
        ]

    def _train(
        self, proposals: Sequence[Proposal], stop: Stop, on_progress: Callable[[PackProgress], None] | None
    ) -> PackResult:
        from nas_core.training import fit

        items = [fit.PackItem(p.architecture, self._seed_of(p.architecture)) for p in proposals]

        def report(progress: fit.PackProgress) -> None:
            if on_progress:
                on_progress(PackProgress("train", len(proposals), progress.epoch, progress.max_epochs))

        began = time.perf_counter()
        try:
            return fit.train_pack(
                self._problem,
                self._space,
                items,
                recipe=self._recipe,
                stop=cast(fit.StopSignal, stop),
                on_epoch=report,
                device=self._device,
            )
        finally:
            self._seconds["train"] += time.perf_counter() - began

    def _measure(
        self, architectures: list[Architecture], known: list[StructuralFacts], pack: _Judged
    ) -> list[dict[str, Measurement]]:
        """Return the measures by name of each candidate, all undefined where it is not eligible."""
        from nas_core.interpretability import MeasureContext, measure_pack, undefined

        names = self._problem.spec.measures
        nothing = undefined(NOT_MEASURED, names)
        if not any(pack.eligible):
            return [nothing] * len(architectures)
        context = MeasureContext(self._space, architectures, known, self._problem, pack)
        measured = measure_pack(context, names)
        return [row if eligible else nothing for row, eligible in zip(measured, pack.eligible)]

    def _finished(
        self,
        proposal: Proposal,
        outcome: TrainOutcome,
        judgement: Judgement | None,
        measures: dict[str, Measurement],
        known: StructuralFacts,
    ) -> Evaluation:
        cost = Cost(parameters=known.parameters, operations=known.operations, seconds=outcome.seconds)
        fields: dict[str, Any] = {"cost": cost, "curves": _curves(outcome.curves)}
        if outcome.status == "cancelled":
            return self._cancelled(proposal)
        if judgement is None:
            reason = outcome.reason or "Its predictions are not finite numbers"
            return self._evaluation(proposal, Status.FAILED, reason=reason, **fields)
        if judgement.reason:
            return self._evaluation(
                proposal,
                Status.INELIGIBLE,
                reason=judgement.reason,
                performance=judgement.performance,
                skill=judgement.skill,
                measures=measures,
                **fields,
            )
        return self._evaluation(
            proposal,
            Status.DONE,
            performance=judgement.performance,
            skill=judgement.skill,
            measures=measures,
            **fields,
        )

    def _cancelled(self, proposal: Proposal) -> Evaluation:
        return self._evaluation(proposal, Status.CANCELLED, reason="Stopped before its training had finished")

    def _evaluation(self, proposal: Proposal, status: Status, **fields: Any) -> Evaluation:
        architecture = proposal.architecture
        return Evaluation(
            id=architecture.id,
            architecture=architecture,
            status=status,
            parents=proposal.parents,
            operator=proposal.operator,
            origin=proposal.origin,
            seed=self._seed_of(architecture),
            finished=time.time(),
            **fields,
        )

    def _seed_of(self, architecture: Architecture) -> int:
        return derive_seed(self._seed, architecture.id)


@dataclass(frozen=True)
class _Judged:
    """A trained pack whose broken candidates predict zeros, so that they cannot disturb a measure of the others."""

    pack: TrainedPack
    judgements: list[Judgement | None]
    finished: list[bool]

    @classmethod
    def of(cls, proposals: Sequence[Proposal], result: PackResult, problem: Problem, judge: Judge) -> _Judged:
        """Predict the validation rows with every candidate and judge those that finished with finite predictions."""
        outputs = result.pack.predict(problem.valid.E)
        sound = [o.status == "done" and bool(np.isfinite(outputs[k]).all()) for k, o in enumerate(result.outcomes)]
        judged = iter(judge.judge(outputs[sound]) if any(sound) else [])
        return cls(result.pack, [next(judged) if ok else None for ok in sound], sound)

    @property
    def eligible(self) -> list[bool]:
        """Whether each candidate may enter a front."""
        return [j is not None and not j.reason for j in self.judgements]

    @property
    def K(self) -> int:  # noqa: N802 - the letters are declared in nas_core.records
        """Number of candidates."""
        return len(self.judgements)

    def predict(self, E: np.ndarray) -> np.ndarray:
        """Return the outputs (K, N, C) of encoded rows (N, D)."""
        return self._cleaned(self.pack.predict(E))

    def feature_deltas(
        self, problem: Problem, X: np.ndarray, edges: Sequence[np.ndarray], bins: np.ndarray
    ) -> np.ndarray:
        """Return the differences (K, N, P, C) across the cell of each row and feature."""
        return self._cleaned(self.pack.feature_deltas(problem, X, edges, bins))

    def _cleaned(self, values: np.ndarray) -> np.ndarray:
        broken = ~np.asarray(self.eligible)
        if broken.any():
            values = np.array(values)
            values[broken] = 0.0
        return values


def _curves(curves: dict[str, list[float]]) -> dict[str, list[float]]:
    """Return the curves up to their first value that is no number, with six digits."""
    cut = {}
    for name, values in curves.items():
        end = next((i for i, v in enumerate(values) if not math.isfinite(v)), len(values))
        cut[name] = [float(f"{v:.6g}") for v in values[:end]]
    return cut
