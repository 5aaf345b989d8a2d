"""Work on what is ready while more is made: networks are measured on all cores while others are still trained."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, TypeVar

from nas_core.evaluation.base import Stop

__all__ = ["overlapped"]

T = TypeVar("T")
R = TypeVar("R")
Source = Callable[[Callable[[Any], None], Stop], Generator[T, None, None]]


def overlapped(
    source: Source[T], work: Callable[[T], R], workers: int, stop: Stop, on_note: Callable[[Any], None]
) -> Generator[R, None, None]:
    """Yield what ``work`` makes of each item of ``source``, in the order in which that is ready.

    The source goes on in a thread of its own, and items are worked on in ``workers`` others. What is raised in any of
    them is raised here; closing the iterator ends the source, and waits for it and for the work that has begun.

    Args:
        source: Given a function that passes a note on, and a stop that is set when ``stop`` is or nobody listens any
            more, returns the iterator of items.
        work: Called for several items at the same time, each on one core.
        workers: Number of threads that work.
        stop: Of the caller.
        on_note: Called with every note of the source, from the calling thread.
    """
    heard: SimpleQueue[_Note | _Failed | Future[R] | None] = SimpleQueue()
    until = _Until(stop)

    def feed() -> None:
        pool = ThreadPoolExecutor(workers, thread_name_prefix="measuring", initializer=_on_one_core)
        try:
            with closing(source(lambda told: heard.put(_Note(told)), until)) as items:
                for item in items:
                    if until.closed.is_set():
                        break
                    pool.submit(work, item).add_done_callback(heard.put)
        except BaseException as error:  # noqa: BLE001 - raised in the thread that listens
            heard.put(_Failed(error))
        finally:
            pool.shutdown(cancel_futures=until.closed.is_set())
            heard.put(None)

    feeder = threading.Thread(target=feed, name="feeding", daemon=True)
    feeder.start()
    try:
        while (one := heard.get()) is not None:
            if isinstance(one, Future):
                yield one.result()
            elif isinstance(one, _Note):
                on_note(one.told)
            else:
                raise one.error
    finally:
        until.closed.set()
        feeder.join()


class _Until:
    """A stop that is set when the caller's is, or nobody listens any more."""

    def __init__(self, outer: Stop) -> None:
        self._outer, self.closed = outer, threading.Event()

    def is_set(self) -> bool:
        return self.closed.is_set() or self._outer.is_set()


def _on_one_core() -> None:
    """Let the calling thread compute by itself: there are others."""
    import torch

    torch.set_num_threads(1)


@dataclass(frozen=True)
class _Note:
    told: Any


@dataclass(frozen=True)
class _Failed:
    error: BaseException
