"""How kernels are compiled: by numba, once on a machine, kept on disk, without the lock of the interpreter."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit

__all__ = ["inlined", "kernel", "looping", "within"]

F = TypeVar("F", bound=Callable[..., Any])

OPTIONS: dict[str, Any] = {
    "nogil": True, "boundscheck": False, "error_model": "numpy", "fastmath": {"contract"}, "no_cfunc_wrapper": True,
    "_nrt": False,
}  # fmt: skip
"""Kernels make no arrays, so nobody counts references to any: that is much less code to compile."""
LOOPS: dict[str, Any] = {**OPTIONS, "_nrt": True}
"""Parts of an array are arrays that numba counts references to."""
INSIDE: dict[str, Any] = {**OPTIONS, "no_cpython_wrapper": True}
"""Python never calls these."""


def fingerprint(folder: Path, *others: Path) -> str:
    """Return a number of all Python files of a folder, and of others, that changes when one of them does."""
    files = [*sorted(folder.glob("*.py")), *others]
    return hashlib.sha256(b"".join(path.name.encode() + path.read_bytes() for path in files)).hexdigest()


SOURCES = fingerprint(Path(__file__).parent, Path(__file__).parents[1] / "optimiser.py")
"""Constants of :mod:`nas_core.training.optimiser` are compiled into kernels, too."""


def kernel(function: F) -> F:
    """Compile a function of flat arrays and numbers when it is first called.

    Multiplications and additions may be contracted, nothing else is reordered: NaN and infinities go through. What is
    kept on disk is used while the files of ``SOURCES`` are as they were: numba itself looks at the caller's alone.
    """
    return _compiled(function, OPTIONS)


def looping(function: F) -> F:
    """Compile a function as :func:`kernel` does that hands parts of arrays to kernels."""
    return _compiled(function, LOOPS)


def within(function: F) -> F:
    """Compile a function as :func:`kernel` does that only kernels call."""
    return _compiled(function, INSIDE)


def _compiled(function: F, options: dict[str, Any]) -> F:
    try:
        compiled = njit(cache=True, **options)(function)
    except RuntimeError:  # no folder where it could be kept
        return cast(F, njit(**options)(function))
    compiled._cache._cache_file._source_stamp = (compiled._cache._cache_file._source_stamp, SOURCES)
    return cast(F, compiled)


def inlined(function: F) -> F:
    """Compile a small function of vectors into each kernel that calls it: what is constant there is known here."""
    return cast(F, njit(forceinline=True, **INSIDE)(function))
