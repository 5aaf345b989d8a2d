"""What pages tell the loop of the web server: together, in order, and others at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextvars import ContextVar

import pytest

from dashboard import gathering
from dashboard.gathering import PAGES, gather

SAYS = 40
who: ContextVar[str] = ContextVar("who", default="nobody")


def said_by(name: str, tell: Callable[[], None]) -> threading.Thread:
    """Return a thread of this name that has begun to tell."""
    thread = threading.Thread(target=tell, name=name)
    thread.start()
    return thread


def wakes(patient: bool) -> tuple[int, list[int]]:
    """Return how often the loop was woken while a page told it ``SAYS`` things, and what it heard."""
    heard: list[int] = []
    woken = 0

    async def main() -> None:
        nonlocal woken
        loop = asyncio.get_running_loop()
        plain, done = loop.call_soon_threadsafe, asyncio.Event()

        def counted(*given: object, **context: object) -> asyncio.Handle:
            nonlocal woken
            woken += 1
            return plain(*given, **context)

        loop.call_soon_threadsafe = counted  # type: ignore[method-assign]
        if patient:
            assert gather(loop)

        def page() -> None:
            for at in range(SAYS):
                loop.call_soon_threadsafe(heard.append, at)
            loop.call_soon_threadsafe(done.set)

        thread = said_by(PAGES, page)
        await asyncio.wait_for(done.wait(), 10)
        thread.join()

    asyncio.run(main())
    return woken, heard


def test_a_page_wakes_the_loop_seldom_and_is_heard_as_it_spoke() -> None:
    assert wakes(patient=False) == (SAYS + 1, list(range(SAYS)))
    woken, heard = wakes(patient=True)
    assert heard == list(range(SAYS))
    assert woken < SAYS / 4


def test_others_are_heard_at_once_and_the_loop_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "GATHERED", 3600.0)  # what waits here is never heard
    heard: list[str] = []

    async def main() -> None:
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        gather(loop)
        loop.call_soon_threadsafe(heard.append, "itself")
        page = said_by(PAGES, lambda: loop.call_soon_threadsafe(heard.append, "a page"))
        page.join()

        def another() -> None:
            heard.append("another")
            done.set()

        said_by("pool", lambda: loop.call_soon_threadsafe(another)).join()
        await asyncio.wait_for(done.wait(), 10)

    asyncio.run(main())
    assert heard == ["itself", "another"]


def test_what_is_taken_back_is_not_called_and_the_rest_in_its_own_context(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "GATHERED", 0.05)
    heard: list[str] = []

    async def main() -> None:
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        gather(loop)

        def page() -> None:
            who.set("a page")
            loop.call_soon_threadsafe(heard.append, "taken back").cancel()
            loop.call_soon_threadsafe(lambda: heard.append(who.get()))
            loop.call_soon_threadsafe(done.set)

        said_by(PAGES, page).join()
        await asyncio.wait_for(done.wait(), 10)

    asyncio.run(main())
    assert heard == ["a page"]


def test_a_loop_that_has_ended_says_so() -> None:
    loop = asyncio.new_event_loop()
    gather(loop)
    loop.close()
    found: list[str] = []

    def page() -> None:
        try:
            loop.call_soon_threadsafe(print)
        except RuntimeError as error:
            found.append(str(error))

    said_by(PAGES, page).join()
    assert found == ["Event loop is closed"]


def test_the_threads_of_pages_are_called_as_streamlit_calls_them() -> None:
    from pathlib import Path

    from streamlit.runtime.scriptrunner import script_runner

    assert f'name="{PAGES}"' in Path(script_runner.__file__).read_text()
