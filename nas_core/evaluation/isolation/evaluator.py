"""An evaluator whose work is done in a process of its own."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

import nas_core.errors
from nas_core.errors import DataError, NasightError, RunError, SettingsError, SpaceError, error_line
from nas_core.evaluation.base import Evaluator, PackProgress, Referee, Stop, Weights
from nas_core.evaluation.halves import in_halves
from nas_core.evaluation.isolation.frames import Frame, joined, split
from nas_core.evaluation.isolation.limits import Limits, bytes_in_words
from nas_core.evaluation.isolation.process import WorkerProcess
from nas_core.evaluation.isolation.recipes import EvaluatorRecipe
from nas_core.evaluation.isolation.watch import LostWorkerError, OversteppedError, Watch
from nas_core.evaluation.packs import Parents
from nas_core.records import Evaluation, Halt, Proposal, Status, derive_seed
from nas_core.spaces import SearchSpace

__all__ = ["IsolatedEvaluator"]

log = logging.getLogger(__name__)

TICK = 0.05
"""Seconds between two looks at the worker, while it says nothing."""

START_SECONDS = 600.0
SPENT = 0.9
"""A worker that has this share of the memory of the run before a pack begins is replaced."""


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
        self._space: dict[str, Any] | None = None  # the version in force, once it is not that of the recipe
        self._worker: WorkerProcess | None = None
        self._used = False  # whether the worker has evaluated anything
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
        self._space = space.model_dump(mode="json")
        if self._worker is not None:
            self._worker.send(Frame("enter", {"space": self._space}))

    def take_weights(self) -> dict[str, Weights]:
        taken, self._weights = self._weights, {}
        return taken

    def take_seconds(self) -> dict[str, float]:
        taken, self._seconds = self._seconds, {}
        return {"train": 0.0, "measure": 0.0, **taken}

    def close(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None

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
        told = _Teller(worker, left, on_progress, referee)
        try:
            for frame in self._heard(worker, watch, stop):
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
                self._drop()
        if not whole:
            yield from map(self._cancelled, left.values())

    def _heard(self, worker: WorkerProcess, watch: Watch, stop: Stop) -> Iterator[Frame | None]:
        """Yield what the worker says while it keeps to the limits; None once everything is to stop.

        Raises:
            LostWorkerError: It has ended.
            OversteppedError: It does not keep to a limit, or hangs.
        """
        while True:
            if stop.is_set():
                yield None
                return
            if worker.silent:
                watch.check()
            heard = worker.hear(TICK)
            if heard is None:
                continue
            if heard.frame is None:
                raise LostWorkerError(worker.death(), watch.peak, worker.printed)
            watch.sign_of_life(heard.at)
            if not _logged(heard.frame):
                _raise_error(heard.frame)
                yield heard.frame

    def prepare(self, stop: Stop) -> WorkerProcess | None:
        """Return a worker that has built its evaluator, None when a stop came first.

        Raises:
            RunError: It cannot be started.
            SettingsError: It needs more memory than the run may use, before it trains anything.
        """
        if self._worker is not None and (not self._worker.alive or self._spent(self._worker)):
            self._drop()
        if self._worker is not None:
            return self._worker
        self._worker, self._used = WorkerProcess(), False
        limits = [x for x in (self._limits.memory, self._limits.total) if x is not None]
        said = {"recipe": self._recipe.model_dump(mode="json"), "space": self._space}
        self._worker.send(Frame("build", {**said, "headroom": min(limits, default=None)}))
        whole = False
        try:
            if whole := self._built(self._worker, stop):
                return self._worker
            return None
        finally:
            if not whole:
                self._drop()

    def _built(self, worker: WorkerProcess, stop: Stop) -> bool:
        """Wait until a worker has built its evaluator; return False when a stop came first."""
        deadline = time.monotonic() + START_SECONDS
        while not stop.is_set():
            heard = worker.hear(TICK)
            if heard is None:
                if time.monotonic() > deadline:
                    raise RunError(
                        f"The worker process did not begin within {START_SECONDS:.0f} s", fix="resume without --isolate"
                    )
                continue
            if heard.frame is None:
                how = f"The worker process {worker.death()} while it was being prepared"
                raise RunError(f"{how}: {worker.printed[-400:]}", fix="resume with --no-isolate to do without it")
            if _logged(heard.frame):
                continue
            try:
                _raise_error(heard.frame)
            except RuntimeError as error:
                raise RunError(f"The worker process could not be prepared: {error}", fix="see the log") from error
            total, resident = self._limits.total, worker.resident
            if total is not None and resident is not None and resident > total:
                raise SettingsError(
                    f"The worker process has {bytes_in_words(resident)} before it trains anything, and the run may use "
                    f"{bytes_in_words(total)}",
                    allowed=f"more than {bytes_in_words(resident)}", fix="resume with a larger --memory",
                )  # fmt: skip
            return True
        return False

    def _spent(self, worker: WorkerProcess) -> bool:
        """Return whether a worker that has evaluated before has little left of the memory of the run."""
        total, resident = self._limits.total, worker.resident
        return self._used and total is not None and resident is not None and resident > SPENT * total

    def _order(self, worker: WorkerProcess, part: Sequence[Proposal], refereed: bool) -> None:
        found = {} if self._parents is None else dict(self._parents(part))
        known = {parent.architecture.id: parent for own in found.values() for parent in own}
        parents = {
            "architectures": [p.architecture.model_dump(mode="json") for p in known.values()],
            "of": {key: [p.architecture.id for p in own] for key, own in found.items()},
        }
        said = {"proposals": [p.model_dump(mode="json") for p in part], "parents": parents, "referee": refereed}
        self._used = True
        worker.send(Frame("evaluate", said, joined({key: p.weights for key, p in known.items()})))

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

    def _drop(self) -> None:
        if self._worker is not None:
            self._worker.kill()
            self._worker = None

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


class _Teller:
    """Passes on the progress of a worker, and the questions it has for the referee."""

    def __init__(
        self,
        worker: WorkerProcess,
        left: Mapping[str, Proposal],
        on_progress: Callable[[PackProgress], None] | None,
        referee: Referee | None,
    ) -> None:
        self._worker, self._left, self._on_progress, self._referee = worker, left, on_progress, referee
        self._halted: set[str] = set()

    def hear(self, frame: Frame) -> None:
        """Do what a message asks for."""
        said = frame.said
        if frame.kind == "progress":
            pack = PackProgress(said["phase"], said["size"], said["epoch"], said["epochs"])
            if self._on_progress is not None:
                self._on_progress(pack)
            self._push(pack)
        elif frame.kind == "ask" and self._referee is not None:
            self._worker.send(Frame("answer", {"answer": self._answer(self._referee, said)}))

    def _push(self, pack: PackProgress) -> None:
        """Tell the worker of the candidates that were given up since the last time."""
        if self._referee is None or pack.phase != "train" or not 0 < pack.epoch < pack.epochs:
            return
        if self._referee.looks_at(pack.epoch):
            return  # the worker asks by itself
        asked = {
            key: self._referee.halt(key, pack.epoch, pack.epochs, None) for key in self._left if key not in self._halted
        }
        halts = {key: _plain(halt) for key, halt in asked.items() if halt is not None}
        if halts:
            self._halted |= set(halts)
            self._worker.send(Frame("halts", {"halts": halts}))

    @staticmethod
    def _answer(referee: Referee, said: Mapping[str, Any]) -> Any:
        if said["about"] == "epoch":
            return referee.looks_at(said["epoch"])
        halt = referee.halt(said["candidate"], said["epoch"], said["epochs"], said["performance"])
        return None if halt is None else _plain(halt)


def _plain(halt: Halt) -> list[str]:
    return [halt.status.value, halt.reason]


def _logged(frame: Frame) -> bool:
    """Return whether a message was for the log, where it is now."""
    if frame.kind == "log":
        logging.getLogger(frame.said["name"]).log(frame.said["level"], "%s", frame.said["text"])
    return frame.kind == "log"


def _raise_error(frame: Frame) -> None:
    """Raise the error that a message tells of."""
    if frame.kind != "error":
        return
    kind = getattr(nas_core.errors, frame.said["name"] or "-", None)
    if isinstance(kind, type) and issubclass(kind, NasightError):
        parts = frame.said["parts"]
        raise kind(parts["given"], allowed=parts["allowed"], fix=parts["fix"])
    raise RuntimeError(frame.said["text"])
