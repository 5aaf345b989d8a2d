"""Encoded rows on the device, handed out transposed: (D + 1, N), with a last row of zeros for padding."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from nas_core.training.plan import run_length

__all__ = ["Bank"]


class Bank:
    """The bank E (n, D) of one part of the data; on the CPU it shares memory with the array."""

    def __init__(self, E: np.ndarray, device: torch.device) -> None:
        if not E.flags.writeable:  # torch shares the memory of an array and warns when it may not write there
            E = E.copy()
        self.E = torch.from_numpy(np.ascontiguousarray(E, dtype=np.float32)).to(device)

    def __len__(self) -> int:
        return len(self.E)

    @property
    def blank(self) -> int:
        """Row of the transposed bank that is all 0."""
        return self.E.shape[1]

    def rows(self, chosen: Tensor | slice) -> Tensor:
        """Return the chosen rows transposed, (D + 1, N), with rows of zeros up to a multiple of LANES."""
        part = self.E[chosen] if isinstance(chosen, slice) else self.E.index_select(0, chosen)
        out = part.new_zeros(part.shape[1] + 1, run_length(len(part)))
        out[:-1, : len(part)].copy_(part.T)
        return out

    def chunks(self, size: int) -> Iterator[Tensor]:
        """Yield all rows in order, transposed, ``size`` at a time."""
        for start in range(0, len(self.E), size):
            yield self.rows(slice(start, start + size))
