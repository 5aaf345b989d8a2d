"""What the threads of pages tell the web server's loop, told together: each word by itself would wake it.

A page is some hundred messages. Each one that wakes the loop makes three threads take turns with the interpreter: the
page, the loop, and the search, which waits most. Gathered for a moment they are told at once, and sent as one.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any

__all__ = ["GATHERED", "PAGES", "gather"]

GATHERED = 0.02
"""Seconds for which messages of pages are gathered: too short to be noticed."""
PAGES = "ScriptRunner.scriptThread"
"""What Streamlit calls the threads that draw pages."""


class _Gathering:
    """Stands in for ``call_soon_threadsafe`` of one loop; everything is called in the order in which it was given."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._wake = loop, loop.call_soon_threadsafe
        self._thread = threading.get_ident()
        self._lock = threading.Lock()
        self._given: list[tuple[asyncio.Handle, Callable[..., Any], tuple[Any, ...], Context]] = []

    def __call__(self, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> asyncio.Handle:
        """Have ``callback`` called by the loop: now if it asks itself, soon if a page asks, at once for others."""
        if threading.get_ident() == self._thread:
            return self._loop.call_soon(callback, *args, context=context)
        if threading.current_thread().name != PAGES or self._loop.is_closed():
            return self._wake(callback, *args, context=context)
        context = context or copy_context()
        handle = asyncio.Handle(callback, args, self._loop, context)
        with self._lock:
            self._given.append((handle, callback, args, context))
            first = len(self._given) == 1
        if first:
            self._wake(self._loop.call_later, GATHERED, self._tell)
        return handle

    def _tell(self) -> None:
        with self._lock:
            given, self._given = self._given, []
        for handle, callback, args, context in given:
            if not handle.cancelled():
                self._loop.call_soon(callback, *args, context=context)


def gather(loop: asyncio.AbstractEventLoop) -> bool:
    """Let the running loop hear pages in one go; return whether it can: a loop that is not written in Python cannot."""
    try:
        loop.call_soon_threadsafe = _Gathering(loop)  # type: ignore[assignment,method-assign]
    except AttributeError:
        return False
    return True
