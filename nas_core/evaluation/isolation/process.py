"""The worker process as its parent sees it: started, heard, and ended."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from typing import IO

from nas_core.evaluation.isolation.frames import Frame, read_frame, write_frame
from nas_core.evaluation.isolation.memory import resident_bytes

__all__ = ["Heard", "WorkerProcess"]

log = logging.getLogger(__name__)

END_SECONDS = 2.0
_LAST_WORDS = 4_000


@dataclass(frozen=True)
class Heard:
    """What a worker said and when (``time.monotonic``); no frame at all when it has ended."""

    frame: Frame | None
    at: float


class WorkerProcess:
    """A process that runs ``worker``; one thread uses it, and it ends with that thread (on Linux) or its process.

    It has no terminal, so a Ctrl-C is for its parent alone; what it prints goes to a file without a name.
    """

    def __init__(self) -> None:
        # where this process found its packages, there the worker finds them too; -P: never in the working directory
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        self._printed: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "nas_core.evaluation.isolation.worker", str(os.getpid())],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._printed, env=environment,
            start_new_session=True,
        )  # fmt: skip
        self._heard: queue.SimpleQueue[Heard] = queue.SimpleQueue()
        threading.Thread(target=self._listen, name=f"worker {self._process.pid}", daemon=True).start()

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def silent(self) -> bool:
        """Whether everything that it said has been heard."""
        return self._heard.empty()

    @property
    def resident(self) -> int | None:
        """Bytes of memory that it occupies now; None where that is not known."""
        return resident_bytes(self._process.pid)

    def send(self, frame: Frame) -> None:
        """Send a message; one that has ended will be heard to have."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            write_frame(self._process.stdin, frame)

    def hear(self, seconds: float) -> Heard | None:
        """Return the next thing it said, None when it said nothing for ``seconds``."""
        try:
            return self._heard.get(timeout=seconds)
        except queue.Empty:
            return None

    def kill(self) -> None:
        """End it now, and leave no zombie."""
        self._process.kill()
        self._process.wait()
        self._shut()

    def close(self) -> None:
        """Let it end by itself, and kill it where it does not."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)
        self.kill()

    def death(self) -> str:
        """Wait until it has ended; return how it did, and log what it printed."""
        code = self._process.wait()
        self._printed.seek(0, os.SEEK_END)
        self._printed.seek(max(0, self._printed.tell() - _LAST_WORDS))
        words = self._printed.read().decode(errors="replace").partition("\nExtension modules:")[0].strip()
        if words:
            log.warning("The worker %d had printed:\n%s", self.pid, words)
        self._shut()
        if code >= 0:
            return f"ended with exit code {code}"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            return f"was ended by signal {-code}"
        return f"was ended by {name} ({signal.strsignal(-code)})"

    def _shut(self) -> None:
        for stream in (self._process.stdin, self._printed):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _listen(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        try:
            while (frame := read_frame(stream)) is not None:
                self._heard.put(Heard(frame, time.monotonic()))
        except (ValueError, OSError, KeyError) as error:
            log.warning("The worker %d cannot be understood any more (%s)", self.pid, error)
            self._process.kill()
        finally:
            stream.close()
            self._heard.put(Heard(None, time.monotonic()))
