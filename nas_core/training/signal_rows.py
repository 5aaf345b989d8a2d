"""Encoded images or sequences on the device, and their targets, as a signal network reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from nas_core.data.problem import Part
    from nas_core.data.signal import Signal

__all__ = ["SignalRows", "shaped"]


def shaped(E: np.ndarray, signal: Signal, device: torch.device) -> Tensor:
    """Return the bank (n, D) as a tensor (n, *signal.encoded_shape) on the device.

    Images lie there with their channels last, which oneDNN convolves in 0.6 of the time; one that has a single channel
    shares its memory with the bank.
    """
    if not E.flags.writeable:  # torch shares the memory of an array and warns when it may not write there
        E = E.copy()
    x = torch.from_numpy(np.ascontiguousarray(E, dtype=np.float32)).to(device).view(-1, *signal.encoded_shape)
    return x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) if x.ndim == 4 else x


class SignalRows:
    """One part of the data: x (n, *shape), y (n,) class index or standardised target, weights (n,) or None."""

    def __init__(self, part: Part, signal: Signal, device: torch.device) -> None:
        kind = np.int64 if np.issubdtype(part.y.dtype, np.integer) else np.float32
        self.x = shaped(part.E, signal, device)
        self.y = torch.from_numpy(part.y.astype(kind)).to(device)
        self.weights = None if part.weights is None else torch.from_numpy(part.weights.astype(np.float32)).to(device)

    def __len__(self) -> int:
        return len(self.x)

    def batch(self, chosen: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return x, y and weights of the chosen rows."""
        x = self.x
        if x.ndim == 4:  # gathered where the channels are last, so that they still are
            picked = x.permute(0, 2, 3, 1).index_select(0, chosen).permute(0, 3, 1, 2)
        else:
            picked = x.index_select(0, chosen)
        weights = None if self.weights is None else self.weights.index_select(0, chosen)
        return picked, self.y.index_select(0, chosen), weights

    def chunks(self, size: int) -> Iterator[tuple[Tensor, slice]]:
        """Yield x in pieces of ``size`` rows, and which rows they are."""
        for start in range(0, len(self), size):
            rows = slice(start, min(start + size, len(self)))
            yield self.x[rows], rows
