"""Self-attention of many networks at once: values (S, n, steps, C)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from nas_core.training.batched.sequence_works import Batch, Work
from nas_core.training.batched.works import Products

__all__ = ["attention"]


def attention(heads: int, scales: Tensor) -> Work:
    """Return the attention of every step to every step.

    Its parameters: of queries, keys and values, which read the channels and the coordinates of their place,
    (S, C + 8, 3 · heads · D) and biases (S, 1, 3 · heads · D); of the output (S, heads · D, made) and (S, 1, made).

    Args:
        heads: Heads of each network.
        scales: (S, 1, 1, 1, 1) what the scores are multiplied by.
    """

    def work(given: Sequence[Tensor], own: Sequence[Tensor], batch: Batch) -> Tensor:
        x = given[0]
        S, n, steps, _ = x.shape
        placed = torch.cat([x, batch.places.expand(S, n, -1, -1)], -1).flatten(1, 2)
        read = Products.apply(placed, own[0], own[1]).view(S, n, steps, 3, heads, -1).permute(3, 0, 1, 4, 2, 5)
        query, key, value = (part.flatten(0, 2) for part in read.contiguous().unbind(0))
        scores = torch.bmm(query, key.mT).view(S, n, heads, steps, steps)
        scores = scores * scales if batch.present is None else torch.addcmul(batch.nowhere, scores, scales)
        mixed = torch.bmm(scores.softmax(-1).flatten(0, 2), value).view(S, n, heads, steps, -1)
        y: Tensor = Products.apply(mixed.transpose(2, 3).reshape(S, n * steps, -1), own[2], own[3])
        return y.view(S, n, steps, -1)

    return work
