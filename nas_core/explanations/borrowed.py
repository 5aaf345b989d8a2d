"""The ``shap`` library, borrowed in such a way that nobody notices: global generators are put back, warnings held back.

The library draws from NumPy's global generator; a lock keeps two explanations in two threads from drawing from each
other's.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

__all__ = ["lent_shap"]

_SHAP = threading.Lock()


@contextmanager
def lent_shap(seed: int) -> Iterator[Any]:
    """Lend the library with NumPy's global generator seeded, and put the generator's state back."""
    with _SHAP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # importing the library warns about optional plotting packages
            import shap
        state = np.random.get_state()
        np.random.seed(seed % 2**32)
        try:
            yield shap
        finally:
            np.random.set_state(state)
