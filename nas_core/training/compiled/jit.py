"""How kernels are compiled: by numba, once on a machine, kept on disk, without the lock of the interpreter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

__all__ = ["inlined", "kernel"]

F = TypeVar("F", bound=Callable[..., Any])

OPTIONS: dict[str, Any] = {"nogil": True, "boundscheck": False, "error_model": "numpy", "fastmath": {"contract"}}


def kernel(function: F) -> F:
    """Compile a function of flat arrays and numbers when it is first called.

    Multiplications and additions may be contracted, nothing else is reordered: NaN and infinities go through.
    """
    try:
        return cast(F, njit(cache=True, **OPTIONS)(function))
    except RuntimeError:  # no folder where it could be kept
        return cast(F, njit(**OPTIONS)(function))


def inlined(function: F) -> F:
    """Compile a small function of vectors into each kernel that calls it: what is constant there is known here."""
    return cast(F, njit(forceinline=True, **OPTIONS)(function))
