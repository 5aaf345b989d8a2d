"""Reading much at once without the garbage collector walking over what was read again and again.

Records refer to nothing that refers back to them, so while thousands are built there is no cycle to be found; yet the
collector starts each time some hundred objects were added, and walks all those that are already there.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["uncollected"]

_lock = threading.Lock()
_inside = 0
_was_on = False


@contextmanager
def uncollected() -> Iterator[None]:
    """Run the body with Python's garbage collector at rest; it goes on when the last thread has left.

    Memory is freed as ever, that of cycles excepted. A collector that somebody else turned off stays off.
    """
    global _inside, _was_on
    with _lock:
        if _inside == 0:
            _was_on = gc.isenabled()
            gc.disable()
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0 and _was_on:
                gc.enable()
