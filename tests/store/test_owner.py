"""A process identity: this one lives, an ended one is gone, a reused number is not the same process."""

from __future__ import annotations

import subprocess
import sys

from nas_core.store.owner import HEARTBEAT_LIMIT, is_gone, this_process


def test_this_process_is_here() -> None:
    assert not is_gone(this_process(), 0.0)
    assert this_process() == this_process()


def test_an_ended_process_is_gone_even_before_it_is_reaped() -> None:
    code = "from nas_core.store.owner import this_process; print(this_process(), flush=True); input()"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdin is not None
    owner = process.stdout.readline().strip()
    assert not is_gone(owner, 0.0)
    process.kill()
    process.stdout.read()  # returns when the kernel has closed its end; the zombie is still there
    while not is_gone(owner, 0.0):
        pass
    process.wait()
    assert is_gone(owner, 0.0)
    process.stdin.close()
    process.stdout.close()


def test_a_later_process_with_the_same_number_is_another_one() -> None:
    place, pid, start = this_process().split("|")
    assert is_gone(f"{place}|{pid}|{int(start) + 1}", 0.0)


def test_another_boot_or_machine_counts_by_its_heartbeat() -> None:
    _, pid, start = this_process().split("|")
    owner = f"elsewhere/boot/space|{pid}|{start}"
    assert not is_gone(owner, 1000.0, now=1000.0 + HEARTBEAT_LIMIT)
    assert is_gone(owner, 1000.0, now=1001.0 + HEARTBEAT_LIMIT)


def test_an_owner_nobody_can_read_is_gone() -> None:
    assert is_gone("nonsense", 1e12)
    assert is_gone("a|b|c", 1e12)
