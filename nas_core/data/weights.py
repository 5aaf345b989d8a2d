"""Class weights: how much a row of each class counts in the training loss."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["CLASS_WEIGHTS", "ClassWeights", "balanced_weights"]

ClassWeights = Literal["none", "balanced"]
CLASS_WEIGHTS: tuple[ClassWeights, ...] = ("none", "balanced")


def balanced_weights(y: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """Return the weight (C',) of each class: rows / (classes · rows of the class), so that all classes weigh the same.

    Their mean over the rows of ``y`` (n,) is 1, so the size of the loss and of a gradient step stays what it was.
    Source: King and Zeng (2001); the heuristic that scikit-learn calls "balanced". A class without rows weighs 1.
    """
    counts = np.bincount(y, minlength=classes)
    present = counts > 0
    return np.where(present, len(y) / (present.sum() * np.maximum(counts, 1)), 1.0)
