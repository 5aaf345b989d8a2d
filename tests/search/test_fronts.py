"""Fronts against slow twins, and hypervolume against its defining properties."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nas_core.search.fronts import crowding, exclusive_volume, hypervolume, non_dominated, ranks
from nas_core.search.growth import GrowingFront

# A coarse grid makes ties and duplicates common; they are where such code breaks.
grid = st.integers(0, 5).map(lambda k: k / 5)


def losses_of(max_rows: int = 12, max_columns: int = 5) -> st.SearchStrategy[np.ndarray]:
    shape = st.tuples(st.integers(0, max_rows), st.integers(1, max_columns))
    return shape.flatmap(lambda s: arrays(np.float64, s, elements=grid | st.floats(0.0, 1.2)))


def dominates(a: np.ndarray, b: np.ndarray) -> bool:
    return bool((a <= b).all() and (a < b).any())


def slow_front(losses: np.ndarray) -> np.ndarray:
    """The definition: feasible, and no row dominates it."""
    return np.array(
        [not np.isnan(row).any() and not any(dominates(other, row) for other in losses) for row in losses], dtype=bool
    )


def slow_ranks(losses: np.ndarray) -> np.ndarray:
    result = np.full(len(losses), -1)
    left = losses.copy()
    front = 0
    while (mask := slow_front(left)).any():
        result[mask] = front
        left[mask] = np.nan
        front += 1
    return result


def slow_volume(losses: np.ndarray, reference: np.ndarray) -> float:
    """Inclusion and exclusion over all subsets of boxes."""
    total = 0.0
    for size in range(1, len(losses) + 1):
        for subset in combinations(losses, size):
            total -= (-1.0) ** size * np.prod(np.maximum(0.0, reference - np.max(subset, axis=0)))
    return float(total)


@given(losses_of(), st.data())
def test_front_and_ranks_match_the_definition(losses: np.ndarray, data: st.DataObject) -> None:
    if len(losses) and data.draw(st.booleans()):
        losses[data.draw(st.integers(0, len(losses) - 1)), data.draw(st.integers(0, losses.shape[1] - 1))] = np.nan
    assert non_dominated(losses).tolist() == slow_front(losses).tolist()
    assert ranks(losses).tolist() == slow_ranks(losses).tolist()


@pytest.mark.parametrize("columns", [4, 5])
@pytest.mark.parametrize("steps", [4, 50, 10**6])
def test_many_rows_in_many_dimensions_match_the_definition(columns: int, steps: int) -> None:
    # More rows than a block and than the pairwise limit, so that the blocked path is the one tested.
    losses = np.random.default_rng(columns).integers(0, steps, (700, columns)) / steps
    assert (non_dominated(losses) == slow_front(losses)).all()
    rank = ranks(losses)
    assert (rank == ranks(losses[::-1])[::-1]).all()
    for front in range(rank.max() + 1):
        assert (non_dominated(np.where(rank[:, None] >= front, losses, np.nan)) == (rank == front)).all()


def test_a_dominance_hidden_by_rounding_of_the_sum_is_found() -> None:
    tiny = np.array([[1.0, 1e-20, 0.5, 0.5], [1.0, 0.0, 0.5, 0.5], [1.0, 0.0, 0.5, 0.5]])
    assert non_dominated(tiny).tolist() == [False, True, True]


@pytest.mark.parametrize("shape", [(0, 2), (0, 4), (1, 1), (1, 3)])
def test_none_and_one_row(shape: tuple[int, int]) -> None:
    losses = np.zeros(shape)
    assert non_dominated(losses).tolist() == [True] * shape[0]
    assert ranks(losses).tolist() == [0] * shape[0]
    assert hypervolume(losses, np.ones(shape[1])) == float(shape[0])


def test_crowding_of_a_known_front() -> None:
    losses = np.array([[0.0, 1.0], [0.25, 0.5], [0.5, 0.25], [1.0, 0.0], [1.0, 1.0], [np.nan, 0.0]])
    distance = crowding(losses, ranks(losses))
    # (0.5 − 0)/1 + (1 − 0.25)/1, and (1 − 0.25)/1 + (0.5 − 0)/1
    assert distance.tolist() == [np.inf, 1.25, 1.25, np.inf, 0.0, 0.0]


def test_crowding_of_equal_rows_and_of_a_constant_loss() -> None:
    losses = np.array([[0.5, 0.0], [0.5, 0.0], [0.5, 0.0]])
    assert crowding(losses, ranks(losses)).tolist() == [0.0, 0.0, 0.0]


@given(arrays(np.float64, st.tuples(st.just(1), st.integers(1, 6)), elements=st.floats(0.0, 1.5)))
def test_the_volume_of_one_point_is_its_box(point: np.ndarray) -> None:
    reference = np.full(point.shape[1], 1.1)
    expected = float(np.prod(reference - point[0])) if (point < reference).all() else 0.0
    assert hypervolume(point, reference) == pytest.approx(expected)


@given(losses_of(max_rows=7))
def test_the_volume_is_that_of_inclusion_and_exclusion(losses: np.ndarray) -> None:
    reference = np.ones(losses.shape[1])
    assert hypervolume(losses, reference) == pytest.approx(slow_volume(losses, reference), abs=1e-9)


@given(losses_of(), st.data())
def test_the_volume_only_grows_and_by_what_is_exclusive(losses: np.ndarray, data: st.DataObject) -> None:
    columns = losses.shape[1]
    point = data.draw(arrays(np.float64, columns, elements=st.floats(0.0, 1.2)))
    reference = np.ones(columns)
    before, after = hypervolume(losses, reference), hypervolume(np.vstack([losses, point]), reference)
    assert after >= before - 1e-12
    assert exclusive_volume(point, losses, reference) == pytest.approx(after - before, abs=1e-9)


@given(losses_of(), st.randoms(use_true_random=False))
def test_order_duplicates_dominated_and_infeasible_rows_do_not_matter(losses: np.ndarray, random: object) -> None:
    reference = np.ones(losses.shape[1])
    volume = hypervolume(losses, reference)
    order = list(range(len(losses)))
    random.shuffle(order)  # type: ignore[attr-defined]
    extra = [losses[order], losses, losses + 0.1, np.full((1, losses.shape[1]), np.nan)]
    assert hypervolume(np.vstack(extra), reference) == pytest.approx(volume, abs=1e-9)
    assert hypervolume(losses[non_dominated(losses)], reference) == pytest.approx(volume, abs=1e-9)


@given(losses_of(), st.integers(0, 4))
def test_points_on_or_beyond_the_reference_add_nothing(losses: np.ndarray, column: int) -> None:
    reference = np.ones(losses.shape[1])
    beyond = losses.copy()
    beyond[:, column % losses.shape[1]] = 1.0
    far = np.vstack([losses, beyond, losses + 1.0])
    assert hypervolume(far, reference) == pytest.approx(hypervolume(losses, reference), abs=1e-9)


@pytest.mark.parametrize("columns", [2, 3, 4, 5])
def test_the_volume_agrees_with_random_points(columns: int) -> None:
    rng = np.random.default_rng(columns)
    losses = rng.random((60, columns)) ** 0.5
    points = rng.random((20_000, columns))
    covered = np.any(np.all(losses[None, :, :] <= points[:, None, :], axis=2), axis=1)
    share = covered.mean()
    error = np.sqrt(share * (1.0 - share) / len(points))
    assert hypervolume(losses, np.ones(columns)) == pytest.approx(share, abs=5 * error)


@given(losses_of(max_columns=4), st.booleans())
def test_a_growing_front_has_the_volume_of_all_rows_so_far(losses: np.ndarray, with_floor: bool) -> None:
    columns = losses.shape[1]
    floor = np.full(columns, 0.5) if with_floor else None
    front = GrowingFront(columns, floor)
    start = np.full((1 if with_floor else 0, columns), 0.5)
    for count, row in enumerate(losses, start=1):
        volume = front.add(row)
        assert volume == pytest.approx(hypervolume(np.vstack([start, losses[:count]]), np.ones(columns)), abs=1e-9)
    assert non_dominated(front.front).all()
