"""The machine as the engine sees it: processor, memory, devices, and what is installed."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import sys
from pathlib import Path

from nas_core.evaluation.isolation.memory import resident_bytes
from nas_core.records import Record

__all__ = ["Machine", "Package", "look_at_machine", "memory_bytes", "memory_use", "packages"]

DISTRIBUTION = "nasight"


class Machine(Record):
    """What a machine has.

    Attributes:
        system: Operating system and architecture.
        processor: Name of the processor.
        python: Version of Python.
        cores: Processor cores of the machine.
        usable_cores: Those that this process may use (affinity).
        threads: Threads that torch uses inside an operation.
        omp_num_threads: The environment variable that lowers them; empty when it is not set.
        memory_bytes, free_bytes: Memory, that of the container where there is a limit; None where it is not known.
        devices: Names of the accelerators, none when there is only the processor.
    """

    system: str
    processor: str
    python: str
    cores: int
    usable_cores: int
    threads: int
    omp_num_threads: str
    memory_bytes: int | None
    free_bytes: int | None
    devices: tuple[str, ...]


class Package(Record):
    """A required distribution.

    Attributes:
        name: Its name.
        needed: The versions that suit, empty when all do.
        version: The installed version, None when there is none.
        extra: The extra it belongs to, empty when everybody needs it.
        suits: Whether a suitable version is installed.
    """

    name: str
    needed: str
    version: str | None
    extra: str
    suits: bool


def look_at_machine() -> Machine:
    """Return what this machine has; imports torch."""
    import torch

    cores = os.cpu_count() or 1
    total, free = memory_bytes()
    devices = [torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        devices.append("Apple GPU (mps)")
    return Machine(
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        processor=_processor(),
        python=platform.python_version(),
        cores=cores,
        usable_cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores,
        threads=torch.get_num_threads(),
        omp_num_threads=os.environ.get("OMP_NUM_THREADS", ""),
        memory_bytes=total,
        free_bytes=free,
        devices=tuple(devices),
    )


def _processor() -> str:
    table = Path("/proc/cpuinfo")
    if table.exists() and (found := re.search(r"^model name\s*:\s*(.+)$", table.read_text(), re.MULTILINE)):
        return found[1].strip()
    return platform.processor() or platform.machine()


def memory_bytes(root: Path = Path("/")) -> tuple[int | None, int | None]:
    """Return the memory in bytes and how much of it is free, the smaller of the machine's and the container's.

    Args:
        root: Where ``proc`` and ``sys`` are found.
    """
    total = free = None
    table = root / "proc/meminfo"
    if table.exists():
        entries = dict(re.findall(r"^(\w+):\s*(\d+) kB", table.read_text(), re.MULTILINE))
        total, free = (1024 * int(entries[name]) if name in entries else None for name in ("MemTotal", "MemAvailable"))
    elif "SC_PHYS_PAGES" in getattr(os, "sysconf_names", {}):
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit, used = (root / "sys/fs/cgroup" / name for name in ("memory.max", "memory.current"))
    if limit.exists() and limit.read_text().strip().isdigit():
        most = int(limit.read_text())
        if total is None or most < total:
            total = most
            left = most - int(used.read_text()) if used.exists() else None
            free = left if free is None or left is None else min(free, left)
    return total, free


def memory_use() -> tuple[int | None, int | None]:
    """Return the resident bytes of this process and its children, and those that torch has reserved on an accelerator.

    The first is None where it is not known, the second where this process uses no accelerator. Children are counted
    where the system lists them (Linux): a worker that trains is one.
    """
    own = resident_bytes(os.getpid())
    if own is not None:
        own += sum(resident_bytes(pid) or 0 for pid in _children())
    torch = sys.modules.get("torch")  # where it was never imported, nothing lies on an accelerator
    if torch is None or not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return own, None
    return own, sum(torch.cuda.memory_reserved(n) for n in range(torch.cuda.device_count()))


def _children() -> list[int]:
    found = []
    for table in Path("/proc/self/task").glob("*/children"):
        try:
            found += [int(pid) for pid in table.read_text().split()]
        except OSError:  # the thread has ended
            continue
    return found


def packages() -> tuple[Package, ...]:
    """Return the distributions that the installed NASight asks for, those of all extras included, by extra and name.

    Nothing is imported but their metadata. Without metadata (a checkout that was never installed) there are none.
    """
    from packaging.requirements import Requirement

    try:
        lines = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        return ()
    found = []
    for requirement in map(Requirement, lines):
        extra = re.search(r"extra\s*==\s*[\"']([^\"']+)", str(requirement.marker or ""))
        name = extra[1] if extra else ""
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": name}):
            continue
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            version = None
        suits = version is not None and requirement.specifier.contains(version, prereleases=True)
        found.append(
            Package(name=requirement.name, needed=str(requirement.specifier), version=version, extra=name, suits=suits)
        )
    return tuple(sorted(found, key=lambda p: (p.extra, p.name)))
