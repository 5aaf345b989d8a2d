"""The grid of first-order effects: cells hold rows, borders are observed values."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nas_core.interpretability import effect_grid

columns = arrays(float, st.tuples(st.integers(1, 60), st.just(2)), elements=st.integers(-5, 5).map(lambda v: v / 4))
flags = st.tuples(st.booleans(), st.booleans())


@given(columns, flags, st.integers(1, 12))
def test_every_row_lies_in_its_cell_and_no_cell_is_empty(X: np.ndarray, categorical: tuple, cells: int) -> None:
    grid = effect_grid(X, categorical, max_cells=cells)
    for j in range(2):
        lower, upper = grid.edges[j][grid.cells[:, j]], grid.edges[j][grid.cells[:, j] + 1]
        assert (lower <= X[:, j]).all()
        assert (X[:, j] <= upper).all()
        assert np.allclose(lower + grid.shares[:, j] * (upper - lower), X[:, j])
        assert (grid.counts(j) > 0).all()
        assert len(grid.counts(j)) == len(grid.edges[j]) - 1
        assert set(grid.edges[j]) <= set(X[:, j])


@given(columns, flags)
def test_border_weights_give_the_mean_over_the_rows(X: np.ndarray, categorical: tuple) -> None:
    grid = effect_grid(X, categorical, max_cells=3)
    for j in range(2):
        assert np.isclose(grid.weights(j).sum(), len(X))
        assert np.isclose(grid.weights(j) @ grid.edges[j], X[:, j].sum(), atol=1e-9)


def test_a_numeric_column_has_at_most_so_many_cells_and_a_category_one_less_than_levels() -> None:
    X = np.column_stack([np.random.default_rng(0).normal(size=500), np.arange(500) % 150])
    grid = effect_grid(X, [False, True], max_cells=100)
    assert [len(e) - 1 for e in grid.edges] == [100, 149]


def test_a_constant_column_has_one_cell_of_width_zero() -> None:
    grid = effect_grid(np.full((4, 1), 3.0))
    assert grid.edges[0].tolist() == [3.0, 3.0]
    assert grid.cells.tolist() == [[0]] * 4
