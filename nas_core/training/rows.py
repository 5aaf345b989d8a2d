"""Buffers for one number of rows: allocated once, used by every batch of that size."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["Room"]


class Room:
    """Hands out buffers (entries, units, N): own ones, and scratch ones that different layers share.

    Args:
        N: Rows, a multiple of LANES in training.
        largest: Most entries times units of any buffer.
        inputs: The same of the shared buffer "inputs", which is much larger when there are many features.
        device: Where the buffers lie.
        training: Whether the buffers must last until the backward pass.
    """

    def __init__(self, N: int, largest: int, inputs: int, device: torch.device, *, training: bool) -> None:
        self.N, self.largest, self.inputs, self.device, self.training = N, largest, inputs, device, training
        self._scratch: dict[str, Tensor] = {}

    def own(self, entries: int, units: int) -> Tensor:
        """Return a buffer that nobody else uses."""
        return torch.empty(entries, units, self.N, device=self.device)

    def scratch(self, name: str, entries: int, units: int) -> Tensor:
        """Return the beginning of the shared buffer ``name``."""
        if name not in self._scratch:
            largest = self.inputs if name == "inputs" else self.largest
            self._scratch[name] = torch.empty(largest * self.N, device=self.device)
        return self._scratch[name][: entries * units * self.N].view(entries, units, self.N)

    def lasting(self, name: str, entries: int, units: int) -> Tensor:
        """Return a buffer of its own in training, a shared one outside."""
        return self.own(entries, units) if self.training else self.scratch(name, entries, units)
