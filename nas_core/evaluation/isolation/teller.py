"""What a worker tells while it works: its progress, and its questions for the referee."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nas_core.evaluation.base import PackProgress, Referee
from nas_core.evaluation.isolation.frames import Frame
from nas_core.evaluation.isolation.process import WorkerProcess
from nas_core.records import Halt, Proposal

__all__ = ["Teller"]


class Teller:
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
