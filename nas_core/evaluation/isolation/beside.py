"""A worker process that evaluates beside this process, and the thread that speaks with it."""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from nas_core.evaluation.base import PackProgress, Referee, Stop, Weights
from nas_core.evaluation.isolation.evaluator import IsolatedEvaluator
from nas_core.evaluation.isolation.recipes import EvaluatorRecipe
from nas_core.evaluation.packs import Parents
from nas_core.records import Evaluation, Proposal
from nas_core.spaces import SearchSpace

if TYPE_CHECKING:
    from nas_core.training.progress import Parent

__all__ = ["NICE", "Beside", "Finished"]

log = logging.getLogger(__name__)

NICE = 5
"""By how much a worker is nicer than others, as ``nice`` counts it."""


@dataclass(frozen=True)
class Finished:
    """An evaluation, and the weights that came with it, by candidate."""

    evaluation: Evaluation
    weights: dict[str, Weights]


Heard = Finished | PackProgress | Exception | None
"""What is heard of a share: progress, what is finished, and at the end None, or the error that ended it."""


class Beside:
    """One worker; made at once, :attr:`ready` some seconds later, when its process has loaded everything.

    One that gave up a share with an error, or could not be started, is never ready again.

    The thread lives as long as this object is open: the system kills a worker with the thread that started it. It ends
    with this process, too. All methods are for one and the same thread of the caller.

    Args:
        recipe: From what the worker builds its evaluator.
        parents: Finds the weights that proposals may start from; asked in the caller's thread.
    """

    def __init__(self, recipe: EvaluatorRecipe, parents: Parents | None = None) -> None:
        self._parents, self._found = parents, dict[str, Sequence["Parent"]]()
        self._worker = IsolatedEvaluator(recipe, parents=None if parents is None else lambda _: self._found)
        self._closing, self._given_up = threading.Event(), threading.Event()
        self._orders: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._said: queue.SimpleQueue[Heard] = queue.SimpleQueue()
        self.ready = False
        self._thread = threading.Thread(target=self._serve, name="beside", daemon=True)
        self._thread.start()

    def enter(self, space: SearchSpace) -> None:
        """Evaluate architectures of ``space`` from the next share on."""
        self._orders.put(partial(self._worker.enter, space))

    def begin(self, share: Sequence[Proposal], stop: Stop, referee: Referee | None) -> None:
        """Evaluate ``share``; what becomes of it is to be heard until None or an error comes."""
        if self._parents is not None:
            self._found = dict(self._parents(share))
        self._given_up.clear()
        self._orders.put(partial(self._evaluate, share, stop, referee))

    def hear(self) -> Heard:
        """Wait for the next thing to be heard, and return it."""
        return self._said.get()

    def give_up(self) -> None:
        """Let go of the share; its end is soon to be heard."""
        self._given_up.set()

    def close(self) -> None:
        """End the worker, whatever it does, and wait until it has ended."""
        self._closing.set()
        self._orders.put(None)
        self._thread.join()

    def _serve(self) -> None:
        try:
            worker = self._worker.prepare(self._closing)
            if worker is None:
                return
            _give_way(worker.pid)
            self.ready = True
            while (order := self._orders.get()) is not None:
                order()
        except Exception as error:  # noqa: BLE001 - whatever it is, this process can do without
            log.warning("Training goes on with one process less: %s", error)
        finally:
            self.ready = False
            self._said.put(None)  # nobody waits for a share that was ordered meanwhile
            self._worker.close()

    def _evaluate(self, share: Sequence[Proposal], stop: Stop, referee: Referee | None) -> None:
        ended: Exception | None = None
        try:
            any_of = _AnyOf((stop, self._given_up, self._closing))
            for evaluation in self._worker.evaluate(share, stop=any_of, on_progress=self._said.put, referee=referee):
                self._said.put(Finished(evaluation, self._worker.take_weights()))
        except Exception as error:  # noqa: BLE001 - heard by the caller, who evaluates what is left
            log.warning("A worker process gave up its share: %s", error)
            ended, self.ready = error, False
        self._said.put(ended)


def _give_way(pid: int) -> None:
    """Let whatever else a person does on this machine, in the studio above all, go before a worker."""
    with suppress(OSError, AttributeError):  # not everywhere
        os.setpriority(os.PRIO_PROCESS, pid, min(19, os.getpriority(os.PRIO_PROCESS, pid) + NICE))


@dataclass(frozen=True)
class _AnyOf:
    """Stops as soon as one of several does."""

    stops: tuple[Stop, ...]

    def is_set(self) -> bool:
        """Return whether one of them does."""
        return any(stop.is_set() for stop in self.stops)
