"""Forward selection: an order of features in which each adds most to those before it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["forward_order"]

Floats = NDArray[np.float64]
NEGLIGIBLE = 1e-9  # share of a column's variance below which the columns before it say the same


def forward_order(Z: Floats, T: Floats, steps: int) -> tuple[int, ...]:
    """Return the columns of Z in the order of greedy forward selection for a linear model of T.

    Each step takes the column that lowers the squared error of the least-squares fit most, and removes its direction
    from all the others, so that a column which repeats earlier ones comes late or never.

    Source: orthogonal least squares, Chen, Billings and Luo (1989).
    Costs: O(steps · n · F).

    Args:
        Z: (n, F) columns.
        T: (n, C) targets; the gains of several targets add up.
        steps: How many columns to take at most.
    """
    Z, T = Z - Z.mean(axis=0), T - T.mean(axis=0)
    first = np.einsum("nf,nf->f", Z, Z)
    chosen: list[int] = []
    for _ in range(min(steps, Z.shape[1])):
        left = np.einsum("nf,nf->f", Z, Z)
        usable = left > NEGLIGIBLE * np.maximum(first, 1e-300)
        usable[chosen] = False
        if not usable.any():
            break
        gain = np.where(usable, np.sum((Z.T @ T) ** 2, axis=1) / np.where(usable, left, 1.0), -1.0)
        best = int(np.argmax(gain))
        chosen.append(best)
        direction = Z[:, best] / np.sqrt(left[best])
        Z = Z - np.outer(direction, direction @ Z)
        T = T - np.outer(direction, direction @ T)
    return tuple(chosen)
