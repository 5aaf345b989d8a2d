"""Running out of memory: how it is recognised, and how to give back what a failed attempt still holds."""

from __future__ import annotations

import gc
import sys

__all__ = ["free_memory", "is_shortage"]

_WORDS = ("out of memory", "can't allocate memory", "cannot allocate memory", "not enough memory")


def is_shortage(error: BaseException) -> bool:
    """Return whether an error says that memory ran out, on the processor or on an accelerator.

    PyTorch raises its own ``OutOfMemoryError`` on CUDA, and a plain ``RuntimeError`` on the processor and on MPS.
    """
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError | OSError) and any(words in str(error).lower() for words in _WORDS)


def free_memory() -> None:
    """Give back what nothing refers to: cycles of Python, and what PyTorch keeps of an accelerator's memory."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is None:
        return
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()
