"""The real evaluator: train candidates, predict the validation rows, judge, and measure what deserves it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from nas_core.errors import traceback_of
from nas_core.evaluation.base import Evaluator, PackProgress, Referee, Stop, Weights
from nas_core.evaluation.halves import failure_words, in_halves
from nas_core.evaluation.judged import JudgedPack
from nas_core.evaluation.judged_networks import JudgedNetwork, clocked, judged_network
from nas_core.evaluation.overlap import overlapped
from nas_core.evaluation.performance import Judge, Judgement
from nas_core.evaluation.refereed import Refereed
from nas_core.evaluation.turns import in_turns
from nas_core.records import Architecture, Cost, Evaluation, Halt, Measurement, Proposal, Status, derive_seed
from nas_core.spaces import SearchSpace, StructuralFacts, facts, most_operations
from nas_core.training.shortage import is_shortage

if TYPE_CHECKING:
    from nas_core.data.problem import Problem, Recipe
    from nas_core.training.progress import PackItem, Parent, StopSignal, TrainOutcome
    from nas_core.training.progress import PackProgress as EpochProgress
    from nas_core.training.result import PackResult

    Trained = Generator[tuple[int, PackResult], None, None]

__all__ = ["PackEvaluator", "Parents"]

OnProgress = Callable[[PackProgress], None] | None
Parents = Callable[[Sequence[Proposal]], Mapping[str, Sequence["Parent"]]]
"""Whose weights each of some proposals may start from, by its identity, the one to be preferred first."""

NOT_MEASURED = "Not measured: interpretability is undefined for a model that says nothing about its inputs"
HALTED = "Not measured: its training was ended early"


class PackEvaluator(Evaluator):
    """Trains all proposals of a call together and evaluates them on the fixed validation rows.

    Networks of tables are one pack and finish together. Networks of images and sequences are trained some at a time,
    and each is evaluated as soon as it is trained, while others still are: as many at the same time as there are cores.

    A candidate's seed comes from the evaluator's seed and its identity, so its numbers do not depend on the others.
    A pack that raises, or runs out of memory, is halved until the candidate that is to blame stands alone.

    Args:
        problem: Data, metric, recipe and measures.
        space: The space the proposals come from.
        seed: The run's seed.
        recipe: Instead of the problem's.
        device: auto, cpu, cuda or mps.
        cores: Processor cores that are used at most; None for all.
        parents: Finds the weights that proposals may start from; without it all start from their own seeds. The same
            proposals must always get the same answer.
    """

    def __init__(
        self, problem: Problem, space: SearchSpace, seed: int = 0, *, recipe: Recipe | None = None,
        device: str = "auto", parents: Parents | None = None, cores: int | None = None,
    ) -> None:  # fmt: skip
        from nas_core.training import fit  # takes seconds, which are no candidate's

        self._fit = fit
        self._problem, self._space, self._seed = problem, space, seed
        self._recipe = recipe or problem.spec.recipe
        self._device, self._parents, self._cores = device, parents, cores
        self._most: int | None = None  # the scale of the first space, once there is another one
        self._judge = Judge(
            problem.objective,
            problem.valid.target,
            baseline=problem.baseline,
            classes=len(problem.dataset.classes) if problem.task == "classification" else 0,
            seed=problem.spec.split_seed,
            unit=problem.judged,
        )
        self._weights: dict[str, Weights] = {}
        self._seconds = {"train": 0.0, "measure": 0.0}

    def evaluate(
        self,
        proposals: Sequence[Proposal],
        *,
        stop: Stop,
        on_progress: Callable[[PackProgress], None] | None = None,
        referee: Referee | None = None,
    ) -> Iterator[Evaluation]:
        watch = None if referee is None else Refereed(referee, self._judge, self._recipe.max_epochs)
        way = self._pack if self._space.signal is None else self._one_by_one

        def attempt(part: Sequence[Proposal]) -> Iterator[Evaluation]:
            if stop.is_set():
                return iter([self._cancelled(p) for p in part])
            return way(part, stop, on_progress, watch)

        yield from in_halves(proposals, attempt, self._failed)

    def enter(self, space: SearchSpace) -> None:
        self._most = self._most or most_operations(self._space)
        self._space = space

    def use(self, cores: int) -> None:
        self._cores = cores

    def take_weights(self) -> dict[str, Weights]:
        taken, self._weights = self._weights, {}
        return taken

    def take_seconds(self) -> dict[str, float]:
        taken, self._seconds = self._seconds, {"train": 0.0, "measure": 0.0}
        return taken

    def _pack(
        self, proposals: Sequence[Proposal], stop: Stop, on_progress: OnProgress, watch: Refereed | None
    ) -> Iterator[Evaluation]:
        """Yield the evaluations of one pack of networks of tables; nothing of it is kept when it raises."""
        from nas_core.training.device import pick_device

        if pick_device(self._device).type == "cpu":
            self._compile(len(proposals), on_progress)
        with self._timed("train"):
            result = self._fit.train_pack(
                self._problem, self._space, self._items(proposals), recipe=self._recipe,
                stop=cast("StopSignal", stop), on_epoch=_told(on_progress, len(proposals)), device=self._device,
                watch=watch, workers=self._cores,
            )  # fmt: skip
        if on_progress:
            on_progress(PackProgress("measure", len(proposals), self._recipe.max_epochs, self._recipe.max_epochs))
        with self._timed("measure"):
            found = self._evaluated(proposals, result)
        yield from found

    def _compile(self, size: int, note: OnProgress) -> None:
        """Get the kernels ready that train networks on a processor."""
        from nas_core.training.compiled.ready import is_ready, prepare

        if not is_ready(self._space.family):
            if note:
                note(PackProgress("prepare", size))
            prepare(self._space.family)

    def _one_by_one(
        self, proposals: Sequence[Proposal], stop: Stop, on_progress: OnProgress, watch: Refereed | None
    ) -> Iterator[Evaluation]:
        """Yield the evaluation of each network of images or sequences when it is trained, while others still are."""
        from nas_core.training.device import pick_device
        from nas_core.training.side_by_side import workers_on

        device = pick_device(self._device)
        starved, workers = "", workers_on(device)
        for part in in_turns(self._space, proposals):
            items = self._items(part)  # asks for parents, in the thread that was called

            def trained(note: OnProgress, until: Stop, items: list[PackItem] = items) -> Trained:
                if device.type == "cpu":
                    self._compile(len(proposals), note)
                return self._fit.train_each(
                    self._problem, self._space, items, recipe=self._recipe,
                    stop=cast("StopSignal", until), on_epoch=_told(note, len(proposals)), device=self._device,
                    watch=watch,
                )  # fmt: skip

            def judged(result: tuple[int, PackResult], part: list[Proposal] = part) -> JudgedNetwork:
                proposal, many = part[result[0]], len(proposals) > 1
                return judged_network(proposal, result[1], self._judged, self._failed, many=many)

            results = overlapped(trained, judged, workers, stop, on_progress or _ignored)
            with closing(results):
                for found in clocked(results, workers, self._clock):
                    starved = found.starved or starved
                    self._weights |= found.weights
                    yield from found.evaluations
        if starved:  # they had the memory to share with others: each is tried again in smaller company
            raise MemoryError(starved)

    def _items(self, proposals: Sequence[Proposal]) -> list[PackItem]:
        from nas_core.training.progress import PackItem

        found = self._parents(proposals) if self._parents is not None else {}
        return [
            PackItem(p.architecture, self._seed_of(p.architecture), tuple(found.get(p.architecture.id, ())))
            for p in proposals
        ]

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        """Count the seconds inside as those of ``phase``."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._clock(phase, time.perf_counter() - began)

    def _clock(self, phase: str, seconds: float) -> None:
        self._seconds[phase] += seconds

    def _evaluated(self, proposals: Sequence[Proposal], result: PackResult) -> list[Evaluation]:
        """Judge and measure trained candidates; their weights are kept when nothing raises."""
        found, weights = self._judged(proposals, result)
        self._weights |= weights
        return found

    def _judged(
        self, proposals: Sequence[Proposal], result: PackResult
    ) -> tuple[list[Evaluation], dict[str, Weights]]:  # fmt: skip
        """Return the evaluations and weights of trained candidates; may be called by several threads."""
        known = [self._facts(p.architecture) for p in proposals]
        pack = JudgedPack.of(result, self._problem, self._judge, [f.used_features for f in known])
        measured = self._measure([p.architecture for p in proposals], known, pack)
        weights = {p.architecture.id: result.pack.weights(k) for k, p in enumerate(proposals) if pack.finished[k]}
        found = [
            self._finished(p, o, j, m, f)
            for p, o, j, m, f in zip(proposals, result.outcomes, pack.judgements, measured, known)
        ]
        return found, weights

    def _facts(self, architecture: Architecture) -> StructuralFacts:
        known = facts(self._space, architecture)
        return known if self._most is None else replace(known, max_operations=self._most)

    def _measure(
        self, architectures: list[Architecture], known: list[StructuralFacts], pack: JudgedPack
    ) -> list[dict[str, Measurement]]:
        """Return the measures by name of each candidate, all undefined where it is not eligible.

        Of one that was ended early those are given that are read off its architecture.
        """
        from nas_core.interpretability import MeasureContext, measure_pack, undefined

        names = self._problem.spec.measures
        rows = [undefined(NOT_MEASURED, names)] * len(architectures)
        if any(pack.halted):
            structure = measure_pack(MeasureContext(self._space, architectures, known), names)
            rows = [_structural(of) if halted else row for row, of, halted in zip(rows, structure, pack.halted)]
        if not any(pack.eligible):
            return rows
        context = MeasureContext(self._space, architectures, known, self._problem, pack.model)
        measured = measure_pack(context, names)
        return [found if eligible else row for row, found, eligible in zip(rows, measured, pack.eligible)]

    def _finished(
        self,
        proposal: Proposal,
        outcome: TrainOutcome,
        judgement: Judgement | None,
        measures: dict[str, Measurement],
        known: StructuralFacts,
    ) -> Evaluation:
        cost = Cost(parameters=known.parameters, operations=known.operations, seconds=outcome.seconds)
        fields: dict[str, Any] = {"cost": cost, "curves": _curves(outcome.curves), "inherited": outcome.inherited}
        if outcome.status == "cancelled":
            return self._cancelled(proposal)
        if outcome.halt is not None:
            return self._halted(proposal, outcome.halt, judgement, measures, **fields)
        if judgement is None:
            reason = outcome.reason or "Its predictions are not finite numbers"
            return self._evaluation(proposal, Status.FAILED, reason=reason, traceback=outcome.traceback, **fields)
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

    def _halted(
        self, proposal: Proposal, halt: Halt, judgement: Judgement | None, measures: dict[str, Measurement],
        **fields: Any,
    ) -> Evaluation:  # fmt: skip
        """Return the evaluation of a candidate that was ended early: how good its best weights so far are."""
        if judgement is not None:
            fields |= {"performance": judgement.performance, "skill": judgement.skill}
        return self._evaluation(proposal, halt.status, reason=halt.reason, measures=measures, **fields)

    def _failed(self, proposal: Proposal, error: Exception) -> Evaluation:
        reason = failure_words(error, facts(self._space, proposal.architecture) if is_shortage(error) else None)
        return self._evaluation(proposal, Status.FAILED, reason=reason, traceback=traceback_of(error))

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


def _ignored(_progress: PackProgress) -> None:
    """Tell nobody."""


def _structural(measures: Mapping[str, Measurement]) -> dict[str, Measurement]:
    """Return the measures of a network that nobody looked into, with the reason why the others are missing."""
    return {name: Measurement(reason=HALTED) if m.value is None else m for name, m in measures.items()}


def _told(on_progress: OnProgress, size: int) -> Callable[[EpochProgress], None] | None:
    """Return what the training should call after an epoch."""
    if on_progress is None:
        return None
    return lambda p: on_progress(PackProgress("train", size, p.epoch, p.max_epochs))


def _curves(curves: dict[str, list[float]]) -> dict[str, list[float]]:
    """Return the curves up to their first value that is no number, with six digits."""
    cut = {}
    for name, values in curves.items():
        end = next((i for i, v in enumerate(values) if not math.isfinite(v)), len(values))
        cut[name] = [float(f"{v:.6g}") for v in values[:end]]
    return cut
