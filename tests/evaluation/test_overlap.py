"""Work that goes on while its source makes more: what is yielded, raised and ended, and what the clock says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from nas_core.evaluation.judged_networks import JudgedNetwork, clocked
from nas_core.evaluation.overlap import overlapped

Note = Callable[[object], None]


def numbers(count: int) -> Callable[[Note, threading.Event], Iterator[int]]:
    def source(note: Note, until: threading.Event) -> Iterator[int]:
        for n in range(count):
            note(f"{n} is made")
            yield n

    return source


@pytest.mark.parametrize("workers", [1, 3])
def test_everything_is_worked_on_and_notes_come_in_the_calling_thread(workers: int) -> None:
    told: list[tuple[object, int]] = []
    results = overlapped(
        numbers(7), lambda n: n * n, workers, threading.Event(), lambda note: told.append((note, threading.get_ident()))
    )
    found = list(results)
    assert sorted(found) == [n * n for n in range(7)]
    assert workers > 1 or found == sorted(found)
    assert told == [(f"{n} is made", threading.get_ident()) for n in range(7)]


def test_several_are_worked_on_at_the_same_time_while_the_source_waits() -> None:
    meeting = threading.Barrier(3, timeout=20)  # two that work, and the source that goes on meanwhile

    def source(note: Note, until: threading.Event) -> Iterator[int]:
        yield 0
        yield 1
        meeting.wait()

    assert sorted(overlapped(source, lambda n: meeting.wait() * 0 + n, 2, threading.Event(), print)) == [0, 1]


@pytest.mark.parametrize("where", ["source", "work", "note"])
def test_an_error_is_raised_where_one_listens_and_ends_the_source(where: str) -> None:
    ended = threading.Event()

    def source(note: Note, until: threading.Event) -> Iterator[int]:
        try:
            yield 0
            note("made")
            if where == "source":
                raise ValueError("bad source")
            while not until.is_set():
                time.sleep(0.001)
            yield 1
        finally:
            ended.set()

    def fail(at: str) -> None:
        if where == at:
            raise ValueError(f"bad {at}")

    with pytest.raises(ValueError, match=f"bad {where}"):
        list(overlapped(source, lambda n: fail("work"), 1, threading.Event(), lambda note: fail("note")))
    assert ended.is_set()


def test_closing_ends_the_source_and_a_stop_reaches_it() -> None:
    ended, stop = threading.Event(), threading.Event()

    def source(note: Note, until: threading.Event) -> Iterator[int]:
        yield 0
        while not until.is_set():
            time.sleep(0.001)
        ended.set()
        yield 1

    results = overlapped(source, lambda n: n, 2, stop, print)
    assert next(results) == 0
    results.close()
    assert ended.is_set()
    assert not stop.is_set()
    again = overlapped(source, lambda n: n, 2, stop, print)
    assert next(again) == 0
    stop.set()
    assert list(again) == [1]


def test_the_clock_divides_all_the_time_there_was() -> None:
    seconds = {"train": 0.0, "measure": 0.0}

    def results() -> Iterator[JudgedNetwork]:
        for took in (0.04, 100.0, 0.0):
            time.sleep(0.03)
            yield JudgedNetwork([], {}, took)

    def add(phase: str, more: float) -> None:
        assert more >= 0
        seconds[phase] += more

    began = time.perf_counter()
    assert [r.seconds for r in clocked(results(), 4, add)] == [0.04, 100.0, 0.0]
    assert sum(seconds.values()) == pytest.approx(time.perf_counter() - began, abs=0.02)
    assert seconds["train"] > 0.01  # until the first result: 30 ms less a fourth of 40
    assert seconds["measure"] > 0.06  # the second owes more than there is, the third goes on paying
