"""The order of the training rows: one permutation per epoch, from the split seed and the epoch alone."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor

from nas_core.records import derive_seed

__all__ = ["batch_slices", "epoch_order"]


def epoch_order(split_seed: int, epoch: int, rows: int) -> Tensor:
    """Return the permutation (n,) of the training rows in ``epoch``, the same for all candidates."""
    generator = torch.Generator().manual_seed(derive_seed("order", split_seed, epoch))
    return torch.randperm(rows, generator=generator)


def batch_slices(rows: int, size: int) -> list[slice]:
    """Cut an epoch into batches of ``size``; the rest is a smaller batch, but a single row joins the one before.

    Batch normalisation has no variance to divide by in a batch of one row.
    """
    edges = [*range(0, rows, max(2, size)), rows]
    if len(edges) > 2 and edges[-1] - edges[-2] == 1:
        del edges[-2]
    return [slice(a, b) for a, b in pairwise(edges)]
