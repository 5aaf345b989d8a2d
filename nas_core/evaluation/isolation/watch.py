"""The watch over a worker with a pack: how long it takes, how much memory it has, whether it is alive at all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from nas_core.errors import TrainingError
from nas_core.evaluation.isolation.limits import SILENCE_SECONDS, Limits, bytes_in_words

__all__ = ["LostWorkerError", "OversteppedError", "Watch"]


class LostWorkerError(TrainingError):
    """The worker ended while it evaluated.

    Args:
        how: How it ended, or what else was wrong with it.
        peak: The most memory it was seen with, in bytes.
    """

    def __init__(self, how: str, peak: int | None = None) -> None:
        memory = "" if peak is None else f"; it was last seen with {bytes_in_words(peak)}"
        starved = " Perhaps the system had no memory left." if "SIGKILL" in how else ""
        super().__init__(f"Its training crashed: the worker process {how}{memory}.{starved}")


class OversteppedError(TrainingError):
    """The worker did not keep to a limit, or hangs."""


class _Watched(Protocol):
    @property
    def resident(self) -> int | None:
        """Bytes of memory it occupies."""


class Watch:
    """Compares a worker with the limits, from the moment at which it was given a pack.

    The time is that since it was given the pack or finished a candidate: those in training have been so for at least as
    long.

    Args:
        worker: The worker.
        limits: What holds.
    """

    def __init__(self, worker: _Watched, limits: Limits) -> None:
        self._worker, self._limits = worker, limits
        self._began = self._alive = time.monotonic()
        self._rest = worker.resident
        self.peak = self._rest

    def finished(self) -> None:
        """Note that a candidate is finished."""
        self._began = time.monotonic()

    def sign_of_life(self, at: float) -> None:
        """Note that something was said at this time."""
        self._alive = max(self._alive, at)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Do not count the time of the body, which is not the worker's."""
        began = time.monotonic()
        try:
            yield
        finally:
            lost = time.monotonic() - began
            self._began, self._alive = self._began + lost, self._alive + lost

    def check(self) -> None:
        """Raise OversteppedError where the worker does not keep to a limit."""
        now, limits = time.monotonic(), self._limits
        took, silence = now - self._began, now - self._alive
        if limits.seconds is not None and took > limits.seconds:
            raise OversteppedError(
                f"Its training took more than the {limits.seconds:g} s that a candidate may take, and was ended after "
                f"{took:.1f} s",
                fix="allow more with --candidate-seconds",
            )
        if silence > SILENCE_SECONDS:
            raise OversteppedError(f"Its training hangs: the worker process gave no sign of life for {silence:.0f} s")
        resident = self._worker.resident
        if resident is not None:
            self._check_memory(resident)

    def _check_memory(self, resident: int) -> None:
        limits, rest = self._limits, self._rest or 0
        self.peak = max(self.peak or 0, resident)
        if limits.memory is not None and resident - rest > limits.memory:
            raise OversteppedError(
                f"Its training used {bytes_in_words(resident - rest)} of memory, and a candidate may use "
                f"{bytes_in_words(limits.memory)}",
                fix="allow more with --candidate-memory",
            )
        if limits.total is not None and resident > limits.total:
            raise OversteppedError(
                f"The worker process had {bytes_in_words(resident)} of memory while it trained this candidate, and the "
                f"run may use {bytes_in_words(limits.total)}",
                fix="allow more with --memory",
            )
