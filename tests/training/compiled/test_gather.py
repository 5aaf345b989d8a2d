"""How rows of the data come to lie side by side; the oracle is indexing and transposing by numpy."""

from __future__ import annotations

import numpy as np
import pytest

from nas_core.training.compiled.fields import FIELDS, Memory
from nas_core.training.compiled.kinds import KINDS
from nas_core.training.compiled.lanes import LANES
from nas_core.training.compiled.step import forward


@pytest.mark.parametrize("D", [1, LANES - 1, LANES, LANES + 1, 3 * LANES, 5 * LANES - 2])
@pytest.mark.parametrize(("n", "spare"), [(1, 0), (LANES, 0), (LANES + 3, 0), (3, 2)])
def test_the_chosen_rows_lie_side_by_side(D: int, n: int, spare: int) -> None:
    numbers = np.random.default_rng(D)
    N = (-(-n // LANES) + spare) * LANES
    X = numbers.normal(size=(n + 9, D)).astype(np.float32)
    rows = numbers.integers(0, len(X), n)
    empty, values = np.zeros(0, np.float32), np.full((D + 2) * N, 7, np.float32)
    m = Memory(values, empty, empty, empty, empty, empty, empty, np.zeros(0, np.int32))
    no_operations = np.zeros((0, FIELDS), np.int64), np.zeros((0, 2), np.float32), np.zeros(KINDS, np.int64)
    forward(*no_operations, m, N, X, rows, True)
    found = values.reshape(D + 2, N)
    assert np.array_equal(found[:D, :n], X[rows].T)
    assert not found[:D, n:].any()
    assert np.all(found[D:] == 7)
