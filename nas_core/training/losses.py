"""Losses of many candidates at once, each computed from its own logits only.

Binary cross-entropy (C = 1), cross-entropy (C classes), squared error on the standardised target (regression). Row
weights multiply the loss of their row; the mean is over the rows, not over their weights, so that the size of a step
does not depend on which classes a batch happens to hold.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["loss_gradient", "losses"]


def losses(logits: Tensor, y: Tensor, task: str, weights: Tensor | None = None) -> Tensor:
    """Return the loss (K, N) of every row.

    Args:
        logits: (K, C, N).
        y: (N,) class index or standardised target.
        task: ``classification`` or ``regression``.
        weights: (N,), or (K, N) for each candidate, how much each row counts; None when all count the same.
    """
    each = _each(logits, y, task)
    return each if weights is None else each * weights


def _each(logits: Tensor, y: Tensor, task: str) -> Tensor:
    """Return the unweighted loss (K, N) of every row."""
    if task == "regression":
        return (logits[:, 0] - y).square()
    if logits.shape[1] == 1:
        target = y.to(logits.dtype).expand(logits.shape[0], -1)
        return functional.binary_cross_entropy_with_logits(logits[:, 0], target, reduction="none")
    return functional.cross_entropy(logits, y.expand(logits.shape[0], -1), reduction="none")


def loss_gradient(logits: Tensor, y: Tensor, task: str, rows: int, weights: Tensor | None = None) -> Tensor:
    """Return the gradient (K, C, N) of each candidate's mean weighted loss over the first ``rows``; 0 for the others.

    ``weights`` (N,), or (K, N) for each candidate, may hold anything beyond the first ``rows``.
    """
    if task == "regression":
        gradient = (logits - y).mul_(2 / rows)
    elif logits.shape[1] == 1:
        gradient = torch.sigmoid(logits).sub_(y.to(logits.dtype)).mul_(1 / rows)
    else:
        hot = functional.one_hot(y, logits.shape[1]).T.to(logits.dtype)
        gradient = torch.softmax(logits, 1).sub_(hot).mul_(1 / rows)
    if weights is not None:
        gradient.mul_(weights if weights.dim() == 1 else weights[:, None])
    gradient[:, :, rows:] = 0
    return gradient
