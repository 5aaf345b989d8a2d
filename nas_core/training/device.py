"""Choice of the device to train on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from nas_core.errors import SettingsError

__all__ = ["one_thread", "pick_device"]


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
