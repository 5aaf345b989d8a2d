"""A process identity: this one lives, an ended one is gone, a reused number is not the same process."""

from __future__ import annotations

import subprocess
import sys
import time

from nas_core.store.owner import HEARTBEAT_LIMIT, SteadyClock, is_gone, this_process


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


class Clocks:
    """A clock that is set, and one that is not."""

    def __init__(self) -> None:
        self.wall, self.steady = 1_000_000.0, 50.0

    def passes(self, seconds: float) -> None:
        self.wall, self.steady = self.wall + seconds, self.steady + seconds


def test_a_clock_that_is_set_back_does_not_make_a_live_run_look_dead() -> None:
    clocks = Clocks()
    clock = SteadyClock(lambda: clocks.wall, lambda: clocks.steady)
    beats = [clock.now()]
    for _ in range(3):
        clocks.passes(60.0)
        clocks.wall -= 3600.0
        beats.append(clock.now())
    assert beats == [1_000_000.0 + 60.0 * n for n in range(4)]
    elsewhere = "elsewhere/boot/space|1|1"
    assert not is_gone(elsewhere, beats[-1], now=1_000_000.0 + 180.0)
    assert is_gone(elsewhere, clocks.wall, now=1_000_000.0 + 180.0), "what the machine's own clock would have said"


def test_a_machine_that_slept_or_whose_clock_was_late_is_followed() -> None:
    clocks = Clocks()
    clock = SteadyClock(lambda: clocks.wall, lambda: clocks.steady)
    clocks.wall += 7200.0
    assert clock.now() == 1_007_200.0
    clocks.wall -= 7200.0
    clocks.passes(5.0)
    assert clock.now() == 1_007_205.0


def test_by_default_it_is_the_present_time() -> None:
    assert abs(SteadyClock().now() - time.time()) < 1.0
