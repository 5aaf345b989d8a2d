"""A subset of the first axis of a tensor: a view where it is contiguous, an index where it is not."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["Rows"]


class Rows:
    """Chosen entries of an axis of length ``total``, in increasing order."""

    def __init__(self, chosen: list[int], total: int, device: torch.device) -> None:
        self.count, self.total = len(chosen), total
        self.all = self.count == total
        contiguous = bool(chosen) and chosen[-1] - chosen[0] + 1 == self.count
        self.span = slice(chosen[0], chosen[-1] + 1) if contiguous else None
        self.index = torch.tensor(chosen, dtype=torch.long, device=device)

    def __bool__(self) -> bool:
        return self.count > 0

    def take(self, x: Tensor) -> Tensor:
        """Return the chosen entries of ``x``; a view where they are contiguous."""
        if self.all:
            return x
        return x[self.span] if self.span is not None else x.index_select(0, self.index)

    def copy(self, x: Tensor) -> Tensor:
        """Return the chosen entries of ``x`` as a tensor of their own."""
        return x[self.span].clone() if self.span is not None else x.index_select(0, self.index)

    def put(self, x: Tensor, values: Tensor) -> None:
        """Overwrite the chosen entries of ``x``."""
        if self.span is not None:
            x[self.span].copy_(values)
        else:
            x.index_copy_(0, self.index, values)

    def add(self, x: Tensor, values: Tensor) -> None:
        """Add to the chosen entries of ``x``."""
        if self.span is not None:
            x[self.span].add_(values)
        else:
            x.index_add_(0, self.index, values)

    def multiply(self, x: Tensor, values: Tensor) -> None:
        """Multiply the chosen entries of ``x``."""
        if self.span is not None:
            x[self.span].mul_(values)
        else:
            x.index_copy_(0, self.index, x.index_select(0, self.index).mul_(values))
