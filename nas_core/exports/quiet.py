"""Silence for the exporters of PyTorch, whose warnings are about themselves."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

from nas_core.errors import ExportError, NasightError

__all__ = ["quiet"]

_lock = RLock()


@contextmanager
def quiet(format: str) -> Iterator[None]:
    """Hide warnings and log lines of torch.export and torch.onnx; one thread at a time, since both are process-wide.

    Raises:
        ExportError: PyTorch cannot convert the network; of its many lines only the first one is told.
    """
    logger = logging.getLogger("torch.onnx")
    with _lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before, logger.disabled = logger.level, False
        children = [logging.getLogger(f"torch.onnx._internal.exporter.{name}") for name in ("_registration", "_core")]
        levels = [child.level for child in children]
        for one in (logger, *children):
            one.setLevel(logging.ERROR)
        try:
            yield
        except NasightError:
            raise
        except Exception as error:
            first = (str(error).splitlines() or [""])[0]
            raise ExportError(
                f"PyTorch cannot convert this network to {format}: {type(error).__name__}: {first}",
                fix="export it as source",
            ) from error
        finally:
            logger.setLevel(before)
            for child, level in zip(children, levels):
                child.setLevel(level)
