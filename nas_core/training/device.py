"""Choice of the device to train on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from nas_core.errors import SettingsError

__all__ = ["one_thread", "pick_device", "repeatable"]

_repeating = threading.Lock()
_inside = 0
_before: tuple[bool, bool, bool] = (False, False, True)


def pick_device(name: str = "auto") -> torch.device:
    """Return the device called ``name``: cpu, cuda, mps, or the first of cuda, mps, cpu that is there for ``auto``.

    Raises:
        SettingsError: There is no such device here.
    """
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, there in present.items() if there))
    if not present.get(name, False):
        raise SettingsError(
            f"The device {name!r} is not available",
            allowed="auto, " + ", ".join(kind for kind, there in present.items() if there),
            fix="choose auto",
        )
    return torch.device(name)


@contextmanager
def one_thread() -> Iterator[None]:
    """Use one processor thread inside torch operations, and as many as before afterwards.

    The operations of a pack are too small to gain from more, and splitting them would round differently in packs of
    different sizes. The number is the calling thread's own: threads that already use torch are not slowed, one that
    first uses it meanwhile starts with a single thread.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def repeatable() -> Iterator[None]:
    """Let convolutions on CUDA be computed in single precision, and the same way every time.

    By default cuDNN rounds their inputs to TF32, with a mantissa of 10 bits, and chooses algorithms that add in any
    order. The switches are those of the whole process: they are as before once nobody is inside any more.
    """
    global _inside, _before
    switches = torch.backends.cudnn
    with _repeating:
        if not _inside:
            _before = switches.deterministic, switches.benchmark, switches.allow_tf32
            switches.deterministic, switches.benchmark, switches.allow_tf32 = True, False, False
        _inside += 1
    try:
        yield
    finally:
        with _repeating:
            _inside -= 1
            if not _inside:
                switches.deterministic, switches.benchmark, switches.allow_tf32 = _before
