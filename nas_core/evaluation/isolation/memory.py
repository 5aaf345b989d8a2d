"""The memory of a process: how much it has, and a limit that the operating system itself keeps."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

__all__ = ["limit_data", "resident_bytes"]

_SLACK = 256_000_000
"""Stacks of threads, and what allocators reserve: counted by the system, not used by the candidate."""


def resident_bytes(pid: int) -> int | None:
    """Return the bytes of memory that a process occupies (RSS); None where this is not known, or it has ended."""
    table = Path(f"/proc/{pid}/statm")
    try:
        return int(table.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        pass
    if os.name != "posix" or Path("/proc/self").exists():
        return None
    try:  # macOS and the BSDs
        said = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, timeout=5)
        return int(said.stdout) * 1024
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def limit_data(headroom: int) -> bool:
    """Let this process allocate at most about ``headroom`` bytes more than it has now; return whether this holds.

    It is a safety net under the watch of the parent, which looks twenty times a second: one allocation that is far too
    large fails at once, with a MemoryError, instead of filling the machine. The limit is on private writable memory
    (RLIMIT_DATA, which Linux counts so since 4.7); elsewhere there is none.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return False
    import resource

    found = re.search(r"^VmData:\s*(\d+) kB", status.read_text(), re.MULTILINE)
    if found is None:
        return False
    wanted = 1024 * int(found[1]) + int(1.25 * headroom) + _SLACK
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY and hard <= wanted:
        return True
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
    return True
