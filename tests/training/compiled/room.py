"""Memory for the tests of kernels: values, weights and tables are put down one by one, then it is all there."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from nas_core.training.compiled.fields import FIELDS, PRESENT, Memory
from nas_core.training.compiled.lanes import LANES


@dataclass
class Room:
    """Collects what an operation needs for ``n`` rows of a batch; columns beyond them hold something as well."""

    n: int
    rows: list[np.ndarray] = field(default_factory=list)
    weights: list[np.ndarray] = field(default_factory=list)
    tables: list[np.ndarray] = field(default_factory=list)
    statistics: int = 0
    scratch: int = 0

    @property
    def N(self) -> int:  # noqa: N802 - as kernels call it
        return -(-self.n // LANES) * LANES

    def value(self, x: Tensor, beyond: float = 0.5) -> int:
        """Put down a value (n, channels, places); return its first row."""
        first = sum(len(rows) for rows in self.rows)
        rows = x.detach().numpy().reshape(self.n, -1).T
        others = np.full((len(rows), self.N - self.n), beyond)
        self.rows.append(np.concatenate([rows, others], 1).astype(np.float32))
        return first

    def empty(self, rows: int) -> int:
        """Make room for the rows of a result, which holds something else before."""
        return self.value(torch.full((self.n, rows), 7.0))

    def weight(self, w: Tensor) -> int:
        first = sum(len(part) for part in self.weights)
        self.weights.append(w.detach().numpy().ravel().astype(np.float32))
        return first

    def table(self, numbers: np.ndarray) -> int:
        first = sum(len(part) for part in self.tables)
        self.tables.append(np.asarray(numbers, np.int32))
        return first

    def memory(self) -> Memory:
        values = np.concatenate(self.rows).ravel()
        weights = np.concatenate([*self.weights, np.zeros(1, np.float32)])
        tables = np.concatenate([*self.tables, np.zeros(1, np.int32)])
        return Memory(
            values, np.zeros_like(values), weights, np.full_like(weights, 9.0),
            np.zeros(self.statistics + 1, np.float32), np.zeros(1, np.float32),
            np.full(self.scratch * self.N + 1, 3.0, np.float32), tables,
        )  # fmt: skip

    def read(self, array: np.ndarray, first: int, channels: int, places: int) -> Tensor:
        """Return (n, channels, places) of the values or slopes from a row on."""
        rows = array.reshape(-1, self.N)[first : first + channels * places, : self.n]
        return torch.tensor(rows.T.copy()).reshape(self.n, channels, places)

    def write(self, array: np.ndarray, first: int, x: Tensor) -> None:
        """Set (n, channels, places) of the values or slopes."""
        rows = x.detach().numpy().reshape(self.n, -1).T
        array.reshape(-1, self.N)[first : first + len(rows), : self.n] = rows


def row(fields: dict[int, int]) -> np.ndarray:
    """Return the row of an operation."""
    numbers = np.zeros(FIELDS, np.int64)
    numbers[PRESENT] = -1
    for place, number in fields.items():
        numbers[place] = number
    return numbers


def marks(lengths: list[int], steps: int) -> Tensor:
    """Return (n, 2, steps): where sequences have a step, and up to where; each misses its second step."""
    inside = (torch.arange(steps) < torch.tensor(lengths)[:, None]).float()
    here = inside.clone()
    here[:, 1:2] *= torch.tensor([[n == 2] for n in lengths]).float()
    return torch.stack([here, inside], 1)
