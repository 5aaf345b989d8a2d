"""Memory for a kernel that is tested: as much of each array as it needs."""

from __future__ import annotations

import numpy as np

from nas_core.training.compiled import fields as names
from nas_core.training.compiled.fields import FIELDS, NEEDS, Memory
from nas_core.training.compiled.lanes import LANES


def wide(n: int) -> int:
    """Return the numbers of a row for n rows of the batch."""
    return -(-n // LANES) * LANES


def memory(values: np.ndarray, noise: np.ndarray | None = None) -> Memory:
    """Return memory of values (rows, N), all slopes 0."""
    none = np.zeros(0, np.float32)
    flat = np.ascontiguousarray(values, np.float32).ravel()
    noise = none if noise is None else np.ascontiguousarray(noise, np.float32).ravel()
    return Memory(flat.copy(), np.zeros_like(flat), none, none, none, noise, none, np.zeros(0, np.int32))


def operation(**fields: int) -> np.ndarray:
    """Return a row of an operation whose slopes are needed unless it is said otherwise."""
    row = np.zeros(FIELDS, np.int64)
    row[NEEDS] = 1
    for name, value in fields.items():
        row[getattr(names, name)] = value
    return row


def batch(values: np.ndarray) -> np.ndarray:
    """Return rows (R, n) of the batch as rows of N numbers, the columns that are no rows of it holding 7."""
    rows, n = values.shape
    found = np.full((rows, wide(n)), 7, np.float32)
    found[:, :n] = values
    return found
