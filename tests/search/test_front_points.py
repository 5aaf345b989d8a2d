"""The knee and the unsupported points of a front, against definitions spelled out and grids of λ."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nas_core.preferences import tchebycheff
from nas_core.search.front_points import knee, unsupported
from nas_core.search.fronts import non_dominated
from nas_core.search.ranking import front_scale

grid = st.integers(0, 12).map(lambda k: k / 12)
fronts = st.integers(1, 12).flatmap(lambda n: arrays(np.float64, (n, 2), elements=grid))


def distance_below(losses: np.ndarray) -> dict[int, float]:
    """The slow twin: distance of each front point below the line through the ends, by the cross product."""
    front = [k for k in range(len(losses)) if non_dominated(losses)[k]]
    ideal, span = front_scale(losses[front])
    scaled = {k: (losses[k] - ideal) / span for k in front}
    a, b = min(scaled.values(), key=tuple), max(scaled.values(), key=tuple)
    if (a == b).all():
        return dict.fromkeys(front, 0.0)
    return {
        k: float((b[1] - a[1]) * (p[0] - a[0]) - (b[0] - a[0]) * (p[1] - a[1])) / float(np.hypot(*(b - a)))
        for k, p in scaled.items()
    }


@given(fronts)
def test_the_knee_lies_farthest_below_the_line_of_the_ends(losses: np.ndarray) -> None:
    found, distance = knee(losses), distance_below(losses)
    assert found is not None
    assert distance[found] == pytest.approx(max(distance.values()), abs=1e-9)
    assert all(distance[k] < distance[found] - 1e-12 for k in distance if k < found)


@given(fronts, st.floats(0.1, 5.0), st.floats(-3.0, 3.0), st.randoms(use_true_random=False))
def test_the_knee_depends_on_no_unit_order_or_duplicate(
    losses: np.ndarray, unit: float, shift: float, shuffler: object
) -> None:
    place = losses[knee(losses)]
    order = list(range(len(losses)))
    shuffler.shuffle(order)  # type: ignore[attr-defined]
    distance = distance_below(losses)
    equally_far = [losses[k].tolist() for k in distance if distance[k] > max(distance.values()) - 1e-9]
    assert losses[order][knee(losses[order])].tolist() in equally_far
    assert np.vstack([losses, losses])[knee(np.vstack([losses, losses]))].tolist() == place.tolist()
    assert losses[knee(losses * unit + shift)].tolist() in equally_far


def test_known_knees() -> None:
    assert knee(np.array([[0.0, 1.0], [0.1, 0.2], [0.5, 0.15], [1.0, 0.0]])) == 1
    assert knee(np.array([[1.0, 0.0], [0.9, 0.9], [0.0, 1.0]])) == 0  # bulges the other way: the first end
    assert knee(np.array([[0.0, 1.0], [0.25, 0.75], [1.0, 0.0]])) == 0  # straight: all equally far
    assert knee(np.array([[0.3, 0.2]])) == 0
    assert knee(np.array([[0.9, 0.9], [0.3, 0.2], [0.2, 0.3]])) == 1
    assert knee(np.empty((0, 2))) is None
    assert knee(np.full((3, 2), np.nan)) is None


@given(fronts)
def test_unsupported_points_are_on_the_front_and_never_first_on_a_grid(losses: np.ndarray) -> None:
    mask, front = unsupported(losses), non_dominated(losses)
    assert not mask[~front].any()
    assert not mask[front].all()
    ideal, span = front_scale(losses[front])
    scaled = (losses - ideal) / span
    first = np.zeros(len(losses), bool)
    for weight in np.linspace(0.0, 1.0, 401):
        score = np.where(front, tchebycheff(scaled, weight), np.inf)
        first |= (score == score.min()) & (score < np.delete(score, score.argmin()).min(initial=np.inf) - 1e-9)
        assert score[front & ~mask].min() <= score.min() + 1e-9  # nobody is missed by leaving them out
    assert not (mask & first).any()


@given(fronts)
def test_equal_points_share_their_fate(losses: np.ndarray) -> None:
    mask = unsupported(losses)
    assert unsupported(np.vstack([losses, losses])).tolist() == [*mask, *mask]
    assert unsupported(losses[::-1]).tolist() == mask[::-1].tolist()


def test_a_point_that_is_almost_dominated_is_unsupported() -> None:
    losses = np.array([[0.0, 1.0], [0.0999, 0.9], [0.1, 0.1], [0.9, 0.0999], [1.0, 0.0]])
    assert unsupported(losses).tolist() == [False, True, False, True, False]
    assert unsupported(np.array([[0.0, 1.0], [0.45, 0.55], [1.0, 0.0]])).tolist() == [False] * 3
    assert unsupported(np.empty((0, 2))).tolist() == []
