"""Who runs a run: a process identity that cannot be confused with a later process of the same number.

A process number alone comes back after a reboot or a wrap-around, so the identity also holds the boot, the process
number space (containers have their own) and the start time of the process.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

__all__ = ["HEARTBEAT_LIMIT", "SteadyClock", "is_gone", "this_process"]

# Seconds without a sign of life after which a process of *another* machine or container counts as gone. The writer
# beats at least every 10 s; the rest is for long stalls.
HEARTBEAT_LIMIT = 300.0


def this_process() -> str:
    """Return the identity of this process: ``place|pid|start``; the place is machine, boot and number space."""
    return f"{_place()}|{os.getpid()}|{_start_of(os.getpid())}"


def is_gone(owner: str, heartbeat: float, *, now: float | None = None) -> bool:
    """Tell whether the process called ``owner`` has ended.

    Args:
        owner: What :func:`this_process` returned there.
        heartbeat: Its last sign of life, seconds since 1970; decides only when the process is on another machine.
        now: The present time, for tests.
    """
    try:
        place, pid, start = owner.split("|")
        number = int(pid)
    except ValueError:
        return True
    if place == _place():
        return not _alive(number) or _start_of(number) != start
    return (time.time() if now is None else now) - heartbeat > HEARTBEAT_LIMIT


class SteadyClock:
    """Seconds since 1970 that go on when somebody sets the clock of the machine back.

    A clock that is set back would make a live run look dead from another machine, and put its events in a wrong order.
    One that is set ahead, or a machine that slept, is followed.

    Args:
        wall: The clock of the machine.
        steady: A clock that nobody can set.
    """

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._steady = wall, steady
        self._ahead = wall() - steady()

    def now(self) -> float:
        """Return the present time; never less than before."""
        self._ahead = max(self._ahead, self._wall() - self._steady())
        return self._ahead + self._steady()


@lru_cache(maxsize=1)
def _place() -> str:
    return "/".join([_machine(), _read("/proc/sys/kernel/random/boot_id"), _space()])


def _machine() -> str:
    return platform.node().replace("|", "-").replace("/", "-")


def _space() -> str:
    try:
        return os.readlink("/proc/self/ns/pid").partition("[")[2].rstrip("]")
    except OSError:
        return "0"


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return "0"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return _state_of(pid) != "Z"


def _fields(pid: int) -> list[str]:
    # The command name is in parentheses and may hold blanks, so cut after the last one.
    return _read(f"/proc/{pid}/stat").rpartition(")")[2].split()


def _state_of(pid: int) -> str:
    fields = _fields(pid)
    return fields[0] if fields else ""


def _start_of(pid: int) -> str:
    fields = _fields(pid)
    return fields[19] if len(fields) > 19 else "0"
