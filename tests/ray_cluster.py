"""A Ray cluster of several nodes on this machine, for tests and benchmarks: real processes that can be killed."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["LoopbackCluster"]

START_SECONDS = 60.0
MEMORY = 80_000_000
"""Bytes of the object store of a node."""


class LoopbackCluster:
    """A head and other nodes, each a process with its descendants, reached by a token that only this process knows.

    The token is put into the environment of this process, so that it may join.

    Args:
        head_cpus: Tasks that the head's node runs at a time.
    """

    def __init__(self, head_cpus: int = 1) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="ray-"))
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._nodes: dict[int, subprocess.Popen[bytes]] = {}
        self._logs: dict[int, Path] = {}
        head = ("--head", f"--port={self.port}", "--include-dashboard=false", f"--temp-dir={self.place}")
        self.head = self._start(*head, f"--num-cpus={head_cpus}")
        try:
            self._until(self.head, self._listens)
        except BaseException:
            self.remove()
            raise

    @property
    def executor(self) -> str:
        """What to pass as ``--executor``."""
        return f"ray://127.0.0.1:{self.port}"

    def add_node(self, cpus: int = 1) -> int:
        """Start another node; return its process, for :meth:`wait_for` and :meth:`kill`."""
        return self._start(f"--address=127.0.0.1:{self.port}", f"--num-cpus={cpus}")

    def wait_for(self, node: int) -> None:
        """Wait until a node says that it has joined."""
        self._until(node, lambda: "Ray runtime started" in self._logs[node].read_text(errors="replace"))

    def kill(self, node: int) -> None:
        """Kill all processes of a node at once, as if its machine had lost power."""
        for process in _family(node):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._nodes.pop(node).wait()

    def remove(self) -> None:
        """Kill all nodes and remove their files."""
        for node in list(self._nodes):
            self.kill(node)
        shutil.rmtree(self.place, ignore_errors=True)

    def _start(self, *options: str) -> int:
        command = [str(Path(sys.executable).with_name("ray")), "start", "--block", "--node-ip-address=127.0.0.1"]
        command += ["--num-gpus=0", f"--object-store-memory={MEMORY}", "--disable-usage-stats", *options]
        environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
        log = self.place / f"node-{len(self._logs)}.txt"
        with log.open("wb") as said:
            process = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True, env=environment)
        self._nodes[process.pid] = process
        self._logs[process.pid] = log
        return process.pid

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1.0):
            return True
        return False

    def _until(self, node: int, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not condition():
            assert time.monotonic() < deadline, self._logs[node].read_text(errors="replace")
            time.sleep(0.1)


def _family(process: int) -> list[int]:
    """Return a process and all that descend from it."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], check=True, capture_output=True, text=True).stdout
    pairs = [(int(pid), int(parent)) for pid, parent in (line.split() for line in listed.splitlines())]
    found = [process]
    for member in found:
        found += [pid for pid, parent in pairs if parent == member]
    return found
