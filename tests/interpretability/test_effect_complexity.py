"""Main effect complexity by prefix sums against the plain greedy search, and its known values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_complexity import slow_complexity, slow_levels

from nas_core.interpretability import effect_grid
from nas_core.interpretability.complexity import curve_complexity, level_complexity, segment_curves
from nas_core.interpretability.effects import FeatureCurves, feature_complexities


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 24), st.sampled_from(["noise", "walk", "wave", "steps"]))
def test_prefix_sums_find_the_segments_of_the_greedy_search(seed: int, size: int, shape: str) -> None:
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.uniform(0.1, 1, size))
    w = rng.uniform(0.2, 2, size)
    y = {
        "noise": lambda: rng.normal(size=size),
        "walk": lambda: np.cumsum(rng.normal(size=size)),
        "wave": lambda: np.sin(x * rng.uniform(0.1, 3)),
        "steps": lambda: np.floor(x * rng.uniform(0.1, 1)) * rng.normal(),
    }[shape]()
    found = segment_curves(x[None], y[None], w[None])
    expected, cuts = slow_complexity(x, y, w)
    assert found.complexity[0] == expected
    if expected:
        assert found.starts[0][: len(cuts)].tolist() == cuts


@given(st.integers(0, 2**32 - 1), st.integers(1, 9))
def test_merging_levels_agrees_with_the_plain_loop(seed: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(3, levels))
    w = rng.integers(0, 9, size=(3, levels)).astype(float)
    w[:, 0] += 1
    assert level_complexity(y, w).tolist() == [slow_levels(a, b) for a, b in zip(y, w)]


GRID = np.linspace(-1, 1, 101)


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        (GRID * 0, 0),
        (0.7 + GRID * 0, 0),
        (3 * GRID - 1, 1),
        (np.where(GRID > 0, 1.0, 0.0), 1),
        (np.abs(GRID), 3),
        (GRID**2, 4),
        (np.sin(3 * np.pi * GRID), 9),
    ],
)
def test_known_curves(curve: np.ndarray, expected: int) -> None:
    assert curve_complexity(GRID[None], curve[None], np.ones((1, 101)))[0] == expected


@given(st.integers(0, 2**32 - 1), st.floats(1e-6, 1e6), st.floats(-1e3, 1e3))
def test_complexity_does_not_depend_on_units(seed: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    y = np.cumsum(rng.normal(size=(4, 40)), axis=1)
    x, w = np.tile(np.arange(40.0), (4, 1)), np.ones((4, 40))
    assert (curve_complexity(x, y, w) == curve_complexity(x * scale + shift, y * scale, w)).all()


@given(st.integers(0, 2**32 - 1), st.integers(0, 30))
def test_padding_of_weight_zero_changes_nothing(seed: int, extra: int) -> None:
    rng = np.random.default_rng(seed)
    x, y, w = np.arange(20.0), np.cumsum(rng.normal(size=20)), rng.uniform(0.1, 1, 20)
    padded = (np.append(x, np.full(extra, 19.0)), np.append(y, rng.normal(size=extra)), np.append(w, np.zeros(extra)))
    plain = segment_curves(x[None], y[None], w[None])
    wide = segment_curves(*(a[None] for a in padded))
    assert plain.complexity[0] == wide.complexity[0]
    assert (plain.starts == wide.starts).all()


def test_curves_are_segmented_independently_of_their_neighbours_across_chunks() -> None:
    rng = np.random.default_rng(3)
    y = np.cumsum(rng.normal(size=(300, 15)), axis=1)
    x, w = np.tile(np.arange(15.0), (300, 1)), np.ones((300, 15))
    alone = [curve_complexity(x[i : i + 1], y[i : i + 1], w[i : i + 1])[0] for i in range(0, 300, 37)]
    assert curve_complexity(x, y, w)[::37].tolist() == alone


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 3))
def test_curves_of_several_features_are_as_complex_as_each_alone(seed: int, times: int, functions: int) -> None:
    """Against one feature after the other on its own borders, in plain loops; exactly, whichever others there are."""
    rng = np.random.default_rng(seed)
    values = np.column_stack([rng.normal(size=40), rng.integers(0, 4, 40), rng.integers(0, 9, 40), np.ones(40)])
    grid = effect_grid(values, [False, True, False, False], max_cells=12)
    parts = [
        FeatureCurves(
            j, np.cumsum(rng.normal(size=(times, len(b), functions)), 1), rng.uniform(0.1, 2, (times, len(b)))
        )
        for j, b in enumerate(grid.edges)
    ]
    together = feature_complexities(grid, parts)
    for j, (part, found) in enumerate(zip(parts, together)):
        assert np.array_equal(feature_complexities(grid, [part])[0], found)
        for b, f in np.ndindex(found.shape):
            y, w = part.values[b, :, f], part.masses[b]
            assert found[b, f] == (slow_levels(y, w) if j == 1 else slow_complexity(grid.edges[j], y, w)[0])


def test_more_curves_than_are_taken_at_once_are_as_complex_as_each_alone() -> None:
    rng = np.random.default_rng(0)
    grid = effect_grid(np.column_stack([np.arange(101.0), np.arange(101.0)]))
    masses = np.ones((1, 101))
    parts = [FeatureCurves(j, np.cumsum(rng.normal(size=(1, 101, 6000)), 1), masses) for j in (0, 1)]
    for part, found in zip(parts, feature_complexities(grid, parts)):
        alone = curve_complexity(grid.edges[0][None], part.values[:, :, -1], masses)
        assert found.shape == (1, 6000)
        assert found[0, -1] == alone[0]


def test_a_category_counts_levels_left_after_merging() -> None:
    values = np.array([[0.0, 0.0, 1.0, 1.01], [0.0, 1.0, 2.0, 3.0], [5.0, 5.0, 5.0, 5.0], [0.0, 9.0, 0.0, 0.0]])
    weights = np.ones((4, 4))
    weights[3] = [5, 0, 5, 5]
    assert level_complexity(values, weights).tolist() == [1, 3, 0, 0]


def test_no_curves_give_no_complexities() -> None:
    assert curve_complexity(np.zeros((0, 5)), np.zeros((0, 5)), np.zeros((0, 5))).shape == (0,)
