"""The life of a worker process: begun, heard, replaced, ended."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

import nas_core.errors
from nas_core.errors import NasightError, RunError, SettingsError
from nas_core.evaluation.base import Stop
from nas_core.evaluation.isolation.frames import Frame
from nas_core.evaluation.isolation.limits import Limits, bytes_in_words
from nas_core.evaluation.isolation.process import WorkerProcess
from nas_core.evaluation.isolation.recipes import EvaluatorRecipe
from nas_core.evaluation.isolation.watch import LostWorkerError, Watch
from nas_core.spaces import SearchSpace

__all__ = ["Supervisor"]

TICK = 0.05
"""Seconds between two looks at the worker, while it says nothing."""

START_SECONDS = 600.0
SPENT = 0.9
"""A worker that has this share of the memory of the run before a pack begins is replaced."""


class Supervisor:
    """Starts a worker process when one is needed, hears it, and replaces it when it is gone or has used up its memory.

    Args:
        recipe: From what the worker builds the evaluator.
        limits: What holds for a candidate.
    """

    def __init__(self, recipe: EvaluatorRecipe, limits: Limits) -> None:
        self._recipe, self._limits = recipe, limits
        self._space: dict[str, Any] | None = None  # the version in force, once it is not that of the recipe
        self._worker: WorkerProcess | None = None
        self._used = False  # whether the worker has evaluated anything

    def enter(self, space: SearchSpace) -> None:
        """Tell this worker and those to come of a new version of the search space."""
        self._space = space.model_dump(mode="json")
        if self._worker is not None:
            self._worker.send(Frame("enter", {"space": self._space}))

    def order(self, worker: WorkerProcess, frame: Frame) -> None:
        """Give a worker something to evaluate."""
        self._used = True
        worker.send(frame)

    def close(self) -> None:
        """Let the worker end in order, if there is one."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def drop(self) -> None:
        """Kill the worker, if there is one."""
        if self._worker is not None:
            self._worker.kill()
            self._worker = None

    def prepare(self, stop: Stop) -> WorkerProcess | None:
        """Return a worker that has built its evaluator, None when a stop came first.

        Raises:
            RunError: It cannot be started.
            SettingsError: It needs more memory than the run may use, before it trains anything.
        """
        if self._worker is not None and (not self._worker.alive or self._spent(self._worker)):
            self.drop()
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
                self.drop()

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

    def heard(self, worker: WorkerProcess, watch: Watch, stop: Stop) -> Iterator[Frame | None]:
        """Yield what a worker says while it keeps to the limits; None once everything is to stop.

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
