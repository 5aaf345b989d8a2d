"""What the program's loggers say while a run is at work, kept with the run."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nas_core.errors import traceback_of
from nas_core.secrecy import masked

__all__ = ["MOST_LINES", "listened"]

MOST_LINES = 1_000
"""Lines that are kept of one life of a run: a warning in every epoch must not fill the store."""
LETTERS = 2_000
LOGGERS = ("nas_core", "pytorch_lightning", "lightning", "torch", "optuna")


class _Listener(logging.Handler):
    """Hands warnings and errors that one thread logs to ``note``."""

    def __init__(self, note: Callable[..., None]) -> None:
        super().__init__(logging.WARNING)
        self._note, self._thread, self._heard = note, threading.get_ident(), 0

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread != self._thread or self._heard > MOST_LINES:
            return
        self._heard += 1
        if self._heard > MOST_LINES:
            rest = f"More than {MOST_LINES} lines: the rest is left out"
            self._note("log", level="warning", logger=__name__, message=rest)
            return
        try:
            message = masked(record.getMessage())[:LETTERS]
        except (TypeError, ValueError):  # a message that does not fit its arguments says something all the same
            message = masked(str(record.msg))[:LETTERS]
        told: dict[str, Any] = {"level": record.levelname.lower(), "logger": record.name, "message": message}
        if record.exc_info and record.exc_info[1] is not None:
            told["traceback"] = traceback_of(record.exc_info[1])
        self._note("log", **told)


@contextmanager
def listened(note: Callable[..., None]) -> Iterator[None]:
    """Call ``note("log", level=, logger=, message=, traceback=)`` for each warning and error of the calling thread.

    Only what this thread logs is heard, so runs side by side in one process keep their own logs. Secrets are hidden.
    """
    listener, loggers = _Listener(note), [logging.getLogger(name) for name in LOGGERS]
    for logger in loggers:
        logger.addHandler(listener)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(listener)
