"""What all candidates of a problem share is worked out once: which rows are measured, and the rows made from them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from nas_core.data.problem import Problem

__all__ = ["KEPT", "once"]

T = TypeVar("T")
KEPT = 10_000_000
"""Numbers that one thing may keep for as long as its problem lives: 40 MB in single precision."""

_kept: WeakKeyDictionary[Problem, dict[str, Any]] = WeakKeyDictionary()
_lock = threading.RLock()


def once(problem: Problem, name: str, make: Callable[[], T]) -> T:
    """Return what ``make`` returned when it was first called for this problem and this name.

    It goes when the problem does, so it must not hold the problem itself.
    """
    with _lock:
        known = _kept.setdefault(problem, {})
        if name not in known:
            known[name] = make()
        found: T = known[name]
        return found
