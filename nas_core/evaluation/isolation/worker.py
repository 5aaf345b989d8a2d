"""What runs inside the worker process: it builds an evaluator from a recipe and does what its parent asks.

It ends with its parent, however that ends: it is killed by the system where Linux offers that, and in any case when
the pipe from its parent is closed.
"""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import queue
import signal
import sys
import threading
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from nas_core.errors import NasightError, error_line
from nas_core.evaluation.base import Evaluator, PackProgress, Referee
from nas_core.evaluation.isolation.frames import Frame, joined, read_frame, split, write_frame
from nas_core.evaluation.isolation.memory import limit_data
from nas_core.evaluation.isolation.recipes import SentParents, recipe_of
from nas_core.records import Halt, Proposal, Status

__all__ = ["main"]

_KILLED_WITH_PARENT = 1  # PR_SET_PDEATHSIG


def main() -> None:
    """Serve the parent at the other end of standard input and output until it is gone."""
    _end_with(int(sys.argv[1]))
    faulthandler.enable()
    pipe = _Pipe(*_private_streams())
    logging.basicConfig(level=logging.WARNING, handlers=[_Told(pipe)], force=True)
    threading.Thread(target=pipe.listen, name="listening", daemon=True).start()
    with contextlib.suppress(BrokenPipeError):
        _Worker(pipe).serve()


class _Pipe:
    """Both directions, for several threads."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._incoming, self._outgoing, self._lock = incoming, outgoing, threading.Lock()
        self.orders: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        self.answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.halts: dict[str, Halt] = {}

    def say(self, kind: str, **said: Any) -> None:
        """Tell the parent something."""
        self.send(Frame(kind, said))

    def send(self, frame: Frame) -> None:
        """Send a message."""
        with self._lock:
            write_frame(self._outgoing, frame)

    def listen(self) -> None:
        """Sort what comes in, and end this process when nobody is there any more."""
        try:
            while (frame := read_frame(self._incoming)) is not None:
                if frame.kind == "answer":
                    self.answers.put(frame.said["answer"])
                elif frame.kind == "halts":
                    self.halts |= {key: Halt(Status(h[0]), h[1]) for key, h in frame.said["halts"].items()}
                else:
                    self.orders.put(frame)
        finally:
            os._exit(0)  # at once, whatever is being trained


class _Worker:
    def __init__(self, pipe: _Pipe) -> None:
        self._pipe, self._parents = pipe, SentParents()
        self._evaluator: Evaluator | None = None

    def serve(self) -> None:
        while True:
            frame = self._pipe.orders.get()
            try:
                getattr(self, f"_do_{frame.kind}")(frame)
            except BrokenPipeError:
                raise
            except NasightError as error:
                parts = {"given": error.given, "allowed": error.allowed, "fix": error.fix}
                self._pipe.say("error", name=type(error).__name__, parts=parts)
            except Exception as error:
                logging.getLogger(__name__).warning("The worker's %s failed", frame.kind, exc_info=error)
                self._pipe.say("error", name="", text=error_line(error))

    def _do_build(self, frame: Frame) -> None:
        recipe, headroom = recipe_of(frame.said["recipe"]), frame.said["headroom"]
        self._evaluator = recipe.build(self._parents)
        if frame.said["space"] is not None:
            self._enter(frame.said["space"])
        if headroom is not None and recipe.on_processor:
            limit_data(headroom)
        self._pipe.say("ready")

    def _do_enter(self, frame: Frame) -> None:
        self._enter(frame.said["space"])

    def _enter(self, space: dict[str, Any]) -> None:
        from nas_core.spaces.space import SearchSpace

        self._built.enter(SearchSpace.model_validate(space))

    def _do_evaluate(self, frame: Frame) -> None:
        said, evaluator = frame.said, self._built
        self._parents.take(said["parents"], split(frame.arrays))
        self._pipe.halts.clear()
        found = evaluator.evaluate(
            [Proposal.model_validate(p) for p in said["proposals"]],
            stop=threading.Event(),  # a stop kills this process
            on_progress=self._tell_progress,
            referee=_FarReferee(self._pipe) if said["referee"] else None,
        )
        for evaluation in found:
            weights = evaluator.take_weights()
            told = {
                "evaluation": evaluation.model_dump(mode="json"),
                "weighed": list(weights),
                "seconds": evaluator.take_seconds(),
            }
            self._pipe.send(Frame("evaluation", told, joined(weights)))
        self._pipe.say("end", seconds=evaluator.take_seconds())

    def _tell_progress(self, pack: PackProgress) -> None:
        self._pipe.say("progress", phase=pack.phase, size=pack.size, epoch=pack.epoch, epochs=pack.epochs)

    @property
    def _built(self) -> Evaluator:
        assert self._evaluator is not None  # the first order is to build it
        return self._evaluator


@dataclass
class _FarReferee(Referee):
    """Asks the referee of the parent: about every candidate at the epochs it looks at, and waits for the answer.

    In between it only knows of whom a person gave up meanwhile.
    """

    pipe: _Pipe
    _looks: dict[int, bool] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def looks_at(self, epoch: int) -> bool:
        with self._turn:
            if epoch not in self._looks:
                self._looks[epoch] = bool(self._asked(about="epoch", epoch=epoch))
            return self._looks[epoch]

    def halt(self, candidate: str, epoch: int, epochs: int, performance: float | None) -> Halt | None:
        if (given_up := self.pipe.halts.get(candidate)) is not None:
            return given_up
        if not self.looks_at(epoch):
            return None
        with self._turn:
            return _halt(
                self._asked(about="halt", candidate=candidate, epoch=epoch, epochs=epochs, performance=performance)
            )

    def _asked(self, **what: Any) -> Any:
        self.pipe.say("ask", **what)
        return self.pipe.answers.get()


class _Told(logging.Handler):
    """Passes on what is logged to the parent, whose log it belongs to."""

    def __init__(self, pipe: _Pipe) -> None:
        super().__init__()
        self._pipe = pipe

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):
            self._pipe.say("log", name=record.name, level=record.levelno, text=self.format(record))


def _halt(said: list[str] | None) -> Halt | None:
    return None if said is None else Halt(Status(said[0]), said[1])


def _private_streams() -> tuple[BinaryIO, BinaryIO]:
    """Return the streams from and to the parent; what libraries print goes to standard error instead."""
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return incoming, outgoing


def _end_with(parent: int) -> None:
    """Let the system kill this process when its parent ends, and offer it first where memory runs out (Linux)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    ctypes.CDLL(None).prctl(_KILLED_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before
        os._exit(0)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("500")


if __name__ == "__main__":
    main()
