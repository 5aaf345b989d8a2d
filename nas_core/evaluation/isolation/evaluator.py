"""An evaluator whose work is done in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from pydantic import ValidationError

from nas_core.errors import DataError, RunError, SettingsError, SpaceError, error_line
from nas_core.evaluation.base import Evaluator, PackProgress, Referee, Stop, Weights
from nas_core.evaluation.halves import in_halves
from nas_core.evaluation.isolation.frames import Frame, joined, split
from nas_core.evaluation.isolation.limits import Limits
from nas_core.evaluation.isolation.process import WorkerProcess
from nas_core.evaluation.isolation.recipes import EvaluatorRecipe
from nas_core.evaluation.isolation.supervisor import Supervisor
from nas_core.evaluation.isolation.teller import Teller
from nas_core.evaluation.isolation.watch import LostWorkerError, OversteppedError, Watch
from nas_core.evaluation.packs import Parents
from nas_core.records import Evaluation, Proposal, Status, derive_seed
from nas_core.spaces import SearchSpace

__all__ = ["IsolatedEvaluator"]

NOBODYS_FAULT = (SettingsError, DataError, SpaceError, RunError)


class IsolatedEvaluator(Evaluator):
    """Evaluates in a worker process, which is replaced when it crashes, hangs, or oversteps a limit.

    When that happens to a pack, it is halved and attempted again by a fresh worker until the candidate that is to blame
    stands alone; that one is ``failed``, with what happened. All others have the same numbers as without isolation. A
    stop kills the worker.

    The referee is asked in this process. Between the epochs at which it looks it is asked when the worker tells of its
    progress; what it says then reaches the worker within an epoch.

    Args:
        recipe: From what the worker builds the evaluator.
        limits: What holds for a candidate.
        parents: As of PackEvaluator; asked in this process.
    """

    def __init__(
        self, recipe: EvaluatorRecipe, limits: Limits | None = None, *, parents: Parents | None = None
    ) -> None:
        self._recipe, self._limits, self._parents = recipe, limits or Limits(), parents
        self._supervisor = Supervisor(recipe, self._limits)
        self._weights: dict[str, Weights] = {}
        self._seconds: dict[str, float] = {}
        self._most: int | None = None  # candidates of a pack that keeps to the limits, once a larger one did not
        self._overstepped: list[int] = []  # sizes of the packs of this call that did not
        self._guilty = False

    def evaluate(
        self,
        proposals: Sequence[Proposal],
        *,
        stop: Stop,
        on_progress: Callable[[PackProgress], None] | None = None,
        referee: Referee | None = None,
    ) -> Iterator[Evaluation]:
        self._overstepped, self._guilty = [], False
        size = self._most or max(1, len(proposals))

        def attempt(part: Sequence[Proposal]) -> Iterator[Evaluation]:
            return self._attempt(part, stop, on_progress, referee)

        for at in range(0, len(proposals), size):
            yield from in_halves(proposals[at : at + size], attempt, self._failed, through=NOBODYS_FAULT)
        if self._overstepped and not self._guilty:  # packs of this size are too large, no candidate is
            self._most = max(1, (min(self._overstepped) + 1) // 2)

    def enter(self, space: SearchSpace) -> None:
        self._supervisor.enter(space)

    def take_weights(self) -> dict[str, Weights]:
        taken, self._weights = self._weights, {}
        return taken

    def take_seconds(self) -> dict[str, float]:
        taken, self._seconds = self._seconds, {}
        return {"train": 0.0, "measure": 0.0, **taken}

    def close(self) -> None:
        self._supervisor.close()

    def prepare(self, stop: Stop) -> WorkerProcess | None:
        """Return a worker that has built its evaluator, None when a stop came first; as of :class:`Supervisor`."""
        return self._supervisor.prepare(stop)

    def _attempt(
        self,
        part: Sequence[Proposal],
        stop: Stop,
        on_progress: Callable[[PackProgress], None] | None,
        referee: Referee | None,
    ) -> Iterator[Evaluation]:
        """Yield the evaluations of a pack; raise what kept it from being finished."""
        began = time.monotonic()
        worker = self.prepare(stop)
        self._add_seconds({"idle": time.monotonic() - began})
        left = {p.architecture.id: p for p in part}
        if worker is None:
            yield from map(self._cancelled, left.values())
            return
        self._order(worker, part, referee is not None)
        watch, began, whole = Watch(worker, self._limits), time.monotonic(), False
        told = Teller(worker, left, on_progress, referee)
        try:
            for frame in self._supervisor.heard(worker, watch, stop):
                if frame is None:
                    break
                if frame.kind == "evaluation":
                    evaluation = self._taken(frame, left)
                    watch.finished()
                    with watch.paused():
                        yield evaluation
                elif frame.kind == "end":
                    self._add_seconds(frame.said["seconds"])
                    whole = True
                    break
                else:
                    told.hear(frame)
        except (LostWorkerError, OversteppedError) as error:
            self._add_seconds({"train": time.monotonic() - began})
            if isinstance(error, OversteppedError):
                self._overstepped.append(len(part))
                self._guilty |= len(part) == 1
            raise
        finally:
            if not whole:
                self._supervisor.drop()
        if not whole:
            yield from map(self._cancelled, left.values())

    def _order(self, worker: WorkerProcess, part: Sequence[Proposal], refereed: bool) -> None:
        found = {} if self._parents is None else dict(self._parents(part))
        known = {parent.architecture.id: parent for own in found.values() for parent in own}
        parents = {
            "architectures": [p.architecture.model_dump(mode="json") for p in known.values()],
            "of": {key: [p.architecture.id for p in own] for key, own in found.items()},
        }
        said = {"proposals": [p.model_dump(mode="json") for p in part], "parents": parents, "referee": refereed}
        weights = joined({key: p.weights for key, p in known.items()})
        self._supervisor.order(worker, Frame("evaluate", said, weights))

    def _taken(self, frame: Frame, left: dict[str, Proposal]) -> Evaluation:
        """Return the evaluation of a frame, whose weights and seconds are kept; take it out of what is left."""
        try:
            evaluation = Evaluation.model_validate(frame.said["evaluation"])
            del left[evaluation.id]
        except (ValidationError, KeyError) as error:
            raise LostWorkerError(f"said what no evaluation is ({error})") from error
        weights = split(frame.arrays)
        self._weights |= {key: weights.get(key, {}) for key in frame.said["weighed"]}
        self._add_seconds(frame.said["seconds"])
        return evaluation

    def _add_seconds(self, seconds: Mapping[str, float]) -> None:
        for phase, value in seconds.items():
            self._seconds[phase] = self._seconds.get(phase, 0.0) + value

    def _failed(self, proposal: Proposal, error: Exception) -> Evaluation:
        printed = error.printed if isinstance(error, LostWorkerError) else ""
        return self._evaluation(proposal, Status.FAILED, error_line(error), printed)

    def _cancelled(self, proposal: Proposal) -> Evaluation:
        return self._evaluation(proposal, Status.CANCELLED, "Stopped before its training had finished")

    def _evaluation(self, proposal: Proposal, status: Status, reason: str, traceback: str = "") -> Evaluation:
        architecture = proposal.architecture
        return Evaluation(
            id=architecture.id,
            architecture=architecture,
            status=status,
            reason=reason,
            traceback=traceback,
            parents=proposal.parents,
            operator=proposal.operator,
            origin=proposal.origin,
            seed=derive_seed(self._recipe.seed, architecture.id),
            finished=time.time(),
        )
